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
    "erc20": {"balanceOf": "70a08231", "decimals": "313ce567"},
    "redstone_feed": {
        "getPriceFeedAdapter": "47043b00",
        "getDataFeedId": "c8337760",
    },
    "redstone_adapter": {
        "getTimestampsFromLatestUpdate": "b0f106b0",
        "getLastUpdateDetailsUnsafe": "729bfda4",
        "getLatestRoundId": "6a2841f6",
    },
    "pyth": {
        "pyth": "f98d06f0",
        "priceId": "31189334",
        "getPriceUnsafe": "96834ad3",
    },
    "api3_reader_proxy": {
        "api3ServerV1": "2d6a744e",
        "dapiName": "868fa88c",
        "read": "57de26a4",
    },
    "uniswap_v3_pool": {
        "token0": "0dfe1681",
        "token1": "d21220a7",
        "observe": "883bdbfd",
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
