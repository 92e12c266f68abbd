"""Which blocks have been searched, as ranges with both ends included; and which have not, of whom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from watcher.domain.source import Address

Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""The lowest first; no two of them touch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """What came of a search so far. `mark`: of which (see `Search.mark`). `keys` is what the logs told of.

    `problem`: why it makes no progress, where it makes none.
    """

    mark: str = ""
    ranges: Ranges = ()
    keys: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsearched:
    """Blocks in whose logs an owner has not been looked for yet: what it holds in a deployment may be told only there.

    `problem`: why that makes no progress, where it makes none.
    """

    deployment: str
    market: str
    wallet: Address
    account: Address
    ranges: Ranges
    problem: str = ""

    @property
    def place(self) -> tuple[str, Address]:
        return self.deployment, self.wallet

    @property
    def blocks(self) -> int:
        """How many."""
        return sum(last - first + 1 for first, last in self.ranges)

    def __str__(self) -> str:
        """Which, the newest first, and not more of them than can be read."""
        told = [f"{first:,}–{last:,}" for first, last in reversed(self.ranges)]
        more = f" and {len(told) - _TOLD} more ranges" if len(told) > _TOLD else ""
        return f"blocks {', '.join(told[:_TOLD])}{more}"


_TOLD = 2


def joined(ranges: Ranges, first: int, last: int) -> Ranges:
    """With one more range."""
    before = tuple(one for one in ranges if one[1] < first - 1)
    after = tuple(one for one in ranges if one[0] > last + 1)
    touched = [one for one in ranges if one not in before and one not in after]
    first, last = min([first, *(one[0] for one in touched)]), max([last, *(one[1] for one in touched)])
    return (*before, (first, last), *after)


def up_to(ranges: Ranges, last: int) -> Ranges:
    """Without what is above a block."""
    return tuple((low, min(high, last)) for low, high in ranges if low <= last)


def missing(ranges: Ranges, first: int, last: int) -> Ranges:
    """What of a range they leave out."""
    return tuple(_gaps(ranges, first, last))


def _gaps(ranges: Ranges, first: int, last: int) -> Iterator[tuple[int, int]]:
    at = first
    for low, high in ranges:
        if low > at and at <= last:
            yield at, min(low - 1, last)
        at = max(at, high + 1)
    if at <= last:
        yield at, last
