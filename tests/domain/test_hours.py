"""Market hours, to the second: over weekends, breaks and changes of clocks."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.config.feeds import shipped_books
from watcher.domain.hours import ALWAYS, MARKETS, Hours, hours_of
from watcher.domain.price import FeedReading, Freshness, lateness_limit
from watcher.domain.source import Address

HOUR, DAY = 3600, 86_400
FOREX, METALS, NYSE, LSE = (MARKETS[name] for name in ("Forex", "Precious_Metals", "NYSE", "LSE"))
NEW_YORK, LONDON, ROME = "America/New_York", "Europe/London", "Europe/Rome"
SHIPPED = (Path(__file__).parents[2] / "feeds.csv").read_text()


def at(moment: str, zone: str = NEW_YORK) -> int:
    """Unix seconds of a local time, such as `2026-03-06 17:00`."""
    return int(datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone)).timestamp())


@pytest.mark.parametrize(
    ("market", "zone", "opens", "closes"),
    [
        ("Forex", NEW_YORK, "2026-07-12 18:00", "2026-07-17 17:00"),
        ("us_equities_24/5", NEW_YORK, "2026-07-12 18:00", "2026-07-17 17:00"),
        ("Forex_BRL", NEW_YORK, "2026-07-12 18:00", "2026-07-17 17:00"),
        ("Precious_Metals", NEW_YORK, "2026-07-14 18:00", "2026-07-15 17:00"),
        ("Precious_Metals", NEW_YORK, "2026-07-12 18:00", "2026-07-13 17:00"),
        ("WTI", NEW_YORK, "2026-07-16 18:00", "2026-07-17 17:00"),
        ("NYSE", NEW_YORK, "2026-07-15 09:30", "2026-07-15 16:00"),
        ("LSE", LONDON, "2026-01-14 08:00", "2026-01-14 16:30"),
        ("LSE", LONDON, "2026-07-15 08:00", "2026-07-15 16:30"),
        ("Euronext_Milan", ROME, "2026-07-17 09:00", "2026-07-17 17:30"),
    ],
)
def test_it_opens_and_closes_on_the_second(market: str, zone: str, opens: str, closes: str) -> None:
    hours, first, last = hours_of(market), at(opens, zone), at(closes, zone)
    assert [hours.is_open(each) for each in (first - 1, first, last - 1, last)] == [False, True, True, False]
    assert hours.open_seconds(first, last) == last - first
    assert hours.open_seconds(first - HOUR // 2, last + HOUR // 2) == last - first


@pytest.mark.parametrize(
    ("hours", "start", "end", "traded"),
    [
        (FOREX, at("2026-07-17 17:00"), at("2026-07-19 18:00"), 0),
        (FOREX, at("2026-07-17 16:59"), at("2026-07-19 18:01"), 120),
        (FOREX, at("2026-07-10 12:00"), at("2026-07-17 12:00"), 5 * DAY - HOUR),  # a week is one hour short of 120
        (METALS, at("2026-07-13 16:00"), at("2026-07-13 19:00"), 2 * HOUR),  # the break
        (METALS, at("2026-07-10 12:00"), at("2026-07-17 12:00"), 5 * 23 * HOUR),
        (NYSE, at("2026-07-10 12:00"), at("2026-07-17 12:00"), 5 * 390 * 60),
        # Clocks go forward in New York on 8 March 2026 and in London on the 29th, back on 1 November and 25 October.
        (FOREX, at("2026-03-06 16:00"), at("2026-03-08 19:00"), 2 * HOUR),
        (FOREX, at("2026-10-30 16:00"), at("2026-11-01 19:00"), 2 * HOUR),
        (FOREX, at("2026-03-02 12:00"), at("2026-03-30 12:00"), 4 * (5 * DAY - HOUR)),
        (LSE, at("2026-03-27 16:00", LONDON), at("2026-03-30 09:00", LONDON), HOUR + HOUR // 2),
        (LSE, at("2026-10-23 16:00", LONDON), at("2026-10-26 09:00", LONDON), HOUR + HOUR // 2),
        (ALWAYS, 5, 1005, 1000),
        (FOREX, 10, 5, 0),
    ],
)
def test_it_counts_the_time_of_trading(hours: Hours, start: int, end: int, traded: int) -> None:
    assert hours.open_seconds(start, end) == traded


@given(
    st.sampled_from([*MARKETS.values(), ALWAYS]),
    st.integers(at("2025-12-01 00:00"), at("2027-02-01 00:00")),
    st.integers(1, 40 * DAY),
)
def test_it_finds_the_first_moment_by_which_it_has_traded_so_long(hours: Hours, start: int, seconds: int) -> None:
    then = hours.after(start, seconds)
    assert hours.open_seconds(start, then) == seconds
    assert hours.open_seconds(start, then - 1) == seconds - 1


_THIS_YEAR = st.integers(at("2026-01-01 00:00"), at("2026-12-31 00:00"))


@given(st.sampled_from(list(MARKETS.values())), st.lists(_THIS_YEAR, min_size=3, max_size=3))
def test_it_counts_no_second_twice(hours: Hours, moments: list[int]) -> None:
    start, middle, end = sorted(moments)
    assert hours.open_seconds(start, middle) + hours.open_seconds(middle, end) == hours.open_seconds(start, end)


def reading(updated_at: int, hours: Hours, heartbeat: int) -> FeedReading:
    feed = Address("0xb49f677943BC038e9857d61E7d053CaA2C1734C1")
    return FeedReading(
        feed=feed, pair="EUR/USD", answer=1, decimals=8, updated_at=updated_at, heartbeat=heartbeat, hours=hours
    )


@pytest.mark.parametrize(
    ("friday", "sunday"),
    [("2026-07-17", "2026-07-19"), ("2026-03-06", "2026-03-08"), ("2026-10-30", "2026-11-01")],
    ids=["summer", "clocks go forward", "clocks go back"],
)
@pytest.mark.parametrize("heartbeat", [27, HOUR, DAY])
def test_a_feed_that_is_silent_over_a_weekend_is_late_only_after_the_opening(
    friday: str, sunday: str, heartbeat: int
) -> None:
    last = at(f"{friday} 17:00")
    opening = FOREX.after(last, 1) - 1
    assert opening == at(
        {"2026-07-17": "2026-07-19", "2026-03-06": "2026-03-08", "2026-10-30": "2026-11-01"}[friday] + " 18:00"
    )
    late = opening + lateness_limit(heartbeat) + 1
    silent = reading(last, FOREX, heartbeat)
    assert [silent.freshness(now) for now in (opening, late - 1, late)] == [
        Freshness.FRESH,
        Freshness.FRESH,
        Freshness.STALE,
    ]
    assert silent.next_update == opening + heartbeat
    assert reading(last, ALWAYS, heartbeat).freshness(opening) is Freshness.STALE


def test_it_is_late_within_the_week_as_any_other() -> None:
    last = at("2026-07-15 12:00")
    assert reading(last, FOREX, HOUR).freshness(last + lateness_limit(HOUR) + 1) is Freshness.STALE


def test_it_knows_the_market_of_every_shipped_feed() -> None:
    names = {row["market_hours"] for row in csv.DictReader(SHIPPED.splitlines())}
    assert {name for name in names if hours_of(name) == ALWAYS} == {"", "Crypto"}
    book = shipped_books(SHIPPED)["ethereum"]
    assert book[Address("0xb49f677943BC038e9857d61E7d053CaA2C1734C1")].hours == FOREX  # EUR/USD
    assert book[Address("0x5147eA642CAEF7BD9c1265AadcA78f997AbB9649")].hours == ALWAYS  # ETH/USD
