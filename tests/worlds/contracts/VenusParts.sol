// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

/// An access control manager that lets everybody do everything.
contract Permits {
    function isAllowedToCall(address, string calldata) external pure returns (bool) {
        return true;
    }
}

/// A token that is worth so many of another, by the getters that Venus's oracles ask: ERC-4626, Lido's, ankrBNB's.
contract WorthOthers {
    string public symbol;
    uint8 public decimals;
    uint256 public rate;

    constructor(string memory symbol_, uint8 decimals_, uint256 rate_) {
        (symbol, decimals, rate) = (symbol_, decimals_, rate_);
    }

    function set(uint256 rate_) external {
        rate = rate_;
    }

    function convertToAssets(uint256) external view returns (uint256) {
        return rate;
    }

    function convertSnBnbToBnb(uint256) external view returns (uint256) {
        return rate;
    }

    function getPooledEthByShares(uint256) external view returns (uint256) {
        return rate;
    }
}

struct PythPrice {
    int64 price;
    uint64 conf;
    int32 expo;
    uint256 publishTime;
}

/// Pyth as far as oracles read it.
contract LocalPyth {
    mapping(bytes32 => PythPrice) private kept;

    function set(bytes32 id, PythPrice calldata price) external {
        kept[id] = price;
    }

    function getPriceUnsafe(bytes32 id) public view returns (PythPrice memory) {
        require(kept[id].publishTime != 0, "no such price");
        return kept[id];
    }

    function getPriceNoOlderThan(bytes32 id, uint256 age) external view returns (PythPrice memory price) {
        price = getPriceUnsafe(id);
        uint256 apart = block.timestamp > price.publishTime
            ? block.timestamp - price.publishTime
            : price.publishTime - block.timestamp;
        require(apart <= age, "stale price");
    }
}

/// The interface and arithmetic of Venus's PythOracle v1.8.0, of which no package carries the bytecode.
contract VenusPythOracle {
    struct Config {
        bytes32 id;
        address asset;
        uint64 maxStalePeriod;
    }

    LocalPyth public underlyingPythOracle;
    mapping(address => Config) public tokenConfigs;

    constructor(LocalPyth pyth) {
        underlyingPythOracle = pyth;
    }

    function setTokenConfig(Config calldata config) external {
        tokenConfigs[config.asset] = config;
    }

    function getPrice(address asset) external view returns (uint256) {
        Config memory config = tokenConfigs[asset];
        require(config.asset != address(0), "asset doesn't exist");
        PythPrice memory said = underlyingPythOracle.getPriceNoOlderThan(config.id, config.maxStalePeriod);
        require(said.price > 0, "invalid pyth oracle price");
        uint256 price = uint256(uint64(said.price)) * 1e18;
        uint256 missing = 10 ** (18 - WorthOthers(asset).decimals());
        if (said.expo > 0) return price * 10 ** uint256(uint32(said.expo)) * missing;
        return (price / 10 ** uint256(uint32(-said.expo))) * missing;
    }
}
