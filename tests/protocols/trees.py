"""Prices with their feeds altered, however deep these are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from watcher.domain.price import Cap, Chosen, Expression, FeedReading, Leaf, Price, Product

Alter = Callable[[FeedReading], FeedReading]


def with_readings(price: Price, alter: Alter) -> Price:
    """The same price with each of its readings altered."""
    return Price.of(_altered(price.expression, alter), source=price.source, beside=price.beside)


def _altered(expression: Expression, alter: Alter) -> Expression:
    def each(parts: tuple[Expression, ...]) -> tuple[Expression, ...]:
        return tuple(_altered(part, alter) for part in parts)

    match expression:
        case Leaf(reading):
            return Leaf(alter(reading))
        case Product():
            return replace(expression, above=each(expression.above), below=each(expression.below))
        case Cap():
            return replace(expression, of=_altered(expression.of, alter), at=_altered(expression.at, alter))
        case Chosen():
            return replace(expression, of=_altered(expression.of, alter), others=each(expression.others))
        case _:
            return expression
