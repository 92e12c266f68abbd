"""Prices over feed readings, and how fresh they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.domain.price import (
    Expression,
    FeedReading,
    Fixed,
    Freshness,
    Leaf,
    Opaque,
    Price,
    Product,
    lateness_limit,
)
from watcher.domain.source import Address

FEED, OTHER = Address("0x" + "0a" * 20), Address("0x" + "0b" * 20)
NOW = 1_700_000_000
FRESH, STALE, UNKNOWN = Freshness


def reading(*, age: int = 0, heartbeat: int | None = 3600, answer: int = 7) -> FeedReading:
    return FeedReading(feed=FEED, pair="A / USD", answer=answer, decimals=8, updated_at=NOW - age, heartbeat=heartbeat)


@pytest.mark.parametrize(
    ("heartbeat", "limit"),
    [
        (1, 180),  # beats faster than a minute are skipped without meaning anything by it
        (27, 180),
        (40, 200),
        (59, 295),
        (60, 120),  # from here a minute at least
        (300, 360),
        (600, 660),
        (601, 661),
        (1200, 1320),  # and from here 10 %
        (3600, 3960),
        (86_400, 95_040),
    ],
)
def test_it_allows_a_tenth_of_the_heartbeat_and_a_minute_at_least(heartbeat: int, limit: int) -> None:
    assert lateness_limit(heartbeat) == limit
    assert reading(age=limit, heartbeat=heartbeat).freshness(NOW) is FRESH
    assert reading(age=limit + 1, heartbeat=heartbeat).freshness(NOW) is STALE


@given(st.integers(1, 10**6))
def test_it_never_calls_stale_what_keeps_its_promise(heartbeat: int) -> None:
    assert reading(age=heartbeat, heartbeat=heartbeat).freshness(NOW) is FRESH


@pytest.mark.parametrize("heartbeat", [None, 60, 86_400])
@pytest.mark.parametrize("updated_at", [0, -1, NOW + 1])
def test_it_takes_an_impossible_update_time_for_no_update(heartbeat: int | None, updated_at: int) -> None:
    found = FeedReading(feed=FEED, pair="", answer=1, decimals=8, updated_at=updated_at, heartbeat=heartbeat)
    assert found.freshness(NOW) is STALE


@pytest.mark.parametrize("age", [0, 10**8])
def test_it_does_not_know_without_a_heartbeat(age: int) -> None:
    assert reading(age=age, heartbeat=None).freshness(NOW) is UNKNOWN


def test_it_counts_an_update_in_this_very_block_as_fresh() -> None:
    assert reading(age=0).freshness(NOW) is FRESH
    assert reading(age=5).age(NOW) == 5


@pytest.mark.parametrize(
    ("expression", "freshness"),
    [
        (Leaf(reading()), FRESH),
        (Leaf(reading(age=10**6)), STALE),
        (Leaf(reading(heartbeat=None)), UNKNOWN),
        (Fixed(10**8, "GHO is 1 by governance"), FRESH),
        (Opaque(FEED, 10**8), UNKNOWN),
    ],
)
def test_it_is_as_fresh_as_what_it_rests_on(expression: Expression, freshness: Freshness) -> None:
    assert Price.of(expression).freshness(NOW) is freshness


@pytest.mark.parametrize(
    ("above", "below", "positive", "value"),
    [
        ((-7, 3), (2,), False, -10),
        ((-7, 3), (2,), True, 0),
        ((-7, -3), (2,), True, 0),
        ((7, 3), (-2,), True, 0),
        ((7, 3), (2,), True, 10),
        ((7, 0), (2,), True, 0),
        ((), (2,), True, 0),
        ((), (1,), True, 1),
        ((7, 3), (), True, 21),
    ],
)
def test_it_refuses_parts_that_are_not_positive_where_the_adapter_does(
    above: tuple[int, ...], below: tuple[int, ...], positive: bool, value: int
) -> None:
    parts = [tuple(Leaf(reading(answer=answer)) for answer in side) for side in (above, below)]
    assert Price.of(Product(above=parts[0], below=parts[1], times=30, over=30, positive=positive)).low == value


def test_it_evaluates_to_what_the_expression_says() -> None:
    for expression in (Leaf(reading(answer=7)), Fixed(7, ""), Opaque(FEED, 7)):
        price = Price.of(expression)
        assert (price.low, price.high, price.expression) == (7, 7, expression)


def test_it_moves_with_its_feed_and_only_with_its_own() -> None:
    price = Price.of(Leaf(reading(answer=7)))
    moved = price.with_feeds({FEED: 9, OTHER: 1})
    assert (moved.low, moved.high, moved.feeds[0].answer) == (9, 9, 9)
    assert moved.feeds[0].updated_at == price.feeds[0].updated_at
    assert price.low == 7
    assert price.with_feeds({OTHER: 9}) == price


@pytest.mark.parametrize("expression", [Fixed(7, "pinned"), Opaque(FEED, 7)])
def test_it_stays_where_no_feed_is_seen_under_it(expression: Expression) -> None:
    price = Price.of(expression)
    assert price.feeds == ()
    assert price.with_feeds({FEED: 9}) == price


def test_it_can_be_anything_in_a_what_if() -> None:
    price = Price.of(Opaque(FEED, 7)).at(11)
    assert (price.low, price.high, price.expression) == (11, 11, Opaque(FEED, 7))
