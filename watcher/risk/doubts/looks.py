"""What is under the positions of a snapshot, each feed, rate and price once, with those who owe something by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from watcher.domain.position import Leg, Position
from watcher.domain.price import Cap, Chosen, Expression, FeedReading, Fixed, Leaf, Opaque, Price, Product, Rate, nodes
from watcher.domain.source import ZERO_ADDRESS, Address

T = TypeVar("T")


@dataclass(slots=True)
class Look(Generic[T]):
    """One thing that was read. `track` is the name by which it is remembered.

    `about` are the positions that owe something and whose health it moves.
    """

    track: str
    what: T
    about: dict[str, Position] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """One price of one deployment: of which key there, in units of `decimals` places of `unit`, and its nodes."""

    asset: Address
    symbol: str
    price: Price
    decimals: int
    unit: str
    parts: tuple[Leaf | Rate | Opaque, ...]
    caps: tuple[Cap, ...]
    composed: bool

    @property
    def source(self) -> Address:
        """The contract that the protocol asks; the asset itself where it asks none."""
        return self.asset if self.price.source == ZERO_ADDRESS else self.price.source


@dataclass(frozen=True, slots=True)
class Looks:
    """All of a snapshot, by track."""

    feeds: dict[str, Look[FeedReading]]
    rates: dict[str, Look[Rate]]
    prices: dict[str, Look[Priced]]


def track_of(part: Leaf | Rate | Opaque) -> str:
    """The name by which a part of a price is remembered."""
    match part:
        case Leaf(reading):
            return reading.feed
        case Rate():
            return f"{part.source}/{part.what}"
        case Opaque():
            return f"{part.source}/opaque"


def fingerprint(expression: Expression) -> str:
    """How a price is made, without its numbers: equal for as long as it is made of the same contracts alike.

    Which of several sources a contract chose is no difference, and neither are constants: many move with time.
    """
    match expression:
        case Leaf(reading):
            return reading.feed
        case Fixed():
            return "fixed"
        case Rate() | Opaque():
            return track_of(expression)
        case Product():
            above, below = (" ".join(map(fingerprint, parts)) for parts in (expression.above, expression.below))
            return f"({above} / {below})" if below else f"({above})"
        case Cap():
            return f"min({fingerprint(expression.of)} {fingerprint(expression.at)})"
        case Chosen():
            return f"one of({' '.join(sorted(map(fingerprint, (expression.of, *expression.others))))})"


def gathered(positions: Sequence[Position]) -> Looks:
    """What is under the positions. Prices are shared objects within a market: each is taken apart once."""
    found = Looks({}, {}, {})
    apart: dict[int, list[Expression]] = {}
    for position in positions:
        for leg in position.legs:
            used = apart.get(id(leg.price))
            if used is None:
                used = apart[id(leg.price)] = list(nodes(leg.price.expression, beside=False))
            _add(found, position, leg, used)
    return found


def _add(found: Looks, position: Position, leg: Leg, used: list[Expression]) -> None:
    looks: list[Look[FeedReading] | Look[Rate] | Look[Priced]] = [_price(found, position, leg, used)]
    for part in used:
        match part:
            case Leaf(reading):
                name = track_of(part)
                looks.append(found.feeds.get(name) or found.feeds.setdefault(name, Look(name, reading)))
            case Rate():
                name = track_of(part)
                looks.append(found.rates.get(name) or found.rates.setdefault(name, Look(name, part)))
    if position.health.required and (leg.backing or leg.required or leg.amount < 0):
        subject = str(position.id)
        for look in looks:
            look.about[subject] = position


def _price(found: Looks, position: Position, leg: Leg, used: list[Expression]) -> Look[Priced]:
    """The price under its deployment's name; with the position's key where one deployment has several sources of it."""
    name = f"{position.id.deployment}/{leg.priced_as}"
    known = found.prices.get(name)
    if known is not None and known.what.price.source != leg.price.source:
        name = f"{name}/{position.id.key}"
        known = found.prices.get(name)
    if known is not None:
        return known
    priced = Priced(
        asset=leg.priced_as,
        symbol=leg.asset.symbol,
        price=leg.price,
        decimals=position.numeraire.decimals,
        unit=position.numeraire.symbol,
        parts=tuple({track_of(one): one for one in used if isinstance(one, Leaf | Rate | Opaque)}.values()),
        caps=tuple(one for one in used if isinstance(one, Cap)),
        composed=any(isinstance(one, Product) for one in used),
    )
    return found.prices.setdefault(name, Look(name, priced))
