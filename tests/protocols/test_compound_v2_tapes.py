"""Compound v2 and Venus's core pool from recorded return data of their own contracts: every margin and every verdict
equals theirs, to the unit."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import pytest

from tests.protocols.compound_v2 import NAMES, WAD, Case, everything, load, reader_of, stored_on, tape_cases, word_of
from watcher.domain.errors import ReadFailed
from watcher.domain.health import Health
from watcher.domain.position import State
from watcher.protocols.compound_v2 import calls
from watcher.protocols.compound_v2.maths import Listed, lines_of, raw_of, sums_of
from watcher.protocols.rounding import mul_div_down, mul_div_half_up


def mismatched(case: Case) -> str:
    """What our reading has otherwise than the contract; empty where nothing."""
    position, verdict, seen = case.position, case.verdict, case.seen
    assert verdict is not None
    assert not isinstance(verdict, ReadFailed), verdict
    health = position.health
    checks = {
        "margin": health.backing - health.required == case.margin,
        "the tape's verdict": health.liquidatable == seen["liquidatable_accrued"],
        "the plan's verdict": verdict.agrees_with(position) and verdict.margin == case.margin,
        "legs": position.legs_explain_health,
        "liquidation": goes_through(case) == bool(seen["liquidation_call_after_accruing_all_succeeds"]),
    }
    return ", ".join(what for what, right in checks.items() if not right)


def goes_through(case: Case) -> bool:
    """Of the debt that the tape's authors tried: with no shortfall it takes a market under forced liquidation."""
    tried = re.search(r"liquidateBorrow debt (\w+)", case.seen["note"])
    forced = {line.asset.symbol for line in lines_of(case.market, case.account) if line.held.rule.forced}
    exposed = case.position.health.liquidatable or (tried is not None and tried[1] in forced)
    return case.position.state is State.LIQUIDATABLE and exposed


@pytest.mark.parametrize("name", NAMES)
def test_it_equals_the_contract_to_the_last_unit(name: str) -> None:
    assert {case.name: found for case in tape_cases(name) if (found := mismatched(case))} == {}


def test_it_reads_hundreds_of_states_of_every_kind() -> None:
    kinds = ("compound_v2", "venus_core")
    states = {kind: Counter(one.position.state for one in everything() if one.name.startswith(kind)) for kind in kinds}

    assert states == {
        "compound_v2": {
            State.HEALTHY: 106,
            State.LIQUIDATABLE: 54,
            State.NO_DEBT: 16,
            State.LIQUIDATABLE_BUT_BLOCKED: 9,
            State.DUST: 7,
        },
        "venus_core": {
            State.HEALTHY: 130,
            State.LIQUIDATABLE: 37,
            State.NO_DEBT: 16,
            State.DUST: 7,
            State.LIQUIDATABLE_BUT_BLOCKED: 2,
        },
    }


def test_it_weighs_by_the_pool_that_a_user_has_chosen() -> None:
    weights = {
        (case.account.pool, line.asset.symbol, line.held.rule.threshold)
        for case in everything()
        for line in lines_of(case.market, case.account)
        if case.name.startswith("venus_core@0")
    }

    assert {pool for pool, _, _ in weights} == {0, 1, 2}
    assert len({threshold for _, symbol, threshold in weights if symbol == "USDC6"}) > 1


def test_it_sees_what_the_plain_view_is_late_to_say() -> None:
    late = [case for case in everything() if case.seen["liquidatable_by_view"] != case.position.health.liquidatable]

    assert len(late) > 20
    assert {case.position.health.liquidatable for case in late} == {True, False}, "supply bears interest as debt does"


def test_it_tells_a_liquidation_that_is_paused_from_one_that_goes_through() -> None:
    blocked = [case for case in everything() if case.position.state is State.LIQUIDATABLE_BUT_BLOCKED]

    assert {case.name.partition(":")[0] for case in blocked} == {"compound_v2@7", "venus_core@7"}
    assert all("paused" in case.seen["note"] for case in blocked)


def test_it_tells_a_debt_that_may_be_liquidated_whatever_the_health() -> None:
    forced = [
        case
        for case in everything()
        if case.position.state is State.LIQUIDATABLE and not case.position.health.liquidatable
    ]

    assert {case.name.partition(":")[0] for case in forced} == {"compound_v2@6", "venus_core@6"}
    assert all("forced liquidation" in " ".join(case.position.notes) for case in forced)
    assert len(forced) > 10


def test_it_stands_at_the_boundary_on_either_side() -> None:
    """Prices were put where one unit decides: margins of 0 and 1 are safe, of -1 are not."""
    margins = Counter(case.margin for case in everything() if case.account.owes and abs(case.margin) <= 1)

    assert margins[0] > 0
    assert margins[1] > 0
    assert margins[-1] > 0


@pytest.mark.parametrize("name", NAMES)
def test_its_recordings_accrue_as_the_contract_says_that_it_does(name: str) -> None:
    """What stands in for accrued totals comes to the rates, borrows and debts that the contract itself accrued."""
    tape = load(name)
    for one in tape.content["addresses"]["markets"].values():
        c_token = one["cToken"]
        before, cash = stored_on(tape, c_token), word_of(tape, c_token, "getCash()")
        then, tokens = before.accrued(), word_of(tape, c_token, "totalSupply()")
        assert then.borrows == word_of(tape, c_token, "totalBorrowsCurrent()")
        rate = mul_div_down(cash + then.borrows - then.reserves, WAD, tokens)
        assert rate == word_of(tape, c_token, "exchangeRateCurrent()")
        for wallet in tape.holders:
            owed = word_of(tape, c_token, "borrowBalanceCurrent(address)", wallet)
            stored = word_of(tape, c_token, "borrowBalanceStored(address)", wallet) if "compound" in name else 0
            assert not stored or abs(stored * then.index // before.index - owed) <= 2


def test_it_would_be_wrong_with_any_other_rounding() -> None:
    """The negative control: exactness above is not an accident of easy numbers."""
    owing = [case for case in everything() if case.account.owes and case.position.health.backing]
    nearest = [case for case in owing if _summed(case, half_up=True) == case.margin]
    exact = [case for case in owing if _exact(case) == case.margin]

    assert all(_summed(case, half_up=False) == case.margin for case in owing)
    assert len(nearest) < len(owing) * 0.5
    assert len(exact) < len(owing) * 0.5


def _summed(case: Case, *, half_up: bool) -> int:
    divide = mul_div_half_up if half_up else mul_div_down
    margin = 0
    for line in lines_of(case.market, case.account):
        listed, raw = case.market.listed[line.held.c_token], raw_of(line.price, line.asset)
        assert isinstance(listed, Listed)
        each = divide(divide(line.held.rule.threshold, listed.totals.rate, WAD), raw, WAD)
        margin += divide(each, line.held.tokens, WAD) - divide(raw, line.held.debt, WAD)
    return margin


def _exact(case: Case) -> Fraction:
    """Without any rounding."""
    margin = Fraction(0)
    for line in lines_of(case.market, case.account):
        listed, raw = case.market.listed[line.held.c_token], raw_of(line.price, line.asset)
        assert isinstance(listed, Listed)
        weighed = Fraction(line.held.rule.threshold * listed.totals.rate * line.held.tokens, WAD**2)
        margin += (weighed - line.held.debt) * Fraction(raw, WAD)
    return margin


def test_it_is_safe_at_equality() -> None:
    case = next(case for case in everything() if case.account.owes and case.margin == 0)
    sums = sums_of(case.market, case.account, lines_of(case.market, case.account))

    assert not sums.health.liquidatable
    assert replace(sums.health, inclusive=True).liquidatable
    assert Health(backing=sums.health.backing - 1, required=sums.health.required).liquidatable


@pytest.mark.parametrize("name", NAMES)
def test_it_recognises_every_comptroller_as_one_of_its_kind(name: str) -> None:
    tape = load(name)
    reader = reader_of(tape)
    comptroller, nobody = reader.comptroller, "0x" + "00" * 20
    kinds = (calls.deprecated(comptroller, nobody), calls.pool_of(comptroller, nobody))
    zero = [{"to": one.target, "data": "0x" + one.data.hex(), "result": "0x" + "00" * 32} for one in kinds]
    content = {**tape.content, "calls": [*tape.content["calls"], *zero]}

    assert replace(tape, content=content).play(reader.expects()) == []
