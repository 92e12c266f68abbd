"""How old the prices under a position are, told by the one that most needs telling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from watcher.alerts import figures
from watcher.domain.feed import HeartbeatFrom
from watcher.domain.position import Position
from watcher.domain.price import FeedReading, Freshness, Price
from watcher.domain.source import Address

_WORST_LAST = (Freshness.FRESH, Freshness.UNKNOWN, Freshness.STALE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceAge:
    """The age of one price at block time `now`. `reading` is None where `source` hides the feeds behind it."""

    source: Address
    reading: FeedReading | None
    freshness: Freshness
    now: int

    def __str__(self) -> str:
        """`12 min / 1 h` of its heartbeat, `stale: 3 h / 1 h learned`, `12 min / ?`, or `unknown: 0xabcd…`."""
        if self.reading is None:
            return f"unknown: {self.source[:6]}…"
        promised = heartbeat(self.reading, unknown="?")
        stale = "stale: " if self.freshness is Freshness.STALE else ""
        if self.reading.updated_at <= 0:
            return f"{stale}never updated"
        if self.reading.updated_at > self.now:
            return f"{stale}dated in the future"
        return f"{stale}{figures.duration(self.reading.age(self.now))} / {promised}"

    @property
    def rank(self) -> tuple[int, bool, Fraction]:
        """Stale before unknown before fresh; hidden before seen; then by the share of the heartbeat that is used up."""
        if self.reading is None:
            return _WORST_LAST.index(self.freshness), True, Fraction(0)
        age = self.reading.age(self.now)
        return _WORST_LAST.index(self.freshness), False, Fraction(age, self.reading.heartbeat or 1)


def heartbeat(reading: FeedReading, *, unknown: str = "unknown") -> str:
    """`1 h`, `1 h learned` where it is an estimate of ours, or that it is not known."""
    if reading.heartbeat is None:
        return unknown
    learned = " learned" if reading.heartbeat_from is HeartbeatFrom.LEARNED else ""
    return figures.duration(reading.heartbeat) + learned


def oldest_price(position: Position) -> PriceAge | None:
    """The stalest price under a position; None where no price of it can go stale."""
    now = position.at.timestamp
    return max((age for leg in position.legs for age in ages(leg.price, now)), key=lambda age: age.rank, default=None)


def ages(price: Price, now: int) -> Iterator[PriceAge]:
    """The age of each reading under a price, and of what hides its own."""
    for reading in price.feeds:
        yield PriceAge(source=reading.feed, reading=reading, freshness=reading.freshness(now), now=now)
    for hidden in price.hidden:
        yield PriceAge(source=hidden.source, reading=None, freshness=Freshness.UNKNOWN, now=now)
