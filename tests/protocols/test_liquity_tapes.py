"""Liquity v1 and v2 from recorded return data of their own contracts: every ratio and every verdict equals theirs."""

from __future__ import annotations

from collections import Counter
from itertools import chain

import pytest

from tests.protocols.liquity import FIRST, SECOND, Case, cases, everything, reader_of
from tests.tape import Tape
from watcher.domain.position import State
from watcher.protocols.liquity.v2 import trove_id

LIVE = {"active", "zombie"}


def mismatched(case: Case) -> str:
    """What our reading has otherwise than the contract; empty where nothing."""
    if case.trove is None:
        return "" if case.seen["status"] not in LIVE else "a trove that is there"
    position, seen = case.position, case.seen
    assert case.verdict is not None
    checks = {
        "status": seen["status"] in LIVE,
        "ratio": position.health.backing == int(seen["icr"]) or not case.trove.debt,
        "no debt": (position.state is State.NO_DEBT) == (int(seen["icr"]) == 2**256 - 1),
        "view": position.health.liquidatable == seen["liquidatable_by_view"],
        "liquidation": (position.state is State.LIQUIDATABLE) == bool(seen["liquidation_call_succeeds"]),
        "our verdict plan": case.verdict.agrees_with(position),
        "legs": position.legs_explain_health,
    }
    return ", ".join(what for what, right in checks.items() if not right)


@pytest.mark.parametrize("name", [*FIRST, *SECOND])
def test_it_equals_the_contract_to_the_last_unit(name: str) -> None:
    assert {case.name: found for case in cases(name) if (found := mismatched(case))} == {}


def test_it_reads_hundreds_of_states_of_every_kind() -> None:
    first, second = (Counter(_state(case) for name in names for case in cases(name)) for names in (FIRST, SECOND))
    print(first, second)
    assert sum(first.values()) == 189
    assert sum(second.values()) == 207


def _state(case: Case) -> str:
    return "closed" if case.trove is None else case.position.state.value


def test_it_liquidates_above_the_minimum_ratio_in_recovery_mode_only_what_the_pool_can_take() -> None:
    above = [
        case
        for name in FIRST
        for case in cases(name)
        if case.trove is not None and case.position.health.required > 11 * 10**17
    ]
    assert above
    assert {case.position.health.liquidatable for case in above} == {True, False}
    for case in above:
        assert "recovery mode" in " ".join(case.position.notes)


def test_a_trove_is_found_by_the_number_that_its_owner_gave_it() -> None:
    found = 0
    for name in SECOND:
        for trove in Tape.load(name).content["addresses"]["troves"]:
            owner = trove["owner"]
            found += int(trove["id"]) == trove_id(owner, owner, trove["ownerIndex"])
    assert found > 0


def test_every_reader_of_a_tape_reads_another_market() -> None:
    assert len({type(reader_of(Tape.load(name))) for name in chain(FIRST, SECOND)}) == 2
    assert len(list(everything())) == 396
