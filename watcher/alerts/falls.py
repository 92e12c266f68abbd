"""How far health has fallen of late: the peaks of the last minutes, as few as tell it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple, Self

GRAIN: Final = 128
"""Peaks nearer to each other than this part of the window count as the first of them; so there are no more of them."""


class Peak(NamedTuple):
    """A health factor, and when it was seen (Unix seconds)."""

    at: int
    factor: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    """From the highest health within the window to the one seen now. `whole`: the window has been seen whole."""

    top: Peak
    now: Peak
    whole: bool

    @property
    def share(self) -> Fraction:
        """The fall relative to where it began; 0 where health is at its highest."""
        if self.top == self.now:
            return Fraction(0)
        return 1 - Fraction(self.now.factor) / Fraction(self.top.factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One position's health within a window, since it was first seen: only peaks that nothing later reached."""

    since: int
    peaks: tuple[Peak, ...] = ()

    @classmethod
    def seen_first(cls, at: int) -> Self:
        return cls(since=at)

    def then(self, now: Peak, within: int) -> Past:
        """The past once this is seen too. Infinite health (nothing owed) is no height to fall from."""
        kept = [peak for peak in self.peaks if peak.at >= now.at - within and peak.factor > now.factor]
        if not kept or now.at - kept[-1].at >= within // GRAIN:
            kept += [now] if now.factor.is_finite() and now.factor > 0 else []
        return replace(self, since=min(self.since, now.at), peaks=tuple(kept))

    def fall(self, now: Peak, within: int) -> Fall:
        """How far it is from the highest peak to now; `now` is to be the latest seen."""
        return Fall(top=self.peaks[0] if self.peaks else now, now=now, whole=now.at - self.since >= within)
