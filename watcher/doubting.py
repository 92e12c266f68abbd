"""Which prices are doubted at a block: the checks, from what is remembered of every feed and source at a block before.

Blocks are taken back, and what was seen in them with them: a round that came in such a block has not gone back with it.
So what is remembered is remembered by block, and a block is held against the newest one before it that still stands.
Only what stands for good is kept for the next start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from watcher.domain.doubt import Doubt
from watcher.domain.position import Position
from watcher.domain.source import Block
from watcher.risk.doubts import Limits, examine
from watcher.risk.tracks import Track, Tracks, dumped, loaded
from watcher.snapshot import Snapshot
from watcher.store.prices import PricesKept, TracksKept

REMEMBERED: Final = 96
"""Blocks of which the tracks are remembered: more looks than a confirmation ever takes."""
KEPT_EVERY: Final = 60
"""Seconds of block time between two times that what changed is stored."""

_log = structlog.get_logger("watcher.doubting")

Stands = Callable[[Block], bool | None]
"""Whether a block that was looked at leads to the one that is looked at now; None where that is not known."""

Examine = Callable[[Sequence[Position], Tracks, Block, Limits], tuple[Tracks, tuple[Doubt, ...]]]
"""The checks of the prices under positions that owe something, from the tracks as of a block before."""


@dataclass(slots=True)
class TrackMemory:
    """What is remembered of one chain's feeds and sources, by block. `confirmations` blocks make a block certain."""

    confirmations: int = 0
    check: Examine = examine
    _by_block: dict[str, tuple[Block, Tracks]] = field(default_factory=dict)
    _certain: tuple[Block, Tracks] | None = None
    _stored: dict[str, str] = field(default_factory=dict)
    _stored_at: int | None = None

    def recall(self, kept: TracksKept) -> None:
        """Goes on from what was stored, where nothing newer is remembered."""
        if self._certain is None:
            found = {key: _read(kept.at.chain, key, text) for key, text in kept.texts.items()}
            self._certain = kept.at, {key: track for key, track in found.items() if track is not None}
            self._stored, self._stored_at = dict(kept.texts), kept.at.timestamp

    def examine(self, snapshot: Snapshot, limits: Limits, stands: Stands) -> tuple[Doubt, ...]:
        """What fails at a snapshot's block, which is remembered. Those who owe nothing need no price."""
        block = snapshot.block
        self._by_block = {key: one for key, one in self._by_block.items() if stands(one[0]) is not False}
        before = self._before(block, stands)
        owing = [position for position in snapshot.positions if position.health.required]
        after, doubts = self.check(owing, before, block, limits)
        self._by_block[block.hash] = block, after
        while len(self._by_block) > REMEMBERED:
            del self._by_block[next(iter(self._by_block))]
        return doubts

    def to_keep(self, head: Block, stands: Stands) -> PricesKept:
        """What has changed by the newest block that nothing takes back any more, once a minute."""
        certain = self._newest_certain(head, stands)
        if certain is not None:
            self._certain = certain
        if self._certain is None or not self._is_due(self._certain[0]):
            return PricesKept()
        block, tracks = self._certain
        texts = {key: dumped(track) for key, track in tracks.items()}
        changed: dict[tuple[str, str], str | None] = {
            (block.chain, key): text for key, text in texts.items() if self._stored.get(key) != text
        }
        gone = {(block.chain, key): None for key in self._stored if key not in texts}
        self._stored, self._stored_at = texts, block.timestamp
        return PricesKept(tracks={**changed, **gone}, at={block.chain: block})

    def _is_due(self, block: Block) -> bool:
        return self._stored_at is None or block.timestamp - self._stored_at >= KEPT_EVERY

    def _before(self, block: Block, stands: Stands) -> Tracks:
        """As of the newest block before this one that stands; nothing where there is none."""
        known = [one for one in self._by_block.values() if one[0].number < block.number]
        sure = [one for one in known if stands(one[0]) or one[0].number <= block.number - self.confirmations]
        sure += [self._certain] if self._certain is not None and self._certain[0].number < block.number else []
        return max(sure, key=lambda one: one[0].number)[1] if sure else {}

    def _newest_certain(self, head: Block, stands: Stands) -> tuple[Block, Tracks] | None:
        buried = head.number - self.confirmations
        known = [one for one in self._by_block.values() if one[0].number <= buried and stands(one[0])]
        newest = max(known, key=lambda one: one[0].number, default=None)
        older = newest and self._certain and newest[0].number <= self._certain[0].number
        return None if older else newest


def _read(chain: str, key: str, text: str) -> Track | None:
    """A track; None where another version of the watcher wrote it otherwise, so that it begins anew."""
    try:
        return loaded(text)
    except ValueError as problem:
        _log.warning("track.not_read", chain=chain, key=key, problem=str(problem))
        return None


def memories(kept: Mapping[str, TracksKept], known: dict[str, TrackMemory]) -> None:
    """Has the memory of each chain go on from what was stored."""
    for chain, tracks in kept.items():
        known.setdefault(chain, TrackMemory()).recall(tracks)
