"""How many blocks of logs an endpoint gives at once, found out by asking. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FIRST: Final = 10_000
"""Blocks that are asked for at first: what most public endpoints allow."""
MOST: Final = 1_000_000
"""Blocks. A node of one's own may have no limit; its patience has one, and so has ours."""
GROWS_AFTER: Final = 4
"""Answers in a row, each to all that was asked, before more is tried."""


@dataclass(slots=True)
class Span:
    """`blocks` is what to ask for next: halved where it is refused, and grown slowly up to what was refused before."""

    blocks: int = FIRST
    _refused: int = MOST + 1
    _worked: int = 0
    _row: int = 0

    def worked(self, blocks: int) -> None:
        """So many were given. Fewer than could have been asked for prove nothing about the limit."""
        self._worked = max(self._worked, blocks)
        if blocks < self.blocks:
            return
        self._row += 1
        if self._row >= GROWS_AFTER:
            self._row = 0
            half_way = (self.blocks + self._refused) // 2
            self.blocks = max(self.blocks, min(2 * self.blocks, half_way, MOST))

    def refused(self, blocks: int) -> None:
        """So many were too many: by their number, or by the logs in them."""
        self._row = 0
        self._refused = min(self._refused, max(2, blocks))
        if self._worked >= blocks:  # it was not their number then, but these blocks are full
            self._worked = 0
        self.blocks = max(1, min(self.blocks, max(blocks // 2, self._worked)))
