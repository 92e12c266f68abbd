"""Morpho Blue with the rate model and the pre-liquidations that it is used with, on recorded states.

Morpho 1.0.0 with AdaptiveCurveIrm (morpho-org/morpho-blue-irm @ a1a87fd5) and PreLiquidation
(morpho-org/pre-liquidation @ 9e8b7f4d): 48 wallets of whom many authorise one or several of five pre-liquidations, one
with an oracle of its own.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any, cast

import pytest

from tests.protocols.morpho import Case, cases_in
from tests.tape import Tape
from watcher.domain.position import Verdict
from watcher.protocols.morpho_blue import MorphoBlue
from watcher.protocols.reader import Place
from watcher.reads import Call, Memo, Returned, sure, together
from watcher.reads.call import Finding

TAPES = (*("0_open", "1_hour", "2_moved", "3_idle", "4_edge", "5_edge_plus_1", "6_edge", "7_edge_plus_1", "8_edge"),)
REFUSALS = ("not pre-liquidatable", "liquidatable on Morpho's line")


def reader_of(tape: Tape) -> MorphoBlue:
    return MorphoBlue(
        place=Place(deployment="guarded", title="Morpho Blue", feeds={}),
        morpho=tape.address("morpho"),
        since=0,
        pre_liquidations=tape.address("pre_liquidation_factory"),
    )


@cache
def guarded(name: str) -> tuple[tuple[Case, Verdict], ...]:
    """Every position of a tape, found as the logs told of it, with the verdict that the plugin reads."""
    tape = Tape.load(f"morpho_guarded@{name}")
    reader, known = reader_of(tape), dict[Memo[Any], Finding]()

    def bundled(call: Call[Any]) -> Returned | None:
        """Behind its accrual, which returns nothing, the market is another one than by itself."""
        if call.label.startswith("morpho_blue.accrueInterest"):
            return Returned(True, b"")
        return Returned(True, bytes.fromhex(tape.content["accrued"][f"0x{call.data[4:].hex()}"][2:]))

    cases = cases_in(tape, reader, known)
    verdicts = tape.play(together(reader.verdict(case.account.holder) for case in cases), bundled, known)
    return tuple((case, cast(Verdict, sure(one))) for case, one in zip(cases, verdicts, strict=True))


def every_case() -> list[tuple[Case, Verdict]]:
    return [one for name in TAPES for one in guarded(name)]


def acting(case: Case) -> dict[str, bool]:
    """Which guards the contract itself would let act, as far as the health is concerned."""
    return {guard: one["error"] not in REFUSALS for guard, one in case.verdict["pre_liquidations"].items()}


def test_it_owes_what_the_adaptive_curve_makes_of_the_debt() -> None:
    """`repay` of all shares, called behind the recorded state, and the accrual in the plugin's own verdict."""
    states = 0
    for case, verdict in every_case():
        assert case.position.health.required == case.verdict["debt"], case.name
        assert verdict.debt == case.position.debt, case.name
        assert verdict.agrees_with(case.position), case.name
        states += 1
    assert states == 486


def test_it_finds_the_guards_that_are_authorised_and_no_others() -> None:
    for case, _ in every_case():
        assert {guard.contract for guard in case.account.guards} == set(case.verdict["pre_liquidations"]), case.name


def test_it_is_liquidatable_by_morpho_or_by_a_guard_as_the_contracts_have_it() -> None:
    seen = Counter[tuple[bool, bool]]()
    for case, _ in every_case():
        by_morpho, by_guard = case.verdict["liquidation_call_succeeds"], any(acting(case).values())
        position = case.position
        assert position.health.liquidatable == (by_morpho or by_guard), case.name
        assert position.legs_explain_health, case.name
        own = [scenario.health.liquidatable for scenario in position.scenarios]
        assert (own or [position.health.liquidatable]) == [by_morpho], case.name
        seen[by_morpho, by_guard] += 1
    assert seen[False, True] > 20, seen
    assert min(seen[True, False], seen[False, False]) > 100, seen


def test_a_guard_that_it_calls_a_danger_does_act() -> None:
    """Where Morpho itself would not liquidate yet. The recorded call repays a thousandth to all of the debt."""
    acted = 0
    for case, _ in every_case():
        if case.position.health.liquidatable and not case.verdict["liquidation_call_succeeds"]:
            assert any(one["succeeds"] for one in case.verdict["pre_liquidations"].values()), case.name
            acted += 1
    assert acted > 20


@pytest.mark.parametrize("name", [name for name in TAPES if "edge" in name])
def test_it_is_on_the_right_side_of_every_edge(name: str) -> None:
    """Prices were put where one position of each market is just liquidatable, or one unit above."""
    note = Tape.load(f"morpho_guarded@{name}").content["note"]
    checked = 0
    for part in note.removeprefix("boundaries: ").split("; "):
        oracle, place, who = part.split()[0], part.split()[2], part.split()[-1]
        for position in (case.position for case, _ in guarded(name) if case.account.holder.account == who):
            if position.legs and position.legs[0].priced_as == oracle:
                assert position.health.liquidatable == place.endswith("+0"), part
                checked += 1
    assert checked >= 4
