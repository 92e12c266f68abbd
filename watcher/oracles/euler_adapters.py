"""Euler's oracle adapters: what each takes its unit price from, and when it refuses to.

An adapter prices one pair in both directions. All are told apart by `name()`, which is a constant of their code; what
else they are asked never changes either and is remembered. What is none of these is asked `getQuote` and is `Opaque`.

Source: euler-xyz/euler-price-oracle @ 18a3e34d, src/adapter/**.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from watcher.domain.errors import CallReverted, ReadFailed
from watcher.domain.feed import FeedKind, FeedReading, HeartbeatFrom
from watcher.domain.price import Expression, Fixed, Leaf, Opaque, Rate, value_of
from watcher.domain.source import Address
from watcher.oracles.euler_scale import Unpriced, refusal, too_stale
from watcher.oracles.round import latest_round
from watcher.oracles.shape import FeedBook
from watcher.oracles.sources import expression_from
from watcher.reads import Plan
from watcher.reads.abi import interface

ORACLE: Final = interface("euler_oracle")
RATES: Final = interface("euler_rates")
get_quote = ORACLE.function("getQuote", int, gas=300_000)


@dataclass(frozen=True, slots=True)
class _Cache:
    """`RedstoneCoreOracle.cache`: the last price that somebody brought along, and when it was signed, in seconds."""

    price: int
    signed_at: int


@dataclass(frozen=True, slots=True)
class _PythPrice:
    """`PythStructs.Price`: `price` × 10^`expo`, give or take `conf` × 10^`expo`."""

    price: int
    conf: int
    expo: int
    published_at: int


_cache = ORACLE.function("cache", _Cache)
_pyth_price = RATES.function("getPriceUnsafe", _PythPrice)
_get_rate = RATES.function("getRate", int)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What every adapter of one unit price has: its address, its name, the pair, and both tokens' decimals."""

    address: Address
    name: str
    base: Address
    quote: Address
    base_decimals: int
    quote_decimals: int

    def __str__(self) -> str:
        return f"{self.name} {self.address}"


@dataclass(frozen=True, slots=True)
class Unit:
    """The worth of one whole base token in quote tokens: a price of so many decimals."""

    price: Expression
    decimals: int


class Pricing(Protocol):
    """Where an adapter takes its unit price from; frozen, so that it can be remembered."""

    def unit(self, pair: Pair, book: FeedBook) -> Plan[Unit]:
        """The unit price now. Raises `Unpriced` where the adapter refuses."""


Parts = Mapping[str, Any]
"""What an adapter's getters answered, by name."""


@dataclass(frozen=True, slots=True)
class ByFeed:
    """`ChainlinkOracle`, `ChainlinkInfrequentOracle`: a feed's last round, no older than `most` seconds.

    `per_second`: in what parts of a second the feed dates its rounds (`ChainlinkInfrequentNanosecondOracle`).
    """

    feed: Address
    most: int
    decimals: int
    per_second: int = 1

    def unit(self, pair: Pair, book: FeedBook) -> Plan[Unit]:
        last = latest_round(self.feed)
        got = yield [last]
        said = got[last]
        if said.answer <= 0:
            raise Unpriced(f"{pair} gives no price: its feed {self.feed} answers {said.answer}")
        _must_be_recent(str(pair), said.updated_at // self.per_second, self.most, got.at.timestamp)
        found = yield from expression_from(self.feed, book)
        return Unit(_promised(found, self.most, self.per_second), self.decimals)


@dataclass(frozen=True, slots=True)
class ByChronicle:
    """`ChronicleOracle`: the value of a Scribe that answers nobody but its customers, of which the adapter is one.

    The value is had from the adapter: the worth of enough to lose no digit. Its age is in the Scribe's storage, and is
    believed where the value is there as well; where not, all that is known is that the adapter does not find it old.
    """

    feed: Address
    most: int
    decimals: int

    def unit(self, pair: Pair, book: FeedBook) -> Plan[Unit]:
        value = yield from _asked_exactly(pair, self.decimals)
        try:
            found = yield from expression_from(self.feed, book)
        except ReadFailed as problem:
            return Unit(self._unseen(value, str(problem)), self.decimals)
        if value_of(found) != value:
            return Unit(self._unseen(value, "its storage has another value"), self.decimals)
        return Unit(_promised(found, self.most), self.decimals)

    def _unseen(self, value: int, why: str) -> Opaque:
        return Opaque(self.feed, value, f"at most {self.most} s old, as its adapter takes it; no more is known: {why}")


@dataclass(frozen=True, slots=True)
class ByPyth:
    """`PythOracle`: the last price that somebody brought to Pyth's contract, no older than `most` seconds, and with a
    confidence of no more than `widest` basis points of it."""

    pyth: Address
    feed_id: bytes
    most: int
    widest: int

    def unit(self, pair: Pair, book: FeedBook) -> Plan[Unit]:
        ask = _pyth_price(self.pyth, self.feed_id)
        got = yield [ask]
        said, now = got[ask], got.at.timestamp
        if said.published_at < now:
            _must_be_recent(str(pair), said.published_at, self.most, now)
        elif said.published_at - now > _AHEAD:
            raise Unpriced(f"{pair} gives no price: its price is dated {said.published_at - now} s in the future")
        if said.price <= 0 or said.conf > said.price * self.widest // _BASIS_POINTS:
            told = f"{said.price} ± {said.conf}, and it takes ± {self.widest / 100:g} % at most"
            raise Unpriced(f"{pair} gives no price: Pyth says {told}")
        if not _LEAST_EXPONENT <= said.expo <= _GREATEST_EXPONENT:
            raise Unpriced(f"{pair} gives no price: Pyth's exponent is {said.expo}")
        reading = FeedReading(
            feed=pair.address,  # one Pyth contract has all its feeds: the adapter is what tells them apart
            pair=f"Pyth 0x{self.feed_id.hex()[:8]}…",
            answer=said.price,
            decimals=-said.expo,
            updated_at=min(said.published_at, now),  # up to a minute ahead is as good as now
            heartbeat=self.most,
            kind=FeedKind.PYTH,
            heartbeat_from=HeartbeatFrom.CONTRACT,
            behind=self.pyth,
            confidence=said.conf,
        )
        return Unit(Leaf(reading), -said.expo)


@dataclass(frozen=True, slots=True)
class ByRedstone:
    """`RedstoneCoreOracle`: the price that somebody brought along last, signed no more than `most` seconds ago."""

    feed_id: bytes
    most: int
    decimals: int

    def unit(self, pair: Pair, book: FeedBook) -> Plan[Unit]:
        ask = _cache(pair.address)
        got = yield [ask]
        kept, now = got[ask], got.at.timestamp
        if kept.signed_at < now:
            _must_be_recent(str(pair), kept.signed_at, self.most, now)
        reading = FeedReading(
            feed=pair.address,
            pair=f"RedStone {_text(self.feed_id)}",
            answer=kept.price,
            decimals=self.decimals,
            updated_at=min(kept.signed_at, now),
            heartbeat=self.most,
            kind=FeedKind.REDSTONE,
            heartbeat_from=HeartbeatFrom.CONTRACT,
        )
        return Unit(Leaf(reading), self.decimals)


@dataclass(frozen=True, slots=True)
class ByRate:
    """`RateProviderOracle`: a rate of 18 decimals, as Balancer's providers give it."""

    provider: Address

    def unit(self, pair: Pair, book: FeedBook) -> Plan[Unit]:
        ask = _get_rate(self.provider)
        got = yield [ask]
        rate = got[ask]
        if rate == 0:
            raise Unpriced(f"{pair} gives no price: the rate of {self.provider} is 0")
        return Unit(Rate(source=self.provider, what=f"the rate of {pair.base}", value=rate, decimals=_WAD), _WAD)


@dataclass(frozen=True, slots=True)
class Pinned:
    """`FixedRateOracle`: a rate that its deployer chose, with the quote token's decimals."""

    rate: int

    def unit(self, pair: Pair, book: FeedBook) -> Plan[Unit]:
        yield []
        return Unit(Fixed(self.rate, f"fixed for ever by {pair}"), pair.quote_decimals)


@dataclass(frozen=True, slots=True)
class ByPendle:
    """`PendleOracle`, `PendleUniversalOracle`: the mean of a Pendle market over `window` seconds, of 18 decimals."""

    market: Address
    window: int

    def unit(self, pair: Pair, book: FeedBook) -> Plan[Unit]:
        value = yield from _asked_exactly(pair, _WAD)
        what = f"the mean of Pendle's market over {self.window} s"
        return Unit(Rate(source=self.market, what=what, value=value, decimals=_WAD), _WAD)


_AHEAD: Final = 60
_BASIS_POINTS: Final = 10_000
_LEAST_EXPONENT: Final = -20
_GREATEST_EXPONENT: Final = 12
_WAD: Final = 18


def _must_be_recent(oracle: str, updated_at: int, most: int, now: int) -> None:
    """Raises `Unpriced`. A date in the future ends in an underflow on chain, which no price is either."""
    if updated_at > now:
        raise Unpriced(f"{oracle} gives no price: its feed dates its answer {updated_at - now} s in the future")
    if now - updated_at > most:
        raise too_stale(oracle, now - updated_at, most)


def _asked_exactly(pair: Pair, decimals: int) -> Plan[int]:
    """The unit price as the adapter itself has it: the worth of 10^(its decimals) whole tokens loses no digit."""
    ask = get_quote(pair.address, 10 ** (decimals + pair.base_decimals), pair.base, pair.quote)
    got = yield [ask]
    said = got.outcome(ask)
    if isinstance(said, CallReverted):
        raise refusal(str(pair), said)
    if isinstance(said, ReadFailed):
        raise said
    one: int = 10**pair.quote_decimals
    return said // one


def _promised(found: Expression, most: int, per_second: int = 1) -> Expression:
    """A feed whose heartbeat nobody published has at least the age that its adapter allows for one."""
    if not isinstance(found, Leaf):
        return found
    reading = replace(found.reading, updated_at=found.reading.updated_at // per_second)
    if reading.heartbeat_from is HeartbeatFrom.PUBLISHED:
        return Leaf(reading)
    return Leaf(replace(reading, heartbeat=most, heartbeat_from=HeartbeatFrom.CONTRACT))


def _text(word: bytes) -> str:
    told = word.rstrip(b"\0").decode("ascii", "replace")
    return told if told.isprintable() else f"0x{word.hex()[:8]}…"


def _by_feed(parts: Parts, decimals: int) -> Pricing:
    return ByFeed(parts["feed"], parts["maxStaleness"], decimals)


PRICINGS: Final[Mapping[str, Any]] = {
    "ChainlinkOracle": _by_feed,
    "ChainlinkInfrequentOracle": _by_feed,
    "ChainlinkInfrequentNanosecondOracle": lambda parts, decimals: ByFeed(
        parts["feed"], parts["maxStaleness"], decimals, 10**9
    ),
    "ChronicleOracle": lambda parts, decimals: ByChronicle(parts["feed"], parts["maxStaleness"], decimals),
    "PythOracle": lambda parts, _: ByPyth(parts["pyth"], parts["feedId"], parts["maxStaleness"], parts["maxConfWidth"]),
    "RedstoneCoreOracle": lambda parts, _: ByRedstone(parts["feedId"], parts["maxStaleness"], parts["feedDecimals"]),
    "RateProviderOracle": lambda parts, _: ByRate(parts["rateProvider"]),
    "FixedRateOracle": lambda parts, _: Pinned(parts["rate"]),
    "PendleOracle": lambda parts, _: ByPendle(parts["pendleMarket"], parts["twapWindow"]),
    "PendleUniversalOracle": lambda parts, _: ByPendle(parts["pendleMarket"], parts["twapWindow"]),
}
"""How each adapter prices, by its name: made of its getters' answers and of its feed's decimals."""
