"""The checks of rates: what contracts exchange one thing for."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from watcher.domain.doubt import Suspicion
from watcher.domain.price import Rate
from watcher.risk.doubts.feeds import Complaint
from watcher.risk.doubts.limits import A_DAY, A_YEAR, Limits, over
from watcher.risk.doubts.words import limit, moved, shown
from watcher.risk.tracks import Track, sampled, within

STEPS: Final = 7 * A_DAY
"""Rates of staking move in steps, some once a week: what may grow in a week may come at once."""


def value_track(value: int, decimals: int, old: Track | None, now: int, window: int) -> Track:
    """What is remembered of a plain number from now on."""
    return Track(
        value=value,
        decimals=decimals,
        since=old.since if old is not None and old.value == value else now,
        samples=sampled(old.samples if old else (), value, now, window),
    )


def rate_complaints(rate: Rate, old: Track | None, now: int, limits: Limits) -> Iterator[Complaint]:
    """A rate grows slowly, and hardly ever falls. One that leaps was given something that it counts as earned."""
    if rate.value <= 0:
        yield Suspicion.NOT_POSITIVE, f"it is {shown(rate.value, rate.decimals)}: no rate is 0 or less"
        return
    seen = within(old.samples, now, A_DAY) if old is not None else None
    if seen is None or old is None or old.decimals != rate.decimals:
        return
    low, high = seen
    allowed = limits.growth if rate.growth is None else rate.growth * STEPS / A_YEAR
    if rate.value > low > 0 and over(rate.value - low, low, allowed):
        yield Suspicion.GROWTH, f"{moved(rate.value, low, rate.decimals)}, within a day; {_bound(rate, allowed)}"
    if rate.value < high and over(high - rate.value, high, limits.jump):
        said = f"{moved(rate.value, high, rate.decimals)}, within a day"
        yield Suspicion.JUMP, f"{said}; the limit is {limit(limits.jump)}"


def _bound(rate: Rate, allowed: Decimal) -> str:
    if rate.growth is None:
        return f"the limit is {limit(allowed)}"
    return f"the limit is {limit(allowed)}, a week of its own bound of {limit(rate.growth)} a year"
