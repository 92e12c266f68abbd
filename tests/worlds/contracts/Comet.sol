// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

/// Wrappers with the interface and the arithmetic of Compound v3's price feeds.

interface CometParts {
    function decimals() external view returns (uint8);
    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80);
    function convertToAssets(uint256) external view returns (uint256);
    function getRate() external view returns (uint256);
    function rsETHPrice() external view returns (uint256);
    function tokensPerStEth() external view returns (uint256);
}

abstract contract CometWrapper {
    uint8 public immutable decimals;
    string public description = "a wrapper";

    constructor(uint8 places) {
        decimals = places;
    }

    function power(uint256 exponent) internal pure returns (int256) {
        return int256(10 ** exponent);
    }

    function places(address of_) internal view returns (uint8) {
        return CometParts(of_).decimals();
    }

    function answerOf(address feed) internal view returns (int256 answer) {
        (, answer,,,) = CometParts(feed).latestRoundData();
    }

    /// The answer at the time of that feed; at the zero address: now.
    function round(int256 answer, address dated) internal view returns (uint80, int256, uint256, uint256, uint80) {
        if (dated == address(0)) return (1, answer, block.timestamp, block.timestamp, 1);
        (uint80 id,, uint256 started, uint256 updated, uint80 answered) = CometParts(dated).latestRoundData();
        return (id, answer, started, updated, answered);
    }
}

contract CometConstant is CometWrapper {
    int256 public immutable constantPrice;

    constructor(uint8 places_, int256 price) CometWrapper(places_) {
        constantPrice = price;
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return round(constantPrice, address(0));
    }
}

abstract contract CometPair is CometWrapper {
    int256 public immutable priceFeedScale;

    constructor(uint8 places_) CometWrapper(places_) {
        priceFeedScale = power(places_);
    }
}

contract CometMultiplicative is CometPair {
    address public immutable priceFeedA;
    address public immutable priceFeedB;
    int256 public immutable combinedScale;

    constructor(address a, address b, uint8 places_) CometPair(places_) {
        priceFeedA = a;
        priceFeedB = b;
        combinedScale = power(places(a) + places(b));
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        int256 a = answerOf(priceFeedA);
        int256 b = answerOf(priceFeedB);
        return round(a <= 0 || b <= 0 ? int256(0) : a * b * priceFeedScale / combinedScale, priceFeedB);
    }
}

contract CometReverse is CometPair {
    address public immutable priceFeedA;
    address public immutable priceFeedB;
    int256 public immutable priceFeedAScale;
    int256 public immutable priceFeedBScale;

    constructor(address a, address b, uint8 places_) CometPair(places_) {
        priceFeedA = a;
        priceFeedB = b;
        priceFeedAScale = power(places(a));
        priceFeedBScale = power(places(b));
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        int256 a = answerOf(priceFeedA);
        int256 b = answerOf(priceFeedB);
        if (a <= 0 || b <= 0) return round(0, priceFeedB);
        return round(a * priceFeedBScale * priceFeedScale / b / priceFeedAScale, priceFeedB);
    }
}

contract CometWBTC is CometPair {
    address public immutable WBTCToBTCPriceFeed;
    address public immutable BTCToUSDPriceFeed;
    int256 public immutable combinedScale;

    constructor(address a, address b, uint8 places_) CometPair(places_) {
        WBTCToBTCPriceFeed = a;
        BTCToUSDPriceFeed = b;
        combinedScale = power(places(a) + places(b));
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        int256 a = answerOf(WBTCToBTCPriceFeed);
        int256 b = answerOf(BTCToUSDPriceFeed);
        if (a <= 0 || b <= 0) return round(0, BTCToUSDPriceFeed);
        return round(a * b * priceFeedScale / combinedScale, BTCToUSDPriceFeed);
    }
}

contract CometVault is CometPair {
    address public immutable rateProvider;
    address public immutable underlyingPriceFeed;
    int256 public immutable combinedScale;
    uint8 internal immutable whole;

    constructor(address vault, address feed, uint8 places_) CometPair(places_) {
        rateProvider = vault;
        underlyingPriceFeed = feed;
        whole = places(vault);
        combinedScale = power(whole + places(feed));
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        int256 rate = int256(CometParts(rateProvider).convertToAssets(10 ** whole));
        int256 price = answerOf(underlyingPriceFeed);
        if (rate <= 0 || price <= 0) return round(0, underlyingPriceFeed);
        return round(rate * price * priceFeedScale / combinedScale, underlyingPriceFeed);
    }
}

contract CometWstETH is CometWrapper {
    address public immutable stETHtoETHPriceFeed;
    uint256 public immutable stETHToETHPriceFeedDecimals;
    address public immutable wstETH;
    int256 public immutable wstETHScale;

    constructor(address feed, address wsteth, uint8 places_) CometWrapper(places_) {
        stETHtoETHPriceFeed = feed;
        stETHToETHPriceFeedDecimals = places(feed);
        wstETH = wsteth;
        wstETHScale = power(places(wsteth));
        require(places_ <= stETHToETHPriceFeedDecimals);
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        int256 price = answerOf(stETHtoETHPriceFeed) * wstETHScale / int256(CometParts(wstETH).tokensPerStEth());
        return round(price / power(stETHToETHPriceFeedDecimals - decimals), stETHtoETHPriceFeed);
    }
}

abstract contract CometRescaling is CometWrapper {
    address public immutable underlyingPriceFeed;
    bool internal immutable up;
    int256 internal immutable factor;

    constructor(address under, uint8 theirs, uint8 places_) CometWrapper(places_) {
        underlyingPriceFeed = under;
        up = theirs < places_;
        factor = up ? power(places_ - theirs) : power(theirs - places_);
    }

    function scaled(int256 price) internal view returns (int256) {
        return up ? price * factor : price / factor;
    }
}

contract CometScaling is CometRescaling {
    constructor(address feed, uint8 places_) CometRescaling(feed, CometParts(feed).decimals(), places_) {}

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return round(scaled(answerOf(underlyingPriceFeed)), underlyingPriceFeed);
    }
}

/// RateBasedScalingPriceFeed, and with 18 places EzETHExchangeRatePriceFeed.
contract CometRateBased is CometRescaling {
    constructor(address provider, uint8 theirs, uint8 places_) CometRescaling(provider, theirs, places_) {}

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return round(scaled(int256(CometParts(underlyingPriceFeed).getRate())), address(0));
    }
}

contract CometRsETH is CometRescaling {
    constructor(address oracle, uint8 places_) CometRescaling(oracle, 18, places_) {}

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return round(scaled(int256(CometParts(underlyingPriceFeed).rsETHPrice())), address(0));
    }
}

/// What has the getters of a wrapper of wstETH, and says of its places whatever the test wants.
contract CometAbsurd is CometWrapper {
    address public immutable stETHtoETHPriceFeed;
    address public immutable wstETH;
    uint256 public immutable stETHToETHPriceFeedDecimals;
    int256 public constant wstETHScale = 1e18;

    constructor(address feed, address wsteth, uint256 theirs, uint8 places_) CometWrapper(places_) {
        (stETHtoETHPriceFeed, wstETH, stETHToETHPriceFeedDecimals) = (feed, wsteth, theirs);
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return round(7, address(0));
    }
}
