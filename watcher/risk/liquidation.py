"""Liquidation prices: of one asset, or of one feed that several assets share.

The legs give a bracket in closed form (backing and required are linear in the prices);
inside it the exact unit is searched through the protocol's own formula. What adapters make of feeds and rates has bends
and roundings of its own, and is searched as far as the lever moves (`composed.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from watcher.domain.position import Leg, Numeraire, Position
from watcher.domain.source import Address
from watcher.risk.composed import crossing
from watcher.risk.levers import Lever, levers
from watcher.risk.search import MOST_FLICKER, Crossing, Reprice

__all__ = ["MOST_FLICKER", "Lever", "LiquidationPrice", "Reprice", "levers", "liquidation_price", "nearest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquidationPrice:
    """The value of a lever at which the position becomes liquidatable; one unit nearer to now it is not."""

    lever: Lever
    value: int

    @property
    def distance(self) -> Fraction:
        """The move that takes it there, relative to now; negative is a fall."""
        return Fraction(self.value, self.lever.current) - 1

    def counted_in(self, position: Position) -> Numeraire:
        """What the value counts: a feed or rate has a unit of its own."""
        return self.lever.unit or position.numeraire


@dataclass(frozen=True, slots=True)
class _Line:
    """`backing - required` as a line in the lever: `slope × value + rest`, and how far the truth may lie from it."""

    backing_slope: Fraction
    backing_rest: Fraction
    required_slope: Fraction
    required_rest: Fraction

    def crossing(self, tilt: Fraction, shift: int) -> Fraction | None:
        """Where `backing × tilt + shift` meets required."""
        slope = self.backing_slope * tilt - self.required_slope
        return (self.required_rest - self.backing_rest * tilt - shift) / slope if slope else None

    def flicker(self, slack: Fraction, noise: int) -> int:
        """Over how many units of price roundings may hide which side health is on.

        None at all where the lever moves one side only: each rounding then goes one way with the price. Where it moves
        both, health moves by their difference, which may be as little as one likes.
        """
        if not (self.backing_slope and self.required_slope):
            return 0
        slopes = [self.backing_slope * tilt - self.required_slope for tilt in (1 - slack, 1 + slack)]
        if slopes[0] * slopes[1] <= 0:
            return MOST_FLICKER
        return min(int(2 * noise / min(map(abs, slopes))) + 1, MOST_FLICKER)


def _line(legs: Iterable[Leg], keys: frozenset[Address]) -> _Line:
    sums = {"backing": [Fraction(0), Fraction(0)], "required": [Fraction(0), Fraction(0)]}
    for leg in legs:
        moves = leg.priced_as in keys
        scale = Fraction(1, 10**leg.asset.decimals) * (1 if moves else leg.price.low)
        sums["backing"][0 if moves else 1] += leg.amount * scale * leg.backing
        sums["required"][0 if moves else 1] += abs(leg.amount) * scale * leg.required
    return _Line(*sums["backing"], *sums["required"])


def liquidation_price(position: Position, lever: Lever, reprice: Reprice) -> LiquidationPrice | None:
    """The nearest value of `lever` at which the protocol would liquidate. None where no value does, or it is now."""
    if position.health.liquidatable or position.health.required == 0:
        return None
    if lever.composed:
        value = crossing(position, lever, reprice)
        return None if value is None else LiquidationPrice(lever=lever, value=value)
    line = _line(position.legs, lever.keys)
    falling = line.backing_slope > line.required_slope
    noise = 2 * len(position.legs) + 2
    edges = [
        edge
        for tilt, shift in ((1 - position.slack, -noise), (1 + position.slack, noise))
        if (edge := line.crossing(tilt, shift)) is not None
    ]
    near, far = _bracket(edges, lever.current, falling=falling)

    search = Crossing(
        position_at=lambda value: reprice(lever.prices(position, value)),
        crossed=lambda there: there.health.liquidatable,
        limit=Fraction(1),
        below=True,
        flicker=line.flicker(position.slack, noise),
    )
    value = search.first(lever.current if search.holds(near) else near, far)
    return None if value is None else LiquidationPrice(lever=lever, value=value)


def _bracket(edges: list[Fraction], current: int, *, falling: bool) -> tuple[int, int]:
    """From the nearest to the farthest value at which health may cross 1; never past now, never to zero or below."""
    low, high = (int(min(edges)) - 1, int(max(edges)) + 2) if edges else (1, 1)
    if falling:
        near = current if len(edges) < 2 or not 0 < high < current else high
        return near, max(min(low, near), 1)
    near = current if len(edges) < 2 or low <= current else low
    return near, max(high, near)


def nearest(prices: Iterable[LiquidationPrice]) -> LiquidationPrice | None:
    """The one that takes the smallest relative move."""
    return min(prices, key=lambda price: abs(price.distance), default=None)
