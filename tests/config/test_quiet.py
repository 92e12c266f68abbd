"""Quiet hours by the clock of a place: over midnight, over both changes to and from summer time."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.config.conftest import WALLET, Load
from watcher.config.quiet import Hours, Quiet
from watcher.domain.errors import ConfigError

BERLIN = "Europe/Berlin"
CHAT = '[telegram]\ntoken = "${env:TOKEN}"\n[chats.me]\nid = 5\n'
ONE = f'[[wallets]]\naddress = "{WALLET}"\n'


def quiet(hours: str, zone: str = BERLIN) -> Quiet:
    start, end = (time.fromisoformat(part) for part in hours.split("-"))
    return Quiet(Hours(start, end), zone)


def at(text: str, zone: str = BERLIN) -> float:
    """A local time, or an instant where an offset is written."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).timestamp()


@pytest.mark.parametrize(
    ("hours", "now", "until"),
    [
        ("22:00-07:00", "2026-01-10T21:59:59", None),
        ("22:00-07:00", "2026-01-10T22:00:00", "2026-01-11T07:00:00"),
        ("22:00-07:00", "2026-01-11T00:00:00", "2026-01-11T07:00:00"),
        ("22:00-07:00", "2026-01-11T06:59:59", "2026-01-11T07:00:00"),
        ("22:00-07:00", "2026-01-11T07:00:00", None),
        ("12:00-14:00", "2026-01-11T13:00:00", "2026-01-11T14:00:00"),
        ("12:00-14:00", "2026-01-11T14:00:00", None),
        # 29 March 2026: 02:00 becomes 03:00, so this night has eight hours between 22:00 and 07:00
        ("22:00-07:00", "2026-03-28T22:00:00+01:00", "2026-03-29T07:00:00+02:00"),
        ("22:00-07:00", "2026-03-29T07:00:00+02:00", None),
        # 25 October 2026: 03:00 becomes 02:00, and this one has ten
        ("22:00-07:00", "2026-10-24T22:00:00+02:00", "2026-10-25T07:00:00+01:00"),
        ("22:00-07:00", "2026-10-25T06:59:59+01:00", "2026-10-25T07:00:00+01:00"),
        # an end that is skipped, and one that comes twice
        ("22:00-02:30", "2026-03-29T01:59:59+01:00", "2026-03-29T03:30:00+02:00"),
        ("22:00-02:30", "2026-10-25T02:29:00+02:00", "2026-10-25T02:30:00+02:00"),
        ("22:00-02:30", "2026-10-25T02:15:00+01:00", None),
    ],
)
def test_it_is_quiet_from_the_start_until_just_before_the_end(hours: str, now: str, until: str | None) -> None:
    assert quiet(hours).until(at(now)) == at(until or now)


def test_it_goes_by_the_clock_of_the_place() -> None:
    noon = at("2026-01-10T12:00:00+00:00")
    assert quiet("22:00-07:00", "Asia/Tokyo").until(noon) == noon
    assert quiet("22:00-07:00", "Asia/Tokyo").until(noon + 3600) == at("2026-01-11T07:00:00+09:00")


@given(st.integers(1_600_000_000, 1_900_000_000), st.times(), st.times())
def test_it_is_never_quiet_for_longer_than_a_day(now: int, start: time, end: time) -> None:
    one = Quiet(Hours(start, end.replace(microsecond=start.microsecond)), BERLIN)
    until = one.until(now)
    assert now <= until <= now + 25 * 3600


def test_it_reads_quiet_hours_of_a_chat(load_text: Load) -> None:
    chat = load_text(f'{CHAT}quiet = "22:00-07:00"\nzone = "{BERLIN}"\n{ONE}').chats["me"]
    assert chat.quiet == quiet("22:00-07:00")
    assert load_text(f"{CHAT}{ONE}").chats["me"].quiet is None


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ('quiet = "22:00-07:00"', "chats.me.zone: missing; write whose clock it is"),
        ('zone = "Europe/Berlin"', 'chats.me.zone: is for times; write quiet = "22:00-07:00" or digest = "08:00" too'),
        ('quiet = "22-7"\nzone = "Europe/Berlin"', 'chats.me.quiet: "22-7" is not two times of day that differ'),
        ('quiet = "24:00-07:00"\nzone = "Europe/Berlin"', "is not two times of day that differ"),
        ('quiet = "07:00-07:00"\nzone = "Europe/Berlin"', "is not two times of day that differ"),
        ('quiet = "22:00-07:00"\nzone = "Europe/Berln"', 'is not a known time zone; did you mean "Europe/Berlin"?'),
    ],
)
def test_it_refuses_hours_that_say_not_when(load_text: Load, keys: str, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_text(f"{CHAT}{keys}\n{ONE}")
    assert words in str(refused.value)
