"""Once a day by the clock of a place: whatever the days are like, and whenever somebody looks."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.config.conftest import WALLET, Load
from watcher.config.daily import LATEST, Daily

BERLIN, HOUR, HALF_HOUR = "Europe/Berlin", 3600, 1800
YEAR = range(365)


def daily(at: str, zone: str = BERLIN) -> Daily:
    return Daily(time.fromisoformat(at), zone)


def unix(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def said(one: Daily, looks: list[float]) -> list[tuple[date, float]]:
    """The days that are said, and when, by somebody who looks at these moments."""
    found: list[tuple[date, float]] = []
    for now in looks:
        day = one.due(now, found[-1][0] if found else None)
        if day is not None:
            found.append((day, now))
    return found


@pytest.mark.parametrize(
    ("at", "zone"),
    [
        *(("08:00", zone) for zone in (BERLIN, "America/New_York", "Asia/Kathmandu", "UTC")),
        *(("02:30", BERLIN), ("02:00", BERLIN), ("03:00", BERLIN)),  # skipped on 29 March, twice on 25 October 2026
        *(("00:00", "America/Havana"), ("00:30", "Africa/Cairo")),  # midnight itself is skipped or comes twice
        *(("23:59", "Pacific/Auckland"), ("00:00", "Pacific/Kiritimati"), ("02:00", "Australia/Lord_Howe")),
    ],
)
def test_it_is_due_exactly_once_on_every_day_of_a_year_at_the_time_or_just_after_the_gap(at: str, zone: str) -> None:
    one, here = daily(at, zone), ZoneInfo(zone)
    first = datetime(2026, 1, 1, tzinfo=here)
    looks = [first.timestamp() + each * HALF_HOUR for each in range(365 * 48 + 2)]
    found = said(one, looks)

    assert [day for day, _ in found if day.year == 2026] == [date(2026, 1, 1) + timedelta(days) for days in YEAR]
    for day, now in found[1:]:
        moment = datetime.combine(day, one.at, here).astimezone(UTC).astimezone(here)
        assert 0 <= now - moment.timestamp() < HALF_HOUR
        if moment.time() != one.at:
            assert moment.time() > one.at  # the day skips it


@pytest.mark.parametrize(
    ("now", "last", "due"),
    [
        ("2026-01-10T07:59:59+01:00", None, None),
        ("2026-01-10T07:59:59+01:00", "2026-01-09", None),
        ("2026-01-10T08:00:00+01:00", "2026-01-09", "2026-01-10"),
        ("2026-01-10T08:00:00+01:00", "2026-01-10", None),
        ("2026-01-10T19:59:59+01:00", "2026-01-09", "2026-01-10"),  # it was down, and is not 12 h late
        ("2026-01-10T20:00:00+01:00", "2026-01-09", None),
        ("2026-01-10T10:00:00+01:00", "2026-01-01", "2026-01-10"),  # down for days: one, not nine
        ("2026-01-10T08:00:00+01:00", "2026-01-11", None),  # the clock went back
        ("2026-01-10T08:00:00+01:00", "2031-05-05", "2026-01-10"),  # it had been years ahead: not silent for years
        ("2026-03-29T03:29:59+02:00", "2026-03-28", "2026-03-29"),
    ],
)
def test_it_tells_which_day_is_due(now: str, last: str | None, due: str | None) -> None:
    found = daily("08:00" if "03-29" not in now else "02:15").due(unix(now), date.fromisoformat(last) if last else None)
    assert found == (date.fromisoformat(due) if due else None)


def test_a_word_that_was_missed_before_midnight_is_still_said_after_it_and_belongs_to_its_day() -> None:
    late = daily("23:50")
    assert late.due(unix("2026-01-11T00:20:00+01:00"), date(2026, 1, 9)) == date(2026, 1, 10)
    assert late.due(unix("2026-01-11T00:20:00+01:00"), date(2026, 1, 10)) is None
    assert late.due(unix("2026-01-11T23:50:00+01:00"), date(2026, 1, 10)) == date(2026, 1, 11)


@given(
    st.sampled_from([BERLIN, "America/St_Johns", "Pacific/Apia", "Asia/Tehran"]),
    st.times(),
    st.lists(st.integers(0, 20 * 24 * HOUR), min_size=1, max_size=60),
    st.integers(1_300_000_000, 1_900_000_000),
)
def test_it_is_never_due_twice_on_a_day_nor_too_late_whenever_somebody_looks(
    zone: str, at: time, after: list[int], start: int
) -> None:
    one = Daily(at.replace(second=0, microsecond=0), zone)
    found = said(one, sorted(start + each for each in after))

    days = [day for day, _ in found]
    assert len(days) == len(set(days))
    for day, now in found:
        moment = datetime.combine(day, one.at, ZoneInfo(zone)).timestamp()
        assert 0 <= now - moment < LATEST


@given(st.integers(1_300_000_000, 1_900_000_000), st.times())
def test_the_next_one_is_ahead_by_a_day_and_a_changed_clock_at_most(now: int, at: time) -> None:
    one = Daily(at.replace(second=0, microsecond=0), BERLIN)
    following = one.following(now).timestamp()

    assert now < following <= now + 25 * HOUR
    assert one.due(following, None) == one.following(now).date()


def test_it_reads_the_time_of_a_chat(load_text: Load) -> None:
    text = f'[telegram]\ntoken = "${{env:TOKEN}}"\n[chats.me]\nid = 5\n%s[[wallets]]\naddress = "{WALLET}"\n'
    chat = load_text(text % f'digest = "00:00"\nzone = "{BERLIN}"\n').chats["me"]

    assert (chat.digest, chat.quiet) == (daily("00:00"), None)
    assert load_text(text % "").chats["me"].digest is None
