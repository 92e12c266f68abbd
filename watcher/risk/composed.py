"""Liquidation prices of a feed or rate that prices are made of: products, caps and choices may lie in between.

Health still moves one way with the lever, between two bends: those are where a cap begins or ends to be what counts.
Where the lever moves both sides alike (wrapped against plain ether, both read from one feed) there is no such price,
and what roundings make of the last few units of one is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise

from watcher.domain.position import Position
from watcher.domain.price import Cap, nodes
from watcher.risk.levers import Lever
from watcher.risk.search import MOST_FLICKER, Crossing, Reprice

_FARTHEST, _FARTHEST_OF_BOTH = 10**6, 10**3
"""Times the value now: nothing is looked for beyond. Less far where both sides move, and roundings come to matter."""
_PROBE = Fraction(1, 8)
_NOISE = 4
"""Roundings of one unit each that a price is allowed, from the feed to the price."""


def crossing(position: Position, lever: Lever, reprice: Reprice) -> int | None:
    """The nearest value of the lever at which the protocol would liquidate; None where no value means that.

    Raises `ReadFailed` where the protocol cannot value the position under such prices.
    """
    walk = _Walk(position, lever, reprice)
    slope = walk.slope() if walk.both else None
    if slope is not None and not slope:
        return None
    found = [value for end in walk.ends() if (value := walk.first(end, slope)) is not None]
    return min(found, key=lambda value: abs(value - lever.current), default=None)


class _Walk:
    """One lever of one position, and where it can stand."""

    def __init__(self, position: Position, lever: Lever, reprice: Reprice) -> None:
        self._position, self._lever, self._reprice = position, lever, reprice
        sides = {leg.amount > 0 for leg in position.legs if leg.priced_as in lever.keys}
        self.both = len(sides) > 1

    def ends(self) -> Iterator[int]:
        """How far down and how far up it is looked for: every price stays above zero on the way."""
        now = self._lever.current
        farthest = _FARTHEST_OF_BOTH if self.both else _FARTHEST
        lowest = _first(1, now, lambda value: min(self._prices(value)) > 0)
        yield max(lowest, now // farthest) if self.both else lowest
        yield _first(now * farthest, now, lambda value: min(self._prices(value)) > 0)

    def first(self, end: int, slope: Fraction | None) -> int | None:
        """The first value from now to an end at which the position is liquidatable, bend by bend."""
        now = self._lever.current
        search = Crossing(
            position_at=lambda value: self._reprice(self._lever.prices(self._position, value)),
            crossed=lambda there: there.health.liquidatable,
            limit=Fraction(1),
            below=True,
            flicker=0 if slope is None else min(int(self._noise(now) * now / slope) + 1, MOST_FLICKER),
        )
        found = (self._within(start, stop, search) for start, stop in pairwise([now, *self._bends(end), end]))
        return next((value for value in found if value is not None), None)

    def _within(self, start: int, stop: int, search: Crossing) -> int | None:
        """The first between two bends. The legs tell where it may be, and from where on it must have been."""
        if not self._below_one(stop, surely=False):
            return None
        near = _first(start, stop, lambda value: self._below_one(value, surely=False))
        ends = self._below_one(stop, surely=True)
        far = _first(near, stop, lambda value: self._below_one(value, surely=True)) if ends else stop
        return search.first(near, far)

    def _below_one(self, value: int, *, surely: bool) -> bool:
        """Whether the legs back less than is required: perhaps, or by more than all roundings between could undo."""
        prices = self._lever.prices(self._position, value)
        legs = [(leg, leg.value(prices.get(leg.priced_as, leg.price).low)) for leg in self._position.legs]
        backing = sum((worth * leg.backing for leg, worth in legs), Fraction(0))
        required = sum((abs(worth) * leg.required for leg, worth in legs), Fraction(0))
        units, share = 2 * len(legs) + 2, self._position.slack + self._noise(value)
        return backing * (1 + share) + units < required if surely else backing * (1 - share) - units < required

    def slope(self) -> Fraction:
        """How health moves with the lever, both as shares of themselves; 0 where only roundings move it."""
        now = self._lever.current
        steepest = Fraction(0)
        for value in (int(now * (1 - _PROBE)), int(now * (1 + _PROBE))):
            health = self._reprice(self._lever.prices(self._position, value)).health
            then = Fraction(health.backing * self._position.health.required, health.required)
            moved = abs(then / self._position.health.backing - 1)
            steepest = max(steepest, moved if moved > self._noise(value) + self._position.slack else Fraction(0))
        return steepest / _PROBE

    def _noise(self, value: int) -> Fraction:
        """The share by which roundings of prices may move health at a value of the lever."""
        return sum((Fraction(_NOISE, max(price, 1)) for price in self._prices(value)), Fraction(0))

    def _prices(self, value: int) -> list[int]:
        return [price.low for price in self._lever.prices(self._position, value).values()]

    def _bends(self, end: int) -> list[int]:
        """Where caps set in or let go between now and an end, the nearest to now first."""
        now = self._lever.current
        before, after = self._caps(now), self._caps(end)
        changed = [index for index, active in enumerate(before) if active != after[index]]
        bends = {self._bend(end, index) for index in changed}
        return sorted(bends, key=lambda value: abs(value - now))

    def _bend(self, end: int, index: int) -> int:
        there = self._caps(end)[index]
        return _first(self._lever.current, end, lambda value: self._caps(value)[index] == there)

    def _caps(self, value: int) -> list[bool]:
        moved = self._lever.prices(self._position, value)
        return [
            node.active
            for key in sorted(moved)
            for node in nodes(moved[key].expression, beside=False)
            if isinstance(node, Cap)
        ]


def _first(start: int, stop: int, holds: Callable[[int], bool]) -> int:
    """The first value from `start` to `stop` for which something holds that goes on to hold until `stop`."""
    if holds(start):
        return start
    while abs(stop - start) > 1:
        middle = (start + stop) // 2
        start, stop = (start, middle) if holds(middle) else (middle, stop)
    return stop
