// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

/// Oracles with the interface and the arithmetic of Morpho's, for products within one word.

interface MorphoParts {
    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80);
    function convertToAssets(uint256) external view returns (uint256);
    function getPooledEthByShares(uint256) external view returns (uint256);
}

abstract contract MorphoSides {
    address public immutable BASE_FEED_1;
    address public immutable BASE_FEED_2;
    address public immutable QUOTE_FEED_1;
    address public immutable QUOTE_FEED_2;
    uint256 public immutable SCALE_FACTOR;

    constructor(address[4] memory feeds, uint256 scale) {
        (BASE_FEED_1, BASE_FEED_2, QUOTE_FEED_1, QUOTE_FEED_2) = (feeds[0], feeds[1], feeds[2], feeds[3]);
        SCALE_FACTOR = scale;
    }

    function answerOf(address feed) internal view returns (uint256) {
        if (feed == address(0)) return 1;
        (, int256 answer,,,) = MorphoParts(feed).latestRoundData();
        require(answer >= 0, "negative answer");
        return uint256(answer);
    }

    function assetsOf(address vault, uint256 sample) internal view returns (uint256) {
        return vault == address(0) ? 1 : MorphoParts(vault).convertToAssets(sample);
    }

    function priced(uint256 base, uint256 quote) internal view returns (uint256) {
        uint256 above = base * answerOf(BASE_FEED_1) * answerOf(BASE_FEED_2);
        uint256 below = quote * answerOf(QUOTE_FEED_1) * answerOf(QUOTE_FEED_2);
        return SCALE_FACTOR * above / below;
    }
}

contract MorphoSecond is MorphoSides {
    address public immutable BASE_VAULT;
    uint256 public immutable BASE_VAULT_CONVERSION_SAMPLE;
    address public immutable QUOTE_VAULT;
    uint256 public immutable QUOTE_VAULT_CONVERSION_SAMPLE;

    constructor(address[4] memory feeds, address[2] memory vaults, uint256[2] memory samples, uint256 scale)
        MorphoSides(feeds, scale)
    {
        (BASE_VAULT, QUOTE_VAULT) = (vaults[0], vaults[1]);
        (BASE_VAULT_CONVERSION_SAMPLE, QUOTE_VAULT_CONVERSION_SAMPLE) = (samples[0], samples[1]);
    }

    function price() external view returns (uint256) {
        return priced(
            assetsOf(BASE_VAULT, BASE_VAULT_CONVERSION_SAMPLE), assetsOf(QUOTE_VAULT, QUOTE_VAULT_CONVERSION_SAMPLE)
        );
    }
}

contract MorphoFirst is MorphoSides {
    address public immutable VAULT;
    uint256 public immutable VAULT_CONVERSION_SAMPLE;

    constructor(address[4] memory feeds, address vault, uint256 sample, uint256 scale) MorphoSides(feeds, scale) {
        VAULT = vault;
        VAULT_CONVERSION_SAMPLE = sample;
    }

    function price() external view returns (uint256) {
        return priced(assetsOf(VAULT, VAULT_CONVERSION_SAMPLE), 1);
    }
}

/// stETH's rate as a feed that knows no time.
contract MorphoStEthRate {
    address public immutable ST_ETH;
    uint8 public constant decimals = 18;

    constructor(address steth) {
        ST_ETH = steth;
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return (0, int256(MorphoParts(ST_ETH).getPooledEthByShares(1 ether)), 0, 0, 0);
    }
}

/// An oracle of Morpho's that nobody knows: it answers `price()` and nothing else.
contract MorphoStrange {
    uint256 public price = 123;
}
