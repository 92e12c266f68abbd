"""Health in other lights: at second sources' prices, at the edge of what feeds may withhold, and feed by feed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from itertools import product

from watcher.domain.position import Position
from watcher.domain.price import FeedReading, Freshness, Opaque, Opinion, Price
from watcher.domain.source import Address
from watcher.risk.levers import used
from watcher.risk.search import Reprice

_EXACT = Context(prec=130)
_ONE_PERCENT = Fraction(1, 100)
_TRIED_OUT = 5
"""So many feeds have each of their edges tried with each of the others'; of more, one at a time is turned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Healths:
    """The health factor three times: at the protocol's own prices (`now`); with every price that a fresh second source
    speaks of at what it says (`second`); and with every feed moved by its deviation threshold, the way that harms most
    (`edge`): so far may prices have gone without an update being due. None where no source, or no threshold, is known.
    """

    now: Decimal
    second: Decimal | None
    edge: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """By how much the health factor changes if a feed answers 1 % less, and nothing else moves.

    Negative: the position is long of it, and a fall harms. Positive: it is short of it, and a rise harms. `pair` is
    empty for a source that hides its feeds, which then is what moves.
    """

    feed: Address
    pair: str
    per_percent: Decimal


def healths(position: Position, reprice: Reprice) -> Healths:
    """Health in these three lights. Raises `ReadFailed` where the protocol could not value the position in one."""
    return Healths(
        now=position.health.factor,
        second=_at_second_sources(position, reprice),
        edge=_at_the_edge(position, reprice),
    )


def sensitivities(position: Position, reprice: Reprice) -> tuple[Sensitivity, ...]:
    """How health hangs on each feed, and on each source that hides its feeds. Nothing hangs on any without a debt."""
    if not position.health.required:
        return ()
    less = {one: _down(one.answer, _ONE_PERCENT) for one in _feeds(position)}
    moved = [(one.feed, one.pair, _with(position, {one.feed: value})) for one, value in less.items()]
    moved += [(source, "", _hidden(position, source)) for source in _sources(position)]
    return tuple(
        Sensitivity(feed=feed, pair=pair, per_percent=_difference(reprice(prices), position))
        for feed, pair, prices in moved
    )


def _difference(then: Position, now: Position) -> Decimal:
    return _EXACT.subtract(then.health.factor, now.health.factor)


def _prices(position: Position) -> dict[Address, Price]:
    return {leg.priced_as: leg.price for leg in position.legs}


def _feeds(position: Position) -> tuple[FeedReading, ...]:
    found = (reading for leg in position.legs for reading in used(leg.price))
    return tuple({reading.feed: reading for reading in found}.values())


def _with(position: Position, answers: Mapping[Address, int]) -> dict[Address, Price]:
    now = _prices(position)
    moved = {key: price.with_feeds(answers) for key, price in now.items()}
    return {key: price for key, price in moved.items() if price is not now[key]}


def _down(value: int, share: Fraction) -> int:
    """Less by a share at least; never nothing, for which no protocol has a formula."""
    return max(int(value * (1 - share)), 1)


def _up(value: int, share: Fraction) -> int:
    return -int(-value * (1 + share) // 1)


# --- Sources that hide their feeds ------------------------------------------------------------------------------------


def _sources(position: Position) -> tuple[Address, ...]:
    hidden = [leg.price.expression for leg in position.legs]
    return tuple(dict.fromkeys(one.source for one in hidden if isinstance(one, Opaque)))


def _hidden(position: Position, source: Address) -> dict[Address, Price]:
    """The prices of one such source, all 1 % lower."""
    return {
        key: price.at(_down(price.low, _ONE_PERCENT))
        for key, price in _prices(position).items()
        if isinstance(price.expression, Opaque) and price.expression.source == source
    }


# --- Second sources ---------------------------------------------------------------------------------------------------


def _at_second_sources(position: Position, reprice: Reprice) -> Decimal | None:
    now = position.at.timestamp
    said = {key: _second(price, now) for key, price in _prices(position).items()}
    other = {key: price for key, price in said.items() if price is not None}
    return reprice(other).health.factor if other else None


def _second(price: Price, now: int) -> Price | None:
    """A price as fresh second sources have it: as a whole, or what is made of those of its feeds."""
    whole = _heard(price.beside, now)
    if whole is not None:
        return price.at(whole)
    heard = {reading.feed: _heard(reading.beside, now) for reading in used(price)}
    answers = {feed: value for feed, value in heard.items() if value is not None}
    return price.with_feeds(answers) if answers else None


def _heard(opinions: Sequence[Opinion], now: int) -> int | None:
    """What the first says that is fresh."""
    fresh = (one.value for one in opinions if one.by.freshness(now) is Freshness.FRESH)
    return next(fresh, None)


# --- The edge of the thresholds ---------------------------------------------------------------------------------------


def _at_the_edge(position: Position, reprice: Reprice) -> Decimal | None:
    """The worst health of all in which each feed stands at one edge of its threshold or the other.

    Health is monotone in each feed alone, so the worst is at an edge of each; which one may hang on the others'.
    """
    edges = {one.feed: _edges(one) for one in _feeds(position) if one.deviation is not None}
    if not edges:
        return None

    def health(answers: Mapping[Address, int]) -> Decimal:
        return reprice(_with(position, answers)).health.factor

    if len(edges) <= _TRIED_OUT:
        return min(health(dict(zip(edges, chosen, strict=True))) for chosen in product(*edges.values()))
    worst = {feed: min(both, key=lambda value: health({feed: value})) for feed, both in edges.items()}
    for feed, both in edges.items():
        worst[feed] = min(both, key=lambda value: health({**worst, feed: value}))
    return health(worst)


def _edges(reading: FeedReading) -> tuple[int, int]:
    share = Fraction(reading.deviation or 0) / 100
    return _down(reading.answer, share), _up(reading.answer, share)
