// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

/// A protocol that can only be searched by its logs: whoever opens something in a market leaves one.
contract LogsEmitter {
    event Opened(bytes32 indexed market, address indexed owner, uint256 amount);
    event Other(bytes32 indexed market, address indexed owner);

    mapping(bytes32 => mapping(address => uint256)) public amountOf;

    function open(bytes32 market, address owner, uint256 amount) external {
        amountOf[market][owner] = amount;
        emit Opened(market, owner, amount);
    }

    function openMany(bytes32 market, address owner, uint256 times) external {
        for (uint256 i = 0; i < times; i++) emit Opened(market, owner, i);
    }

    function other(bytes32 market, address owner) external {
        emit Other(market, owner);
    }

    function close(bytes32 market, address owner) external {
        amountOf[market][owner] = 0;
    }
}
