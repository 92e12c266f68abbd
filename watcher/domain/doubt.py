"""Doubts: why a price that was read may be wrong, each by the check that found it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from watcher.domain.position import Position
from watcher.domain.source import Address


class Suspicion(StrEnum):
    """The checks, by the name that alerts give them. Age has a rule of its own, and so have chains and sequencers."""

    NOT_POSITIVE = "answer not positive"
    UNCHANGED = "unchanged for too long"
    AT_BOUND = "at the bound of what it can answer"
    ROUND_BACK = "round went back"
    JUMP = "jump"
    MISSING_FACTOR = "a factor is missing"
    CAPPED = "cap active"
    GROWTH = "rate grows too fast"
    CHANGED = "source changed"
    DEVIATES = "second source disagrees"
    UNSURE = "wide confidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One check that failed, of one feed or source. `name` is what it prices, `said` a sentence with value and limit.

    `about` are the positions that owe something and whose health rests on it, whichever way it may be wrong.
    """

    suspicion: Suspicion
    source: Address
    name: str
    said: str
    about: tuple[Position, ...]
