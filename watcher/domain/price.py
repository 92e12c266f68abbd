"""Prices as expressions over feed readings, and how fresh they are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from math import prod

from watcher.domain.feed import FeedFacts, FeedReading, Freshness, Opinion, Unheard, lateness_limit, stalest
from watcher.domain.source import ZERO_ADDRESS, Address

__all__ = [
    "Cap",
    "Chosen",
    "Expression",
    "FeedFacts",
    "FeedReading",
    "Fixed",
    "Freshness",
    "Leaf",
    "Opaque",
    "Opinion",
    "Price",
    "Product",
    "Rate",
    "Unheard",
    "lateness_limit",
    "nodes",
    "stalest",
    "value_of",
]


@dataclass(frozen=True, slots=True)
class Leaf:
    """The feed's own answer, as it stands."""

    reading: FeedReading


@dataclass(frozen=True, slots=True)
class Fixed:
    """A price that the protocol itself pins, with no feed behind it.

    `by_definition`: it is what values are counted in, so that nothing can move it.
    """

    value: int
    why: str
    by_definition: bool = False


@dataclass(frozen=True, slots=True)
class Opaque:
    """The answer of a contract that we cannot see through: its age is unknown, and is said to be."""

    source: Address
    value: int
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What a contract exchanges one thing for: read from its state as it is now, so it has no age.

    `what` says which rate it is, such as "wstETH in stETH"; `value` has `decimals` places. `growth`: the most it may
    grow, as a fraction of itself a year, by the adapter's own bound; None where it has none.
    """

    source: Address
    what: str
    value: int
    decimals: int
    growth: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """`times × Π above ÷ (over × Π below)`, cut off towards zero as Solidity does. `source` computes it on chain.

    `positive`: it is made of positive parts only, and 0 where one is not, as adapters answer that refuse such a part.
    """

    above: tuple[Expression, ...]
    below: tuple[Expression, ...] = ()
    times: int = 1
    over: int = 1
    positive: bool = False
    source: Address = ZERO_ADDRESS
    what: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """The smaller of a value and what it may be at most."""

    of: Expression
    at: Expression
    source: Address = ZERO_ADDRESS
    what: str = ""

    @property
    def active(self) -> bool:
        """Whether the cap is what the price is made of."""
        return value_of(self.of) > value_of(self.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """One of several, as a contract picked it: a main source with others to compare with or to fall back to.

    The value is that of `of`. `others` stand beside it: they are read and shown, and do not make the price older.
    """

    of: Expression
    others: tuple[Expression, ...]
    source: Address
    what: str = ""


Expression = Leaf | Fixed | Opaque | Rate | Product | Cap | Chosen


def value_of(expression: Expression) -> int:
    """What an expression comes to, in units of its source's answer."""
    match expression:
        case Leaf(reading):
            return reading.answer
        case Fixed(value=value) | Opaque(value=value):
            return value
        case Rate():
            return expression.value
        case Product():
            return _product(expression)
        case Cap():
            return min(value_of(expression.of), value_of(expression.at))
        case Chosen():
            return value_of(expression.of)


def _product(product: Product) -> int:
    above, below = [*map(value_of, product.above)], [*map(value_of, product.below)]
    if product.positive and min(*above, *below, 1) <= 0:
        return 0
    return _divided(prod(above) * product.times, prod(below) * product.over)


def _divided(above: int, below: int) -> int:
    """Cut off towards zero. Nothing is worth something of what costs nothing: by 0 it is 0, and no price."""
    if below == 0:
        return 0
    quotient = abs(above) // abs(below)
    return quotient if (above < 0) == (below < 0) else -quotient


def nodes(expression: Expression, *, beside: bool = True) -> Iterator[Expression]:
    """The expression and all under it, from the top. `beside`: with what merely stands beside a choice."""
    yield expression
    match expression:
        case Product():
            under: tuple[Expression, ...] = (*expression.above, *expression.below)
        case Cap():
            under = (expression.of, expression.at)
        case Chosen():
            under = (expression.of, *(expression.others if beside else ()))
        case _:
            under = ()
    for part in under:
        yield from nodes(part, beside=beside)


def _moved(expression: Expression, answers: Mapping[Address, int]) -> Expression:
    """The same, if these feeds and rates answered otherwise."""

    def all_moved(parts: tuple[Expression, ...]) -> tuple[Expression, ...]:
        return tuple(_moved(part, answers) for part in parts)

    match expression:
        case Leaf(reading) if reading.feed in answers:
            return Leaf(replace(reading, answer=answers[reading.feed]))
        case Rate(source=source) if source in answers:
            return replace(expression, value=answers[source])
        case Product():
            return replace(expression, above=all_moved(expression.above), below=all_moved(expression.below))
        case Cap():
            return replace(expression, of=_moved(expression.of, answers), at=_moved(expression.at, answers))
        case Chosen():
            return replace(expression, of=_moved(expression.of, answers), others=all_moved(expression.others))
        case _:
            return expression


@dataclass(frozen=True, slots=True)
class Price:
    """What one whole token is worth, in units of the market's numeraire.

    `low` and `high` differ only for venues that quote both; `expression` gives the same number from the feeds below.
    `source` is the contract that the protocol asks; `beside` is what independent sources say of the whole price, and
    `unheard` which of them were asked and said nothing that counts.
    """

    low: int
    high: int
    expression: Expression
    source: Address = ZERO_ADDRESS
    beside: tuple[Opinion, ...] = ()
    unheard: tuple[Unheard, ...] = ()

    @classmethod
    def of(cls, expression: Expression, *, source: Address = ZERO_ADDRESS, beside: tuple[Opinion, ...] = ()) -> Price:
        """The price that an expression evaluates to."""
        value = value_of(expression)
        return cls(low=value, high=value, expression=expression, source=source, beside=beside)

    @property
    def feeds(self) -> tuple[FeedReading, ...]:
        """Every feed reading under this price, each feed once."""
        found = (node.reading for node in nodes(self.expression) if isinstance(node, Leaf))
        return tuple({reading.feed: reading for reading in found}.values())

    @property
    def hidden(self) -> tuple[Opaque, ...]:
        """The contracts under this price that cannot be seen through."""
        return tuple(node for node in nodes(self.expression) if isinstance(node, Opaque))

    def freshness(self, now: int) -> Freshness:
        """As fresh as the stalest leaf; unknown where a contract hides its feeds; a pinned price cannot go stale."""
        used = list(nodes(self.expression, beside=False))
        found: Collection[Freshness] = {node.reading.freshness(now) for node in used if isinstance(node, Leaf)}
        hidden = {Freshness.UNKNOWN} if any(isinstance(node, Opaque) for node in used) else set()
        return stalest({*found, *hidden})

    def with_feeds(self, answers: Mapping[Address, int]) -> Price:
        """The same price if these feeds (or rates) answered otherwise; those not named keep their answer."""
        if not any(_named(node) in answers for node in nodes(self.expression)):
            return self
        moved = _moved(self.expression, answers)
        return replace(Price.of(moved, source=self.source, beside=self.beside), unheard=self.unheard)

    def at(self, value: int) -> Price:
        """The same price if it were `value`, whatever its feeds say."""
        return replace(self, low=value, high=value)


def _named(node: Expression) -> Address | None:
    match node:
        case Leaf(reading):
            return reading.feed
        case Rate(source=source):
            return source
        case _:
            return None
