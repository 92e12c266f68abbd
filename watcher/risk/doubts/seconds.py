"""What independent sources say of the same, and for whom it makes a difference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from watcher.domain.feed import FeedReading, Freshness, Opinion
from watcher.domain.position import Position
from watcher.domain.price import Chosen, Leaf, Opaque, Price, nodes, value_of
from watcher.risk.doubts.limits import Limits, near_one, over
from watcher.risk.doubts.looks import Look, Priced
from watcher.risk.doubts.words import limit, percent, shown
from watcher.risk.tracks import Track

Ratio = tuple[int, int]
"""What a price would be, over what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """A second source that is too far away: what it says of the price, and the sentence so far."""

    value: int
    said: str


def apart(reading: FeedReading, now: int, limits: Limits) -> Apart | None:
    """The first second source of a feed that disagrees with its answer. A stale one says nothing."""
    for opinion in reading.beside:
        found = _apart(reading.answer, reading.decimals, opinion, reading.deviation, now, limits)
        if found is not None:
            return found
    return None


def price_apart(priced: Priced, track: Track, now: int, limits: Limits) -> Apart | None:
    """The first second source that disagrees with a whole price, and what the price stands on where that is no feed."""
    whole = value_of(priced.price.expression)
    for opinion in priced.price.beside:
        found = _apart(whole, priced.decimals, opinion, None, now, limits)
        if found is not None:
            return Apart(value=found.value, said=f"{found.said}{_standing(priced, track, now)}")
    return None


def _standing(priced: Priced, track: Track, now: int) -> str:
    """That no feed is behind a price, and how long it has stood still."""
    if any(isinstance(part, Leaf) for part in priced.parts):
        return ""
    hidden = any(isinstance(part, Opaque) for part in priced.parts)
    behind = "nobody can see what is behind it" if hidden else "no feed is behind it"
    still = now - track.since
    return f"; {behind}" + (f", and it has not moved for {still:,} s" if still > 0 else "")


def chosen_apart(priced: Priced, now: int, limits: Limits) -> Apart | None:
    """A source that a contract keeps beside the one it chose, and that disagrees with that."""
    for node in nodes(priced.price.expression, beside=False):
        if not isinstance(node, Chosen):
            continue
        value = value_of(node.of)
        for other in node.others:
            leaves = [part.reading for part in nodes(other) if isinstance(part, Leaf)]
            if not leaves or any(isinstance(part, Opaque) for part in nodes(other)):
                continue
            if any(leaf.freshness(now) is Freshness.STALE for leaf in leaves) or value <= 0:
                continue
            found = _apart(value, priced.decimals, Opinion(leaves[0], value_of(other)), None, now, limits)
            if found is not None:
                return Apart(value=_scaled(priced.price, found.value, value), said=found.said)
    return None


def _scaled(price: Price, value: int, of: int) -> int:
    """What a whole price would be if the part of it that is `of` were `value`."""
    return value_of(price.expression) * value // of


def _apart(
    value: int, decimals: int, opinion: Opinion, deviation: Decimal | None, now: int, limits: Limits
) -> Apart | None:
    if value <= 0 or opinion.value <= 0 or opinion.by.freshness(now) is Freshness.STALE:
        return None
    allowed = _allowed(value, decimals, opinion, deviation, limits)
    if not over(opinion.value - value, value, allowed):
        return None
    way = "more" if opinion.value > value else "less"
    theirs = f"{opinion.by.pair} at {opinion.by.feed} says {shown(opinion.value, decimals)}"
    by_how_much = f"{percent(opinion.value - value, value)} {way}; the limit is {limit(allowed)}"
    said = f"it is {shown(value, decimals)}, and {theirs}, {by_how_much}"
    return Apart(value=opinion.value, said=said)


def _allowed(value: int, decimals: int, opinion: Opinion, deviation: Decimal | None, limits: Limits) -> Decimal:
    """Never less than what both may lag behind the market by their own deviation thresholds.

    Where the second source sees its peg hold, the first has to be near it too.
    """
    lag = ((deviation or Decimal(0)) + (opinion.by.deviation or Decimal(0))) / 100
    pegged = near_one(opinion.value, decimals, limits.pegged) and near_one(value, decimals, 10 * limits.pegged)
    return max(limits.pegged if pegged else limits.deviation, lag)


Move = Callable[[Price], Ratio]
"""What a price becomes if the second source is right."""


def by_feed(reading: FeedReading, found: Apart) -> Move:
    """Every price that is read from a feed, if that answered what the second source says."""
    known: dict[int, Ratio] = {}

    def moved(price: Price) -> Ratio:
        if id(price) not in known:
            other = price.with_feeds({reading.feed: found.value})
            known[id(price)] = (value_of(other.expression), value_of(price.expression))
        return known[id(price)]

    return moved


def by_price(look: Look[Priced], found: Apart) -> Move:
    """One price of one source, if it were what the second source says."""
    now = value_of(look.what.price.expression)

    def moved(price: Price) -> Ratio:
        same = price is look.what.price or price == look.what.price
        return (found.value, now) if same else (1, 1)

    return moved


def concerned(about: Iterable[Position], move: Move) -> tuple[tuple[Position, ...], str]:
    """The positions whose health would be another one, and whether it looks better or worse than it would be.

    Both are worth knowing: what looks better hides a danger, and what looks worse the protocol liquidates all the
    same. Backing and required are linear in the prices, so that the legs tell (see `Leg`).
    """
    better: list[Position] = []
    worse: list[Position] = []
    for position in about:
        change = _change(position, move)
        if change:
            (better if change < 0 else worse).append(position)
    if not worse:
        return tuple(better), "health looks better than it is"
    if not better:
        return tuple(worse), "health looks worse than it is, and is liquidated by that"
    return (*better, *worse), "health looks better than it is, or worse where this is owed"


def _change(position: Position, move: Move) -> int:
    """Below zero where health would be less."""
    sums = [Fraction(0)] * 4
    for backing, required, ratio in _weights(position, move):
        sums[0] += backing
        sums[1] += required
        sums[2] += backing * ratio
        sums[3] += required * ratio
    backing, required, then, needed = sums
    left, right = then * required, backing * needed
    return (left > right) - (left < right)


def _weights(position: Position, move: Move) -> Iterator[tuple[Fraction, Fraction, Fraction]]:
    for leg in position.legs:
        would, is_ = move(leg.price)
        value = leg.value()
        yield value * leg.backing, abs(value) * leg.required, Fraction(would, is_) if is_ else Fraction(1)
