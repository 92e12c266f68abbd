"""Prices as expressions over feed readings, and how fresh they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from watcher.domain.source import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFacts:
    """What its operator publishes about a feed; nothing of this is on chain."""

    pair: str
    heartbeat: int | None
    """Seconds within which an update is promised even if the price stands still. None: not published."""
    deviation: Decimal | None = None
    """Percent by which the price may move before an update is due."""


class Freshness(StrEnum):
    """Whether a reading is as recent as its feed promises. Unknown is not fresh."""

    FRESH = "fresh"
    STALE = "stale"
    UNKNOWN = "unknown"


def stalest(found: Collection[Freshness]) -> Freshness:
    """The worst of several: stale before unknown before fresh; fresh where there is nothing to go stale."""
    return next((worst for worst in (Freshness.STALE, Freshness.UNKNOWN) if worst in found), Freshness.FRESH)


def lateness_limit(heartbeat: int) -> int:
    """Seconds of age after which a feed with this heartbeat counts as stale.

    Updates land a little after they are due: we allow 10 % of the heartbeat and at least a minute. Feeds that promise
    updates faster than a minute (Polygon and BNB publish 27 s) skip beats without meaning anything by it.
    """
    if heartbeat < 60:
        return max(5 * heartbeat, 180)
    return heartbeat + max(60, heartbeat // 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedReading:
    """One answer of one feed. `answer` has `decimals` places; `updated_at` is in Unix seconds."""

    feed: Address
    pair: str
    answer: int
    decimals: int
    updated_at: int
    heartbeat: int | None = None
    deviation: Decimal | None = None

    def age(self, now: int) -> int:
        """Seconds since the last update, at block time `now`."""
        return now - self.updated_at

    def freshness(self, now: int) -> Freshness:
        """Compare the age with the heartbeat at block time `now`.

        An update time of zero or in the future is no update at all, so it is stale whatever the heartbeat.
        """
        if self.updated_at <= 0 or self.updated_at > now:
            return Freshness.STALE
        if self.heartbeat is None:
            return Freshness.UNKNOWN
        return Freshness.STALE if self.age(now) > lateness_limit(self.heartbeat) else Freshness.FRESH


@dataclass(frozen=True, slots=True)
class Leaf:
    """The feed's own answer, as it stands."""

    reading: FeedReading


@dataclass(frozen=True, slots=True)
class Fixed:
    """A price that the protocol itself pins, with no feed behind it."""

    value: int
    why: str


@dataclass(frozen=True, slots=True)
class Opaque:
    """The answer of a contract that we cannot see through: its age is unknown, and is said to be."""

    source: Address
    value: int


Expression = Leaf | Fixed | Opaque


def _evaluate(expression: Expression) -> int:
    match expression:
        case Leaf(reading):
            return reading.answer
        case Fixed(value, _) | Opaque(_, value):
            return value


@dataclass(frozen=True, slots=True)
class Price:
    """What one whole token is worth, in units of the market's numeraire.

    `low` and `high` differ only for venues that quote both; `expression` gives the same number from the feeds below.
    """

    low: int
    high: int
    expression: Expression

    @classmethod
    def of(cls, expression: Expression) -> Price:
        """The price that an expression evaluates to."""
        value = _evaluate(expression)
        return cls(low=value, high=value, expression=expression)

    @property
    def feeds(self) -> tuple[FeedReading, ...]:
        """Every feed reading under this price."""
        return (self.expression.reading,) if isinstance(self.expression, Leaf) else ()

    def freshness(self, now: int) -> Freshness:
        """As fresh as the stalest leaf; unknown where a contract hides its feeds; a pinned price cannot go stale."""
        if isinstance(self.expression, Opaque):
            return Freshness.UNKNOWN
        return stalest({reading.freshness(now) for reading in self.feeds})

    def with_feeds(self, answers: Mapping[Address, int]) -> Price:
        """The same price if these feeds answered otherwise; feeds not named keep their answer."""
        if not isinstance(self.expression, Leaf) or self.expression.reading.feed not in answers:
            return self
        reading = self.expression.reading
        return Price.of(Leaf(replace(reading, answer=answers[reading.feed])))

    def at(self, value: int) -> Price:
        """The same price if it were `value`, whatever its feeds say."""
        return replace(self, low=value, high=value)
