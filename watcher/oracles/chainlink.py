"""Chainlink-style feeds: who answers, when it last did, and what its operator promises.

A source counts as a feed that we can see through when it is published (its address is in the feed book) or when it
is a Chainlink proxy by its own account: it answers `aggregator()` and `phaseId()`. Many adapters also answer
`latestRoundData()`, some with `updatedAt = now`, so that alone proves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from watcher.domain.errors import ReadFailed
from watcher.domain.price import FeedFacts, FeedReading, Leaf, Opaque, Price
from watcher.domain.source import Address
from watcher.reads import Outcome, Plan
from watcher.reads.abi import interface


@dataclass(frozen=True, slots=True)
class Round:
    """`latestRoundData`. `answeredInRound` is deprecated by Chainlink and means nothing any more."""

    round_id: int
    answer: int
    started_at: int
    updated_at: int
    answered_in_round: int


_FEED = interface("chainlink_feed")
latest_round = _FEED.function("latestRoundData", Round, gas=50_000)
decimals_of = _FEED.function("decimals", int)
description_of = _FEED.function("description", str)
aggregator_of = _FEED.function("aggregator", Address)
phase_of = _FEED.function("phaseId", int)


def price_from(source: Address, value: int, book: Mapping[Address, FeedFacts]) -> Plan[Price]:
    """The price `value`, which a protocol took from `source`, as an expression over the feed behind it.

    `Opaque` where the source is not a feed we know how to read, or does not answer what the protocol used.
    """
    facts = book.get(source)
    if facts is None:
        facts = yield from _facts_of_proxy(source, book)
        if facts is None:
            return Price.of(Opaque(source, value))
    last, places = latest_round(source), decimals_of(source)
    got = yield [last, places]
    answer, scale = got.outcome(last), got.outcome(places)
    if isinstance(answer, ReadFailed) or isinstance(scale, ReadFailed) or answer.answer != value:
        return Price.of(Opaque(source, value))
    return Price.of(
        Leaf(
            FeedReading(
                feed=source,
                pair=facts.pair,
                answer=answer.answer,
                decimals=scale,
                updated_at=answer.updated_at,
                heartbeat=facts.heartbeat,
                deviation=facts.deviation,
            )
        )
    )


def _facts_of_proxy(source: Address, book: Mapping[Address, FeedFacts]) -> Plan[FeedFacts | None]:
    """What is published about an unlisted proxy, by its aggregator, or just its own name; None if it is no proxy."""
    aggregator, phase, words = aggregator_of(source), phase_of(source), description_of(source)
    got = yield [aggregator, phase, words]
    if _failed(got.outcome(aggregator)) or _failed(got.outcome(phase)):
        return None
    said = got.outcome(words)
    unlisted = FeedFacts(pair="" if isinstance(said, ReadFailed) else said, heartbeat=None)
    return book.get(got[aggregator], unlisted)


def _failed(outcome: Outcome[object]) -> bool:
    return isinstance(outcome, ReadFailed)
