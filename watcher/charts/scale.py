"""From which number to which an axis goes. Here decimals become floats: a picture is a thousand pixels wide."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Final

from watcher.domain.health import INFINITE

BEYOND: Final = 1000.0
"""Health above is drawn here: nothing is told apart up there that would matter."""
WIDE: Final = 5.0
"""How many times the lowest health the highest may be before the scale is logarithmic."""
SHALLOW: Final = 0.3
"""The lowest that a logarithmic scale goes."""
LANE_ROOM: Final = 0.16
"""The part of the height above all numbers that is kept for a health without end."""
MARKS: Final = 5
MANY_DIGITS, MANY_PLACES = 1e6, 5
"""Beyond these a mark is written with its power of ten."""
REASON: Final = 1e30
"""Greater prices are drawn as this one: no axis bears every number that a contract may say."""


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from `low` to `high`."""

    low: float
    high: float
    logarithmic: bool = False

    @property
    def marks(self) -> list[float]:
        """Round numbers on the axis, five or so."""
        return self._round_logarithms if self.logarithmic else self._round_numbers

    @property
    def labels(self) -> list[str]:
        """What to write at the marks: as many places as tell them apart."""
        step = min((other - one for one, other in pairwise(self.marks)), default=1.0)
        places = next((each for each in range(13) if math.isclose(round(step, each), step, rel_tol=1e-6)), 12)
        return [self._label(mark, places) for mark in self.marks]

    def clipped(self, number: Decimal) -> float:
        """Where a number is drawn: itself, or the edge beyond which it lies."""
        return min(max(_float(number), self.low), self.high)

    def part(self, value: float) -> float:
        """How far up the axis a value is: from 0 to 1."""
        if self.logarithmic:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    @property
    def _round_numbers(self) -> list[float]:
        rough = (self.high - self.low) / MARKS
        decade = 10.0 ** math.floor(math.log10(rough))
        step = next(each * decade for each in (1, 2, 2.5, 5, 10) if each * decade >= rough * 0.999)
        return [each * step for each in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)]

    @property
    def _round_logarithms(self) -> list[float]:
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        ratio = self.high / self.low
        fine = (1, 1.5, 2, 3, 5) if ratio < 10 else (1, 2, 5) if ratio < 100 else (1, 3) if ratio < 1000 else (1,)
        every = [step * 10.0**decade for decade in decades for step in fine]
        return [mark for mark in every if self.low <= mark <= self.high]

    def _label(self, mark: float, places: int) -> str:
        if not self.logarithmic and abs(mark) < MANY_DIGITS and places <= MANY_PLACES:
            return f"{mark:,.{places}f}".replace("-", "−")
        digits, _, power = f"{mark:.4g}".partition("e")
        return (f"{digits}e{int(power)}" if power else f"{mark:,.4g}").replace("-", "−")


def health_scale(healths: Sequence[Decimal], limits: Sequence[Decimal]) -> Scale:
    """Every limit, and every finite health within reason; above them room for the endless, where there are any."""
    finite = [min(max(_float(health), 0.0), BEYOND) for health in healths if health != INFINITE]
    shown = [*finite, *map(_float, limits)]
    least, most = min(shown), max(shown)
    logarithmic = most > WIDE * max(least, SHALLOW)
    room = LANE_ROOM if INFINITE in healths else 0.0
    if logarithmic:
        low, high = max(least, SHALLOW) * 0.85, most * 1.15
        return Scale(low, high * (high / low) ** (room / (1 - room)), logarithmic=True)
    margin = max((most - least) * 0.08, 0.01)
    low, high = max(least - margin, 0.0), most + margin
    return Scale(low, high + (high - low) * room / (1 - room))


def price_scale(prices: Sequence[float]) -> Scale:
    """All prices, with some room; a price that stands still is a line in the middle."""
    least, most = min(prices), max(prices)
    margin = max((most - least) * 0.1, abs(most) * 0.002) or 1.0
    return Scale(least - margin, most + margin)


def within_reason(price: Decimal) -> float:
    """A price as a float that can be drawn."""
    return min(max(_float(price), -REASON), REASON)


def _float(number: Decimal) -> float:
    """The nearest float; beyond all of them, infinity."""
    return float(number)
