"""Times of day by the clock of one place, daylight saving time and all."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from watcher.config.refusal import Right, unknown


def instant(day: date, at: time, zone: ZoneInfo) -> float:
    """A time of a day in Unix seconds.

    As RFC 5545, 3.3.5 has it: the first of two, and for one that is skipped the offset from before the gap.
    """
    return datetime.combine(day, at, zone).astimezone(UTC).timestamp()


def _zone(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    known = available_timezones()
    if value not in known:
        raise ValueError(f"{unknown(value, sorted(known), 'time zone')}" if known else "this machine has no time zones")
    return value


Zone = Annotated[str, Right('a time zone of the IANA database, such as "Europe/Berlin"', _zone)]
