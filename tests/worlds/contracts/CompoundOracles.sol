// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

interface IFeed {
    function decimals() external view returns (uint8);
    function latestAnswer() external view returns (int256);
    function latestRound() external view returns (uint256);
    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80);
}

struct FeedRound {
    uint80 id;
    int256 answer;
    uint256 began;
    uint256 at;
    uint80 answeredIn;
}

/// The same with rounds as structs: their words are the same.
interface IRounds {
    function latestRoundData() external view returns (FeedRound memory);
    function getRoundData(uint80 id) external view returns (FeedRound memory);
}

interface INamed {
    function symbol() external view returns (string memory);
    function decimals() external view returns (uint8);
}

/// A market, as oracles see one: its symbol and what it lends.
contract LentMarket {
    string public symbol;
    address public underlying;

    constructor(string memory symbol_, address underlying_) {
        (symbol, underlying) = (symbol_, underlying_);
    }
}

/// The market of a chain's own coin: it names nothing that it lends.
contract CoinMarket {
    string public symbol;

    constructor(string memory symbol_) {
        symbol = symbol_;
    }
}

/// What Moonwell's ChainlinkOracle and Benqi's BenqiChainlinkOracle share.
abstract contract FeedsBySymbol {
    mapping(address => uint256) internal prices;
    mapping(bytes32 => address) internal feeds;

    function setDirectPrice(address asset, uint256 price) external {
        prices[asset] = price;
    }

    function setFeed(string calldata symbol, address feed) external {
        feeds[keccak256(bytes(symbol))] = feed;
    }

    function getFeed(string memory symbol) public view returns (address) {
        return feeds[keccak256(bytes(symbol))];
    }

    function assetPrices(address asset) external view returns (uint256) {
        return prices[asset];
    }

    function getUnderlyingPrice(LentMarket market) external view returns (uint256 price) {
        string memory symbol = market.symbol();
        if (isNative(symbol)) return fed(IFeed(getFeed(symbol)));
        address asset = market.underlying();
        price = prices[asset] != 0 ? prices[asset] : fed(IFeed(getFeed(INamed(asset).symbol())));
        return price * 10 ** (18 - INamed(asset).decimals());
    }

    function isNative(string memory symbol) internal view virtual returns (bool);

    function fed(IFeed feed) internal view virtual returns (uint256);
}

contract MoonwellOracle is FeedsBySymbol {
    bytes32 public nativeToken;

    constructor(string memory native) {
        nativeToken = keccak256(bytes(native));
    }

    function isNative(string memory symbol) internal view override returns (bool) {
        return keccak256(bytes(symbol)) == nativeToken;
    }

    function fed(IFeed feed) internal view override returns (uint256) {
        (, int256 answer, , uint256 updatedAt, ) = feed.latestRoundData();
        require(answer > 0, "Chainlink price cannot be lower than 0");
        require(updatedAt != 0, "Round is in incompleted state");
        return uint256(answer) * 10 ** (18 - feed.decimals());
    }
}

contract BenqiOracle is FeedsBySymbol {
    function isNative(string memory symbol) internal pure override returns (bool) {
        return keccak256(bytes(symbol)) == keccak256("qiAVAX");
    }

    function fed(IFeed feed) internal view override returns (uint256) {
        return uint256(feed.latestAnswer()) * 10 ** (18 - feed.decimals());
    }
}

/// Moonwell's ChainlinkCompositeOracle.
contract MoonwellComposite {
    address public immutable base;
    address public immutable multiplier;
    address public immutable secondMultiplier;
    uint8 public constant decimals = 18;

    constructor(address base_, address multiplier_, address second_) {
        (base, multiplier, secondMultiplier) = (base_, multiplier_, second_);
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        int256 price = scaled(base) * scaled(multiplier);
        if (secondMultiplier == address(0)) price /= 1e18;
        else price = (price * scaled(secondMultiplier)) / 1e36;
        return (0, price, 0, block.timestamp, 0);
    }

    function scaled(address feed) private view returns (int256) {
        (uint80 id, int256 price, , , uint80 answeredIn) = IFeed(feed).latestRoundData();
        require(price > 0 && answeredIn == id, "CLCOracle: Oracle data is invalid");
        uint8 places = IFeed(feed).decimals();
        return places > 18 ? price / int256(10 ** (places - 18)) : price * int256(10 ** (18 - places));
    }
}

/// Moonwell's ChainlinkFeedOEVWrapper, without its fees.
contract MoonwellHeldBack {
    IFeed public immutable originalFeed;
    uint8 public maxDecrements;
    uint8 public maxRoundDelay;
    uint256 public cachedRoundId;

    constructor(IFeed feed, uint8 steps, uint8 delay) {
        (originalFeed, maxDecrements, maxRoundDelay) = (feed, steps, delay);
        cachedRoundId = feed.latestRound();
    }

    function updatePriceEarly() external {
        cachedRoundId = originalFeed.latestRound();
    }

    function decimals() external view returns (uint8) {
        return originalFeed.decimals();
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        FeedRound memory said = counted(IRounds(address(originalFeed)));
        require(said.answer > 0, "Chainlink price cannot be lower or equal to 0");
        require(said.at != 0, "Round is in incompleted state");
        require(said.answeredIn >= said.id, "Stale price");
        return (said.id, said.answer, said.began, said.at, said.answeredIn);
    }

    function counted(IRounds feed) private view returns (FeedRound memory last) {
        last = feed.latestRoundData();
        if (last.id == cachedRoundId || block.timestamp >= last.at + maxRoundDelay) return last;
        uint256 back = last.id;
        for (uint256 i = 0; i < maxDecrements && --back > 0; i++) {
            try feed.getRoundData(uint80(back)) returns (FeedRound memory one) {
                return one;
            } catch {}
        }
    }
}

/// Moonwell's ChainlinkBoundedCompositeOracle.
contract MoonwellBounded {
    IFeed public primaryLBTCOracle;
    IFeed public fallbackLBTCOracle;
    int256 public lowerBound;
    int256 public upperBound;
    uint8 public constant decimals = 8;

    constructor(IFeed first, IFeed second, int256 lower, int256 upper) {
        (primaryLBTCOracle, fallbackLBTCOracle, lowerBound, upperBound) = (first, second, lower, upper);
    }

    function latestRoundData() external view returns (uint80, int256 price, uint256, uint256 at, uint80) {
        (price, at) = valid(primaryLBTCOracle);
        if (price < lowerBound || price > upperBound) (price, at) = valid(fallbackLBTCOracle);
        return (0, price, 0, at, 0);
    }

    function valid(IFeed feed) private view returns (int256 price, uint256 at) {
        (, price, , at, ) = feed.latestRoundData();
        require(price > 0 && at != 0, "Invalid price");
        uint8 places = feed.decimals();
        price = places > 8 ? price / int256(10 ** (places - 8)) : price * int256(10 ** (8 - places));
    }
}

/// Compound's UniswapAnchoredView as far as it is read: prices as they were posted.
contract AnchoredView {
    struct Config {
        address cToken;
        address underlying;
        bytes32 symbolHash;
        uint256 baseUnit;
        uint8 priceSource;
        uint256 fixedPrice;
        address uniswapMarket;
        bool isUniswapReversed;
    }

    uint256 public constant lowerBoundAnchorRatio = 0.8e18;
    uint256 public constant upperBoundAnchorRatio = 1.2e18;
    mapping(bytes32 => uint256) public prices;
    mapping(address => Config) private configs;

    function list(Config calldata config) external {
        configs[config.cToken] = config;
    }

    function post(string calldata symbol, uint256 price) external {
        prices[keccak256(bytes(symbol))] = price;
    }

    function getTokenConfigByCToken(address cToken) public view returns (Config memory config) {
        config = configs[cToken];
        require(config.baseUnit != 0, "token config not found");
    }

    function getUnderlyingPrice(address cToken) external view returns (uint256) {
        Config memory config = getTokenConfigByCToken(cToken);
        uint256 price = prices[config.symbolHash];
        if (config.priceSource == 1) price = config.fixedPrice;
        if (config.priceSource == 0) price = (prices[keccak256("ETH")] * config.fixedPrice) / 1e18;
        return (1e30 * price) / config.baseUnit;
    }
}
