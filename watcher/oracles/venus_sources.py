"""What a Venus ResilientOracle asks: Chainlink and RedStone feeds, Binance's, Pyth's, and tokens worth others.

All answer `getPrice(token)` with 36 - decimals of the token places, and revert on a price that is older than allowed.
Source: VenusProtocol/oracle v2.16.0, contracts/oracles/; PythOracle v1.8.0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from watcher.domain.feed import FeedKind, FeedReading, HeartbeatFrom
from watcher.domain.price import Expression, Fixed, Leaf, Opaque, Product
from watcher.domain.source import ZERO_ADDRESS, Address
from watcher.oracles.by_token import SCALE, Asking, TokenKind, TokenShape, decimals_or_coin, missing, symbol_of
from watcher.oracles.pyth import AHEAD, held_of
from watcher.oracles.round import Round, decimals_of
from watcher.oracles.signed import dated
from watcher.oracles.sources import expression_from
from watcher.oracles.venus_correlated import CORRELATED, ONE_JUMP, WSTETH
from watcher.reads import Plan
from watcher.reads.abi import interface


@dataclass(frozen=True, slots=True)
class FeedConfig:
    """`tokenConfigs` of a ChainlinkOracle: the price reverts after `max_stale` seconds."""

    asset: Address
    feed: Address
    max_stale: int


@dataclass(frozen=True, slots=True)
class PythConfig:
    """`tokenConfigs` of a PythOracle."""

    id: bytes
    asset: Address
    max_stale: int


_CHAINLINK: Final = interface("venus_chainlink_oracle")
_feed_config = _CHAINLINK.function("tokenConfigs", FeedConfig)
_posted = _CHAINLINK.function("prices", int)
_PYTH_ORACLE: Final = interface("venus_pyth_oracle")
_pyth_of = _PYTH_ORACLE.function("underlyingPythOracle", Address)
_pyth_config = _PYTH_ORACLE.function("tokenConfigs", PythConfig)
_BINANCE: Final = interface("venus_binance_oracle")
_bnb_of = _BINANCE.function("BNB_ADDR", Address)
_names_of = _BINANCE.function("sidRegistryAddress", Address)
_registry_set = _BINANCE.function("feedRegistryAddress", Address)
_registry_named = _BINANCE.function("getFeedRegistryAddress", Address, gas=100_000)
_other_symbol = _BINANCE.function("symbols", str)
_binance_max_stale = _BINANCE.function("maxStalePeriod", int)
_REGISTRY: Final = interface("binance_feed_registry")
_round_by_name = _REGISTRY.function("latestRoundDataByName", Round, gas=100_000)
_decimals_by_name = _REGISTRY.function("decimalsByName", int)
_LST: Final = interface("venus_lst_oracle")
_sfrxeth_of = _LST.function("SFRXETH", Address)
_frax_of = _LST.function("SFRXETH_FRAX_ORACLE", Address)


def within(part: Expression, max_stale: int) -> Expression:
    """A feed whose operator publishes no heartbeat, by the age that the contract allows; others as they are."""
    if not isinstance(part, Leaf) or part.reading.heartbeat_from is HeartbeatFrom.PUBLISHED:
        return part
    known = part.reading.heartbeat
    if known is not None and known <= max_stale:
        return part
    return Leaf(replace(part.reading, heartbeat=max_stale, heartbeat_from=HeartbeatFrom.CONTRACT))


@dataclass(frozen=True, slots=True, kw_only=True)
class ByFeed:
    """One token's feed at a ChainlinkOracle; RedStone's and the sequencer-aware ones are the same."""

    oracle: Address
    feed: Address
    max_stale: int
    times: int

    def expression(self, asking: Asking) -> Plan[Expression]:
        """The feed's answer, scaled."""
        part = yield from expression_from(self.feed, asking.book)
        return Product(above=(within(part, self.max_stale),), times=self.times, source=self.oracle)


@dataclass(frozen=True, slots=True)
class Posted:
    """A price that governance wrote by hand, in front of any feed."""

    value: int

    def expression(self, _asking: Asking) -> Plan[Expression]:
        """Itself."""
        yield []
        return Fixed(self.value, "set by governance, whatever the feed says")


def _chainlink(oracle: Address, token: Address, config: FeedConfig, posted: int) -> Plan[TokenShape | None]:
    times = 10 ** missing((yield from decimals_or_coin(token)))
    if posted:
        return Posted(posted * times)
    if ZERO_ADDRESS in (config.asset, config.feed):
        return None
    places = decimals_of(config.feed)
    got = yield [places]
    times *= 10 ** missing(got[places])
    return ByFeed(oracle=oracle, feed=config.feed, max_stale=config.max_stale, times=times)


@dataclass(frozen=True, slots=True, kw_only=True)
class ByPyth:
    """One token's price at Pyth."""

    oracle: Address
    pyth: Address
    config: PythConfig
    times: int

    def expression(self, _asking: Asking) -> Plan[Expression]:
        """Pyth's last price, scaled: to 18 decimals first, cut off, as the contract does."""
        ask = held_of(self.pyth, self.config.id)
        got = yield [ask]
        said = got[ask]
        reading = FeedReading(
            feed=one_of_many(self.pyth, self.config.id),
            pair=f"Pyth 0x{self.config.id.hex()[:8]}…",
            answer=said.price,
            decimals=-said.expo,
            updated_at=dated(said.publish_time, AHEAD, got.at.timestamp),
            kind=FeedKind.PYTH,
            heartbeat=self.config.max_stale,
            heartbeat_from=HeartbeatFrom.CONTRACT,
            round=said.publish_time,
            behind=self.pyth,
            confidence=said.conf,
        )
        up, down = 10 ** max(said.expo, 0), 10 ** max(-said.expo, 0)
        whole = Product(above=(Leaf(reading),), times=10**SCALE * up, over=down)
        return Product(above=(whole,), times=self.times, source=self.oracle)


def one_of_many(contract: Address, name: bytes) -> Address:
    """A name of its own for one of the prices that a contract keeps: no contract lives at that address."""
    return Address(to_checksum_address(keccak(bytes.fromhex(contract[2:]) + name)[-20:]))


def _pyth(oracle: Address, token: Address, pyth: Address, config: PythConfig) -> Plan[TokenShape | None]:
    times = 10 ** missing((yield from decimals_or_coin(token)))
    return None if config.asset == ZERO_ADDRESS else ByPyth(oracle=oracle, pyth=pyth, config=config, times=times)


@dataclass(frozen=True, slots=True, kw_only=True)
class ByBinance:
    """One symbol's price in Binance's registry."""

    oracle: Address
    registry: Address
    symbol: str
    decimals: int
    max_stale: int
    times: int

    def expression(self, _asking: Asking) -> Plan[Expression]:
        """The registry's last round, scaled."""
        ask = _round_by_name(self.registry, self.symbol, "USD")
        got = yield [ask]
        said = got[ask]
        reading = FeedReading(
            feed=one_of_many(self.registry, self.symbol.encode()),
            pair=f"{self.symbol} / USD",
            answer=said.answer,
            decimals=self.decimals,
            updated_at=said.updated_at,
            kind=FeedKind.BINANCE,
            heartbeat=self.max_stale,
            heartbeat_from=HeartbeatFrom.CONTRACT,
            round=said.round_id,
            behind=self.registry,
        )
        return Product(above=(Leaf(reading),), times=self.times, source=self.oracle)


def _binance(oracle: Address, token: Address, bnb: Address, names: Address) -> Plan[TokenShape | None]:
    plain, named, words = _registry_set(oracle), _registry_named(oracle), symbol_of(token)
    got = yield [plain if names == ZERO_ADDRESS else named, *([] if token == bnb else [words])]
    registry = got[plain if names == ZERO_ADDRESS else named]
    symbol = "BNB" if token == bnb else got[words]
    other = _other_symbol(oracle, symbol)
    symbol = (yield [other])[other] or symbol
    age, places = _binance_max_stale(oracle, symbol), _decimals_by_name(registry, symbol, "USD")
    got = yield [age, places]
    times = 10 ** (missing(got[places]) + missing((yield from decimals_or_coin(token))))
    return ByBinance(
        oracle=oracle, registry=registry, symbol=symbol, decimals=got[places], max_stale=got[age], times=times
    )


@dataclass(frozen=True, slots=True)
class Unaged:
    """An oracle that answers from a contract which tells no time: what it says, with the reason."""

    oracle: Address
    token: Address
    why: str

    def expression(self, asking: Asking) -> Plan[Expression]:
        """Its own answer."""
        ask = asking.price_of(self.oracle, self.token)
        got = yield [ask]
        return Opaque(self.oracle, got[ask], self.why)


def _sfrxeth(oracle: Address, token: Address, sfrxeth: Address, frax: Address) -> Plan[TokenShape | None]:
    yield []
    why = f"the mean of the two prices that Frax's oracle {frax} keeps, which tells no time of them"
    return Unaged(oracle, token, why) if token == sfrxeth else None


SOURCES: Final[tuple[TokenKind, ...]] = (
    TokenKind(name="Venus ChainlinkOracle", of_token=(_feed_config, _posted), shape=_chainlink),
    TokenKind(name="Venus PythOracle", asks=(_pyth_of,), of_token=(_pyth_config,), shape=_pyth),
    TokenKind(name="Venus BinanceOracle", asks=(_bnb_of, _names_of), shape=_binance),
    ONE_JUMP,
    CORRELATED,
    WSTETH,
    TokenKind(name="Venus SFrxETHOracle", asks=(_sfrxeth_of, _frax_of), shape=_sfrxeth),
)
