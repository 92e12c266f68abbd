// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

/// What tells exchange rates, by every getter that is known, each of a contract of its own. The test writes the rate.
abstract contract RatesBook {
    uint256 internal rate;
    string public symbol;

    constructor(string memory symbol_, uint256 rate_) {
        symbol = symbol_;
        rate = rate_;
    }

    function write(uint256 rate_) external {
        rate = rate_;
    }
}

contract RatesWstETH is RatesBook {
    uint8 public constant decimals = 18;

    constructor(uint256 rate_) RatesBook("wstETH", rate_) {}

    function stEthPerToken() external view returns (uint256) {
        return rate;
    }

    function tokensPerStEth() external view returns (uint256) {
        return 1e36 / rate;
    }
}

contract RatesStETH is RatesBook {
    constructor(uint256 rate_) RatesBook("stETH", rate_) {}

    function getPooledEthByShares(uint256 shares) external view returns (uint256) {
        return shares * rate / 1e18;
    }
}

contract RatesRETH is RatesBook {
    constructor(uint256 rate_) RatesBook("rETH", rate_) {}

    function getExchangeRate() external view returns (uint256) {
        return rate;
    }
}

contract RatesCbETH is RatesBook {
    constructor(uint256 rate_) RatesBook("cbETH", rate_) {}

    function exchangeRate() external view returns (uint256) {
        return rate;
    }
}

contract RatesProvider is RatesBook {
    constructor(string memory symbol_, uint256 rate_) RatesBook(symbol_, rate_) {}

    function getRate() external view returns (uint256) {
        return rate;
    }
}

/// A rate provider that is no token.
contract RatesNameless {
    uint256 public getRate = 11e17;
}

contract RatesKelp is RatesBook {
    constructor(uint256 rate_) RatesBook("", rate_) {}

    function rsETHPrice() external view returns (uint256) {
        return rate;
    }
}

contract RatesToken {
    string public symbol;
    uint8 public decimals;

    constructor(string memory symbol_, uint8 decimals_) {
        symbol = symbol_;
        decimals = decimals_;
    }
}

/// An ERC-4626 vault: `assets` of all for `supply` shares, rounded down.
contract RatesVault is RatesToken {
    address public asset;
    uint256 public assets;
    uint256 public supply;

    constructor(string memory symbol_, uint8 decimals_, address asset_) RatesToken(symbol_, decimals_) {
        asset = asset_;
    }

    function write(uint256 assets_, uint256 supply_) external {
        assets = assets_;
        supply = supply_;
    }

    function convertToAssets(uint256 shares) external view returns (uint256) {
        return shares * assets / supply;
    }
}
