"""Why a chain cannot be seen now, and what of that the log has been told."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_DIGITS = re.compile(r"\d+")


@dataclass(slots=True)
class Unseen:
    """`problem` is empty while the chain is seen."""

    problem: str = ""
    _told: set[str] = field(default_factory=set)

    def because(self, problem: str) -> bool:
        """What the latest look met, or nothing. Returns whether that is news: in other words than since it was seen.

        Figures are no news: the seconds that are left, the age of a block.
        """
        self.problem = problem
        if not problem:
            self._told.clear()
            return False
        words = _DIGITS.sub("#", problem)
        new = words not in self._told
        self._told.add(words)
        return new
