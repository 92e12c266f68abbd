"""Why a price that was read may be wrong: the checks over everything under the positions of one snapshot.

Each check names itself (`Suspicion`) with a sentence that has the value and its limit. What they compare with is the
memory of earlier snapshots (`tracks`), bounds that contracts state, and second sources. Age is no matter of these: it
has a rule of its own, and so have chains that stand still and sequencers that are down.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

from watcher.domain.doubt import Doubt, Suspicion
from watcher.domain.position import Position
from watcher.domain.source import Address, Block
from watcher.risk.doubts.feeds import Complaint, feed_complaints, feed_track
from watcher.risk.doubts.limits import A_DAY, Limits
from watcher.risk.doubts.looks import Look, Looks, gathered, track_of
from watcher.risk.doubts.prices import capped_source, price_complaints, price_track
from watcher.risk.doubts.rates import rate_complaints, value_track
from watcher.risk.doubts.seconds import Apart, Move, apart, by_feed, by_price, chosen_apart, concerned, price_apart
from watcher.risk.tracks import Track, Tracks

__all__ = ["Limits", "examine"]


def examine(
    positions: Sequence[Position], tracks: Tracks, at: Block, limits: Limits
) -> tuple[Tracks, tuple[Doubt, ...]]:
    """What is remembered from now on, and every doubt about the prices under these positions at block `at`.

    A doubt that concerns no position which owes something is none. What is not under these positions stays remembered
    as it was: a market that could not be read now is compared with its last reading when it can.
    """
    looks = gathered(positions)
    new = {**tracks, **_tracks(looks, tracks, at.timestamp, limits)}
    return new, tuple(_doubts(looks, tracks, new, at.timestamp, limits))


def _tracks(looks: Looks, tracks: Tracks, now: int, limits: Limits) -> dict[str, Track]:
    found = {name: feed_track(look.what, tracks.get(name), now, limits) for name, look in looks.feeds.items()}
    for name, rate in looks.rates.items():
        found[name] = value_track(rate.what.value, rate.what.decimals, tracks.get(name), now, A_DAY)
    for name, price in looks.prices.items():
        found[name] = price_track(price, tracks, now, limits)
    return found


def _doubts(looks: Looks, old: Tracks, new: Tracks, now: int, limits: Limits) -> Iterator[Doubt]:
    jumped: set[str] = set()
    for track, found in _of_parts(looks, old, new, now, limits):
        if found.suspicion in (Suspicion.JUMP, Suspicion.GROWTH):
            jumped.add(track)
        yield found
    said: dict[tuple[Suspicion, Address, str], Doubt] = {}
    for found in _of_prices(looks, old, new, now, limits, jumped):
        key = (found.suspicion, found.source, found.name)  # one source may be asked by several deployments
        said[key] = _joined(said[key], found) if key in said else found
    yield from said.values()


def _joined(one: Doubt, other: Doubt) -> Doubt:
    everyone = {str(position.id): position for position in (*one.about, *other.about)}
    return replace(one, about=tuple(everyone.values()))


def _of_parts(looks: Looks, old: Tracks, new: Tracks, now: int, limits: Limits) -> Iterator[tuple[str, Doubt]]:
    """Of feeds and rates, each with its track."""
    for name, feed in looks.feeds.items():
        if feed.about:
            complaints = feed_complaints(feed.what, old.get(name), new[name], now, limits)
            yield from ((name, _doubt(one, feed.what.feed, feed.what.pair, feed)) for one in complaints)
            other = apart(feed.what, now, limits)
            if other is not None:
                move = by_feed(feed.what, other)
                yield from ((name, one) for one in _second(other, move, feed.what.feed, feed.what.pair, feed))
    for name, rate in looks.rates.items():
        if rate.about:
            complaints = rate_complaints(rate.what, old.get(name), now, limits)
            yield from ((name, _doubt(one, rate.what.source, rate.what.what, rate)) for one in complaints)


def _of_prices(
    looks: Looks, old: Tracks, new: Tracks, now: int, limits: Limits, jumped: Collection[str]
) -> Iterator[Doubt]:
    for name, look in looks.prices.items():
        if not look.about:
            continue
        priced, said_of = look.what, [part for part in map(track_of, look.what.parts) if part in jumped]
        for one in price_complaints(look, old.get(name), new[name], now, limits, said_of):
            source = capped_source(priced) if one[0] is Suspicion.CAPPED else priced.source
            yield _doubt(one, source, priced.symbol, look)
        other = price_apart(priced, new[name], now, limits) or chosen_apart(priced, now, limits)
        if other is not None:
            yield from _second(other, by_price(look, other), priced.source, priced.symbol, look)


def _doubt(complaint: Complaint, source: Address, name: str, look: Look[Any]) -> Doubt:
    suspicion, said = complaint
    return Doubt(suspicion=suspicion, source=source, name=name, said=said, about=tuple(look.about.values()))


def _second(found: Apart, move: Move, source: Address, name: str, look: Look[Any]) -> Iterator[Doubt]:
    """The doubt by a second source, if it makes a difference to anybody."""
    about, whom = concerned(look.about.values(), move)
    if about:
        said = f"{found.said}: {whom}"
        yield Doubt(suspicion=Suspicion.DEVIATES, source=source, name=name, said=said, about=about)
