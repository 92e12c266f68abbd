// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

import {MoonwellComposite} from "./CompoundOracles.sol";

/// A source whose whole answer the test writes, misbehaviour included: `raw` is returned to any call, if it is set.
contract Whatever {
    bytes private raw;
    bool private refuses;

    function answer(bytes calldata with) external {
        raw = with;
        refuses = false;
    }

    function refuse(bytes calldata with) external {
        raw = with;
        refuses = true;
    }

    fallback() external {
        bytes memory said = raw;
        bool no = refuses;
        assembly {
            if no { revert(add(said, 32), mload(said)) }
            return(add(said, 32), mload(said))
        }
    }
}

/// A source that poses as Chainlink's proxy and misbehaves in one way. `polite`: but for `latestAnswer`, which is what
/// AaveOracle asks.
contract Misbehaving {
    enum Way {
        None,
        Reverts,
        ThirtyOneBytes,
        SixtyFourKiB,
        Negative,
        FromTheFuture,
        RoundZero,
        Zero,
        BurnsGas,
        AnswersAnything,
        AnswersNothing,
        Undated
    }

    Way private way;
    bool private polite;
    int256 private price;

    function behave(Way way_, bool polite_, int256 price_) external {
        (way, polite, price) = (way_, polite_, price_);
    }

    fallback() external {
        if (polite && msg.sig == 0x50d25bcd) word(uint256(price)); // latestAnswer()
        if (way == Way.Reverts) revert("no");
        if (way == Way.BurnsGas) while (true) {}
        if (way == Way.ThirtyOneBytes) bytesOf(31);
        if (way == Way.SixtyFourKiB) bytesOf(65536);
        if (way == Way.AnswersNothing) bytesOf(0);
        if (way == Way.AnswersAnything) word(uint256(price));
        if (msg.sig == 0x50d25bcd) word(uint256(answer()));
        if (msg.sig == 0x313ce567) word(8); // decimals()
        if (msg.sig == 0x58303b10) word(1); // phaseId()
        if (msg.sig == 0x245a7bfc) word(uint160(address(this))); // aggregator()
        if (msg.sig == 0xfeaf968c) rounds(); // latestRoundData()
        revert("no such function");
    }

    function answer() private view returns (int256) {
        if (way == Way.Negative) return -price;
        return way == Way.Zero ? int256(0) : price;
    }

    function rounds() private view {
        uint256 id = way == Way.RoundZero ? 0 : 5;
        uint256 at = block.timestamp;
        if (way == Way.FromTheFuture) at += 1 days;
        if (way == Way.Undated) at = 0;
        bytes memory said = abi.encode(id, answer(), at, at, id);
        assembly {
            return(add(said, 32), mload(said))
        }
    }

    function word(uint256 value) private pure {
        assembly {
            mstore(0, value)
            return(0, 32)
        }
    }

    function bytesOf(uint256 length) private pure {
        assembly {
            return(0, length)
        }
    }
}

/// An adapter that AaveOracle can ask, over any two sources. `polite`: with a price of its own for `latestAnswer`.
contract Composed is MoonwellComposite {
    int256 private immutable polite;

    constructor(address first, address second, int256 polite_) MoonwellComposite(first, second, address(0)) {
        polite = polite_;
    }

    function latestAnswer() external view returns (int256 answer) {
        if (polite != 0) return polite;
        (, answer, , , ) = this.latestRoundData();
    }
}

/// An adapter over itself.
contract Circular {
    address public secondMultiplier;
    uint8 public constant decimals = 18;
    int256 private immutable polite;

    constructor(int256 polite_) {
        polite = polite_;
    }

    function base() external view returns (address) {
        return address(this);
    }

    function multiplier() external view returns (address) {
        return address(this);
    }

    function latestAnswer() external view returns (int256 answer) {
        if (polite != 0) return polite;
        (, answer, , , ) = this.latestRoundData();
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return Circular(this.base()).latestRoundData();
    }
}
