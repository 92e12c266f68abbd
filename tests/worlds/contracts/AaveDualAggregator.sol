// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

/// The reading side of Chainlink's DualAggregator 1.0.0, behind the proxies of Smart Value Recapture: the secondary
/// proxy sees a round at once where it was reported to it, and else only after the cutoff time.
contract AaveDualAggregator {
    struct Transmission {
        int256 answer;
        uint256 observedAt;
        uint256 recordedAt;
    }

    uint8 public constant decimals = 8;
    uint256 public constant version = 6;
    string public description = "ETH / USD";
    int256 public constant minAnswer = 1;
    int256 public constant maxAnswer = 95780971304118053647396689196894323976171195136475135;
    uint32 private constant FURTHEST = 20;

    address private secondaryProxy;
    uint256 private immutable cutoff;
    uint32 private latest;
    uint32 private latestSecondary;
    bool private lastWasSecondary;
    mapping(uint32 => Transmission) private transmissions;

    constructor(uint256 cutoff_) { cutoff = cutoff_; }

    function setSecondaryProxy(address to) external { secondaryProxy = to; }

    function transmit(int256 answer, bool secondary) external {
        transmissions[++latest] = Transmission(answer, block.timestamp - 3, block.timestamp);
        if (secondary) latestSecondary = latest;
        lastWasSecondary = secondary;
    }

    function visible() private view returns (uint32) {
        if (msg.sender == secondaryProxy) {
            bool old = transmissions[latestSecondary].recordedAt + cutoff < block.timestamp;
            return old ? synced() : latestSecondary;
        }
        bool here = transmissions[latest].recordedAt == block.timestamp;
        return latest == latestSecondary && lastWasSecondary && here ? latest - 1 : latest;
    }

    function synced() private view returns (uint32) {
        for (uint32 round = latest; round > 0 && latest - round < FURTHEST; --round) {
            if (round == latestSecondary || transmissions[round].recordedAt + cutoff < block.timestamp) return round;
        }
        return latestSecondary;
    }

    function latestRound() external view returns (uint256) { return visible(); }
    function latestAnswer() external view returns (int256) { return transmissions[visible()].answer; }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return getRoundData(visible());
    }

    function getRoundData(uint80 round) public view returns (uint80, int256, uint256, uint256, uint80) {
        if (round > visible()) return (0, 0, 0, 0, 0);
        Transmission memory one = transmissions[uint32(round)];
        return (round, one.answer, one.observedAt, one.recordedAt, round);
    }
}
