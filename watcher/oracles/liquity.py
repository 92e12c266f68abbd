"""Liquity's own price feeds, of v1 and v2: what `fetchPrice` makes of Chainlink's, while it relies on them.

Each keeps a status: v1 goes over to Tellor, or stays at its last good price, where Chainlink fails it; v2 shuts its
branch down and stays at another price for good. A feed in such a state is named as what it is, and not seen through.

Source: liquity/dev @ 39f1f7f8, PriceFeed.sol; liquity/bold @ 405f9122, contracts/src/PriceFeeds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from watcher.domain.errors import ReadFailed
from watcher.domain.price import Cap, Expression
from watcher.domain.source import Address
from watcher.oracles.composed import Composed, Part
from watcher.oracles.rates import get_exchange_rate, told_by, wsteth_told
from watcher.oracles.round import decimals_of
from watcher.oracles.shape import Kind, Shape, Under, Unseen
from watcher.reads import Call, Plan
from watcher.reads.abi import interface

_PLACES: Final = 18


@dataclass(frozen=True, slots=True)
class Oracle:
    """What v2 keeps of one of its feeds. One that is older than the threshold shuts the branch down."""

    aggregator: Address
    staleness_threshold: int
    decimals: int


_FEED = interface("liquity_price_feed")
fetch_price = _FEED.function("fetchPrice", int, gas=400_000)
_aggregator = _FEED.function("priceAggregator", Address)
_status = _FEED.function("status", int)
_price_source = _FEED.function("priceSource", int)
_eth_usd = _FEED.function("ethUsdOracle", Oracle)
_steth_usd = _FEED.function("stEthUsdOracle", Oracle)
_reth_eth = _FEED.function("rEthEthOracle", Oracle)
_rate_provider = _FEED.function("rateProviderAddress", Address)

_BY_CHAINLINK: Final = (0, 4)
"""v1's statuses in which it takes Chainlink's answer: working, and with Tellor untrusted beside it."""
_PRIMARY: Final = 0


@dataclass(frozen=True, slots=True)
class Relying:
    """A price that holds while `standing` answers one of `sound`; the smallest of several `ways` to it."""

    standing: Call[int]
    sound: tuple[int, ...]
    ways: tuple[Composed, ...]

    def expression(self, under: Under) -> Plan[Expression]:
        """Raises `Unseen` where the price feed relies on its feeds no more."""
        got = yield [self.standing]
        if got[self.standing] not in self.sound:
            raise Unseen(f"{self.standing.target} relies on its feeds no more: {self.standing} is {got[self.standing]}")
        first, *others = self.ways
        found = yield from first.expression(under)
        for other in others:
            found = Cap(of=found, at=(yield from other.expression(under)), source=other.source, what=other.what)
        return found


def _first(source: Address, aggregator: Address, _status_now: int) -> Plan[Shape | None]:
    places = decimals_of(aggregator)
    got = yield [places]
    if got[places] > _PLACES:
        return None
    way = Composed(
        source=source, what="Liquity's price of ether", above=(aggregator,), times=10 ** (_PLACES - got[places])
    )
    return Relying(_status(source), _BY_CHAINLINK, (way,))


def _second(source: Address, eth_usd: Oracle, _source_now: int) -> Plan[Shape | None]:
    if eth_usd.decimals > _PLACES:
        return None
    provider, steth, reth = _rate_provider(source), _steth_usd(source), _reth_eth(source)
    got = yield [provider, steth, reth]
    rate, by_steth, by_reth = got.outcome(provider), got.outcome(steth), got.outcome(reth)

    def way(what: str, *above: Part, times: int = 1, over: int = 1) -> Composed:
        return Composed(source=source, what=what, above=above, times=times, over=over)

    scale, one = 10 ** (_PLACES - eth_usd.decimals), 10**_PLACES
    ways: tuple[Composed, ...]
    if isinstance(rate, ReadFailed):
        ways = (way("Liquity's price of ether", eth_usd.aggregator, times=scale),)
    elif not isinstance(by_steth, ReadFailed) and by_steth.decimals <= _PLACES:
        scale = 10 ** (_PLACES - by_steth.decimals)
        ways = (way("Liquity's price of wstETH", by_steth.aggregator, wsteth_told(rate), times=scale, over=one),)
    elif not isinstance(by_reth, ReadFailed):
        told = told_by(get_exchange_rate, rate, "rETH")
        market = way("its market", eth_usd.aggregator, by_reth.aggregator, times=scale, over=one)
        ways = (market, way("its exchange rate", eth_usd.aggregator, told, times=scale, over=one))
    else:
        return None
    return Relying(_price_source(source), (_PRIMARY,), ways)


KINDS: Final = (
    Kind("Liquity's price feed", (_aggregator, _status), _first),
    Kind("Liquity v2's price feed", (_eth_usd, _price_source), _second),
)
