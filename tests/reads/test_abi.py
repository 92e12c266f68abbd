"""ABI files made into calls: the selectors that the chain knows, and files that are refused."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from watcher.domain.source import Address
from watcher.reads.abi import Interface, interface, world_file

TARGET = Address("0x" + "aa" * 20)

SELECTORS = {
    "aave_v3_pool": {
        "POOL_REVISION": "0148170e",
        "ADDRESSES_PROVIDER": "0542975c",
        "getReservesList": "d1946dbc",
        "getReserveAddressById": "52751797",
        "getUserConfiguration": "4417a583",
        "getUserEMode": "eddf1b79",
        "getUserAccountData": "bf92857c",
        "getReserveData": "35ea6a75",
        "getReserveNormalizedIncome": "d15e0053",
        "getReserveNormalizedVariableDebt": "386497fd",
        "getLiquidationGracePeriod": "5c9a8b18",
        "getEModeCategoryData": "6c6f6ae1",
        "getEModeCategoryCollateralConfig": "b286f467",
        "getEModeCategoryCollateralBitmap": "b0771dba",
        "getEModeCategoryLabel": "2083e183",
    },
    "aave_v3_addresses_provider": {
        "getPool": "026b1d5f",
        "getPriceOracle": "fca513a8",
        "getPriceOracleSentinel": "5eb88d3d",
    },
    "aave_oracle": {
        "BASE_CURRENCY": "e19f4700",
        "BASE_CURRENCY_UNIT": "8c89b64f",
        "getAssetPrice": "b3596f07",
        "getSourceOfAsset": "92bf2be0",
        "isLiquidationAllowed": "7a5d20ea",
    },
    "aave_v3_token": {"scaledBalanceOf": "1da24f3e", "balanceOf": "70a08231", "symbol": "95d89b41"},
    "erc20": {"balanceOf": "70a08231"},
    "erc4626": {
        "asset": "38d52e0f",
        "decimals": "313ce567",
        "symbol": "95d89b41",
    },
    "comet_price_feeds": {
        "priceFeedA": "383cae1d",
        "priceFeedB": "14c04ff1",
        "combinedScale": "2b9357df",
        "priceFeedScale": "5fd4c7c5",
        "priceFeedAScale": "4a10b647",
        "priceFeedBScale": "56356164",
        "underlyingPriceFeed": "2ac0a1a5",
        "rateProvider": "949db658",
        "WBTCToBTCPriceFeed": "2c3596f2",
        "BTCToUSDPriceFeed": "1de5ffd5",
        "stETHtoETHPriceFeed": "ed1a68d1",
        "stETHToETHPriceFeedDecimals": "22c2b36c",
        "wstETH": "4aa07e64",
        "wstETHScale": "17f098ca",
        "constantPrice": "eea72e28",
    },
    "morpho_oracle": {
        "price": "a035b1fe",
        "SCALE_FACTOR": "ce4b5bbe",
        "BASE_FEED_1": "f50a4718",
        "BASE_FEED_2": "dc53858c",
        "QUOTE_FEED_1": "56095e11",
        "QUOTE_FEED_2": "acfbd39e",
        "BASE_VAULT": "eaa2d7b4",
        "BASE_VAULT_CONVERSION_SAMPLE": "054f7ac0",
        "QUOTE_VAULT": "2e6f20a6",
        "QUOTE_VAULT_CONVERSION_SAMPLE": "461739d2",
        "VAULT": "411557d1",
        "VAULT_CONVERSION_SAMPLE": "d6c843ca",
        "ST_ETH": "338346d2",
    },
    "nothing": {"answersAnythingAtAll": "9b5c100c"},
    "multicall3": {"getEthBalance": "4d2301cc"},
    "chainlink_feed": {
        "latestRoundData": "feaf968c",
        "decimals": "313ce567",
        "description": "7284e416",
        "aggregator": "245a7bfc",
        "phaseId": "58303b10",
        "getRoundData": "9a6fc8f5",
        "latestAnswer": "50d25bcd",
        "minAnswer": "22adbc78",
        "maxAnswer": "70da2f67",
    },
    "aave_price_feeds": {
        "BASE_TO_USD_AGGREGATOR": "d221087c",
        "ASSET_TO_USD_AGGREGATOR": "4ebdc284",
        "RATIO_PROVIDER": "dc4a4be8",
        "RATIO_DECIMALS": "a83622e0",
        "SCALING_FACTOR": "ef4cadc5",
        "getRatio": "ec1ebd7a",
        "getSnapshotRatio": "fe4d9e79",
        "getSnapshotTimestamp": "deb8c641",
        "getMaxRatioGrowthPerSecond": "f6ba77de",
        "getMaxRatioGrowthPerSecondScaled": "82294d3c",
        "getMaxYearlyGrowthRatePercent": "caa4cdcf",
        "MAX_STABLE_CAP_VALUE": "eb10ca33",
        "getPriceCap": "4c7afe60",
        "getPriceCapRatio": "4d3f6200",
        "PENDLE_PRINCIPAL_TOKEN": "df904837",
        "MATURITY": "8e12c0cd",
        "PERCENTAGE_FACTOR": "ee01e5e7",
        "discountRatePerYear": "c1cd409d",
        "getCurrentDiscount": "f0eb737a",
        "ACL_MANAGER": "a8a652eb",
        "DECIMALS": "2e0f2625",
        "price": "a035b1fe",
        "ONE_USD": "67781c0e",
        "GHO_PRICE": "abe30b30",
        "referenceFeed": "d3b42e2c",
        "REFERENCE_FEED": "3179e7f0",
        "discount": "6b6f4a9d",
        "EXCHANGE_RATE": "14a8bd0d",
        "ONE_EXCHANGE_RATE": "4bf0eb0b",
        "ONE_HUNDRED_PERCENT_BPS": "5b1e3337",
    },
    "cl_synchronicity": {
        "PEG_TO_BASE": "de4aedab",
        "BASE_TO_PEG": "6753b8c4",
        "ASSET_TO_PEG": "910bb70c",
        "DECIMALS": "2e0f2625",
        "DENOMINATOR": "918f8674",
        "PRICE_RATIO": "3c431d6a",
        "MULTIPLIER": "059f8b16",
        "RATIO_DECIMALS": "a83622e0",
        "RATE_PROVIDER": "7407182a",
        "ETH_TO_BASE": "3f84cd1b",
        "STETH": "e00bfe50",
        "ETH_TO_USD": "9ea47ca2",
        "RETH": "8265b121",
        "CBETH_TO_BASE": "e1d29a04",
        "MATIC_TO_BASE": "98d35efc",
        "DAI_TO_USD": "77cc6afd",
        "DAI_TO_BASE": "c0f81327",
        "sDAI": "de8b6149",
        "PRICE": "8d859f3e",
        "DESCRIPTION": "f1ae8856",
    },
    "sparklend_oracles": {
        "source": "67e828bf",
        "maxPrice": "e38d6b5c",
        "price": "a035b1fe",
        "ethSource": "5b7312a2",
        "steth": "953d7ee2",
        "reth": "f5a991d7",
        "weeth": "e225c3a7",
        "speth": "cd16caf6",
        "ezETH": "13a73c78",
        "oracle": "7dc0d1d0",
    },
    "exchange_rates": {
        "stEthPerToken": "035faf82",
        "tokensPerStEth": "9576a0c8",
        "getPooledEthByShares": "7a28fb88",
        "getExchangeRate": "e6aa216c",
        "exchangeRate": "3ba0b9a9",
        "getRate": "679aefce",
        "chi": "c92aecc4",
        "convertToAssets": "07a2d13a",
        "rsETHPrice": "b4b46434",
        "calculateTVLs": "ff9969cd",
        "totalSupply": "18160ddd",
    },
    "euler_oracle": {
        "name": "06fdde03",
        "getQuote": "ae68676c",
        "getConfiguredOracle": "8aa77608",
        "resolvedVaults": "5ca40017",
        "fallbackOracle": "629838e5",
        "base": "5001f3b5",
        "quote": "999b93af",
        "feed": "37a7b7d8",
        "maxStaleness": "87cf4696",
        "cross": "fa074d03",
        "oracleBaseCross": "fd886700",
        "oracleCrossQuote": "6f612f9a",
        "pyth": "f98d06f0",
        "feedId": "4a643499",
        "maxConfWidth": "88df1eff",
        "feedDecimals": "c23953d0",
        "cache": "60c7d295",
        "rateProvider": "949db658",
        "rate": "2c4e722e",
        "STETH": "e00bfe50",
        "WSTETH": "d9fb643a",
        "WETH": "ad5c4648",
        "pendleMarket": "99d9a71f",
        "twapWindow": "8107e133",
    },
    "euler_rates": {
        "convertToAssets": "07a2d13a",
        "getRate": "679aefce",
        "getPooledEthByShares": "7a28fb88",
        "getSharesByPooledEth": "19208451",
        "getPriceUnsafe": "96834ad3",
    },
    "maker_osm": {"src": "2e7dc6af", "hop": "b0b8579b", "zzz": "a4dff0a2", "stopped": "75f12b21"},
    "chronicle": {
        "age": "262a9dff",
        "bar": "febb0f7e",
        "wat": "4ca29923",
        "feedRegistrationMessage": "d0a5882a",
        "opChallengePeriod": "646edb68",
    },
}
"""As block explorers and the contracts' own compiled metadata have them."""


def test_it_calls_the_functions_by_the_selectors_that_the_chain_knows() -> None:
    for name, selectors in SELECTORS.items():
        for function, selector in selectors.items():
            assert interface(name).function(function, tuple).selector.hex() == selector, f"{name}.{function}"


def test_it_has_a_selector_on_record_for_every_shipped_function() -> None:
    files = {one.name.removesuffix(".json"): one for one in world_file("abis").iterdir() if one.name.endswith(".json")}
    shipped = {name: json.loads(one.read_text())["functions"] for name, one in files.items()}
    assert {name: {each.split("(")[0] for each in functions} for name, functions in shipped.items()} == {
        name: set(selectors) for name, selectors in SELECTORS.items()
    }
    assert all(json.loads(one.read_text())["source"] for one in files.values())


def test_it_leaves_parameter_names_and_blanks_out_of_the_types() -> None:
    pool = interface("aave_v3_pool")
    assert pool.function("getUserAccountData", tuple).outputs == ("uint256",) * 6
    spaced = Interface("x", ["f( address who , uint8[] ids,(uint8, bool) flags ) returns ((uint16 ,string) a, bool)"])
    found = spaced.function("f", tuple)
    assert found.inputs == ("address", "uint8[]", "(uint8,bool)")
    assert found.outputs == ("(uint16,string)", "bool")


@pytest.mark.parametrize(
    "signature",
    [
        "f(uint256)",
        "f returns (uint256)",
        "f(uint256) returns uint256",
        "function f(uint256) returns (uint256)",
        "f(uint256) view returns (uint256)",
        "f(uint256) returns (uint256) ",
        "",
        "f(uint256,,address) returns (bool)",
        "f((uint8,(bool,bool))) returns (bool)",
        "f(uint256) returns (uint256 a b)",
        "f(uint256,) returns (bool)",
    ],
)
def test_it_refuses_a_signature_that_it_would_misread(signature: str) -> None:
    with pytest.raises(ValueError, match=r"abis/x\.json: .* is not of the form 'name\(types\) returns \(types\)'"):
        Interface("x", [signature])


def test_it_takes_functions_without_arguments_or_answers() -> None:
    nothing = Interface("x", ["f() returns ()"]).function("f", tuple)
    assert (nothing.inputs, nothing.outputs) == ((), ())


def test_it_makes_a_call_of_target_selector_and_arguments() -> None:
    call = interface("aave_oracle").function("getAssetPrice", int, gas=70_000)(TARGET, TARGET)
    assert call.data.hex() == "b3596f07" + "00" * 12 + "aa" * 20
    assert (call.target, call.outputs, call.gas) == (TARGET, ("uint256",), 70_000)
    assert str(call) == f"aave_oracle.getAssetPrice({TARGET}) on {TARGET}"
    assert str(interface("aave_v3_token").function("symbol", str)(TARGET)) == f"aave_v3_token.symbol on {TARGET}"


@dataclass(frozen=True)
class Pair:
    one: int
    other: bool


def test_it_parses_into_the_type_that_was_asked_for() -> None:
    pair = Interface("x", ["f() returns (uint256 one, bool other)", "g() returns (uint256)"])
    assert pair.function("f", Pair)(TARGET).parse(7, True) == Pair(7, True)
    assert pair.function("g", int)(TARGET).parse(7) == 7
