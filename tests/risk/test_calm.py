"""Thirty calm days of twenty feeds: not one word; and then one that is late, in one evaluation."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

import pytest

from tests.risk.prices import START, block, feed, named, position, price, says
from watcher.domain.feed import FeedReading, Freshness, lateness_limit
from watcher.domain.hours import ALWAYS, MARKETS, Hours
from watcher.domain.position import Numeraire, Position
from watcher.domain.price import Leaf, Product, Rate
from watcher.risk.doubts import Limits, examine
from watcher.risk.tracks import Track, Tracks

DAYS = 30
LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Kind:
    """One synthetic feed. `walk`: the most that its price moves from one update to the next, as a fraction."""

    pair: str
    heartbeat: int
    price: float
    walk: float
    hours: Hours = ALWAYS
    second: bool = False
    rate: float = 0.0  # growth a year of a share rate on top


KINDS = (
    Kind("BNB / USD", 60, 600, 0.001),
    Kind("AVAX / USD", 240, 25, 0.002, second=True),
    Kind("APT / USD", 255, 6, 0.002),
    Kind("USDT / USD", 900, 1, 0, second=True),
    Kind("ETH / USD", 1200, 2000, 0.004, second=True, rate=0.03),
    Kind("BTC / USD", 1755, 90_000, 0.004),
    Kind("LINK / USD", 3600, 15, 0.02, second=True),
    Kind("DAI / USD", 3600, 1, 0.0002, second=True),
    Kind("SOL / USD", 3600, 140, 0.02),
    Kind("AERO / USD", 3600, 0.8, 0.03),
    Kind("UNI / USD", 7200, 6, 0.03),
    Kind("BAL / USD", 14_400, 2, 0.04),
    Kind("EUR / USD", 21_600, 1.08, 0.002, MARKETS["Forex"]),
    Kind("USDC / USD", 82_800, 1, 0),
    Kind("STETH / ETH", 86_400, 0.9997, 0.0001, second=True),
    Kind("RETH / ETH", 86_400, 1.14, 0.0004, rate=0.03),
    Kind("WBTC / BTC", 86_400, 1, 0.0002),
    Kind("GBP / USD", 86_400, 1.27, 0.002, MARKETS["Forex"]),
    Kind("AAPL / USD", 86_400, 230, 0.01, MARKETS["NYSE"]),
    Kind("XAU / USD", 86_400, 2600, 0.004, MARKETS["Precious_Metals"]),
)
assert len(KINDS) == 20


def updates(kind: Kind, dice: random.Random) -> Iterator[tuple[int, float]]:
    """When it answers and what: at 99 % of its heartbeat, give or take 1 %, counted while its market is open."""
    at, worth = START, kind.price
    while at < START + DAYS * 86_400:
        yield at, worth
        worth = min(max(worth * (1 + kind.walk * dice.uniform(-1, 1)), kind.price * 0.5), kind.price * 2)
        waits = round(kind.heartbeat * (0.99 + dice.uniform(-0.01, 0.01)))
        closed = at + waits
        while kind.hours.open_seconds(at, closed) < waits:  # it rests while its market does
            closed += max(waits - kind.hours.open_seconds(at, closed), 60)
        at = closed


def reading(kind: Kind, updated: int, worth: float, at: int, number: int) -> FeedReading:
    beside = says(f"{kind.pair} elsewhere", worth * 1.001, at, deviation=Decimal("0.5")) if kind.second else ()
    return feed(
        kind.pair,
        worth,
        at,
        age=at - updated,
        heartbeat=kind.heartbeat,
        deviation=Decimal("0.5"),
        hours=kind.hours,
        round=(3 << 64) + number,
        behind=named(f"agg {kind.pair}"),
        lowest=1000,
        highest=10**16,
        beside=beside,
    )


def owing(kind: Kind, one: FeedReading, at: int) -> Position:
    """Who owes against it; with a share rate that grows by the second on top, where the kind has one."""
    unit = Numeraire(symbol=kind.pair.partition(" / ")[2], decimals=8)
    if not kind.rate:
        return position(price(Leaf(one)), at=at, deployment=kind.pair, numeraire=unit)
    value = round(10**18 * (1 + kind.rate * (at - START) / (365 * 86_400)))
    share = Rate(source=named(f"rate {kind.pair}"), what="share", value=value, decimals=18)
    whole = Product(above=(share, Leaf(one)), over=10**18)
    return position(price(whole), at=at, deployment=kind.pair, numeraire=unit)


def told(kind: Kind, one: FeedReading, at: int, tracks: dict[str, Track]) -> list[str]:
    there = owing(kind, one, at)
    kept, doubts = examine((there,), tracks, block(at), LIMITS)
    tracks.clear()
    tracks.update(kept)
    late = [f"{kind.pair} stale at {at}"] if there.freshness is not Freshness.FRESH else []
    return late + [f"{doubt.name}: {doubt.suspicion}: {doubt.said}" for doubt in doubts]


def test_it_says_nothing_in_thirty_calm_days_of_twenty_feeds_and_then_who_is_late(
    record_property: Callable[[str, object], None],
) -> None:
    """Looked at at every update, just before the next, and somewhere between for the slower ones."""
    looked = 0
    for place, kind in enumerate(KINDS):
        dice = random.Random(place)
        tracks: dict[str, Track] = {}
        rounds = list(updates(kind, dice))
        for number, (at, worth) in enumerate(rounds, 1):
            next_at = rounds[number][0] if number < len(rounds) else at + 1
            times = {at, next_at - 1} | ({at + dice.randrange(12, 61)} if kind.heartbeat > 255 else set())
            for now in sorted(one for one in times if at <= one < next_at):
                assert told(kind, reading(kind, at, worth, now, number), now, tracks) == []
                looked += 1
        _late(kind, *rounds[-1], len(rounds), tracks)
    assert looked > 125_000
    record_property(
        "D2", f"{looked:,} looks: 0 stale, 0 doubted; {len(KINDS)} late feeds told a second past their limit"
    )


def _late(kind: Kind, at: int, worth: float, number: int, tracks: dict[str, Track]) -> None:
    """From the last update on: silent until its heartbeat and a tenth (a minute at least) of open market are over."""
    now = at
    allowed = kind.heartbeat + max(60, kind.heartbeat // 10)
    assert lateness_limit(kind.heartbeat) == allowed
    while kind.hours.open_seconds(at, now) < allowed:
        now += max(allowed - kind.hours.open_seconds(at, now), 1)
    assert told(kind, reading(kind, at, worth, now, number), now, tracks) == []
    while kind.hours.open_seconds(at, now) <= allowed:
        now += 1
    found = told(kind, reading(kind, at, worth, now, number), now, tracks)
    assert found == [f"{kind.pair} stale at {now}"]


@pytest.mark.parametrize("every", [12, 60])
def test_it_says_nothing_of_all_twenty_at_once_either(every: int) -> None:
    """Two hundred blocks, everything read at each."""
    dice = random.Random(every)
    paths = {kind.pair: list(updates(kind, dice)) for kind in KINDS}
    tracks: Tracks = {}
    begin = START + 3 * 86_400
    for now in range(begin, begin + 200 * every, every):
        positions = []
        for kind in KINDS:
            number = sum(at <= now for at, _ in paths[kind.pair][: 30 * 86_400 // kind.heartbeat + 2])
            updated, worth = paths[kind.pair][number - 1]
            positions.append(owing(kind, reading(kind, updated, worth, now, number), now))
        tracks, doubts = examine(positions, tracks, block(now), LIMITS)
        assert [doubt.said for doubt in doubts] == []
