// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

/// What stands around a real Morpho in the tests: tokens, a rate model that remembers, and pre-liquidations with the
/// interface, the checks and the arithmetic of Morpho's own.

struct Terms {
    address loanToken;
    address collateralToken;
    address oracle;
    address irm;
    uint256 lltv;
}

struct Sums {
    uint128 totalSupplyAssets;
    uint128 totalSupplyShares;
    uint128 totalBorrowAssets;
    uint128 totalBorrowShares;
    uint128 lastUpdate;
    uint128 fee;
}

interface MorphoItself {
    function accrueInterest(Terms memory terms) external;
    function market(bytes32 id) external view returns (Sums memory);
    function position(bytes32 id, address user) external view returns (uint256, uint128, uint128);
    function idToMarketParams(bytes32 id) external view returns (Terms memory);
    function repay(Terms memory terms, uint256 assets, uint256 shares, address onBehalf, bytes memory data)
        external
        returns (uint256, uint256);
    function withdrawCollateral(Terms memory terms, uint256 assets, address onBehalf, address receiver) external;
}

interface MorphoPriced {
    function price() external view returns (uint256);
}

contract MorphoToken {
    string public symbol;
    uint8 public immutable decimals;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    constructor(string memory name, uint8 places) {
        (symbol, decimals) = (name, places);
    }

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return moved(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        allowance[from][msg.sender] -= amount;
        return moved(from, to, amount);
    }

    function moved(address from, address to, uint256 amount) private returns (bool) {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        return true;
    }
}

/// A rate that grows by itself the longer a market is left alone, from what it was at the last accrual: the time since
/// then counts, as it does in Morpho's adaptive curve, and so does who asks.
contract MorphoGrowingRate {
    address public immutable MORPHO;
    mapping(bytes32 => uint256) public rateOf;
    bool public broken;
    bool public lying;

    constructor(address morpho) {
        MORPHO = morpho;
    }

    function fail(bool value) external {
        broken = value;
    }

    /// Charge twice of what it tells.
    function lie(bool value) external {
        lying = value;
    }

    function borrowRateView(Terms memory terms, Sums memory sums) public view returns (uint256 average) {
        require(!broken, "rate model broken");
        (average,) = rates(keccak256(abi.encode(terms)), sums);
    }

    function borrowRate(Terms memory terms, Sums memory sums) external returns (uint256 average) {
        require(msg.sender == MORPHO, "not Morpho");
        require(!broken, "rate model broken");
        bytes32 id = keccak256(abi.encode(terms));
        (average, rateOf[id]) = rates(id, sums);
        if (lying) average *= 2;
    }

    function rates(bytes32 id, Sums memory sums) private view returns (uint256, uint256) {
        uint256 start = rateOf[id] == 0 ? uint256(0.04 ether) / 365 days : rateOf[id];
        uint256 used = sums.totalSupplyAssets == 0 ? 0 : 1 ether * uint256(sums.totalBorrowAssets) / sums.totalSupplyAssets;
        uint256 end = start + start * used / 1 ether * (block.timestamp - sums.lastUpdate) / 365 days;
        if (end > uint256(2 ether) / 365 days) end = uint256(2 ether) / 365 days;
        return ((start + end) / 2, end);
    }
}

contract MorphoNoOracle {
    function price() external pure returns (uint256) {
        revert("no price");
    }
}

struct PreTerms {
    uint256 preLltv;
    uint256 preLCF1;
    uint256 preLCF2;
    uint256 preLIF1;
    uint256 preLIF2;
    address preLiquidationOracle;
}

contract MorphoPreLiquidation {
    error NotPreLiquidatablePosition();
    error LiquidatablePosition();
    error PreLiquidationTooLarge(uint256 repaidShares, uint256 repayableShares);

    uint256 private constant WAD = 1e18;

    MorphoItself public immutable MORPHO;
    bytes32 public immutable ID;
    Terms private terms;
    PreTerms private pre;

    constructor(address morpho, bytes32 id, PreTerms memory given) {
        (MORPHO, ID, pre, terms) = (MorphoItself(morpho), id, given, MorphoItself(morpho).idToMarketParams(id));
        require(given.preLltv < terms.lltv, "PreLltvTooHigh");
        MorphoToken(terms.loanToken).approve(morpho, type(uint256).max);
    }

    function preLiquidationParams() external view returns (PreTerms memory) {
        return pre;
    }

    function preLiquidate(address borrower, uint256 seized, uint256 repaid, bytes calldata)
        external
        returns (uint256, uint256)
    {
        require((seized == 0) != (repaid == 0), "InconsistentInput");
        MORPHO.accrueInterest(terms);
        (seized, repaid) = sized(looked(borrower), seized, repaid);
        (uint256 paid,) = MORPHO.repay(terms, 0, repaid, borrower, abi.encode(seized, borrower, msg.sender));
        return (seized, paid);
    }

    function sized(Look memory look, uint256 seized, uint256 repaid) private view returns (uint256, uint256) {
        if (look.borrowed > look.quoted * terms.lltv / WAD) revert LiquidatablePosition();
        if (look.borrowed <= look.quoted * pre.preLltv / WAD) revert NotPreLiquidatablePosition();
        uint256 ltv = up(look.borrowed, WAD, look.quoted);
        uint256 quotient = (ltv - pre.preLltv) * WAD / (terms.lltv - pre.preLltv);
        uint256 factor = quotient * (pre.preLIF2 - pre.preLIF1) / WAD + pre.preLIF1;
        if (seized > 0) {
            repaid = up(up(up(seized, look.price, 1e36), WAD, factor), look.units, look.assets);
        } else {
            seized = ((repaid * look.assets / look.units) * factor / WAD) * 1e36 / look.price;
        }
        uint256 most = look.shares * (quotient * (pre.preLCF2 - pre.preLCF1) / WAD + pre.preLCF1) / WAD;
        if (repaid > most) revert PreLiquidationTooLarge(repaid, most);
        return (seized, repaid);
    }

    struct Look {
        uint256 shares;
        uint256 assets;
        uint256 units;
        uint256 price;
        uint256 quoted;
        uint256 borrowed;
    }

    function looked(address borrower) private view returns (Look memory look) {
        Sums memory sums = MORPHO.market(ID);
        uint256 collateral;
        (, look.shares, collateral) = MORPHO.position(ID, borrower);
        look.price = MorphoPriced(pre.preLiquidationOracle).price();
        look.quoted = collateral * look.price / 1e36;
        look.assets = uint256(sums.totalBorrowAssets) + 1;
        look.units = uint256(sums.totalBorrowShares) + 1e6;
        look.borrowed = up(look.shares, look.assets, look.units);
    }

    function up(uint256 x, uint256 y, uint256 d) private pure returns (uint256) {
        return (x * y + (d - 1)) / d;
    }

    function onMorphoRepay(uint256 repaid, bytes calldata data) external {
        require(msg.sender == address(MORPHO), "NotMorpho");
        (uint256 seized, address borrower, address liquidator) = abi.decode(data, (uint256, address, address));
        MORPHO.withdrawCollateral(terms, seized, borrower, liquidator);
        MorphoToken(terms.loanToken).transferFrom(liquidator, address(this), repaid);
    }
}

contract MorphoPreLiquidationFactory {
    event CreatePreLiquidation(address indexed preLiquidation, bytes32 id, PreTerms preLiquidationParams);

    address public immutable MORPHO;
    mapping(address => bool) public isPreLiquidation;
    address public last;

    constructor(address morpho) {
        MORPHO = morpho;
    }

    function createPreLiquidation(bytes32 id, PreTerms calldata given) external returns (address) {
        last = address(new MorphoPreLiquidation(MORPHO, id, given));
        isPreLiquidation[last] = true;
        emit CreatePreLiquidation(last, id, given);
        return last;
    }
}
