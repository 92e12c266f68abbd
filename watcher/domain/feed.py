"""Feeds: what their operators promise, what they answered last, and whether that is as recent as promised."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from watcher.domain.hours import ALWAYS, Hours
from watcher.domain.source import ZERO_ADDRESS, Address


class FeedKind(StrEnum):
    """Who writes a feed's answers, and so what its fields mean."""

    CHAINLINK = "chainlink"
    REDSTONE = "redstone"
    PYTH = "pyth"
    CHRONICLE = "chronicle"
    API3 = "api3"
    MAKER = "maker"
    TWAP = "twap"


class HeartbeatFrom(StrEnum):
    """Where a heartbeat is known from. A learned one is an estimate from the feed's own rounds."""

    PUBLISHED = "published"
    LEARNED = "learned"
    CONTRACT = "contract"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Where a second, independent word on a feed or source is to be had: another feed of the same pair, or the mean
    price of `base` in a Uniswap v3 pool over `window` seconds."""

    source: Address
    base: Address | None = None
    window: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFacts:
    """What is published about a feed, or given by the user; nothing of this is on chain.

    `listed` is false for a source that is no feed itself, of which only second opinions are known.
    """

    pair: str
    heartbeat: int | None
    """Seconds within which an update is promised even if the price stands still. None: not published."""
    deviation: Decimal | None = None
    """Percent by which the price may move before an update is due."""
    hours: Hours = ALWAYS
    beside: tuple[Beside, ...] = ()
    listed: bool = True


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


def learned_limit(longest: int) -> int:
    """Seconds of age after which a feed counts as stale whose rounds were never further apart than `longest`.

    Half as long again; and not below what is allowed to feeds that publish the shortest promise.
    """
    return max(longest * 3 // 2, lateness_limit(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedReading:
    """One answer of one feed. `answer` has `decimals` places; `updated_at` is in Unix seconds.

    `round` counts the answers, where the kind has such a number (0: none; Chainlink's proxies put the phase above bit
    64). `behind` is the contract that answers behind the feed's address now. `lowest` and `highest` bound what it can
    answer, where it says so. `confidence` is Pyth's, in units of the answer. `beside` is what others say of the same,
    `unheard` which others were asked and said nothing that counts.
    """

    feed: Address
    pair: str
    answer: int
    decimals: int
    updated_at: int
    heartbeat: int | None = None
    deviation: Decimal | None = None
    kind: FeedKind = FeedKind.CHAINLINK
    heartbeat_from: HeartbeatFrom = HeartbeatFrom.PUBLISHED
    hours: Hours = ALWAYS
    round: int = 0
    behind: Address = ZERO_ADDRESS
    lowest: int | None = None
    highest: int | None = None
    confidence: int = 0
    beside: tuple[Opinion, ...] = ()
    unheard: tuple[Unheard, ...] = ()

    def age(self, now: int) -> int:
        """Seconds since the last update, at block time `now`."""
        return now - self.updated_at

    def freshness(self, now: int) -> Freshness:
        """Compare the age with the heartbeat at block time `now`, counting only the hours in which its market is open.

        An update time of zero or in the future is no update at all, so it is stale whatever the heartbeat.
        """
        if self.updated_at <= 0 or self.updated_at > now:
            return Freshness.STALE
        if (limit := self.limit) is None:
            return Freshness.UNKNOWN
        late = self.hours.open_seconds(self.updated_at, now) > limit
        return Freshness.STALE if late else Freshness.FRESH

    @property
    def limit(self) -> int | None:
        """Seconds of open market after which it is late; None where nobody knows a heartbeat."""
        if self.heartbeat is None:
            return None
        learned = self.heartbeat_from is HeartbeatFrom.LEARNED
        return learned_limit(self.heartbeat) if learned else lateness_limit(self.heartbeat)

    @property
    def next_update(self) -> int | None:
        """By when an update is expected, in Unix seconds; None where nothing is promised, or it never had one."""
        if self.heartbeat is None or self.updated_at <= 0:
            return None
        return self.hours.after(self.updated_at, self.heartbeat)


@dataclass(frozen=True, slots=True)
class Opinion:
    """What another source says of the same thing, as `value` in the units of what it stands beside."""

    by: FeedReading
    value: int


@dataclass(frozen=True, slots=True)
class Unheard:
    """A second source that was asked and said nothing that counts, and why: it is not available, and does not agree."""

    source: Address
    why: str
