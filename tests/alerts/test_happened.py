"""What happened to a position: amounts that moved by more than interest, and when that looks like a liquidation."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.alerts.samples import USDC, WETH, position, view
from watcher.alerts.beside import sight_event
from watcher.alerts.happened import YEAR, Change, Happened, What, changes, looks_liquidated
from watcher.alerts.message import Level
from watcher.alerts.moves import event
from watcher.alerts.rules import Rules
from watcher.domain.position import Position

BEFORE = position("1.25")
ETH, DOLLAR = 10**18, 10**6


def after(*, weth: int = 0, usdc: int = 0) -> Position:
    """The position with so much more of its collateral and of its debt."""
    collateral, debt = BEFORE.legs
    legs = replace(collateral, amount=collateral.amount + weth), replace(debt, amount=debt.amount - usdc)
    return replace(BEFORE, legs=tuple(leg for leg in legs if leg.amount))


def test_it_tells_each_asset_that_moved_collateral_first() -> None:
    assert changes(BEFORE, after(weth=ETH, usdc=-500 * DOLLAR)) == (
        Change(asset=WETH, amount=ETH, owed=False),
        Change(asset=USDC, amount=-500 * DOLLAR, owed=True),
    )


def test_it_takes_what_interest_could_have_done_for_no_change() -> None:
    owed = -BEFORE.legs[1].amount
    assert changes(BEFORE, after(usdc=owed // 100), YEAR // 100) == ()
    assert changes(BEFORE, after(usdc=owed // 100 + 3), YEAR // 100) != ()


def test_it_tells_what_came_and_what_went_whole() -> None:
    [came, owed] = changes(None, BEFORE)
    assert (came.amount, owed.amount) == (10 * ETH, -BEFORE.legs[1].amount)
    assert [change.amount for change in changes(BEFORE, None)] == [-10 * ETH, BEFORE.legs[1].amount]


@pytest.mark.parametrize(
    ("weth", "usdc", "lowest", "liquidated"),
    [
        (-ETH, -DOLLAR, "0.99", True),
        (-ETH, -DOLLAR, "1.019", True),
        (-ETH, -DOLLAR, "1.02", False),
        (-ETH, 0, "0.99", False),
        (0, -DOLLAR, "0.99", False),
        (-ETH, DOLLAR, "0.99", False),
        (ETH, -DOLLAR, "0.99", False),
    ],
)
def test_it_looks_liquidated_when_both_sides_go_at_a_low_health(
    weth: int, usdc: int, lowest: str, liquidated: bool
) -> None:
    assert looks_liquidated(changes(BEFORE, after(weth=weth, usdc=usdc)), Decimal(lowest)) is liquidated


@pytest.mark.parametrize("what", [what for what in What if what is not What.TERMS])
def test_it_is_told_to_those_who_asked_and_a_liquidation_to_all_who_did_not_decline(what: What) -> None:
    happened, liquidation = Happened(what=what, position=BEFORE, changes=()), what is What.LIQUIDATED
    assert (sight_event(happened, Rules(), view()) is not None) is liquidation
    told = sight_event(happened, Rules(events=True), view())
    assert told is not None
    assert told.firing is (Level.LIQUIDATABLE if liquidation else Level.OK)
    assert sight_event(happened, Rules(liquidated=False), view()) is None


def test_it_says_within_what_time_a_position_was_opened_where_nobody_looks_all_the_time() -> None:
    opened = Happened(what=What.OPENED, position=BEFORE, changes=(), unseen=300)
    told = [str(line) for line in event(opened)]
    assert "Opened within the last 5 min." in told
    assert not any("within" in str(line) for line in event(replace(opened, unseen=0)))
