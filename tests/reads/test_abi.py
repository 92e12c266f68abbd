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
