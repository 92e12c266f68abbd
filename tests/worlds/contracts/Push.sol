// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// Feeds whose answers are dated by their signers, with the interfaces and the arithmetic of the real ones:
// RedStone's push feeds (three kinds of adapters), Pyth behind PythAggregatorV3, API3's reader proxy.

/// All feeds are updated together: one time for all, in milliseconds.
contract PushAdapterOfAll {
    mapping(bytes32 => uint256) private values;
    uint128 private signedAt;
    uint128 private writtenAt;

    function write(bytes32 id, uint256 value, uint256 signed) external {
        values[id] = value;
        (signedAt, writtenAt) = (uint128(signed), uint128(block.timestamp));
    }

    function getTimestampsFromLatestUpdate() external view returns (uint128, uint128) {
        return (signedAt, writtenAt);
    }

    function answerOf(bytes32 id) external view returns (uint80, uint256, uint256) {
        require(values[id] != 0, "DataFeedValueCannotBeZero");
        return (1, values[id], writtenAt);
    }
}

/// Each feed is updated on its own, with its own time in milliseconds.
contract PushAdapterOfEach {
    struct Update {
        uint48 signed;
        uint48 written;
        uint152 value;
    }

    mapping(bytes32 => Update) private updates;

    function write(bytes32 id, uint256 value, uint256 signed) external {
        updates[id] = Update(uint48(signed), uint48(block.timestamp), uint152(value));
    }

    function getLastUpdateDetailsUnsafe(bytes32 id) public view returns (uint256, uint256, uint256) {
        Update storage last = updates[id];
        return (last.signed, last.written, last.value);
    }

    function answerOf(bytes32 id) external view returns (uint80, uint256, uint256) {
        Update storage last = updates[id];
        require(last.value > 0 && last.written + 30 hours > block.timestamp, "InvalidLastUpdateDetails");
        return (1, last.value, last.written);
    }
}

/// The fast nodes': rounds for each feed, all times in microseconds.
contract PushAdapterOfFastNodes {
    struct Update {
        uint64 price;
        uint64 signed;
        uint64 written;
    }

    mapping(bytes32 => Update[]) private rounds;

    function write(bytes32 id, uint256 value, uint256 signed) external {
        rounds[id].push(Update(uint64(value), uint64(signed), uint64(block.timestamp * 1_000_000)));
    }

    function getLatestRoundId(bytes32 id) public view returns (uint256) {
        return rounds[id].length;
    }

    function getLastUpdateDetailsUnsafe(bytes32 id) public view returns (uint256, uint256, uint256) {
        if (rounds[id].length == 0) return (0, 0, 0);
        Update storage last = rounds[id][rounds[id].length - 1];
        return (last.signed, last.written, last.price);
    }

    function answerOf(bytes32 id) external view returns (uint80, uint256, uint256) {
        (uint256 signed,, uint256 price) = getLastUpdateDetailsUnsafe(id);
        return (uint80(rounds[id].length), price, signed); // this face dates by the data, in microseconds
    }
}

interface IPushAdapter {
    function answerOf(bytes32 id) external view returns (uint80, uint256, uint256);
}

/// The Chainlink-like face of one RedStone feed; behind a proxy of its own, so that its adapter can be exchanged.
contract PushFace {
    address public getPriceFeedAdapter;
    bytes32 public getDataFeedId;
    string public constant description = "Redstone Price Feed";
    uint8 public constant decimals = 8;

    constructor(address adapter, bytes32 id) {
        (getPriceFeedAdapter, getDataFeedId) = (adapter, id);
    }

    function moveTo(address adapter) external {
        getPriceFeedAdapter = adapter;
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        (uint80 round, uint256 value, uint256 time) = IPushAdapter(getPriceFeedAdapter).answerOf(getDataFeedId);
        return (round, int256(value), time, time, round);
    }
}

contract PushPyth {
    struct Price {
        int64 price;
        uint64 conf;
        int32 expo;
        uint256 publishTime;
    }

    mapping(bytes32 => Price) private prices;

    error PriceFeedNotFound();

    function write(bytes32 id, int64 price, uint64 conf, int32 expo, uint256 publishTime) external {
        prices[id] = Price(price, conf, expo, publishTime);
    }

    function getPriceUnsafe(bytes32 id) external view returns (Price memory price) {
        price = prices[id];
        if (price.publishTime == 0) revert PriceFeedNotFound();
    }
}

contract PushPythFace {
    bytes32 public priceId;
    PushPyth public pyth;

    constructor(address pyth_, bytes32 id) {
        (pyth, priceId) = (PushPyth(pyth_), id);
    }

    function decimals() external view returns (uint8) {
        return uint8(-1 * int8(pyth.getPriceUnsafe(priceId).expo));
    }

    function latestTimestamp() external view returns (uint256) {
        return pyth.getPriceUnsafe(priceId).publishTime;
    }

    function latestAnswer() external view returns (int256) {
        return int256(pyth.getPriceUnsafe(priceId).price);
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        PushPyth.Price memory held = pyth.getPriceUnsafe(priceId);
        uint256 time = held.publishTime;
        return (uint80(time), int256(held.price), time, time, uint80(time));
    }
}

/// API3's reader proxy with the two data feeds that it reads: the base feed, and the one that searchers update.
contract PushApi3Face {
    struct Feed {
        int224 value;
        uint32 timestamp;
    }

    address public immutable api3ServerV1;
    bytes32 public immutable dapiName;
    uint8 public constant decimals = 18;
    string public constant description = "";
    Feed private base;
    Feed private oev;

    error DataFeedIsNotInitialized();

    constructor(address server, bytes32 name) {
        (api3ServerV1, dapiName) = (server, name);
    }

    function write(int224 value, uint32 timestamp) external {
        base = Feed(value, timestamp);
    }

    function writeOev(int224 value, uint32 timestamp) external {
        oev = Feed(value, timestamp);
    }

    function read() public view returns (int224 value, uint32 timestamp) {
        Feed storage later = oev.timestamp > base.timestamp ? oev : base;
        (value, timestamp) = (later.value, later.timestamp);
        if (timestamp == 0) revert DataFeedIsNotInitialized();
    }

    function latestAnswer() external view returns (int256 value) {
        (value,) = read();
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        (int224 value, uint32 time) = read();
        return (0, value, time, time, 0);
    }
}
