"""What has happened to a position between two snapshots, told by what its account holds: interest is no event."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from watcher.alerts.trust import SURE, Trust
from watcher.domain.position import Asset, Position, Term

YEAR: Final = 365 * 86_400
ROUNDING: Final = 2
"""Base units that an amount may move by though nobody touched it."""
NEARLY: Final = Decimal("1.02")
"""Collateral and debt that go together at a health below this look like a liquidation: prices may be back by now."""


class What(StrEnum):
    """What has happened."""

    OPENED = "opened"
    CLOSED = "closed"
    CHANGED = "changed"
    LIQUIDATED = "liquidated"
    TERMS = "terms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """More (positive) or less of one asset, in base units; `owed`: of the debt in it, not of the collateral."""

    asset: Asset
    amount: int
    owed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """An event. `position` is as it is now, or as it was last seen where it is closed; `before` is its health then.

    `unseen`: seconds in which nobody looked, so that interest is in the amounts; of one that was opened, within which
    it was, where that is not known to a block. `undone`: it was told, and its block
    has been taken back. `trust`: how far the prices under it can be trusted. `terms`: what the protocol lays down for
    it, as it was and as it is, where that was changed.
    """

    what: What
    position: Position
    changes: tuple[Change, ...]
    before: Decimal | None = None
    unseen: int = 0
    undone: bool = False
    trust: Trust = SURE
    terms: tuple[tuple[Term, Term], ...] = ()

    @property
    def name(self) -> str:
        """What tells it from other events of the same block."""
        return f"{self.what}{'.undone' if self.undone else ''}"

    @property
    def gone(self) -> bool:
        """Whether there is no such position now."""
        return self.what is (What.OPENED if self.undone else What.CLOSED)


def changes(before: Position | None, now: Position | None, seconds: int = 0) -> tuple[Change, ...]:
    """What differs in amounts, debts last. What interest could have done in so many seconds is no difference."""
    was, is_now = _amounts(before), _amounts(now)
    found = []
    for key in dict.fromkeys([*was, *is_now]):
        asset, owed = key
        amount = is_now.get(key, 0) - was.get(key, 0)
        both = key in was and key in is_now
        if abs(amount) > (_interest(was[key], seconds) if both else 0):
            found.append(Change(asset=asset, amount=amount, owed=owed))
    return tuple(sorted(found, key=lambda change: change.owed))


def retermed(before: Position, now: Position) -> tuple[tuple[Term, Term], ...]:
    """The rules that are other than they were. What a position did not use before, or does not now, is no news."""
    was, is_now = _rules(before), _rules(now)
    return tuple((was[key], term) for key, term in is_now.items() if key in was and was[key].value != term.value)


def _rules(position: Position) -> dict[tuple[str, str, int], Term]:
    """By what they are and of which asset, and by their place among those of one name."""
    found: dict[tuple[str, str, int], Term] = {}
    for term in position.terms:
        if term.set_by_rule:
            place = sum(key[:2] == (term.what, term.of) for key in found)
            found[term.what, term.of, place] = term
    return found


def looks_liquidated(found: tuple[Change, ...], lowest: Decimal) -> bool:
    """Whether collateral and debt went together, when health was so low that a liquidator could have taken them."""
    taken = {change.owed for change in found if change.amount < 0}
    return lowest < NEARLY and taken == {True, False} and all(change.amount < 0 for change in found)


def _amounts(position: Position | None) -> dict[tuple[Asset, bool], int]:
    amounts: dict[tuple[Asset, bool], int] = {}
    for leg in position.legs if position else ():
        key = leg.asset, leg.amount < 0
        amounts[key] = amounts.get(key, 0) + abs(leg.amount)
    return amounts


def _interest(amount: int, seconds: int) -> int:
    """More than any market pays or takes: 100 % a year."""
    return amount * seconds // YEAR + ROUNDING
