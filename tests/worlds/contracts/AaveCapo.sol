// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// Written to the interface and arithmetic of aave-dao/aave-price-feeds; governance is whoever calls.

interface CapoFeed {
    function latestAnswer() external view returns (int256);
    function decimals() external view returns (uint8);
}

/// A token whose rate the test sets, under every name that an adapter asks a rate by.
contract AaveRate {
    uint256 public rate;
    uint256 public totalSupply = 1e18;

    constructor(uint256 first) { rate = first; }

    function set(uint256 to) external { rate = to; }
    function setSupply(uint256 to) external { totalSupply = to; }

    function getRate() external view returns (uint256) { return rate; }
    function getExchangeRate() external view returns (uint256) { return rate; }
    function exchangeRate() external view returns (uint256) { return rate; }
    function chi() external view returns (uint256) { return rate; }
    function rsETHPrice() external view returns (uint256) { return rate; }
    function getPooledEthByShares(uint256 shares) external view returns (uint256) { return shares * rate / 1e18; }
    function convertToAssets(uint256 shares) external view returns (uint256) { return shares * rate / 1e18; }
    function decimals() external pure returns (uint8) { return 18; }
    function ezETH() external view returns (address) { return address(this); }

    function calculateTVLs() external view returns (uint256[][] memory each, uint256[] memory totals, uint256 all) {
        each = new uint256[][](1);
        each[0] = new uint256[](2);
        totals = new uint256[](1);
        all = rate;
    }
}

abstract contract AaveAdapter {
    address public immutable ACL_MANAGER = msg.sender;
    string public description = "Capped THING / BASE / USD";

    function latestAnswer() public view virtual returns (int256);

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        uint256 now_ = block.timestamp;
        return (uint80(now_), latestAnswer(), now_, now_, uint80(now_));
    }
}

/// PriceCapAdapterBase, by a contract or by a feed.
contract AaveRatioCap is AaveAdapter {
    uint256 public constant SCALING_FACTOR = 1e6;
    CapoFeed public immutable BASE_TO_USD_AGGREGATOR;
    address public immutable RATIO_PROVIDER;
    uint8 public immutable RATIO_DECIMALS;
    uint8 public immutable decimals;
    bool private immutable byFeed;

    uint104 private snapshotRatio;
    uint48 private snapshotAt;
    uint104 private growth;
    uint16 private yearly;

    constructor(address base, address provider, uint8 ratioDecimals, bool fed) {
        BASE_TO_USD_AGGREGATOR = CapoFeed(base);
        RATIO_PROVIDER = provider;
        RATIO_DECIMALS = ratioDecimals;
        decimals = CapoFeed(base).decimals();
        byFeed = fed;
    }

    function set(uint104 ratio, uint48 at, uint16 percent) external {
        (snapshotRatio, snapshotAt, yearly) = (ratio, at, percent);
        growth = uint104(uint256(ratio) * percent * SCALING_FACTOR / 1e4 / 365 days);
    }

    function getSnapshotRatio() external view returns (uint256) { return snapshotRatio; }
    function getSnapshotTimestamp() external view returns (uint256) { return snapshotAt; }
    function getMaxYearlyGrowthRatePercent() external view returns (uint256) { return yearly; }
    function getMaxRatioGrowthPerSecond() external view returns (uint256) { return growth / SCALING_FACTOR; }
    function getMaxRatioGrowthPerSecondScaled() external view returns (uint256) { return growth; }

    function getRatio() public view returns (int256) {
        return byFeed ? CapoFeed(RATIO_PROVIDER).latestAnswer() : int256(AaveRate(RATIO_PROVIDER).getRate());
    }

    function isCapped() external view returns (bool) { return getRatio() > most(); }

    function most() private view returns (int256) {
        return int256(snapshotRatio + growth * (block.timestamp - snapshotAt) / SCALING_FACTOR);
    }

    function latestAnswer() public view override returns (int256) {
        int256 ratio = getRatio();
        int256 base = BASE_TO_USD_AGGREGATOR.latestAnswer();
        if (base <= 0 || ratio <= 0) return 0;
        if (most() < ratio) ratio = most();
        return base * ratio / int256(10 ** RATIO_DECIMALS);
    }
}

/// The same as it was deployed until 2025: the growth per second is cut off to whole units, and no latestRoundData.
contract AaveOldRatioCap {
    string public description = "Capped OLD / BASE / USD";
    CapoFeed public immutable BASE_TO_USD_AGGREGATOR;
    address public immutable RATIO_PROVIDER;
    uint8 public immutable RATIO_DECIMALS = 18;
    uint256 public getSnapshotRatio;
    uint256 public getSnapshotTimestamp;
    uint256 public getMaxRatioGrowthPerSecond;
    uint256 public getMaxYearlyGrowthRatePercent;

    constructor(address base, address provider) {
        BASE_TO_USD_AGGREGATOR = CapoFeed(base);
        RATIO_PROVIDER = provider;
    }

    function set(uint104 ratio, uint48 at, uint16 percent) external {
        (getSnapshotRatio, getSnapshotTimestamp, getMaxYearlyGrowthRatePercent) = (ratio, at, percent);
        getMaxRatioGrowthPerSecond = uint256(ratio) * percent / 1e4 / 365 days;
    }

    function decimals() external view returns (uint8) { return BASE_TO_USD_AGGREGATOR.decimals(); }
    function getRatio() public view returns (int256) { return int256(AaveRate(RATIO_PROVIDER).getRate()); }
    function isCapped() external view returns (bool) { return getRatio() > most(); }

    function most() private view returns (int256) {
        return int256(getSnapshotRatio + getMaxRatioGrowthPerSecond * (block.timestamp - getSnapshotTimestamp));
    }

    function latestAnswer() external view returns (int256) {
        int256 ratio = getRatio();
        int256 base = BASE_TO_USD_AGGREGATOR.latestAnswer();
        if (base <= 0 || ratio <= 0) return 0;
        if (most() < ratio) ratio = most();
        return base * ratio / 1e18;
    }
}

contract AaveStableCap is AaveAdapter {
    int256 public constant MAX_STABLE_CAP_VALUE = 2e8;
    CapoFeed public immutable ASSET_TO_USD_AGGREGATOR;
    int256 public getPriceCap;

    constructor(address asset, int256 cap) {
        ASSET_TO_USD_AGGREGATOR = CapoFeed(asset);
        getPriceCap = cap;
    }

    function setPriceCap(int256 cap) external { getPriceCap = cap; }
    function decimals() external view returns (uint8) { return ASSET_TO_USD_AGGREGATOR.decimals(); }
    function isCapped() external view returns (bool) { return ASSET_TO_USD_AGGREGATOR.latestAnswer() > getPriceCap; }

    function latestAnswer() public view override returns (int256) {
        int256 price = ASSET_TO_USD_AGGREGATOR.latestAnswer();
        if (price > getPriceCap) return getPriceCap;
        return price <= 0 ? int256(0) : price;
    }
}

/// Until 2025: what is not positive is handed on.
contract AaveOldStableCap {
    string public description = "Capped OLD / USD";
    CapoFeed public immutable ASSET_TO_USD_AGGREGATOR;
    int256 public getPriceCap;

    constructor(address asset, int256 cap) {
        ASSET_TO_USD_AGGREGATOR = CapoFeed(asset);
        getPriceCap = cap;
    }

    function setPriceCap(int256 cap) external { getPriceCap = cap; }
    function decimals() external view returns (uint8) { return ASSET_TO_USD_AGGREGATOR.decimals(); }
    function isCapped() external view returns (bool) { return ASSET_TO_USD_AGGREGATOR.latestAnswer() > latestAnswer(); }

    function latestAnswer() public view returns (int256) {
        int256 price = ASSET_TO_USD_AGGREGATOR.latestAnswer();
        return price > getPriceCap ? getPriceCap : price;
    }
}

contract AaveEuroCap is AaveAdapter {
    CapoFeed public immutable ASSET_TO_USD_AGGREGATOR;
    CapoFeed public immutable BASE_TO_USD_AGGREGATOR;
    uint8 public immutable RATIO_DECIMALS;
    int256 public getPriceCapRatio;

    constructor(address asset, address base, uint8 ratioDecimals, int256 cap) {
        ASSET_TO_USD_AGGREGATOR = CapoFeed(asset);
        BASE_TO_USD_AGGREGATOR = CapoFeed(base);
        RATIO_DECIMALS = ratioDecimals;
        getPriceCapRatio = cap;
    }

    function decimals() external view returns (uint8) { return ASSET_TO_USD_AGGREGATOR.decimals(); }
    function isCapped() external view returns (bool) { return ASSET_TO_USD_AGGREGATOR.latestAnswer() > latestAnswer(); }

    function latestAnswer() public view override returns (int256) {
        int256 price = ASSET_TO_USD_AGGREGATOR.latestAnswer();
        int256 cap = BASE_TO_USD_AGGREGATOR.latestAnswer() * getPriceCapRatio / int256(10 ** RATIO_DECIMALS);
        return price > cap ? cap : price;
    }
}

/// PendlePriceCapAdapter.
contract AavePrincipal is AaveAdapter {
    uint256 public constant PERCENTAGE_FACTOR = 1e18;
    CapoFeed public immutable ASSET_TO_USD_AGGREGATOR;
    address public immutable PENDLE_PRINCIPAL_TOKEN = address(this);
    uint256 public immutable MATURITY;
    uint64 public discountRatePerYear;

    constructor(address asset, uint256 maturity, uint64 yearly) {
        ASSET_TO_USD_AGGREGATOR = CapoFeed(asset);
        MATURITY = maturity;
        discountRatePerYear = yearly;
    }

    function setDiscountRatePerYear(uint64 yearly) external { discountRatePerYear = yearly; }
    function decimals() external view returns (uint8) { return ASSET_TO_USD_AGGREGATOR.decimals(); }

    function getCurrentDiscount() public view returns (uint256) {
        uint256 left = MATURITY > block.timestamp ? MATURITY - block.timestamp : 0;
        return left * discountRatePerYear / 365 days;
    }

    function latestAnswer() public view override returns (int256) {
        int256 price = ASSET_TO_USD_AGGREGATOR.latestAnswer();
        if (price <= 0) return 0;
        return int256(uint256(price) * (PERCENTAGE_FACTOR - getCurrentDiscount()) / PERCENTAGE_FACTOR);
    }
}

/// DiscountedMKRSKYAdapter in its first form.
contract AaveMkrAsSet is AaveAdapter {
    uint256 public constant ONE_EXCHANGE_RATE = 1_00;
    uint256 public constant ONE_HUNDRED_PERCENT_BPS = 100_00;
    uint256 public immutable EXCHANGE_RATE;
    uint256 public discount;
    CapoFeed public referenceFeed;

    constructor(address feed, uint256 exchange, uint256 less) {
        referenceFeed = CapoFeed(feed);
        (EXCHANGE_RATE, discount) = (exchange, less);
    }

    function set(address feed, uint256 less) external { (referenceFeed, discount) = (CapoFeed(feed), less); }
    function decimals() external view returns (uint8) { return referenceFeed.decimals(); }

    function latestAnswer() public view override returns (int256) {
        int256 price = referenceFeed.latestAnswer();
        if (price <= 0) return 0;
        uint256 whole = uint256(price) * EXCHANGE_RATE;
        return int256(whole * (ONE_HUNDRED_PERCENT_BPS - discount) / (ONE_HUNDRED_PERCENT_BPS * ONE_EXCHANGE_RATE));
    }
}

/// DiscountedMKRSKYAdapter since March 2026; the test sets the fee that the converter takes.
contract AaveMkr is AaveAdapter {
    CapoFeed public immutable REFERENCE_FEED;
    uint256 public immutable EXCHANGE_RATE;
    uint256 public discount;

    constructor(address feed, uint256 exchange, uint256 less) {
        REFERENCE_FEED = CapoFeed(feed);
        (EXCHANGE_RATE, discount) = (exchange, less);
    }

    function setDiscount(uint256 less) external { discount = less; }
    function decimals() external view returns (uint8) { return REFERENCE_FEED.decimals(); }

    function latestAnswer() public view override returns (int256) {
        int256 price = REFERENCE_FEED.latestAnswer();
        if (price <= 0) return 0;
        return int256(uint256(price) * EXCHANGE_RATE * (1e18 - discount) / 1e18);
    }
}

contract AaveFixedPrice is AaveAdapter {
    uint8 public immutable DECIMALS = 8;
    int256 public price;

    constructor(int256 to) { price = to; }

    function setPrice(int256 to) external { price = to; }
    function decimals() external view returns (uint8) { return DECIMALS; }
    function latestAnswer() public view override returns (int256) { return price; }
}

/// Something with a price of its own beside its rate.
contract AaveRateThatAnswers is AaveFixedPrice {
    constructor(uint256 rate) AaveFixedPrice(int256(rate + 7)) {}
    function getRate() external view returns (uint256) { return uint256(price - 7); }
}

contract AaveGhoOracle {
    int256 public constant GHO_PRICE = 1e8;

    function latestAnswer() external pure returns (int256) { return GHO_PRICE; }
    function decimals() external pure returns (uint8) { return 8; }
}

contract AaveOneUsd {
    int256 public constant ONE_USD = 1e8;

    function description() external pure returns (string memory) { return "ONE USD"; }
    function DECIMALS() external pure returns (uint8) { return 8; }
    function decimals() external pure returns (uint8) { return 8; }
    function latestAnswer() external pure returns (int256) { return ONE_USD; }
}

contract AaveRep {
    uint8 public constant DECIMALS = 18;
    string public constant DESCRIPTION = "REP / ETH";
    int256 public constant PRICE = 462569569300000;

    function description() external pure returns (string memory) { return DESCRIPTION; }
    function decimals() external pure returns (uint8) { return DECIMALS; }
    function latestAnswer() external pure returns (int256) { return PRICE; }
}
