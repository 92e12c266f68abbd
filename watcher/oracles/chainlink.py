"""Chainlink-style feeds: who answers, when it last did, and what its operator promises.

A source counts as a feed that we can see through when it is published (its address is in the feed book) or when it
is a Chainlink proxy by its own account: it answers `aggregator()` and `phaseId()`. Many adapters also answer
`latestRoundData()`, some with `updatedAt = now`, so that alone proves nothing.

Source: smartcontractkit/chainlink, contracts v0.6 EACAggregatorProxy and AggregatorProxy, v0.8 OCR2Aggregator.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from watcher.domain.errors import CallReverted, ReadFailed
from watcher.domain.feed import FeedFacts, FeedKind, FeedReading, HeartbeatFrom
from watcher.domain.price import Expression, Leaf
from watcher.domain.source import ZERO_ADDRESS, Address
from watcher.oracles.learned import Learned, learned
from watcher.oracles.opinions import second_words
from watcher.oracles.round import (
    aggregator_of,
    decimals_of,
    description_of,
    highest_of,
    latest_round,
    lowest_of,
    phase_of,
)
from watcher.oracles.shape import Kind, Shape, Under, Unseen
from watcher.reads import Call, Memo, Outcome, Plan, lasting

_A_DAY: Final = 86_400
_NOT_TOLLED: Final = bytes.fromhex("d957b595")  # NotTolled(address), chronicle-std src/toll/IToll.sol
_WIDEST: Final = 2**150
"""Bounds beyond this bound nothing: aggregators that want none carry the edges of an int192."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed that answers `latestRoundData`. `proxy`: an `aggregator()` stands behind it, which may be exchanged."""

    address: Address
    named: str
    decimals: int
    proxy: bool
    kind: FeedKind = FeedKind.CHAINLINK

    def expression(self, under: Under) -> Plan[Expression]:
        """Its last answer, beside what is published about it and what others say of the same."""
        last, behind = latest_round(self.address), aggregator_of(self.address)
        got = yield [last, behind] if self.proxy else [last]
        said, aggregator = got[last], got[behind] if self.proxy else ZERO_ADDRESS
        if self.proxy and said.round_id == 0:  # its rounds are numbered from the phase's first, above bit 64
            raise Unseen(f"{self.address} answers round 0, and no feed behind a proxy has one")
        facts = under.facts(self.address, aggregator)
        lowest, highest = yield from bounds(aggregator if self.proxy else self.address)
        estimate = (yield from learned(self.address, said)) if facts is None or facts.heartbeat is None else None
        reading = FeedReading(
            feed=self.address,
            pair=facts.pair if facts else self.named,
            answer=said.answer,
            decimals=self.decimals,
            updated_at=said.updated_at,
            kind=self.kind,
            round=said.round_id,
            behind=aggregator,
            lowest=lowest,
            highest=highest,
            **promised(facts, estimate),
            **(yield from second_words(under.others(self.address, aggregator), self.decimals, under)),
        )
        return Leaf(reading)


def promised(facts: FeedFacts | None, estimate: Learned | None) -> dict[str, Any]:
    """What is known of how often a feed answers: published, else learned, else nothing."""
    if facts is not None and facts.heartbeat is not None:
        return {
            "heartbeat": facts.heartbeat,
            "deviation": facts.deviation,
            "hours": facts.hours,
            "heartbeat_from": HeartbeatFrom.PUBLISHED,
        }
    if estimate is not None:
        return {"heartbeat": estimate.heartbeat, "heartbeat_from": HeartbeatFrom.LEARNED}
    return {"heartbeat": None, "heartbeat_from": HeartbeatFrom.NOBODY}


def _proxy(source: Address, _aggregator: Address, _phase: int) -> Plan[Shape | None]:
    return (yield from listed(source))


def listed(source: Address) -> Plan[Feed | None]:
    """What never changes of a feed, a proxy or an aggregator itself; None where it is read in another way.

    In the same round, so that it costs none, goes what `expression` will ask.
    """
    places, words, behind = decimals_of(source), description_of(source), aggregator_of(source)
    last = latest_round(source)
    got = yield [places, words, behind, last]
    refused, scale = got.outcome(last), got.outcome(places)
    if isinstance(scale, ReadFailed) or (isinstance(refused, CallReverted) and refused.data[:4] == _NOT_TOLLED):
        return None  # one of Maker's or Chronicle's
    said: Outcome[str] = got.outcome(words)
    named = "" if isinstance(said, ReadFailed) else said
    proxy = not isinstance(got.outcome(behind), ReadFailed)
    return Feed(address=source, named=named, decimals=scale, proxy=proxy)


PROXY: Final = Kind("Chainlink proxy", (aggregator_of, phase_of), _proxy, feed=True)


def bounds(aggregator: Address) -> Plan[tuple[int | None, int | None]]:
    """The least and the most that an aggregator can answer, where it says so; they never change (OCR2Aggregator)."""
    return (yield from lasting(Memo("bounds", aggregator), lambda: _bounds(aggregator), lasts=_A_DAY))


def _bounds(aggregator: Address) -> Plan[tuple[int | None, int | None]]:
    calls: tuple[Call[int], Call[int]] = lowest_of(aggregator), highest_of(aggregator)
    got = yield list(calls)
    low, high = (got.outcome(call) for call in calls)
    return (
        None if isinstance(low, ReadFailed) or low <= 1 else low,
        None if isinstance(high, ReadFailed) or high >= _WIDEST else high,
    )
