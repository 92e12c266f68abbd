"""What is offered where a protocol takes no part of a debt."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from tests.alerts.samples import USDC, position
from watcher.domain.health import Health
from watcher.domain.position import Action, Position, Refused, Repay
from watcher.risk.restore import remedies

TARGET = Decimal("1.5")


def all_or_nothing(there: Position, action: Action) -> Position | Refused:
    """A debt that may not become smaller without ending."""
    if isinstance(action, Repay) and action.amount >= abs(there.legs[1].amount):
        return replace(there, health=Health(backing=0, required=0), legs=there.legs[:1])
    return Refused("what would be left is too small")


def test_it_offers_all_of_a_debt_of_which_no_part_is_taken() -> None:
    there = position("1.2")
    [found] = remedies(there, TARGET, lambda action: all_or_nothing(there, action))
    assert found.action == Repay(USDC.address, abs(there.legs[1].amount))
    assert found.enough


def test_it_offers_nothing_where_nothing_is_taken() -> None:
    assert remedies(position("1.2"), TARGET, lambda _: Refused("paused")) == ()
