// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// Maker's OSM and medianizer, Sky's capped OSM and Chronicle's Scribes, written for the tests to the interface, the
// arithmetic and the layout in storage of the real ones (makerdao/osm @ e36c874b, makerdao/median @ 0316acd5,
// makerdao/lockstake, chronicleprotocol/scribe v2.0.1). Who signs prices is left out: `poke` takes them from anybody.

interface MakerSource {
    function peek() external view returns (bytes32, bool);
}

contract MakerOSM {
    struct Feed {
        uint128 val;
        uint128 has;
    }

    mapping(address => uint256) public wards;
    uint256 public stopped;
    address public src;
    uint16 public hop = 3600;
    uint64 public zzz;
    Feed private cur;
    Feed private nxt;
    mapping(address => uint256) public bud;

    modifier toll() {
        require(bud[msg.sender] == 1, "OSM/contract-not-whitelisted");
        _;
    }

    constructor(address src_) {
        src = src_;
    }

    function stop(bool yes) external {
        stopped = yes ? 1 : 0;
    }

    function void_() external {
        cur = nxt = Feed(0, 0);
        stopped = 1;
    }

    function step(uint16 hop_) external {
        hop = hop_;
    }

    function change(address src_) external {
        src = src_;
    }

    function kiss(address who) external {
        bud[who] = 1;
    }

    function pass() public view returns (bool) {
        return block.timestamp >= zzz + hop;
    }

    function poke() external {
        require(stopped == 0, "OSM/is-stopped");
        require(pass(), "OSM/not-passed");
        (bytes32 wut, bool ok) = MakerSource(src).peek();
        if (ok) {
            cur = nxt;
            nxt = Feed(uint128(uint256(wut)), 1);
            zzz = uint64(block.timestamp - (block.timestamp % hop));
        }
    }

    function peek() external view toll returns (bytes32, bool) {
        return (bytes32(uint256(cur.val)), cur.has == 1);
    }

    function peep() external view toll returns (bytes32, bool) {
        return (bytes32(uint256(nxt.val)), nxt.has == 1);
    }
}

contract MakerCappedOSM {
    MakerOSM public osm;
    uint256 public cap;
    mapping(address => uint256) public bud;

    constructor(address osm_, uint256 cap_) {
        (osm, cap) = (MakerOSM(osm_), cap_);
    }

    function kiss(address who) external {
        bud[who] = 1;
    }

    function file(uint256 cap_) external {
        cap = cap_;
    }

    function stopped() external view returns (uint256) {
        return osm.stopped();
    }

    function src() external view returns (address) {
        return osm.src();
    }

    function hop() external view returns (uint16) {
        return osm.hop();
    }

    function zzz() external view returns (uint64) {
        return osm.zzz();
    }

    function _least(bytes32 val) private view returns (bytes32) {
        return uint256(val) <= cap ? val : bytes32(cap);
    }

    function peek() external view returns (bytes32, bool) {
        require(bud[msg.sender] == 1, "LockstakeCappedOsmWrapper/contract-not-whitelisted");
        (bytes32 val, bool has) = osm.peek();
        return (_least(val), has);
    }

    function peep() external view returns (bytes32, bool) {
        require(bud[msg.sender] == 1, "LockstakeCappedOsmWrapper/contract-not-whitelisted");
        (bytes32 val, bool has) = osm.peep();
        return (_least(val), has);
    }
}

/// The getters of an OSM over another layout.
contract MakerOtherOSM {
    uint16 public hop = 3600;
    uint64 public zzz = 7;
    address public src = address(this);
    uint256 public stopped;
}

contract MakerMedian {
    mapping(address => uint256) public wards;
    uint128 private val;
    uint32 public age;
    bytes32 public constant wat = "ethusd";
    uint256 public bar = 13;
    mapping(address => uint256) public bud;

    modifier toll() {
        require(bud[msg.sender] == 1, "Median/contract-not-whitelisted");
        _;
    }

    function kiss(address who) external {
        bud[who] = 1;
    }

    function poke(uint128 val_) external {
        (val, age) = (val_, uint32(block.timestamp));
    }

    function read() external view toll returns (uint256) {
        require(val > 0, "Median/invalid-price-feed");
        return val;
    }

    function peek() external view toll returns (bytes32, bool) {
        return (bytes32(uint256(val)), val > 0);
    }
}

abstract contract ScribeAuth {
    mapping(address => uint256) private _wards;
    address[] private _wardsTouched;
}

abstract contract ScribeToll {
    mapping(address => uint256) private _buds;
    address[] private _budsTouched;

    error NotTolled(address caller);

    modifier toll() {
        if (_buds[msg.sender] == 0) revert NotTolled(msg.sender);
        _;
    }

    function kiss(address who) external {
        _buds[who] = 1;
        _budsTouched.push(who);
    }
}

contract ChronicleScribe is ScribeAuth, ScribeToll {
    struct PokeData {
        uint128 val;
        uint32 age;
    }

    struct Point {
        uint256 x;
        uint256 y;
    }

    uint8 public constant decimals = 18;
    bytes32 public constant feedRegistrationMessage = keccak256("Chronicle Feed Registration");
    bytes32 public immutable wat;

    PokeData internal _pokeData;
    Point[256] internal _pubKeys;
    uint8 public bar;

    constructor(bytes32 wat_) {
        (wat, bar) = (wat_, 13);
    }

    function poke(uint128 val) external {
        _pokeData = PokeData(val, uint32(block.timestamp));
    }

    function _current() internal view virtual returns (PokeData memory) {
        return _pokeData;
    }

    function readWithAge() external view toll returns (uint256, uint256) {
        PokeData memory it = _current();
        require(it.val != 0);
        return (it.val, it.age);
    }

    function latestRoundData() external view toll returns (uint80, int256, uint256, uint256, uint80) {
        PokeData memory it = _current();
        return (1, int256(uint256(it.val)), 0, it.age, 1);
    }

    function peek() external view toll returns (bytes32, bool) {
        PokeData memory it = _current();
        return (bytes32(uint256(it.val)), it.val != 0);
    }
}

contract ChronicleScribeOptimistic is ChronicleScribe {
    uint16 public opChallengePeriod = 1200;
    uint8 public opFeedId;
    uint160 internal _schnorrDataCommitment;
    uint32 internal _originalOpPokeDataAge;
    PokeData internal _opPokeData;
    uint256 public maxChallengeReward;

    constructor(bytes32 wat_) ChronicleScribe(wat_) {}

    function opPoke(uint128 val) external {
        opFeedId = uint8(val);
        _schnorrDataCommitment = uint160(uint256(keccak256(abi.encode(val))));
        _opPokeData = PokeData(val, uint32(block.timestamp));
    }

    function setOpChallengePeriod(uint16 period) external {
        opChallengePeriod = period;
    }

    function _current() internal view override returns (PokeData memory) {
        PokeData memory op = _opPokeData;
        bool finalized = op.age + opChallengePeriod <= uint32(block.timestamp);
        return finalized && op.age > _pokeData.age ? op : _pokeData;
    }
}

/// A Scribe that keeps its price elsewhere than the others do.
contract ChronicleOtherScribe is ChronicleScribe {
    PokeData private elsewhere;

    constructor(bytes32 wat_) ChronicleScribe(wat_) {}

    function pokeElsewhere(uint128 val) external {
        elsewhere = PokeData(val, uint32(block.timestamp));
    }

    function _current() internal view override returns (PokeData memory) {
        return elsewhere;
    }
}
