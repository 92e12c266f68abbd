"""Quiet hours: a stretch of each day by the clock of one place, daylight saving time and all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from watcher.config.localtime import instant
from watcher.config.refusal import Right

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Hours:
    """From one time of day to another, which is on the next day where it is the earlier one."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Quiet:
    """Quiet hours in an IANA time zone."""

    hours: Hours
    zone: str

    def until(self, now: float) -> float:
        """When the quiet that is now ends, or `now` itself where there is none; in Unix seconds."""
        zone = ZoneInfo(self.zone)
        today = datetime.fromtimestamp(now, zone).date()
        last = self.hours.end > self.hours.start
        for day in (today - _DAY, today):
            start = instant(day, self.hours.start, zone)
            end = instant(day if last else day + _DAY, self.hours.end, zone)
            if start <= now < end:
                return end
        return now


def _hours(value: object) -> Hours | None:
    match = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    start, end = (time(int(match[at]), int(match[at + 1])) for at in (1, 3))
    return Hours(start, end) if start != end else None


QuietHours = Annotated[Hours, Right('two times of day that differ, such as "22:00-07:00"', _hours)]
