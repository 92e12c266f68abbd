"""What a trader wants to hear about one position, told from the semantics and from the whole diary each time.

Knows nothing of the policy's table or of its counters: health factors and limits are exact fractions, and what has
been seen since the last change is kept as it was seen. Slow and plain on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple


class Limits(NamedTuple):
    """Health below the nth of `fires` raises level n; at or above the nth of `clears` it is clear of level n."""

    fires: tuple[Fraction, ...]
    clears: tuple[Fraction, ...]
    good_reads: int
    remind: int

    @classmethod
    def of(cls, warn: Fraction, critical: Fraction, clear: Fraction, good_reads: int, remind: int) -> Limits:
        fires = warn, critical, Fraction(1)
        return cls(fires, tuple(limit * (1 + clear) for limit in fires), good_reads, remind)


class Read(NamedTuple):
    """Health at a block. None: nothing is owed, and no limit is near."""

    block: int
    health: Fraction | None

    def below(self, limits: tuple[Fraction, ...]) -> int:
        """How many of the limits it is below, so the worst level: 3 is liquidatable."""
        return 0 if self.health is None else sum(self.health < limit for limit in limits)


class Word(NamedTuple):
    """What the trader said to have seen: do not remind me of this, or of less, before then. `wake`: do it then."""

    level: int
    until: int
    wake: bool


class Said(NamedTuple):
    kind: str
    level: int


@dataclass
class Trader:
    """One position's listener. `diary` has, since the level last changed, whether each evaluation was good evidence."""

    level: int = 0
    changed_in: int = 0
    heard_at: int = 0
    diary: list[bool | None] = field(default_factory=list)
    word: Word | None = None

    def say(self, now: int, seconds: int, *, wake: bool) -> None:
        """The trader has seen what stands, if anything does."""
        if self.level:
            self.word = Word(self.level, now + seconds, wake)

    def hear(self, limits: Limits, now: int, newest: Read | None, confirmed: Read | None) -> Said | None:
        """What must be said on this evaluation. `newest` None: the position was not seen at all."""
        if newest is None:
            return None  # no data is not good news, and not bad news either
        if newest.below(limits.fires) > self.level:
            return self._change("raised", newest.below(limits.fires), newest.block, now)
        if self.level == 0:
            return None
        news = self._evidence(limits, newest, confirmed)
        self.diary.append(news)
        if news is True:
            telling = [entry for entry in self.diary if entry is not None]
            if len(telling) < limits.good_reads or not all(telling[-limits.good_reads :]):
                return None  # an all-clear is on its way
            assert confirmed is not None
            kept = max(newest.below(limits.clears), confirmed.below(limits.clears))
            return self._change("eased" if kept else "resolved", kept, newest.block, now)
        if now >= self._wants_to_be_reminded_at(limits):
            self.heard_at = now
            return Said("reminder", self.level)
        return None

    def _evidence(self, limits: Limits, newest: Read, confirmed: Read | None) -> bool | None:
        """True: clear of the level now and on a confirmed later block. False: not clear. None: not known yet."""
        if newest.below(limits.clears) >= self.level:
            return False
        if confirmed is None or confirmed.block <= self.changed_in:
            return None
        return confirmed.below(limits.clears) < self.level

    def _wants_to_be_reminded_at(self, limits: Limits) -> int:
        usual = self.heard_at + limits.remind
        if self.word is None or self.level > self.word.level:
            return usual
        if self.word.wake and self.heard_at < self.word.until:
            return self.word.until
        return max(usual, self.word.until)

    def _change(self, kind: str, level: int, block: int, now: int) -> Said:
        self.word = self.word if level else None
        self.level, self.changed_in, self.heard_at, self.diary = level, block, now, []
        return Said(kind, level)
