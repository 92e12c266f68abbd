"""The blocks that a watch has looked at, and which of them the chain took back.

A block names its parent. So the next block proves, at no cost, that the one before it stands, and with it all that came
earlier; where blocks were passed over, one header has to be asked for. Only where that says otherwise is the last block
that still stands searched for, by halving: a chain that keeps a block keeps all before it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol, Self

from watcher.domain.source import Block

KEPT: Final = 256
"""Blocks that are remembered: the search for the last that stands takes at most eight headers."""


class Heads(Protocol):
    """A newest block, and the canonical hashes below it."""

    block: Block

    async def block_hash(self, number: int) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reorg:
    """Blocks that were looked at and are canonical no more: `orphans`, by hash.

    `depth` is how many blocks were taken back, from the newest that was looked at down to the last that is known to
    stand: those between the two at which nobody looked count as well.
    """

    depth: int
    orphans: frozenset[str]


@dataclass(frozen=True, slots=True)
class Trail:
    """Blocks of one chain, the lowest first."""

    blocks: tuple[Block, ...] = ()

    @classmethod
    def of(cls, blocks: Iterable[Block]) -> Self:
        """These, in whatever order they come."""
        return cls(tuple(sorted({one.number: one for one in blocks}.values(), key=lambda block: block.number)))

    def has(self, block: Block) -> bool:
        """Whether it is one of these."""
        return any(one.hash == block.hash for one in self.blocks)

    async def to(self, heads: Heads, *, certain: bool) -> tuple[Trail, Reorg | None]:
        """The trail up to a newest block, and what of it is gone there. Raises `EndpointError`.

        A block below the newest that is known, of which nobody can say whether that one comes after it, has no place
        in it.

        Unless it is to be `certain`, nothing is asked about blocks that were passed over: what is not known to lead to
        the newest block is then forgotten.
        """
        head = heads.block
        below = [one for one in self.blocks if one.number <= head.number]
        if not below:
            return self if self.blocks else Trail((head,)), None
        if not certain and head.number > below[-1].number + 1:
            return Trail((head,)), None
        if not await _stands(below[-1], heads):
            return await self._forked(below, heads)
        ahead = head.number > self.blocks[-1].number  # otherwise that endpoint has only not heard of the others yet
        return Trail((*self.blocks, head)[-KEPT:]) if ahead else self, None

    async def _forked(self, below: list[Block], heads: Heads) -> tuple[Trail, Reorg]:
        first, last = 0, len(below) - 1  # the lowest that is gone is one of these
        while first < last:
            middle = (first + last) // 2
            if await _stands(below[middle], heads):
                first = middle + 1
            else:
                last = middle
        stands = below[first - 1].number if first else below[0].number - 1
        gone = frozenset(one.hash for one in self.blocks[first:])
        return Trail((*below[:first], heads.block)), Reorg(depth=self.blocks[-1].number - stands, orphans=gone)


async def _stands(block: Block, heads: Heads) -> bool:
    """Whether the newest block is this one, or comes after it. A header that the endpoint lacks proves nothing."""
    head = heads.block
    if head.number == block.number:
        return head.hash == block.hash
    if head.number == block.number + 1 and head.parent == block.hash:
        return True
    return await heads.block_hash(block.number) in (None, block.hash)
