"""What is kept of every look: a point for each position, once a minute, and at once where something happened.

History is worth nothing beside an alert: whatever keeps it from being written is logged, and holds nothing up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import structlog

from watcher.alerts.message import Level
from watcher.alerts.rules import RuleBook
from watcher.domain.position import Position
from watcher.snapshot import Snapshot
from watcher.store import StoreFailed, StoreThread
from watcher.store.history import MINUTE, Point, keep_points, positions_kept, thin

MOVED_AMOUNT: Final = Decimal("0.001")
"""The part of an amount by which a transaction is told from interest: no market charges as much within a minute."""
MOVED_HEALTH: Final = Decimal("0.01")
"""The part of its health by which a position has gone so far that a picture without this point would be wrong."""

_log = structlog.get_logger("watcher.recording")


@dataclass(frozen=True, slots=True)
class _Kept:
    """A point, and where the rules stood with it."""

    point: Point
    level: Level

    def follows(self, before: _Kept | None) -> bool:
        """Whether it is to be kept after `before`, the last one that was. An older block has nothing to add."""
        if before is None:
            return True
        seconds = self.point.at - before.point.at
        if (seconds, self.point.block - before.point.block) <= (0, 0):
            return False  # on fast chains several blocks have one timestamp
        return seconds >= MINUTE or self.level is not before.level or _moved(before.point, self.point)


class Recorder:
    """Keeps what is seen. One for all chains; `keep` tells for how many seconds, 0 for not at all."""

    def __init__(self, store: StoreThread, *, keep: Callable[[], int]) -> None:
        self._store = store
        self._keep = keep
        self._last: dict[str, dict[str, _Kept]] = {}
        self._troubled = False

    async def record(self, snapshot: Snapshot, book: RuleBook) -> None:
        """Keeps what is new in a snapshot. Never raises: what could not be kept is tried again at the next look."""
        if not self._keep():
            return
        try:
            await self._record(snapshot, book)
        except StoreFailed as problem:
            self._trouble(problem)
        except Exception:  # noqa: BLE001 - a bug here must not look like a chain that cannot be seen
            _log.exception("history.bug", chain=snapshot.block.chain)

    async def tidy(self, now: int) -> None:
        """Forgets and thins what has grown old, position by position: alerts that are to be stored go in between."""
        try:
            for position in await self._store.do(positions_kept):
                await self._store.do(thin, position, now, self._keep())
        except StoreFailed as problem:
            self._trouble(problem)

    async def _record(self, snapshot: Snapshot, book: RuleBook) -> None:
        last = self._last.get(snapshot.block.chain, {})
        seen = {str(position.id): _kept(position, book) for position in snapshot.positions}
        new = {name: kept for name, kept in seen.items() if kept.follows(last.get(name))}
        if new:
            await self._store.do(keep_points, [kept.point for kept in new.values()])
            if self._troubled:
                _log.info("history.written_again")
            self._troubled = False
        # Who is not there now is forgotten, so that its first point after a gap is kept at once.
        self._last[snapshot.block.chain] = {name: new.get(name) or last[name] for name in seen}

    def _trouble(self, problem: StoreFailed) -> None:
        if not self._troubled:
            _log.error("history.not_written", problem=str(problem))
        self._troubled = True


def _kept(position: Position, book: RuleBook) -> _Kept:
    level = book.of(position.id).firing(position.health.factor, liquidatable=position.health.liquidatable)
    return _Kept(Point.of(position), level)


def _moved(before: Point, now: Point) -> bool:
    """Whether an account was changed, or its health went far, from one point to the other."""
    if [leg.symbol for leg in before.legs] != [leg.symbol for leg in now.legs]:
        return True
    amounts = ((one.amount, other.amount) for one, other in zip(before.legs, now.legs, strict=True))
    return _differ(before.health, now.health, MOVED_HEALTH) or any(_differ(*pair, MOVED_AMOUNT) for pair in amounts)


def _differ(one: Decimal, other: Decimal, part: Decimal) -> bool:
    if one == other:
        return False
    return one.is_infinite() or other.is_infinite() or abs(one - other) > part * abs(one)
