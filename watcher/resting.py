"""Which positions rest on which feeds, and how much each moves them: worked out anew when that changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from watcher.domain.errors import ReadFailed
from watcher.domain.position import Check
from watcher.risk.healths import sensitivities
from watcher.snapshot import Held, Snapshot
from watcher.store.prices import Place, Rest

ANEW_EVERY: Final = 600
"""Seconds of block time after which it is worked out anew though nothing was done: prices move it a little."""

_log = structlog.get_logger("watcher.resting")


@dataclass(slots=True)
class Resting:
    """What is known of one chain's positions. What they owe and rest on is worked out once for each change of it."""

    _known: dict[Place, Any] = field(default_factory=dict)

    def changed(self, snapshot: Snapshot) -> Mapping[Place, tuple[Rest, ...]]:
        """All of the places where something changed, or that were looked at long ago. Milliseconds for a position."""
        found = {}
        by_place: dict[Place, list[Held]] = {place: [] for place in snapshot.covered}
        for held in snapshot.held:
            by_place.setdefault((held.position.id.deployment, held.position.id.wallet), []).append(held)
        for place, its in by_place.items():
            shape = snapshot.block.timestamp // ANEW_EVERY, [_shape(held) for held in its]
            if place in snapshot.covered and self._known.get(place) != shape:
                found[place] = tuple(rest for held in its for rest in _rests(held, snapshot))
                self._known[place] = shape
        return found


def _shape(held: Held) -> tuple[object, Sequence[object]]:
    return held.account, [reading.feed for reading in held.position.feeds]


def _rests(held: Held, snapshot: Snapshot) -> list[Rest]:
    position = held.position
    if not position.health.required or position.check is Check.MISMATCH:
        return []
    try:
        found = sensitivities(position, held.reprice)
    except ReadFailed as problem:
        _log.warning("sensitivity.unknown", position=str(position.id), problem=str(problem))
        return []
    return [
        Rest(
            chain=snapshot.block.chain,
            feed=one.feed,
            pair=one.pair,
            position=str(position.id),
            per_percent=one.per_percent,
            seen_at=snapshot.block.timestamp,
        )
        for one in found
    ]
