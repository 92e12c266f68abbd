"""Heartbeats learned from a feed's own rounds, on the real proxy of Chainlink."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.oracles.node import Node, node
from tests.worlds.deployment import ADMIN, Feed, deploy_feed
from watcher.domain.feed import HeartbeatFrom, learned_limit
from watcher.domain.price import FeedReading, Freshness
from watcher.domain.source import Address
from watcher.oracles.learned import FEWEST, LOOKED_AT, Learned, estimated, learned
from watcher.oracles.round import Round, latest_round
from watcher.oracles.sources import price_from
from watcher.reads import Answers, Call, Plan

ANSWER = 2000_00000000
DAY = 86_400
NOW = 1_800_000_000
HOURLY = [NOW - 3600 * back for back in range(30)]


@pytest.fixture(scope="module")
def there() -> Iterator[Node]:
    with node() as it:
        yield it


def with_rounds(there: Node, gaps: list[int]) -> Feed:
    """A feed whose rounds follow its first one with these gaps; the last one is of now."""
    feed = deploy_feed(there.chain, ANSWER)
    at = there.block.timestamp - sum(gaps)
    for number, gap in enumerate([0, *gaps], 1):
        at += gap
        there.send(Address(feed.aggregator), "updateRoundData(uint80,int256,uint256,uint256)", number, ANSWER, at, at)
    return feed


def reading_of(there: Node, feed: Feed) -> FeedReading:
    [reading] = there.run(price_from(Address(feed.proxy), ANSWER, {})).feeds
    return reading


def test_it_takes_the_longest_of_the_last_gaps_for_the_heartbeat(there: Node) -> None:
    reading = reading_of(there, with_rounds(there, [9000, *[600] * 20, 3601, *[600] * (LOOKED_AT - 21)]))
    assert (reading.heartbeat, reading.heartbeat_from) == (3601, HeartbeatFrom.LEARNED)
    assert reading.round >> 64 == 1, "a proxy counts its rounds above the phase"


def test_it_calls_a_feed_late_when_it_is_half_as_long_again_as_ever(there: Node) -> None:
    reading = reading_of(there, with_rounds(there, [3601, *[600] * 10]))
    limit = 3601 * 3 // 2
    assert reading.freshness(reading.updated_at + limit) is Freshness.FRESH
    assert reading.freshness(reading.updated_at + limit + 1) is Freshness.STALE


def test_it_learns_nothing_from_a_young_feed(there: Node) -> None:
    young, grown = with_rounds(there, [600] * (FEWEST - 2)), with_rounds(there, [600] * (FEWEST - 1))
    assert (reading_of(there, young).heartbeat, reading_of(there, grown).heartbeat) == (None, 600)
    assert reading_of(there, young).heartbeat_from is HeartbeatFrom.NOBODY


def test_it_does_not_walk_into_the_phase_before(there: Node) -> None:
    feed = with_rounds(there, [600] * 20)
    other = with_rounds(there, [600] * 3)
    for step in ("proposeAggregator(address)", "confirmAggregator(address)"):
        there.chain.send(ADMIN, feed.proxy, step, other.aggregator)
    asked = len(there.asked)
    assert reading_of(there, feed).heartbeat is None
    assert not [one for one in there.asked[asked:] if isinstance(one, Call) and "getRoundData" in one.label]


@pytest.mark.parametrize(
    ("what", "times"),
    [
        ("back in time", [*HOURLY[:5], HOURLY[3], *HOURLY[5:]]),
        ("years apart", [*HOURLY[:20], NOW - 3 * 365 * DAY]),
        ("never updated", [*HOURLY, 0]),
        ("never updated in between", [*HOURLY[:5], 0, *HOURLY[5:]]),
        ("of the future", [NOW + 1, *HOURLY[1:]]),
        ("before time began", [*HOURLY, -5]),
        ("all at once", [NOW] * 30),
        ("too few", HOURLY[: FEWEST - 1]),
    ],
)
def test_it_learns_nothing_from_rounds_that_cannot_be(what: str, times: list[int]) -> None:
    assert estimated(times, NOW) is None, what


def test_it_says_from_how_many_rounds_it_learned() -> None:
    assert estimated(HOURLY, NOW) == Learned(heartbeat=3600, rounds=30)


def test_it_gives_the_busiest_feeds_no_less_time_than_those_that_promise_most() -> None:
    assert learned_limit(5) == learned_limit(120) == 180
    assert learned_limit(121) == 181


def test_it_asks_once_a_day(there: Node) -> None:
    feed = Address(with_rounds(there, [600] * 12).proxy)
    last = there.run(asking(latest_round(feed)))
    today = there.block
    known = Answers(today)
    assert rounds_of(learned(feed, last), known, there) == 1
    assert rounds_of(learned(feed, last), known, there) == 0
    tomorrow = Answers(replace(today, timestamp=today.timestamp + DAY), known=known.known)
    assert rounds_of(learned(feed, last), tomorrow, there) == 1


def asking(call: Call[Round]) -> Plan[Round]:
    got = yield [call]
    return got[call]


def rounds_of(plan: Plan[Learned | None], known: Answers, there: Node) -> int:
    """In how many rounds a plan came to its end."""
    answers, rounds = Answers(known.at, known=known.known), 0
    try:
        requests = next(plan)
        while True:
            rounds += bool(requests)
            answers.returned.update(there._answer(requests))
            requests = plan.send(answers)
    except StopIteration:
        return rounds
