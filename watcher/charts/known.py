"""What is known when: the stretches of a history that may be drawn as lines, and the gaps between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import Final

from watcher.store.history import DAY, HOUR, MINUTE, THINNING

EVERY: Final = MINUTE
"""Seconds between two points of a position that is looked at often enough."""
MISSED: Final = 3
"""After as many times that the next point is overdue."""

STEPS: Final = (10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 12 * HOUR, DAY, 7 * DAY, 30 * DAY, 90 * DAY)
MOST_TICKS: Final = 8

Stretch = tuple[int, int]
"""From and until, in Unix seconds."""


def stretches(times: Sequence[int], now: int, every: int) -> list[range]:
    """The indices of `times` (ascending) that belong together: in each, no two neighbours are too far apart."""
    ends = [index for index, (one, other) in enumerate(pairwise(times), 1) if other - one > reach(one, now, every)]
    return [range(start, end) for start, end in pairwise([0, *ends, len(times)]) if start < end]


def gaps(times: Sequence[int], since: int, now: int, every: int) -> list[Stretch]:
    """When nothing is known between `since` and `now`."""
    return [(one, other) for one, other in pairwise([since, *times, now]) if other - one > reach(one, now, every)]


def reach(at: int, now: int, every: int) -> int:
    """Seconds for which a point speaks: within them the next one follows, if nothing was missed."""
    # Of each stretch one point stays, anywhere in it: those of two neighbours are less than two stretches apart.
    thinned = next((2 * stretch for age, stretch in THINNING if at < now - age), 0)
    return max(MISSED * max(every, EVERY), thinned)


def ticks(since: int, until: int, zone: tzinfo) -> list[tuple[int, str]]:
    """Round times on the clock of a zone, and what to write at each: the hour, or the day where one begins."""
    step = next((step for step in STEPS if (until - since) / step <= MOST_TICKS), STEPS[-1])
    return [(at, _label(datetime.fromtimestamp(at, zone), step)) for at in _round_times(since, until, step, zone)]


def _round_times(since: int, until: int, step: int, zone: tzinfo) -> Iterator[int]:
    """Every `step` from each local midnight on, so that a day of 23 or 25 hours shifts nothing but itself."""
    first = datetime.fromtimestamp(since, zone).date()
    days = max(step // DAY, 1)
    midnight = first - timedelta(days=first.toordinal() % days)
    while True:
        start = datetime.combine(midnight, time(), zone)
        if start.timestamp() > until:
            return
        for seconds in range(0, DAY, min(step, DAY)):
            at = int((start + timedelta(seconds=seconds)).timestamp())  # wall-clock arithmetic within a zone
            if since <= at <= until:
                yield at
        midnight += timedelta(days=days)


def _label(at: datetime, step: int) -> str:
    if step > 7 * DAY:
        return at.strftime("%b %Y") if at.day == 1 else f"{at.day} {at:%b}"
    if (at.hour, at.minute) == (0, 0):
        return f"{at:%a} {at.day}" if step <= DAY else f"{at.day} {at:%b}"
    return f"{at:%H:%M}"
