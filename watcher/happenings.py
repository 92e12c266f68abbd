"""From one snapshot to the next: which positions came, went, or were changed by a transaction.

An account is told from the interest on it by valuing what it was and what it is in one and the same market.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from watcher.alerts.happened import Change, Happened, What, changes, looks_liquidated
from watcher.domain.errors import ReadFailed
from watcher.domain.position import Position
from watcher.domain.source import Address, Block
from watcher.snapshot import Held, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What was last known of every position, and who was read at all: what the next snapshot is held against."""

    block: Block
    held: Mapping[str, Held]
    covered: frozenset[tuple[str, Address]]

    @classmethod
    def of(cls, snapshot: Snapshot) -> Baseline:
        return cls(block=snapshot.block, held=_by_name(snapshot), covered=snapshot.covered)

    def after(self, snapshot: Snapshot) -> Baseline:
        """What is known then. What could not be read stays as it was known; an older block tells nothing new."""
        if snapshot.block.number <= self.block.number:
            return self
        kept = {name: held for name, held in self.held.items() if _owner(held) not in snapshot.covered}
        held, covered = kept | _by_name(snapshot), self.covered | snapshot.covered
        return Baseline(block=snapshot.block, held=held, covered=covered)

    def happened(self, snapshot: Snapshot) -> list[Happened]:
        """Every event between then and now. Nothing is said of what was not read at either."""
        if snapshot.block.number <= self.block.number:
            return []
        now = _by_name(snapshot)
        names = dict.fromkeys([*self.held, *now])
        found = [self._one(self.held.get(name), now.get(name), snapshot) for name in names]
        return [event for event in found if event is not None]

    def _one(self, before: Held | None, now: Held | None, snapshot: Snapshot) -> Happened | None:
        if before is None:
            assert now is not None
            return _opened(now.position) if _owner(now) in self.covered else None
        if now is None:
            return _closed(before.position) if _owner(before) in snapshot.covered else None
        return _changed(before, now)


def _by_name(snapshot: Snapshot) -> dict[str, Held]:
    return {str(held.position.id): held for held in snapshot.held}


def _owner(held: Held) -> tuple[str, Address]:
    return held.position.id.deployment, held.position.id.wallet


def _opened(position: Position) -> Happened:
    return Happened(what=What.OPENED, position=position, changes=changes(None, position))


def _closed(position: Position) -> Happened:
    found, health = changes(position, None), position.health.factor
    what = What.LIQUIDATED if looks_liquidated(found, health) else What.CLOSED
    return Happened(what=what, position=position, changes=found, before=health)


def _changed(before: Held, now: Held) -> Happened | None:
    if before.account == now.account:
        return None
    found, lowest = _differences(before, now)
    if not found:
        return None
    what = What.LIQUIDATED if looks_liquidated(found, lowest) else What.CHANGED
    return Happened(what=what, position=now.position, changes=found, before=before.position.health.factor)


def _differences(before: Held, now: Held) -> tuple[tuple[Change, ...], Decimal]:
    """What changed, and the lowest health that the earlier account is known to have had."""
    seconds = max(now.position.at.timestamp - before.position.at.timestamp, 0)
    then = before.position.health.factor
    try:
        untouched = now.of_account(before.account)
    except ReadFailed:  # an asset of it is gone, and the newer market was read without it
        return changes(before.position, _in_the_market_of(before, now), seconds), then
    return changes(untouched, now.position, seconds), min(then, untouched.health.factor)


def _in_the_market_of(before: Held, now: Held) -> Position:
    """The newer account in the earlier market; as it is where that one knows not all of it either."""
    try:
        return before.of_account(now.account)
    except ReadFailed:
        return now.position
