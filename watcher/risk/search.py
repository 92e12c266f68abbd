"""Where a position's health first crosses a limit, to the exact integer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from watcher.domain.position import Position
from watcher.domain.price import Price
from watcher.domain.source import Address

MOST_FLICKER = 4096
"""Units of price looked at, at most, for rounding that makes health go back and forth. Beyond, the price printed is one
at which health crosses, but may not be the first: it takes a debt that its own collateral covers to a few per mille."""

Reprice = Callable[[Mapping[Address, Price]], Position]
"""The same position under other prices, by the protocol's own formula."""

_ROUNDING = Fraction(1, 10**9)
"""How far the roundings inside a formula may move health, relatively, beyond what its `regime` tells."""


@dataclass(slots=True)
class Crossing:
    """A walk over one integer (a price, an amount) in search of the first value at which health has crossed a limit.

    `position_at` gives the position at a value, or None where there is none. `crossed` says whether it is beyond the
    limit, which lies `below` (a fall to it) or above (a climb to it). See `Position.regime` for what makes a stretch
    searchable: health is `regime` times something that moves one way only.
    """

    position_at: Callable[[int], Position | None]
    crossed: Callable[[Position], bool]
    limit: Fraction
    below: bool
    flicker: int = 0
    """Over how many values rounding may make health go back and forth: so many before a crossing are looked at too."""
    _seen: dict[int, Position | None] = field(default_factory=dict)

    def at(self, value: int) -> Position | None:
        if value not in self._seen:
            self._seen[value] = self.position_at(value)
        return self._seen[value]

    def holds(self, value: int) -> bool:
        position = self.at(value)
        return position is not None and self.crossed(position)

    def first(self, start: int, stop: int) -> int | None:
        """The first value from `start` to `stop` (inclusive, either way) that has crossed; None where none has."""
        found = self._crossing(start, stop)
        if found is None:
            return None
        back = -1 if stop > start else 1
        reach = min(self.flicker, abs(found - start))
        return next((value for value in range(found + back * reach, found, -back) if self.holds(value)), found)

    def _crossing(self, start: int, stop: int) -> int | None:
        """The first crossing, but for flicker."""
        if self.holds(start):
            return start
        if start == stop or not self._possible(start, stop):
            return None
        if abs(stop - start) == 1:
            return stop if self.holds(stop) else None
        middle = (start + stop) // 2
        if self._one_regime(start, stop):  # one way only in between, so one half decides
            if not self.holds(stop):
                return None
            return self._crossing(start, middle) if self.holds(middle) else self._crossing(middle, stop)
        nearer = self._crossing(start, middle)
        return nearer if nearer is not None else self._crossing(middle, stop)

    def _one_regime(self, start: int, stop: int) -> bool:
        ends = (self.at(start), self.at(stop))
        return ends[0] is not None and ends[1] is not None and ends[0].regime == ends[1].regime

    def _possible(self, start: int, stop: int) -> bool:
        """Whether anything between the two may have crossed, by the worst regime between them at either end."""
        ends = [end for end in (self.at(start), self.at(stop)) if end is not None]
        if len(ends) < 2:
            return bool(ends)  # what is refused at both ends is not looked for in between
        regimes = [end.regime for end in ends]
        extreme = min(regimes) if self.below else max(regimes)
        return any(self._may_cross(end, extreme) for end in ends)

    def _may_cross(self, end: Position, regime: int) -> bool:
        """Whether health could be beyond the limit near `end` if the stepping factor were `regime`."""
        health = end.health
        if health.required == 0:
            return not self.below
        reached = Fraction(health.backing * regime, health.required * end.regime) if end.regime else Fraction(0)
        if self.below:
            return reached * (1 - _ROUNDING) < self.limit
        return reached * (1 + _ROUNDING) >= self.limit
