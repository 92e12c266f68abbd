"""Levers: the numbers that can move a position, one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from watcher.domain.position import Leg, Numeraire, Position
from watcher.domain.price import FeedReading, Fixed, Leaf, Price, Rate, nodes
from watcher.domain.source import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Lever:
    """One number that can move: the price of an asset, or the answer of a feed or rate with every price made of it.

    `keys` are the prices it moves, `current` its value now: in numeraire units, or in `unit` where that is given.
    `composed`: some price that it moves is not the answer itself, but made of it.
    """

    name: str
    keys: frozenset[Address]
    current: int
    feed: Address | None = None
    unit: Numeraire | None = None
    composed: bool = False

    def prices(self, position: Position, value: int) -> Mapping[Address, Price]:
        """The prices under `position` if this lever stood at `value`."""
        moved = {leg.priced_as: leg.price for leg in position.legs if leg.priced_as in self.keys}
        if self.feed is None:
            return {key: price.at(value) for key, price in moved.items()}
        return {key: price.with_feeds({self.feed: value}) for key, price in moved.items()}


def levers(position: Position) -> tuple[Lever, ...]:
    """What can liquidate this position: each asset on its own; each feed that several prices are made of, or that tells
    more than the one price which is made of it; and each rate that is all that stands between two sides of one feed."""
    by_key: dict[Address, Leg] = {}
    for leg in position.legs:
        if not (isinstance(leg.price.expression, Fixed) and leg.price.expression.by_definition):
            by_key.setdefault(leg.priced_as, leg)
    alone = [Lever(name=leg.asset.symbol, keys=frozenset({key}), current=leg.price.low) for key, leg in by_key.items()]
    return (*alone, *_feeds(by_key, position.numeraire), *_rates(by_key, position))


def used(price: Price) -> tuple[FeedReading, ...]:
    """The feeds that a price is made of now, each once; not those that merely stand beside a choice."""
    found = (node.reading for node in nodes(price.expression, beside=False) if isinstance(node, Leaf))
    return tuple({reading.feed: reading for reading in found}.values())


def unit_of(reading: FeedReading) -> Numeraire:
    """What a feed's answer counts: what stands behind the slash of its pair."""
    return Numeraire(symbol=reading.pair.partition("/")[2].strip() or "?", decimals=reading.decimals)


def unit_of_rate(rate: Rate) -> Numeraire:
    """What a rate counts: the last word of "wstETH in stETH"; of one that is called otherwise, times."""
    named, _, unit = rate.what.rpartition(" in ")
    return Numeraire(symbol=unit.strip() if named else "×", decimals=rate.decimals)


def _feeds(by_key: Mapping[Address, Leg], numeraire: Numeraire) -> Iterator[Lever]:
    readings = {reading.feed: reading for leg in by_key.values() for reading in used(leg.price)}
    for feed, reading in readings.items():
        moved = {key: leg.price for key, leg in by_key.items() if any(one.feed == feed for one in used(leg.price))}
        composed = any(not isinstance(price.expression, Leaf) for price in moved.values())
        itself = {(price.low, numeraire.decimals) for price in moved.values()} == {(reading.answer, reading.decimals)}
        if len(moved) > 1 or (composed and not itself):
            yield Lever(
                name=reading.pair,
                keys=frozenset(moved),
                current=reading.answer,
                feed=feed,
                unit=unit_of(reading),
                composed=composed,
            )


def _rates(by_key: Mapping[Address, Leg], position: Position) -> Iterator[Lever]:
    rates = {
        rate.source: rate for key, leg in by_key.items() if _hedged(key, position) for rate in _rates_of(leg.price)
    }
    for source, rate in rates.items():
        moved = [key for key, leg in by_key.items() if any(one.source == source for one in _rates_of(leg.price))]
        yield Lever(
            name=rate.what,
            keys=frozenset(moved),
            current=rate.value,
            feed=source,
            unit=unit_of_rate(rate),
            composed=True,
        )


def _rates_of(price: Price) -> list[Rate]:
    return [node for node in nodes(price.expression, beside=False) if isinstance(node, Rate)]


def _hedged(key: Address, position: Position) -> bool:
    """Whether every feed under this price is under the other side of the position too: one that moves both."""
    sides = {leg.amount > 0 for leg in position.legs if leg.priced_as == key}
    other = [leg for leg in position.legs if leg.priced_as != key and (leg.amount > 0) not in sides]
    against = {reading.feed for leg in other for reading in used(leg.price)}
    own = {reading.feed for leg in position.legs if leg.priced_as == key for reading in used(leg.price)}
    return own <= against
