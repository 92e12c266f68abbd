"""A time of each day by the clock of one place, for what is to be said once a day."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from watcher.config.localtime import instant
from watcher.config.refusal import Right

LATEST: Final = 12 * 3600
"""Seconds after its moment within which a day's word is still worth saying."""

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Daily:
    """Once per calendar day of an IANA time zone, at a time of day."""

    at: time
    zone: str

    def due(self, now: float, last: date | None) -> date | None:
        """The day whose word is to be said now, `last` being the day whose word was said last; None for none.

        A day's moment may be missed: its word is due for `LATEST` seconds from then, past midnight if need be. A time
        that is skipped comes an hour later, of one that comes twice the first counts. A `last` that is further ahead
        than any zone or clock change leads was written by a clock that was wrong, and stands for nothing.
        """
        here = ZoneInfo(self.zone)
        today = datetime.fromtimestamp(now, here).date()
        said = last if last is not None and last <= today + _DAY else date.min
        for day in (today, today - _DAY):
            if 0 <= now - instant(day, self.at, here) < LATEST:
                return day if day > said else None
        return None

    def following(self, now: float) -> datetime:
        """The next moment after `now`, by the clock of the place."""
        here = ZoneInfo(self.zone)
        today = datetime.fromtimestamp(now, here).date()
        moments = (instant(today + days * _DAY, self.at, here) for days in range(3))
        return datetime.fromtimestamp(next(moment for moment in moments if moment > now), here)

    def local(self, now: float) -> datetime:
        """A moment by the clock of the place."""
        return datetime.fromtimestamp(now, ZoneInfo(self.zone))


def _time(value: object) -> time | None:
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    return None if match is None else time(int(match[1]), int(match[2]))


TimeOfDay = Annotated[time, Right('a time of day from "00:00" to "23:59", such as "08:00"', _time)]
