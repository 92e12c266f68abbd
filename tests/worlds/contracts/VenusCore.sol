// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

interface IMarketPrices {
    function getUnderlyingPrice(address vToken) external view returns (uint256);
}

/// Prices of markets as somebody posts them, to the unit; 0 where nobody did.
contract PostedPrices is IMarketPrices {
    mapping(address => uint256) public getUnderlyingPrice;

    function updatePrice(address) external {}

    function post(address vToken, uint256 price) external {
        getUnderlyingPrice[vToken] = price;
    }
}

/// Venus's DeviationBoundedOracle where nothing has deviated: both prices are those of the oracle under it.
contract UndeviatedOracle {
    IMarketPrices public immutable spot;

    constructor(IMarketPrices spot_) {
        spot = spot_;
    }

    function updateProtectionState(address) external {}

    function getBoundedPricesView(address vToken) external view returns (uint256 collateral, uint256 debt) {
        collateral = spot.getUnderlyingPrice(vToken);
        debt = collateral;
    }
}

/// Takes the reserves that Venus's markets send away.
contract ReserveSink {
    function updateAssetsState(address, address, uint8) external {}
}
