"""What one look at a chain reads, and what the next look goes by.

Nothing here is changed by reading: where an endpoint is late, another is read beside it, and only one of the two
counts. What a look found becomes what is known once it has been judged and stored: `Known.then`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from watcher.chain import ChainSpec, Pinned
from watcher.domain.source import Block
from watcher.snapshot import Snapshot, Watched, take, too_old
from watcher.trail import Reorg, Trail

KEPT: Final = 64
"""Snapshots that wait for the confirmation of their block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What a look is about. `now` is in Unix seconds; `told` are blocks with events that were told; `standing`: there
    are alerts, which confirmed snapshots may end; `tracked`: there are prices, which are held against earlier ones."""

    spec: ChainSpec
    watched: Sequence[Watched]
    now: int
    told: Collection[Block] = ()
    standing: bool = False
    tracked: bool = False

    @property
    def certain(self) -> bool:
        """Whether it matters which of the blocks that were looked at stand."""
        return bool(self.told) or self.standing or self.tracked


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What one look read: the newest snapshot, and the newest earlier one that is confirmed by now and was not before.

    `orphans` are the hashes of blocks that are gone; `shaken`: among them is one that counted as confirmed.
    """

    snapshot: Snapshot
    trail: Trail
    confirmed: Snapshot | None = None
    reorg: Reorg | None = None
    orphans: frozenset[str] = frozenset()
    shaken: bool = False

    def stands(self, block: Block) -> bool | None:
        """Whether a block that was looked at leads to this one; None where that is not known."""
        return False if block.hash in self.orphans else self.trail.has(block) or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a chain between two looks.

    `waiting` are snapshots, the oldest first, whose blocks are to be confirmed; `settled` is the newest block that was.
    All are of the trail, by which it is told when they are gone.
    `gone` are the hashes of blocks with events that were told and have not been taken back yet.
    """

    last: Snapshot | None = None
    trail: Trail = field(default_factory=Trail)
    waiting: tuple[Snapshot, ...] = ()
    settled: Block | None = None
    gone: frozenset[str] = frozenset()

    async def read(self, pinned: Pinned, asking: Asking) -> Read:
        """A snapshot at the newest block, and what of the earlier ones is confirmed, or orphaned, by now.

        Where the newest block is the one that was read last, that took one request, and there is no other. Raises
        `EndpointError`.
        """
        self._must_be_recent(pinned, asking)
        if self.last is not None and pinned.block.hash == self.last.block.hash:
            snapshot, trail, reorg = self.last, self.trail, None
        else:
            trail, reorg = await self._known_or(asking.told).to(pinned, certain=asking.certain)
            warm = self.last.asked if self.last else ()
            snapshot = await take(
                pinned,
                asking.watched,
                warm,
                sequencer_feed=asking.spec.sequencer_feed,
                known=self.last.known if self.last else None,
            )
        orphans = (self.gone | (reorg.orphans if reorg else frozenset())) - {pinned.block.hash}
        read = Read(snapshot=snapshot, trail=trail, reorg=reorg, orphans=orphans)
        if reorg is not None and self.settled is not None and self.settled.hash in reorg.orphans:
            read = replace(read, shaken=True)
        return await self._confirmed(read, pinned, asking.spec) if asking.standing else read

    def then(self, read: Read, *, standing: bool, told: Collection[Block] = ()) -> Known:
        """What is known once a look has been judged. `told` are the blocks of which events are told by now."""
        confirmed = read.confirmed
        settled = confirmed.block if confirmed else None if read.shaken else self.settled
        buried = confirmed.block.number if confirmed else -1
        kept = {one.block.hash: one for one in self.waiting if one.block.number > buried}
        if read.snapshot is not confirmed and read.trail.has(read.snapshot.block) and len(kept) < KEPT:
            kept[read.snapshot.block.hash] = read.snapshot
        waiting = [one for one in kept.values() if one.block.hash not in read.orphans] if standing else []
        return Known(
            last=read.snapshot,
            trail=read.trail,
            waiting=tuple(sorted(waiting, key=lambda one: one.block.number)),
            settled=settled,
            gone=read.orphans & {block.hash for block in told},
        )

    def _known_or(self, told: Collection[Block]) -> Trail:
        """After a change of the configuration, events that were told are all that is known of the blocks before."""
        return self.trail if self.trail.blocks else Trail.of(told)

    def _must_be_recent(self, pinned: Pinned, asking: Asking) -> None:
        """A node that is behind would say that all is well while its user is liquidated."""
        problem = too_old(asking.spec, pinned.block, asking.now)
        if problem:
            raise pinned.behind(problem)
        if self.last and pinned.block.number + max(asking.spec.confirmations, 1) < self.last.block.number:
            raise pinned.behind(
                f"its newest block {pinned.block.number:,} is behind {self.last.block.number:,}, seen before"
            )

    async def _confirmed(self, read: Read, pinned: Pinned, spec: ChainSpec) -> Read:
        """With the newest that is old enough, if its block is still canonical; and the orphans above it.

        The trail has told already what is gone. That no alert is ended by such a block is asked for all the same.
        """
        lowest = -1 if read.shaken or self.settled is None else self.settled.number
        highest = pinned.block.number - spec.confirmations
        orphans: list[str] = []
        for snapshot in reversed([*self.waiting, read.snapshot]):
            block = snapshot.block
            if block.hash in read.orphans or not (lowest < block.number <= highest and read.trail.has(block)):
                continue
            if block.hash == pinned.block.hash or await pinned.block_hash(block.number) == block.hash:
                return replace(read, confirmed=snapshot, orphans=read.orphans.union(orphans))
            orphans.append(block.hash)
        return replace(read, orphans=read.orphans.union(orphans))
