"""Prices, what they are made of, and the feeds under them, for machines. docs/json.md describes the shape."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from watcher.domain.price import (
    Cap,
    Chosen,
    Expression,
    FeedReading,
    Fixed,
    Leaf,
    Opaque,
    Opinion,
    Price,
    Product,
    Rate,
    value_of,
)
from watcher.domain.source import ZERO_ADDRESS, Address

_OFF_PLACES = 9


def price_of(price: Price, now: int) -> dict[str, Any]:
    """A price, and where it is from."""
    kind, source = _source(price)
    return {
        "low": str(price.low),
        "high": str(price.high),
        "kind": kind,
        "source": source,
        "freshness": price.freshness(now),
        "tree": tree_of(price.expression, now),
        **_heard(price, price.low, now),
    }


def _source(price: Price) -> tuple[str, Address | None]:
    match price.expression:
        case Leaf(reading):
            return "feed", reading.feed
        case Opaque(address, _):
            return "opaque", address
        case Fixed():
            return "fixed", _named(price.source)
        case _:
            return "composed", _named(price.source)


def tree_of(expression: Expression, now: int) -> dict[str, Any]:
    """What a price is made of, from the top down."""
    value = {"value": str(value_of(expression))}
    match expression:
        case Leaf(reading):
            return {"node": "feed", **value, "feed": feed_of(reading, now)}
        case Fixed(_, why):
            return {"node": "fixed", **value, "why": why}
        case Opaque(source, _, why):
            return {"node": "opaque", **value, "source": source, "why": why}
        case Rate():
            return {"node": "rate", **value, "decimals": expression.decimals, **_told(expression)}
        case Product():
            return {
                "node": "product",
                **value,
                **_told(expression),
                "times": str(expression.times),
                "over": str(expression.over),
                "above": [tree_of(part, now) for part in expression.above],
                "below": [tree_of(part, now) for part in expression.below],
            }
        case Cap():
            of, at = tree_of(expression.of, now), tree_of(expression.at, now)
            return {"node": "cap", **value, **_told(expression), "active": expression.active, "of": of, "at": at}
        case Chosen():
            others = [tree_of(part, now) for part in expression.others]
            of = tree_of(expression.of, now)
            return {"node": "chosen", **value, **_told(expression), "of": of, "others": others}


def _told(node: Rate | Product | Cap | Chosen) -> dict[str, Any]:
    return {"source": _named(node.source), "what": node.what}


def _named(source: Address) -> Address | None:
    return None if source == ZERO_ADDRESS else source


def feed_of(reading: FeedReading, now: int) -> dict[str, Any]:
    """A feed's last answer beside what is known of how often it answers."""
    return {
        "address": reading.feed,
        "pair": reading.pair,
        "kind": reading.kind,
        "answer": str(reading.answer),
        "decimals": reading.decimals,
        "updated_at": reading.updated_at,
        "age": reading.age(now),
        "heartbeat": reading.heartbeat,
        "heartbeat_from": reading.heartbeat_from,
        "next_update": reading.next_update,
        "market_hours": reading.hours.name or None,
        "deviation": None if reading.deviation is None else str(reading.deviation),
        "freshness": reading.freshness(now),
        **_heard(reading, reading.answer, now),
    }


def _heard(of: FeedReading | Price, ours: int, now: int) -> dict[str, Any]:
    """What second sources say of the same, in its units, and those that say nothing that counts."""
    return {
        "second_sources": [_opinion(one, ours, now) for one in of.beside],
        "unheard": [{"address": one.source, "why": one.why} for one in of.unheard],
    }


def _opinion(one: Opinion, ours: int, now: int) -> dict[str, Any]:
    return {
        "address": one.by.feed,
        "pair": one.by.pair,
        "kind": one.by.kind,
        "value": str(one.value),
        "off": decimal(off(one.value, ours), _OFF_PLACES) if ours else None,
        "updated_at": one.by.updated_at,
        "age": one.by.age(now),
        "freshness": one.by.freshness(now),
    }


def off(value: int, ours: int) -> Fraction:
    """How far another word on a price is from ours, as a share of it."""
    return Fraction(value, ours) - 1


def decimal(fraction: Fraction, places: int = 18) -> str:
    """A fraction as a decimal of so many places at most, cut off towards zero."""
    scaled = int(fraction * 10**places)
    digits = format(Decimal(scaled).scaleb(-places), "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits
