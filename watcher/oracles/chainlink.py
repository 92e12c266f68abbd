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
    last, places, words = latest_round(source), decimals_of(source), description_of(source)
    aggregator, phase = aggregator_of(source), phase_of(source)
    got = yield [last, places, words, aggregator, phase]
    is_proxy = not _failed(got.outcome(aggregator)) and not _failed(got.outcome(phase))
    answer, scale = got.outcome(last), got.outcome(places)
    facts = book.get(source) or (book.get(got[aggregator]) if is_proxy else None)
    unknown = facts is None and not is_proxy
    if unknown or isinstance(answer, ReadFailed) or isinstance(scale, ReadFailed) or answer.answer != value:
        return Price.of(Opaque(source, value))
    said = got.outcome(words)
    return Price.of(
        Leaf(
            FeedReading(
                feed=source,
                pair=facts.pair if facts else ("" if isinstance(said, ReadFailed) else said),
                answer=answer.answer,
                decimals=scale,
                updated_at=answer.updated_at,
                heartbeat=facts.heartbeat if facts else None,
                deviation=facts.deviation if facts else None,
            )
        )
    )


def _failed(outcome: Outcome[object]) -> bool:
    return isinstance(outcome, ReadFailed)
