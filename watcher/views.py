"""Snapshots as alerts see them: with the figures that only some rules ask for, worked out once for each snapshot."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog

from watcher.advice import first_to_liquidate, healths_in_doubt, known
from watcher.alerts.falls import Fall, Past, Peak
from watcher.alerts.rules import RuleBook
from watcher.alerts.sighting import View
from watcher.domain.doubt import Doubt
from watcher.domain.errors import ReadFailed
from watcher.domain.position import Check
from watcher.doubting import Stands, TrackMemory
from watcher.resting import Resting
from watcher.risk.doubts import Limits
from watcher.risk.healths import Healths
from watcher.risk.liquidation import LiquidationPrice
from watcher.snapshot import Snapshot
from watcher.store.prices import PricesKept

KEPT: Final = 80
"""Views that are remembered: more than snapshots ever wait for the confirmation of their block."""

_Judged = tuple[Mapping[str, LiquidationPrice | None], tuple[Doubt, ...], Mapping[str, Healths]]

_log = structlog.get_logger("watcher.views")


@dataclass(slots=True)
class Views:
    """The views of one chain's snapshots, and what has to be remembered of health and prices from one to the next."""

    book: RuleBook
    limits: Limits = field(default_factory=Limits)
    tracks: TrackMemory = field(default_factory=TrackMemory)
    _resting: Resting = field(default_factory=Resting)
    _made: dict[str, View] = field(default_factory=dict)
    _past: dict[str, Past] = field(default_factory=dict)

    async def of(self, snapshot: Snapshot, stands: Stands) -> View:
        """The view of a snapshot: made at its first sight, in the order in which snapshots are first shown."""
        made = self._made.get(snapshot.block.hash)
        if made is None:
            # Off the loop: each liquidation price, and each health at other prices, is milliseconds of arithmetic.
            nearest, doubts, healths = await asyncio.to_thread(self._judged, snapshot, stands)
            made = View(
                block=snapshot.block,
                positions=snapshot.positions,
                unreadable=snapshot.unreadable,
                covered=snapshot.covered,
                nearest=nearest,
                falls=self._falls(snapshot),
                sequencer=snapshot.sequencer,
                doubts=doubts,
                healths=healths,
            )
            self._made[snapshot.block.hash] = made
            while len(self._made) > KEPT:
                del self._made[next(iter(self._made))]
        return made

    async def to_keep(self, snapshot: Snapshot, stands: Stands) -> PricesKept:
        """What has to be stored of prices by now. Once for each look, which is to store it."""
        rests = await asyncio.to_thread(self._resting.changed, snapshot)
        return self.tracks.to_keep(snapshot.block, stands) | PricesKept(rests=rests)

    def _judged(self, snapshot: Snapshot, stands: Stands) -> _Judged:
        doubts = self.tracks.examine(snapshot, self.limits, stands)
        found = healths_in_doubt(snapshot, doubts)
        for name, problem in found.items():
            if isinstance(problem, ReadFailed):
                _log.warning("healths.unknown", position=name, problem=str(problem))
        return self._nearest(snapshot), doubts, known(found)

    def _nearest(self, snapshot: Snapshot) -> Mapping[str, LiquidationPrice | None]:
        """By position; what cannot be worked out is left out, so that it is not known rather than far."""
        found = {}
        for held in snapshot.held:
            if self.book.of(held.position.id).watches_distance and held.position.check is not Check.MISMATCH:
                try:
                    found[str(held.position.id)] = first_to_liquidate(held)
                except ReadFailed as problem:
                    _log.warning("distance.unknown", position=str(held.position.id), problem=str(problem))
        return found

    def _falls(self, snapshot: Snapshot) -> Mapping[str, Fall]:
        """By position; and the past goes on."""
        found, past = {}, {}
        for position in snapshot.positions:
            rules, name = self.book.of(position.id), str(position.id)
            if rules.drop is not None:
                now = Peak(snapshot.block.timestamp, position.health.factor)
                past[name] = self._past.get(name, Past.seen_first(now.at)).then(now, rules.drop_within)
                found[name] = past[name].fall(now, rules.drop_within)
        gone = {name for name in self._past if tuple(name.split("/")[:2]) in snapshot.covered and name not in past}
        self._past = {name: one for name, one in (self._past | past).items() if name not in gone}
        return found
