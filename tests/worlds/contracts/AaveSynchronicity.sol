// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// Written to the interface and arithmetic of bgd-labs/cl-synchronicity-price-adapter.

interface SynchronicityFeed {
    function latestAnswer() external view returns (int256);
    function decimals() external view returns (uint8);
}

interface SynchronicityRate {
    function getPooledEthByShares(uint256 shares) external view returns (uint256);
    function convertToAssets(uint256 shares) external view returns (uint256);
    function getExchangeRate() external view returns (uint256);
    function exchangeRate() external view returns (uint256);
    function getRate() external view returns (uint256);
    function chi() external view returns (uint256);
    function decimals() external view returns (uint8);
}

contract AavePegToBase {
    SynchronicityFeed public immutable PEG_TO_BASE;
    SynchronicityFeed public immutable ASSET_TO_PEG;
    uint8 public immutable DECIMALS;
    int256 public immutable DENOMINATOR;

    constructor(address peg, address asset, uint8 places) {
        PEG_TO_BASE = SynchronicityFeed(peg);
        ASSET_TO_PEG = SynchronicityFeed(asset);
        DECIMALS = places;
        DENOMINATOR = int256(10 ** uint256(PEG_TO_BASE.decimals() + ASSET_TO_PEG.decimals()));
    }

    function description() external pure returns (string memory) { return "ASSET/PEG/BASE"; }
    function decimals() external view returns (uint8) { return DECIMALS; }

    function latestAnswer() external view returns (int256) {
        int256 asset = ASSET_TO_PEG.latestAnswer();
        int256 peg = PEG_TO_BASE.latestAnswer();
        if (asset <= 0 || peg <= 0) return 0;
        return asset * peg * int256(10 ** uint256(DECIMALS)) / DENOMINATOR;
    }
}

contract AaveBaseToPeg {
    SynchronicityFeed public immutable BASE_TO_PEG;
    SynchronicityFeed public immutable ASSET_TO_PEG;
    uint8 public immutable DECIMALS;

    constructor(address base, address asset, uint8 places) {
        BASE_TO_PEG = SynchronicityFeed(base);
        ASSET_TO_PEG = SynchronicityFeed(asset);
        DECIMALS = places;
    }

    function description() external pure returns (string memory) { return "ASSET/BASE"; }
    function decimals() external view returns (uint8) { return DECIMALS; }

    function latestAnswer() external view returns (int256) {
        int256 asset = ASSET_TO_PEG.latestAnswer();
        int256 base = BASE_TO_PEG.latestAnswer();
        if (asset <= 0 || base <= 0) return 0;
        return asset * int256(10 ** uint256(DECIMALS)) / base;
    }
}

contract AaveFixedRatio {
    SynchronicityFeed public immutable BASE_TO_PEG;
    uint8 public immutable DECIMALS;
    int256 public immutable PRICE_RATIO;
    int256 public immutable MULTIPLIER;

    constructor(address base, int256 ratio, uint8 places) {
        BASE_TO_PEG = SynchronicityFeed(base);
        (PRICE_RATIO, DECIMALS) = (ratio, places);
        MULTIPLIER = int256(10 ** uint256(BASE_TO_PEG.decimals() + places));
    }

    function decimals() external view returns (uint8) { return DECIMALS; }

    function latestAnswer() external view returns (int256) {
        int256 base = BASE_TO_PEG.latestAnswer();
        if (base <= 0) return 0;
        return PRICE_RATIO * MULTIPLIER / (100_00 * base);
    }
}

/// What the adapters over a rate have in common; they differ in the names of their parts and in what they ask.
abstract contract AaveRated {
    SynchronicityFeed internal immutable feed;
    SynchronicityRate internal immutable teller;

    constructor(address feed_, address teller_) {
        feed = SynchronicityFeed(feed_);
        teller = SynchronicityRate(teller_);
    }

    function RATIO_DECIMALS() public view virtual returns (uint8) { return 18; }
    function decimals() external view returns (uint8) { return feed.decimals(); }
    function told() internal view virtual returns (uint256);

    function latestAnswer() external view returns (int256) {
        int256 base = feed.latestAnswer();
        int256 ratio = int256(told());
        if (base <= 0 || ratio <= 0) return 0;
        return base * ratio / int256(10 ** uint256(RATIO_DECIMALS()));
    }
}

contract AaveWstEth is AaveRated {
    constructor(address a, address b) AaveRated(a, b) {}
    function ETH_TO_BASE() external view returns (SynchronicityFeed) { return feed; }
    function STETH() external view returns (SynchronicityRate) { return teller; }
    function told() internal view override returns (uint256) { return teller.getPooledEthByShares(1e18); }
}

contract AaveREth is AaveRated {
    constructor(address a, address b) AaveRated(a, b) {}
    function ETH_TO_USD() external view returns (SynchronicityFeed) { return feed; }
    function RETH() external view returns (SynchronicityRate) { return teller; }
    function told() internal view override returns (uint256) { return teller.getExchangeRate(); }
}

contract AaveCbEth is AaveRated {
    constructor(address a, address b) AaveRated(a, b) {}
    function CBETH_TO_BASE() external view returns (SynchronicityFeed) { return feed; }
    function RATE_PROVIDER() external view returns (SynchronicityRate) { return teller; }
    function told() internal view override returns (uint256) { return teller.exchangeRate(); }
}

contract AaveMatic is AaveRated {
    constructor(address a, address b) AaveRated(a, b) {}
    function MATIC_TO_BASE() external view returns (SynchronicityFeed) { return feed; }
    function RATE_PROVIDER() external view returns (SynchronicityRate) { return teller; }
    function told() internal view override returns (uint256) { return teller.getRate(); }
}

contract AaveSDai is AaveRated {
    constructor(address a, address b) AaveRated(a, b) {}
    function DAI_TO_USD() external view returns (SynchronicityFeed) { return feed; }
    function RATE_PROVIDER() external view returns (SynchronicityRate) { return teller; }
    function RATIO_DECIMALS() public pure override returns (uint8) { return 27; }
    function told() internal view override returns (uint256) { return teller.chi(); }
}

contract AaveGnosisSDai is AaveRated {
    constructor(address a, address b) AaveRated(a, b) {}
    function DAI_TO_BASE() external view returns (SynchronicityFeed) { return feed; }
    function sDAI() external view returns (SynchronicityRate) { return teller; }
    function RATIO_DECIMALS() public view override returns (uint8) { return teller.decimals(); }
    function told() internal view override returns (uint256) { return teller.convertToAssets(10 ** teller.decimals()); }
}
