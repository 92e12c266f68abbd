"""Compound v3 from recorded return data of its own contracts: every number and every verdict equals theirs.

The tapes are of four worlds: `comet` and `comet_24` (up to 15 and 24 collaterals), `comet_ext`, `comet_patched` (can
deactivate a collateral). `liquidatable_by_view` is what `isLiquidatable` says by itself, `liquidatable_accrued` what it
says behind an accrual.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.protocols.comet import NAMES, Case, everything, tape_cases
from tests.tape import Tape
from watcher.domain.errors import ReadFailed
from watcher.domain.position import State
from watcher.protocols.comet.maths import borrow_refusal, lent, owed
from watcher.protocols.rounding import mul_div_up

PAUSED = "9e87fac8"  # the selector of the error that `absorb` then fails with


def mismatched(case: Case) -> str:
    """What our reading has otherwise than the contract; empty where nothing."""
    position, verdict, seen = case.position, case.verdict, case.seen
    assert verdict is not None
    assert not isinstance(verdict, ReadFailed), verdict
    checks = {
        "the tape's verdict": verdict.liquidatable == seen["liquidatable_accrued"],
        "the plan's verdict": verdict.agrees_with(position),
        "what is owed": owed(case.market, case.account) == seen["owed"],
        "what is lent": lent(case.market, case.account) == seen["lent"],
        "legs": position.legs_explain_health,
        "absorption": (position.state is State.LIQUIDATABLE) == seen["liquidation_call_succeeds"],
        "borrowing": (borrow_refusal(case.market, case.account, position.debt) == "")
        == bool(seen["borrow_collateralized_accrued"]),
    }
    return ", ".join(what for what, right in checks.items() if not right)


@pytest.mark.parametrize("name", NAMES)
def test_it_equals_the_contract_to_the_last_unit(name: str) -> None:
    assert {case.name: found for case in tape_cases(name) if (found := mismatched(case))} == {}


def test_it_reads_hundreds_of_states_of_every_kind() -> None:
    states = Counter(case.position.state for case in everything())

    assert sum(states.values()) == 912
    assert states == {
        State.HEALTHY: 541,
        State.NO_DEBT: 200,
        State.LIQUIDATABLE: 91,
        State.DUST: 68,
        State.LIQUIDATABLE_BUT_BLOCKED: 12,
    }


def test_it_reads_positions_of_one_collateral_and_of_many() -> None:
    held = Counter(len(case.account.collaterals) for case in everything())
    offsets = {one.offset for case in everything() for one in case.account.collaterals}

    assert min(held[1], held[2], held[3]) > 50
    assert max(held) == 8
    assert max(offsets) == 23, "the word for the first 16 goes on in the reserved byte"


def test_it_tells_a_liquidation_that_is_paused_from_one_that_goes_through() -> None:
    blocked = [case for case in everything() if case.position.state is State.LIQUIDATABLE_BUT_BLOCKED]

    assert all(PAUSED in case.seen["note"] for case in blocked)
    assert {case.name.split(":")[0] for case in blocked} == {"comet@3_paused", "comet_24@3_paused", "comet_ext@6"}


def test_it_sees_what_the_plain_view_is_late_to_say() -> None:
    late = [case for case in everything() if case.seen["liquidatable_by_view"] != case.position.health.liquidatable]

    assert len(late) > 5
    assert all(case.position.health.liquidatable for case in late), "interest only ever adds to what is owed"


def test_it_would_be_wrong_without_the_accrual_or_with_the_other_rounding() -> None:
    """The negative control: exactness above is not an accident of easy numbers."""
    owing = [case for case in everything() if case.account.principal < 0]
    stored = [case for case in owing if case.stored().position.debt == case.position.debt]
    up = [case for case in owing if mul_div_up(-case.account.principal, case.index, 10**15) == case.seen["owed"]]

    assert len(stored) < len(owing) * 0.3
    assert len(up) < len(owing) * 0.2


def test_it_counts_in_what_the_base_is_quoted_in() -> None:
    """An ETH market pins its base at 1 and counts in it. The feeds of two worlds do not say what they quote."""
    counted = {(case.name.split("@")[0], case.market.base.symbol): case.position.numeraire for case in everything()}

    assert {where: numeraire.symbol for where, numeraire in counted.items()} == {
        ("comet_ext", "USDC"): "USD",
        ("comet_ext", "DAI"): "USD",
        ("comet", "WETH"): "WETH",
        ("comet_24", "WBTC"): "WBTC",
        ("comet", "USDC"): "units of price",
        ("comet_patched", "USDC"): "units of price",
        ("comet_patched", "USDT"): "units of price",
        ("comet_patched", "IDLE"): "units of price",
    }
    assert {numeraire.decimals for numeraire in counted.values()} == {8}


@pytest.mark.parametrize("name", NAMES)
def test_it_recognises_every_market_as_one(name: str) -> None:
    readers = {case.reader.comet: case.reader for case in tape_cases(name)}

    assert [Tape.load(name).play(reader.expects()) for reader in readers.values()] == [[]] * len(readers)
