"""Oracles of Compound v2 and its forks, which are asked for a market: Moonwell's, Benqi's, Compound's own.

All answer `getUnderlyingPrice(cToken)` with 36 - decimals of the underlying places. Moonwell and Benqi keep feeds by
the token's symbol: the market's own for the chain's coin, else the underlying's; the admin can post a price in front
of the feed. Neither refuses an old answer. Compound's view keeps what its reporters posted, without the time.

Source: moonwell-fi/moonwell-contracts-v2 @45866f4c, src/oracles/ChainlinkOracle.sol; Benqi-fi/BENQI-Smart-Contracts
@e0cfd24, lending/Chainlink/BenqiChainlinkOracle.sol; compound-finance/open-oracle @0e148fd,
contracts/Uniswap/UniswapAnchoredView.sol.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from eth_utils.crypto import keccak

from watcher.domain.errors import ReadFailed
from watcher.domain.price import Expression, Fixed, Opaque, Price, Product
from watcher.domain.source import ZERO_ADDRESS, Address
from watcher.oracles.by_token import (
    Asking,
    TokenKind,
    TokenShape,
    decimals_of_token,
    missing,
    symbol_of,
    underlying_of,
)
from watcher.oracles.round import decimals_of
from watcher.oracles.shape import FeedBook, Unseen
from watcher.oracles.sources import expression_from
from watcher.reads import Plan
from watcher.reads.abi import interface


@dataclass(frozen=True, slots=True)
class Anchored:
    """The part of UniswapConfig's `TokenConfig` that all its versions begin with."""

    c_token: Address
    underlying: Address
    symbol_hash: bytes
    base_unit: int
    source: int
    fixed_price: int


_ORACLE: Final = interface("compound_v2_oracle")
_price_of = _ORACLE.function("getUnderlyingPrice", int, gas=300_000)
_feed_of = _ORACLE.function("getFeed", Address)
_posted = _ORACLE.function("assetPrices", int)
_native_of = _ORACLE.function("nativeToken", bytes)
_VIEW: Final = interface("uniswap_anchored_view")
_anchored = _VIEW.function("getTokenConfigByCToken", Anchored, gas=100_000)
_stored = _VIEW.function("prices", int)
_lowest = _VIEW.function("lowerBoundAnchorRatio", int)
_highest = _VIEW.function("upperBoundAnchorRatio", int)

_FIXED_ETH, _FIXED_USD = 0, 1
_ETHER: Final = keccak(b"ETH")
_ETHER_UNIT: Final = 10**18
_TO_36: Final = 10**30
"""From the 6 decimals of the view's own prices."""


def compound_price(oracle: Address, c_token: Address, value: int, book: FeedBook) -> Plan[Price]:
    """The price `value`, which a Comptroller's oracle answers for a market, as an expression over the feeds behind it.

    `value` has 36 - decimals of the underlying places. `Opaque`, with the reason, where it cannot be explained.
    """
    return Price.of((yield from _asking(book).explained(oracle, c_token, value)), source=oracle)


def compound_expression(oracle: Address, c_token: Address, book: FeedBook) -> Plan[Expression]:
    """The same for what it answers now. Raises `CallReverted` or `NotDecodable` where it has no price."""
    return (yield from _asking(book).price(oracle, c_token))


@dataclass(frozen=True, slots=True, kw_only=True)
class BySymbol:
    """The feed of one market's symbol."""

    oracle: Address
    feed: Address
    times: int

    def expression(self, asking: Asking) -> Plan[Expression]:
        """The feed's answer, scaled."""
        part = yield from expression_from(self.feed, asking.book)
        return Product(above=(part,), times=self.times, source=self.oracle)


@dataclass(frozen=True, slots=True)
class Pinned:
    """A price that somebody wrote, and why it counts."""

    value: int
    why: str

    def expression(self, _asking: Asking) -> Plan[Expression]:
        """Itself."""
        yield []
        return Fixed(self.value, self.why)


def _by_symbol(oracle: Address, c_token: Address, _posted_for_it: int) -> Plan[TokenShape | None]:
    name, under, native = symbol_of(c_token), underlying_of(c_token), _native_of(oracle)
    got = yield [name, under, native]
    asset, market = got.outcome(under), got[name]
    if isinstance(asset, ReadFailed) or got.outcome(native) == keccak(market.encode()):
        return (yield from _by_feed(oracle, market, 0))
    posted, places, words = _posted(oracle, asset), decimals_of_token(asset), symbol_of(asset)
    got = yield [posted, places, words]
    fewer = missing(got[places])
    if got[posted]:
        return Pinned(got[posted] * 10**fewer, "posted by the oracle's admin, whatever the feed says")
    return (yield from _by_feed(oracle, got[words], fewer))


def _by_feed(oracle: Address, symbol: str, fewer: int) -> Plan[TokenShape | None]:
    ask = _feed_of(oracle, symbol)
    got = yield [ask]
    if got[ask] == ZERO_ADDRESS:
        raise Unseen(f"{oracle} has no feed for {symbol}")
    places = decimals_of(got[ask])
    times = 10 ** (missing((yield [places])[places]) + fewer)
    return BySymbol(oracle=oracle, feed=got[ask], times=times)


@dataclass(frozen=True, slots=True, kw_only=True)
class ByReporter:
    """What reporters posted to a UniswapAnchoredView, kept without the time; `times` ether's price where that is fixed.

    `over` is the base unit of the market's token, by which the price is scaled to one unit.
    """

    oracle: Address
    symbol_hash: bytes
    times: int
    over: int

    def expression(self, _asking: Asking) -> Plan[Expression]:
        """The stored price, scaled."""
        ask = _stored(self.oracle, self.symbol_hash)
        got = yield [ask]
        kept = Opaque(self.oracle, got[ask], "posted by its reporters, who leave no time beside it")
        return Product(above=(kept,), times=self.times, over=self.over, source=self.oracle)


def _by_reporter(oracle: Address, c_token: Address, _low: int, _high: int, config: Anchored) -> Plan[TokenShape | None]:
    yield []
    if config.c_token != c_token or config.base_unit == 0:
        return None
    if config.source == _FIXED_USD:
        return Pinned(_TO_36 * config.fixed_price // config.base_unit, "fixed in dollars by the oracle's configuration")
    if config.source == _FIXED_ETH:
        return ByEther(oracle=oracle, fixed=config.fixed_price, base_unit=config.base_unit)
    return ByReporter(oracle=oracle, symbol_hash=config.symbol_hash, times=_TO_36, over=config.base_unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class ByEther:
    """A fixed part of the stored price of ether."""

    oracle: Address
    fixed: int
    base_unit: int

    def expression(self, asking: Asking) -> Plan[Expression]:
        """Ether's price times the part, cut off, and scaled."""
        ether = ByReporter(oracle=self.oracle, symbol_hash=_ETHER, times=self.fixed, over=_ETHER_UNIT)
        part = yield from ether.expression(asking)
        return Product(above=(part,), times=_TO_36, over=self.base_unit, source=self.oracle)


KINDS: Final = (
    TokenKind(name="feeds by symbol", of_token=(_posted,), shape=_by_symbol),
    TokenKind(name="UniswapAnchoredView", asks=(_lowest, _highest), of_token=(_anchored,), shape=_by_reporter),
)


def _asking(book: FeedBook) -> Asking:
    return Asking(book=book, kinds=KINDS, price_of=_price_of)
