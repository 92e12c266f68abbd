"""ABI files made into calls: the selectors that the chain knows, and files that are refused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from watcher.domain.source import Address
from watcher.reads.abi import Interface, interface, world_file

TARGET = Address("0x" + "aa" * 20)

_FOLDER = Path(__file__).parents[1] / "data" / "selectors"
SELECTORS: dict[str, dict[str, str]] = {one.stem: json.loads(one.read_text()) for one in sorted(_FOLDER.glob("*.json"))}
"""A file for each interface: as block explorers and the contracts' own compiled metadata have them."""


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
