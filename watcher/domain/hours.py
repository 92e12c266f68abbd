"""When a market trades: outside these hours a feed of its prices has nothing to say, and is not late.

The times are those of the exchanges, in their own zones, as Chainlink's documentation names them
(smartcontractkit/documentation @ 59e5cde7, src/content/data-feeds/selecting-data-feeds.mdx, "Market hours"). It calls
some of them otherwise than the reference data directory does, whose names are used here: US_Equities is NYSE there,
UK_ETF is LSE, MI_ETF is Euronext_Milan, NYMEX is WTI.
Holidays are not known here: on one, a feed of that market may be called late that is merely resting.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

_DAY: Final = 86_400
_WEEK: Final = 7 * _DAY
_MONDAY: Final = 4 * _DAY
"""The first Monday of Unix time began so many seconds after its start, a Thursday."""


@dataclass(frozen=True, slots=True)
class Hours:
    """`spans` are (opens, closes) in seconds since Monday 0:00 of `zone`, apart and in order; none: always open."""

    name: str = ""
    zone: str = "UTC"
    spans: tuple[tuple[int, int], ...] = ()

    def open_seconds(self, start: int, end: int) -> int:
        """How much of the time from `start` to `end` (Unix seconds) the market was open."""
        if not self.spans or end <= start:
            return max(end - start, 0)
        first, last = _local(start, self.zone), _local(end, self.zone)
        return max(self._until(last) - self._until(first), 0)

    def is_open(self, now: int) -> bool:
        """Whether it is open at `now`, in Unix seconds."""
        place = (_local(now, self.zone) - _MONDAY) % _WEEK
        return not self.spans or any(opens <= place < closes for opens, closes in self.spans)

    def after(self, start: int, seconds: int) -> int:
        """When the market will have been open for so many seconds since `start`: the first such moment, in Unix
        seconds."""
        if not self.spans or seconds <= 0:
            return start + max(seconds, 0)
        local = self._reached(self._until(_local(start, self.zone)) + seconds)
        at = start + local - _local(start, self.zone)
        return at - (_local(at, self.zone) - local)  # clocks may have changed in between

    def _reached(self, traded: int) -> int:
        """The first local time by which it has traded for so long since the first Monday: the reverse of `_until`."""
        weeks, rest = divmod(traded - 1, sum(closes - opens for opens, closes in self.spans))
        place = 0
        for opens, closes in self.spans:
            place = opens + rest + 1
            if place <= closes:
                break
            rest -= closes - opens
        return _MONDAY + weeks * _WEEK + place

    def _until(self, local: int) -> int:
        """Seconds of trading from the first Monday of Unix time to a local time; the hour that a change of clocks
        adds or takes lies in the night of a Sunday, and no market that we know of is open then."""
        weeks, place = divmod(local - _MONDAY, _WEEK)
        whole = sum(closes - opens for opens, closes in self.spans)
        return weeks * whole + sum(max(min(place, closes) - opens, 0) for opens, closes in self.spans)


def _local(at: int, zone: str) -> int:
    """Unix seconds as a clock in that zone shows them, counted as if it were UTC."""
    moment = datetime.fromtimestamp(at, UTC)
    return at + int((_zone(zone).utcoffset(moment.astimezone(_zone(zone))) or timedelta()).total_seconds())


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _at(day: int, hour: int, minute: int = 0) -> int:
    return day * _DAY + hour * 3600 + minute * 60


def _workdays(opens: tuple[int, int], closes: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    return tuple((_at(day, *opens), _at(day, *closes)) for day in range(5))


_NEW_YORK: Final = "America/New_York"
_SUNDAY_TO_FRIDAY: Final = ((0, _at(4, 17)), (_at(6, 18), _WEEK))
_WITH_A_BREAK_A_DAY: Final = (
    (0, _at(0, 17)),
    *((_at(day - 1, 18), _at(day, 17)) for day in range(1, 5)),
    (_at(6, 18), _WEEK),
)
ALWAYS: Final = Hours()
MARKETS: Final = {
    "Forex": Hours("Forex", _NEW_YORK, _SUNDAY_TO_FRIDAY),
    "Precious_Metals": Hours("Precious_Metals", _NEW_YORK, _WITH_A_BREAK_A_DAY),
    "WTI": Hours("WTI", _NEW_YORK, _WITH_A_BREAK_A_DAY),
    "NYSE": Hours("NYSE", _NEW_YORK, _workdays((9, 30), (16, 0))),
    "LSE": Hours("LSE", "Europe/London", _workdays((8, 0), (16, 30))),
    "Euronext_Milan": Hours("Euronext_Milan", "Europe/Rome", _workdays((9, 0), (17, 30))),
    "us_equities_24/5": Hours("us_equities_24/5", _NEW_YORK, _SUNDAY_TO_FRIDAY),
}
"""By the name that the reference data directory gives; `Crypto`, and any other, trades always.

For 24/5 equities the page names 18:00 on Sunday to 17:00 on Friday, though the streams that they are made of trade from
20:00 to 20:00 (src/content/data-streams/market-hours.mdx): what is published for feeds counts.
"""
_LOCAL_CURRENCY: Final = "Forex_"


def hours_of(market: str) -> Hours:
    """The hours of a market by its name in the reference data directory.

    Of currencies that trade in their own country's hours (`Forex_BRL`, `Forex_KRW`, …) none are published, but that
    they lie within those of all: outside of these, at least, such a feed is not late.
    """
    if market.startswith(_LOCAL_CURRENCY):
        return replace(MARKETS["Forex"], name=market)
    return MARKETS.get(market, ALWAYS)
