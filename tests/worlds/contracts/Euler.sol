// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// Euler's router and adapters, written for the tests to the interface and the arithmetic of the real ones
// (euler-xyz/euler-price-oracle @ 18a3e34d). Who governs them, and what they check of their settings, is left out.
// Products are of 256 bits, where the real ones have 512: the tests' amounts stay below.

interface EulerAsked {
    function getQuote(uint256 amount, address base, address quote) external view returns (uint256);
}

interface EulerFeed {
    function decimals() external view returns (uint8);
    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80);
    function readWithAge() external view returns (uint256, uint256);
    function getRate() external view returns (uint256);
    function getPriceUnsafe(bytes32 id) external view returns (int64, uint64, int32, uint256);
    function convertToAssets(uint256 shares) external view returns (uint256);
    function getPooledEthByShares(uint256 shares) external view returns (uint256);
    function getSharesByPooledEth(uint256 ether_) external view returns (uint256);
}

error PriceOracle_InvalidAnswer();
error PriceOracle_NotSupported(address base, address quote);
error PriceOracle_Overflow();
error PriceOracle_TooStale(uint256 staleness, uint256 maxStaleness);

contract EulerToken {
    uint8 public immutable decimals;

    constructor(uint8 decimals_) {
        decimals = decimals_;
    }
}

/// An ERC-4626 vault as far as a router asks it: shares are worth assets / shares of it, rounded down.
contract EulerVault {
    uint8 public immutable decimals;
    uint256 private assets = 1;
    uint256 private shares = 1;

    constructor(uint8 decimals_) {
        decimals = decimals_;
    }

    function set(uint256 assets_, uint256 shares_) external {
        (assets, shares) = (assets_, shares_);
    }

    function convertToAssets(uint256 amount) external view returns (uint256) {
        return amount * assets / shares;
    }
}

/// What gives a rate: Balancer's `getRate`, or Lido's shares.
contract EulerRate {
    uint256 private ether_ = 1 ether;
    uint256 private shares = 1 ether;

    function set(uint256 pooled, uint256 all) external {
        (ether_, shares) = (pooled, all);
    }

    function getRate() external view returns (uint256) {
        return ether_ * 1e18 / shares;
    }

    function getPooledEthByShares(uint256 amount) external view returns (uint256) {
        return amount * ether_ / shares;
    }

    function getSharesByPooledEth(uint256 amount) external view returns (uint256) {
        return amount * shares / ether_;
    }
}

contract EulerPyth {
    struct Kept {
        int64 price;
        uint64 conf;
        int32 expo;
        uint256 at;
    }

    mapping(bytes32 => Kept) private kept;

    function set(bytes32 id, int64 price, uint64 conf, int32 expo, uint256 at) external {
        kept[id] = Kept(price, conf, expo, at);
    }

    function getPriceUnsafe(bytes32 id) external view returns (int64, uint64, int32, uint256) {
        Kept memory it = kept[id];
        return (it.price, it.conf, it.expo, it.at);
    }
}

contract EulerRouter {
    string public constant name = "EulerRouter";
    address public fallbackOracle;
    mapping(address => address) public resolvedVaults;
    mapping(address => mapping(address => address)) private oracles;

    function setConfig(address base, address quote, address oracle) external {
        (address first, address second) = base < quote ? (base, quote) : (quote, base);
        oracles[first][second] = oracle;
    }

    function setResolvedVault(address vault, address asset) external {
        resolvedVaults[vault] = asset;
    }

    function setFallbackOracle(address oracle) external {
        fallbackOracle = oracle;
    }

    function getConfiguredOracle(address base, address quote) public view returns (address) {
        return base < quote ? oracles[base][quote] : oracles[quote][base];
    }

    function getQuote(uint256 amount, address base, address quote) external view returns (uint256) {
        while (base != quote) {
            address oracle = getConfiguredOracle(base, quote);
            address asset = resolvedVaults[base];
            if (oracle == address(0) && asset != address(0)) {
                amount = EulerFeed(base).convertToAssets(amount);
                base = asset;
                continue;
            }
            if (oracle == address(0)) oracle = fallbackOracle;
            if (oracle == address(0)) revert PriceOracle_NotSupported(base, quote);
            return EulerAsked(oracle).getQuote(amount, base, quote);
        }
        return amount;
    }
}

abstract contract EulerPair {
    address public immutable base;
    address public immutable quote;
    uint8 internal immutable baseDecimals;
    uint8 internal immutable quoteDecimals;

    constructor(address base_, address quote_) {
        (base, quote) = (base_, quote_);
        (baseDecimals, quoteDecimals) = (decimalsOf(base_), decimalsOf(quote_));
    }

    function decimalsOf(address token) private view returns (uint8) {
        if (uint160(token) <= 0xffffffff) return 18;
        (bool told, bytes memory data) = token.staticcall(abi.encodeWithSignature("decimals()"));
        return told && data.length == 32 ? abi.decode(data, (uint8)) : 18;
    }

    function inverse(address base_, address quote_) internal view returns (bool) {
        if (base_ == base && quote_ == quote) return false;
        if (base_ == quote && quote_ == base) return true;
        revert PriceOracle_NotSupported(base_, quote_);
    }

    function getQuote(uint256 amount, address base_, address quote_) external view virtual returns (uint256) {
        bool backwards = inverse(base_, quote_);
        (uint256 price, int256 feedDecimals_) = unit();
        uint256 priceScale = 10 ** quoteDecimals;
        int256 exponent = int256(uint256(baseDecimals)) + feedDecimals_;
        uint256 feedScale = 1;
        if (exponent > 0) feedScale = 10 ** uint256(exponent);
        else priceScale *= 10 ** uint256(-exponent);
        return backwards
            ? amount * feedScale / (priceScale * price)
            : amount * (priceScale * price) / feedScale;
    }

    function unit() internal view virtual returns (uint256, int256);

    function mustBeRecent(uint256 at, uint256 most) internal view {
        uint256 staleness = block.timestamp - at;
        if (staleness > most) revert PriceOracle_TooStale(staleness, most);
    }
}

contract EulerChainlinkOracle is EulerPair {
    string public name;
    address public immutable feed;
    uint256 public immutable maxStaleness;
    uint256 private immutable perSecond;

    constructor(string memory name_, address base_, address quote_, address feed_, uint256 most, uint256 perSecond_)
        EulerPair(base_, quote_)
    {
        (name, feed, maxStaleness, perSecond) = (name_, feed_, most, perSecond_);
    }

    function unit() internal view override returns (uint256, int256) {
        (, int256 answer,, uint256 at,) = EulerFeed(feed).latestRoundData();
        if (answer <= 0) revert PriceOracle_InvalidAnswer();
        mustBeRecent(at / perSecond, maxStaleness);
        return (uint256(answer), int256(uint256(EulerFeed(feed).decimals())));
    }
}

contract EulerChronicleOracle is EulerPair {
    string public constant name = "ChronicleOracle";
    address public immutable feed;
    uint256 public immutable maxStaleness;

    constructor(address base_, address quote_, address feed_, uint256 most) EulerPair(base_, quote_) {
        (feed, maxStaleness) = (feed_, most);
    }

    function unit() internal view override returns (uint256, int256) {
        (uint256 price, uint256 at) = EulerFeed(feed).readWithAge();
        mustBeRecent(at, maxStaleness);
        return (price, int256(uint256(EulerFeed(feed).decimals())));
    }
}

contract EulerPythOracle is EulerPair {
    string public constant name = "PythOracle";
    address public immutable pyth;
    bytes32 public immutable feedId;
    uint256 public immutable maxStaleness;
    uint256 public immutable maxConfWidth;

    constructor(address pyth_, address base_, address quote_, bytes32 id, uint256 most, uint256 widest)
        EulerPair(base_, quote_)
    {
        (pyth, feedId, maxStaleness, maxConfWidth) = (pyth_, id, most, widest);
    }

    function unit() internal view override returns (uint256, int256) {
        (int64 price, uint64 conf, int32 expo, uint256 at) = EulerFeed(pyth).getPriceUnsafe(feedId);
        if (at < block.timestamp) {
            if (block.timestamp - at > maxStaleness) revert PriceOracle_InvalidAnswer();
        } else if (at - block.timestamp > 60) {
            revert PriceOracle_InvalidAnswer();
        }
        if (price <= 0 || conf > uint64(price) * maxConfWidth / 10_000) revert PriceOracle_InvalidAnswer();
        if (expo < -20 || expo > 12) revert PriceOracle_InvalidAnswer();
        return (uint64(price), -expo);
    }
}

contract EulerRedstoneOracle is EulerPair {
    struct Cache {
        uint208 price;
        uint48 priceTimestamp;
    }

    string public constant name = "RedstoneCoreOracle";
    bytes32 public immutable feedId;
    uint8 public immutable feedDecimals;
    uint256 public immutable maxStaleness;
    Cache public cache;

    constructor(address base_, address quote_, bytes32 id, uint8 decimals_, uint256 most) EulerPair(base_, quote_) {
        (feedId, feedDecimals, maxStaleness) = (id, decimals_, most);
    }

    function set(uint208 price, uint48 at) external {
        cache = Cache(price, at);
    }

    function unit() internal view override returns (uint256, int256) {
        if (block.timestamp > cache.priceTimestamp) mustBeRecent(cache.priceTimestamp, maxStaleness);
        return (cache.price, int256(uint256(feedDecimals)));
    }
}

contract EulerRateProviderOracle is EulerPair {
    string public constant name = "RateProviderOracle";
    address public immutable rateProvider;

    constructor(address base_, address quote_, address provider) EulerPair(base_, quote_) {
        rateProvider = provider;
    }

    function unit() internal view override returns (uint256, int256) {
        uint256 rate = EulerFeed(rateProvider).getRate();
        if (rate == 0) revert PriceOracle_InvalidAnswer();
        return (rate, 18);
    }
}

contract EulerFixedRateOracle is EulerPair {
    string public constant name = "FixedRateOracle";
    uint256 public immutable rate;

    constructor(address base_, address quote_, uint256 rate_) EulerPair(base_, quote_) {
        rate = rate_;
    }

    function unit() internal view override returns (uint256, int256) {
        return (rate, int256(uint256(quoteDecimals)));
    }
}

/// Pendle's mean rate comes out of a library of Pendle's within the adapter: here it is whatever the test says.
contract EulerPendleOracle is EulerPair {
    string public constant name = "PendleOracle";
    address public immutable pendleMarket;
    uint32 public constant twapWindow = 900;

    constructor(address base_, address quote_, address market) EulerPair(base_, quote_) {
        pendleMarket = market;
    }

    function unit() internal view override returns (uint256, int256) {
        return (EulerFeed(pendleMarket).getRate(), 18);
    }
}

/// An adapter by a name that nobody knows.
contract EulerStrangeOracle is EulerPair {
    string public constant name = "StrangeOracle";
    uint256 private price;

    constructor(address base_, address quote_) EulerPair(base_, quote_) {}

    function set(uint256 price_) external {
        price = price_;
    }

    function unit() internal view override returns (uint256, int256) {
        if (price == 0) revert PriceOracle_InvalidAnswer();
        return (price, 8);
    }
}

contract EulerCrossAdapter {
    string public constant name = "CrossAdapter";
    address public immutable base;
    address public immutable cross;
    address public immutable quote;
    address public immutable oracleBaseCross;
    address public immutable oracleCrossQuote;

    constructor(address base_, address cross_, address quote_, address first, address second) {
        (base, cross, quote, oracleBaseCross, oracleCrossQuote) = (base_, cross_, quote_, first, second);
    }

    function getQuote(uint256 amount, address base_, address quote_) external view returns (uint256) {
        if (base_ == base && quote_ == quote) {
            amount = EulerAsked(oracleBaseCross).getQuote(amount, base, cross);
            return EulerAsked(oracleCrossQuote).getQuote(amount, cross, quote);
        }
        if (base_ != quote || quote_ != base) revert PriceOracle_NotSupported(base_, quote_);
        amount = EulerAsked(oracleCrossQuote).getQuote(amount, quote, cross);
        return EulerAsked(oracleBaseCross).getQuote(amount, cross, base);
    }
}

contract EulerLidoOracle {
    string public constant name = "LidoOracle";
    address public immutable STETH;
    address public immutable WSTETH;

    constructor(address steth, address wsteth) {
        (STETH, WSTETH) = (steth, wsteth);
    }

    function getQuote(uint256 amount, address base, address quote) external view returns (uint256) {
        if (base == STETH && quote == WSTETH) return EulerFeed(STETH).getSharesByPooledEth(amount);
        if (base == WSTETH && quote == STETH) return EulerFeed(STETH).getPooledEthByShares(amount);
        revert PriceOracle_NotSupported(base, quote);
    }
}

contract EulerLidoFundamentalOracle {
    string public constant name = "LidoFundamentalOracle";
    address public immutable STETH;
    address public immutable WSTETH;
    address public immutable WETH;

    constructor(address steth, address wsteth, address weth) {
        (STETH, WSTETH, WETH) = (steth, wsteth, weth);
    }

    function getQuote(uint256 amount, address base, address quote) external view returns (uint256) {
        if (base == WETH && quote == WSTETH) return EulerFeed(STETH).getSharesByPooledEth(amount);
        if (base == WSTETH && quote == WETH) return EulerFeed(STETH).getPooledEthByShares(amount);
        revert PriceOracle_NotSupported(base, quote);
    }
}
