// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

interface IAnswer {
    function latestAnswer() external view returns (int256);
}

interface IRate {
    function rate() external view returns (uint256);
}

/// What a wrapped token is exchanged for, with 18 places.
contract FixedRate {
    uint256 public rate;

    constructor(uint256 value) {
        rate = value;
    }
}

/// A price made of a feed and a rate, the rate at most `most`, cut off as Aave's capped adapters do:
/// answer × min(rate, most) ÷ 10^18 (aave/aave-capo, PriceCapAdapterBase.latestAnswer).
contract CappedAdapter {
    address public feed;
    address public ratio;
    int256 public most;

    constructor(address feed_, address ratio_, int256 most_) {
        feed = feed_;
        ratio = ratio_;
        most = most_;
    }

    function latestAnswer() external view returns (int256) {
        int256 found = int256(IRate(ratio).rate());
        return (IAnswer(feed).latestAnswer() * (found > most ? most : found)) / 1e18;
    }
}
