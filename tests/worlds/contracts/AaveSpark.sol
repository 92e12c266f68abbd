// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// Written to the interface and arithmetic of sparkdotfi/sparklend-advanced.

interface SparkFeed {
    function latestAnswer() external view returns (int256);
}

interface SparkRate {
    function getPooledEthByShares(uint256 shares) external view returns (uint256);
    function convertToAssets(uint256 shares) external view returns (uint256);
    function getExchangeRate() external view returns (uint256);
    function getRate() external view returns (uint256);
    function rsETHPrice() external view returns (uint256);
    function calculateTVLs() external view returns (uint256[][] memory, uint256[] memory, uint256);
    function ezETH() external view returns (address);
    function totalSupply() external view returns (uint256);
}

contract AaveSparkCapped {
    SparkFeed public immutable source;
    int256 public immutable maxPrice;

    constructor(address of_, int256 most) {
        source = SparkFeed(of_);
        maxPrice = most;
    }

    function decimals() external pure returns (uint8) { return 8; }

    function latestAnswer() external view returns (int256) {
        int256 price = source.latestAnswer();
        return price < maxPrice ? price : maxPrice;
    }
}

contract AaveSparkFixed {
    int256 public immutable price;

    constructor(int256 at) { price = at; }

    function decimals() external pure returns (uint8) { return 8; }
    function latestAnswer() external view returns (int256) { return price; }
}

/// No oracle of Spark's: it has a `price()` too, but one that moves, and says what it is.
contract AaveMovingPrice {
    int256 public price;
    string public description = "MOVING / USD";

    function set(int256 to) external { price = to; }
    function decimals() external pure returns (uint8) { return 8; }
    function latestAnswer() external view returns (int256) { return price; }
}

abstract contract AaveSparkRated {
    SparkFeed public immutable ethSource;
    SparkRate internal immutable teller;

    constructor(address feed, address teller_) {
        ethSource = SparkFeed(feed);
        teller = SparkRate(teller_);
    }

    function decimals() external pure returns (uint8) { return 8; }
    function told() internal view virtual returns (uint256);

    function latestAnswer() external view returns (int256) {
        int256 ether_ = ethSource.latestAnswer();
        int256 rate = int256(told());
        if (ether_ <= 0 || rate <= 0) return 0;
        return rate * ether_ / 1e18;
    }
}

contract AaveSparkWstEth is AaveSparkRated {
    constructor(address a, address b) AaveSparkRated(a, b) {}
    function steth() external view returns (SparkRate) { return teller; }
    function told() internal view override returns (uint256) { return teller.getPooledEthByShares(1e18); }
}

contract AaveSparkREth is AaveSparkRated {
    constructor(address a, address b) AaveSparkRated(a, b) {}
    function reth() external view returns (SparkRate) { return teller; }
    function told() internal view override returns (uint256) { return teller.getExchangeRate(); }
}

contract AaveSparkWeEth is AaveSparkRated {
    constructor(address a, address b) AaveSparkRated(a, b) {}
    function weeth() external view returns (SparkRate) { return teller; }
    function told() internal view override returns (uint256) { return teller.getRate(); }
}

contract AaveSparkSpEth is AaveSparkRated {
    constructor(address a, address b) AaveSparkRated(a, b) {}
    function speth() external view returns (SparkRate) { return teller; }
    function told() internal view override returns (uint256) { return teller.convertToAssets(1e18); }
}

contract AaveSparkRsEth is AaveSparkRated {
    constructor(address a, address b) AaveSparkRated(a, b) {}
    function oracle() external view returns (SparkRate) { return teller; }
    function told() internal view override returns (uint256) { return teller.rsETHPrice(); }
}

contract AaveSparkEzEth is AaveSparkRated {
    constructor(address a, address b) AaveSparkRated(a, b) {}
    function oracle() external view returns (SparkRate) { return teller; }
    function ezETH() public view returns (SparkRate) { return SparkRate(teller.ezETH()); }
    function told() internal view override returns (uint256) {
        (,, uint256 all) = teller.calculateTVLs();
        return all * 1e18 / ezETH().totalSupply();
    }
}
