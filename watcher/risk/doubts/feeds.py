"""The checks of one feed: what it answers, and how that goes with what it answered before."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, TypeAlias

from watcher.domain.doubt import Suspicion
from watcher.domain.feed import FeedReading, Freshness
from watcher.domain.source import ZERO_ADDRESS
from watcher.risk.doubts.limits import A_DAY, Limits, near_one, over
from watcher.risk.doubts.words import limit, moved, percent, shown
from watcher.risk.tracks import Mark, Track, sampled, within

Complaint: TypeAlias = tuple[Suspicion, str]
"""Which check failed, and the sentence with value and limit."""

SETTLED: Final = 60
"""Seconds after which a round that was seen is of the chain for good. Before, its block may have been replaced."""

LEAST_STILL: Final = 3600
"""Seconds that any answer may stand still: feeds with heartbeats of a minute skip beats."""

_PHASE: Final = 64  # Chainlink's proxies put the phase above this bit (AggregatorProxy, PHASE_OFFSET)


def feed_track(reading: FeedReading, old: Track | None, now: int, limits: Limits) -> Track:
    """What is remembered of the feed from now on."""
    top, top_at = _rounds(reading, old, now)
    updated = reading.updated_at if 0 < reading.updated_at <= now else now
    return Track(
        value=reading.answer,
        decimals=reading.decimals,
        since=old.since if old is not None and old.value == reading.answer else updated,
        samples=sampled(old.samples if old else (), reading.answer, now, limits.jump_within),
        round=top,
        round_at=top_at,
        behind=reading.behind,
        changed=_exchanged(reading, old, now),
    )


def _rounds(reading: FeedReading, old: Track | None, now: int) -> tuple[int, int]:
    """The highest round and when it was first seen. One that nobody came back to for a day is forgotten."""
    if old is None or reading.round > old.round:
        return reading.round, now
    behind = 0 < reading.round < old.round
    return (reading.round, now) if behind and now - old.round_at > A_DAY else (old.round, old.round_at)


def _exchanged(reading: FeedReading, old: Track | None, now: int) -> Mark | None:
    if old is None or ZERO_ADDRESS in (old.behind, reading.behind) or old.behind == reading.behind:
        return old.changed if old else None
    was, is_ = old.round >> _PHASE, reading.round >> _PHASE
    said = f"{reading.behind} answers behind it, where {old.behind} did before"
    if is_ > was:
        said += f": phase {is_} after {was}, as Chainlink upgrades a feed"
    elif was:
        said += f": still phase {is_}, which is not how Chainlink upgrades a feed"
    return Mark(at=now, said=said)


def feed_complaints(
    reading: FeedReading, old: Track | None, new: Track, now: int, limits: Limits
) -> Iterator[Complaint]:
    """Every check of the feed itself that fails at block time `now`."""
    yield from _round_back(reading, new, now)
    if new.changed is not None and now - new.changed.at <= limits.jump_within:
        yield Suspicion.CHANGED, new.changed.said
    if reading.answer <= 0:
        yield Suspicion.NOT_POSITIVE, f"it answers {shown(reading.answer, reading.decimals)}: no price is 0 or less"
        return
    yield from _at_bound(reading, limits)
    yield from _unsure(reading, limits)
    yield from _unchanged(reading, new.since, now, limits)
    yield from jump(reading.answer, reading.decimals, old, now, limits)


def _round_back(reading: FeedReading, new: Track, now: int) -> Iterator[Complaint]:
    if 0 < reading.round < new.round and now - new.round_at > SETTLED:
        yield Suspicion.ROUND_BACK, f"its last round is {_round(reading.round)}, after {_round(new.round)} was seen"


def _round(number: int) -> str:
    phase, own = divmod(number, 2**_PHASE)
    return f"{own:,} of phase {phase}" if phase else f"{own:,}"


def _at_bound(reading: FeedReading, limits: Limits) -> Iterator[Complaint]:
    """As LUNA's feed would have said 0.10 for ever: an aggregator cannot answer beyond its bounds."""
    for edge, word in ((reading.lowest, "least"), (reading.highest, "most")):
        if edge is None:
            continue
        beyond = reading.answer <= edge if word == "least" else reading.answer >= edge
        if beyond or not over(reading.answer - edge, edge, limits.bound):
            said = f"it answers {shown(reading.answer, reading.decimals)}, within {limit(limits.bound)} of"
            yield Suspicion.AT_BOUND, f"{said} {shown(edge, reading.decimals)}, the {word} that it can answer"


def _unsure(reading: FeedReading, limits: Limits) -> Iterator[Complaint]:
    if over(reading.confidence, reading.answer, limits.confidence):
        give = shown(reading.confidence, reading.decimals)
        share = percent(reading.confidence, reading.answer)
        said = f"{shown(reading.answer, reading.decimals)} give or take {give}, {share} of it"
        yield Suspicion.UNSURE, f"{said}; the limit is {limit(limits.confidence)}"


def _unchanged(reading: FeedReading, since: int, now: int, limits: Limits) -> Iterator[Complaint]:
    """A market's price is never the same to the last digit for heartbeats on end, whether rounds go on or not.

    What is pegged may well answer 1.00000000 for weeks, and then says nothing wrong: only a second source that has
    moved away by more than either feed may wait tells a frozen answer from a calm one.
    """
    if reading.heartbeat is None:
        return
    allowed = max(limits.unchanged * reading.heartbeat, LEAST_STILL)
    still = reading.hours.open_seconds(since, now)
    if still <= allowed:
        return
    if near_one(reading.answer, reading.decimals, max(limits.pegged, _share(reading))) and not _left(reading, now):
        return
    said = f"it answers {shown(reading.answer, reading.decimals)} for {still:,} s of open market"
    yield Suspicion.UNCHANGED, f"{said}; {limits.unchanged} heartbeats, {allowed:,} s, are the limit"


def _left(reading: FeedReading, now: int) -> bool:
    """Whether a second source has moved away from the answer, by more than both feeds may wait with an update."""
    return any(
        one.by.freshness(now) is not Freshness.STALE
        and over(one.value - reading.answer, reading.answer, _share(reading) + _share(one.by))
        for one in reading.beside
        if one.value > 0
    )


def _share(reading: FeedReading) -> Decimal:
    """By what fraction the price may move before an update is due: half a percent where that is not published."""
    return (Decimal("0.5") if reading.deviation is None else reading.deviation) / 100


def jump(value: int, decimals: int, old: Track | None, now: int, limits: Limits) -> Iterator[Complaint]:
    """Whether a value is too far from any that was seen within the window."""
    seen = within(old.samples, now, limits.jump_within) if old is not None else None
    if seen is None or old is None or old.decimals != decimals:
        return
    for before in seen:
        if before > 0 and over(value - before, before, limits.jump):
            said = f"{moved(value, before, decimals)}, within {limits.jump_within:,} s"
            yield Suspicion.JUMP, f"{said}; the limit is {limit(limits.jump)}"
            return
