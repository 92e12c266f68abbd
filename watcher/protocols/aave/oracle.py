"""Prices as AaveOracle gives them, in v2 and v3: by a source, by the fallback oracle, or fixed: what it counts in.

Source: aave-dao/aave-v3-origin v3.7, misc/AaveOracle.sol; npm @aave/protocol-v2 1.0.1, misc/AaveOracle.sol, which knows
no `BASE_CURRENCY` but `WETH`, and answers one ether for it.
"""

from __future__ import annotations

from typing import Final

from watcher.domain.errors import ReadFailed
from watcher.domain.position import Numeraire
from watcher.domain.price import Expression, Fixed, Opaque, Price
from watcher.domain.source import ZERO_ADDRESS, Address
from watcher.oracles.round import latest_answer
from watcher.oracles.shape import FeedBook
from watcher.oracles.sources import price_from
from watcher.protocols.aave.calls import symbol_of
from watcher.protocols.reader import PriceMissing
from watcher.protocols.rounding import WAD
from watcher.reads import Plan
from watcher.reads.abi import interface

_ORACLE = interface("aave_oracle")
_base_currency = _ORACLE.function("BASE_CURRENCY", Address)
_base_unit = _ORACLE.function("BASE_CURRENCY_UNIT", int)
_weth = _ORACLE.function("WETH", Address)
_asset_price = _ORACLE.function("getAssetPrice", int, gas=120_000)
_source_of = _ORACLE.function("getSourceOfAsset", Address)
_fallback = _ORACLE.function("getFallbackOracle", Address)

COUNTED_IN: Final = "the market counts values in it"


def numeraire_of(oracle: Address) -> Plan[Numeraire]:
    """What values are counted in: the zero address means US dollars, by Aave's convention; its unit is a power of ten.

    An oracle without a `BASE_CURRENCY_UNIT` counts in ether, as `UiPoolDataProvider` takes it too.
    """
    currency, unit = _base_currency(oracle), _base_unit(oracle)
    got = yield [currency, unit]
    units, token = got.outcome(unit), got.outcome(currency)
    if isinstance(units, ReadFailed):
        return Numeraire(symbol="ETH", decimals=len(str(WAD)) - 1)
    decimals = len(str(units)) - 1
    if isinstance(token, ReadFailed) or token == ZERO_ADDRESS:
        return Numeraire(symbol="USD", decimals=decimals)
    ask = symbol_of(token)
    said = (yield [ask]).outcome(ask)
    return Numeraire(symbol=token if isinstance(said, ReadFailed) else said, decimals=decimals)


def price_of(oracle: Address, asset: Address, feeds: FeedBook) -> Plan[Price]:
    """The price that the oracle answers, over the feeds behind it. Raises `PriceMissing` where that is none."""
    value, source = _asset_price(oracle, asset), _source_of(oracle, asset)
    got = yield [value, source]
    if got[value] <= 0:
        raise PriceMissing(f"the oracle {oracle} prices {asset} at {got[value]}")
    if got[source] == ZERO_ADDRESS:
        return Price.of((yield from _without_source(oracle, asset, got[value])))
    price = yield from price_from(got[source], got[value], feeds)
    if isinstance(price.expression, Opaque):
        return (yield from _perhaps_of_fallback(oracle, price))
    return price


def _without_source(oracle: Address, asset: Address, value: int) -> Plan[Expression]:
    """What the market counts in has the price 1 and needs no source; of anything else the fallback oracle was asked."""
    currency, weth, fallback = _base_currency(oracle), _weth(oracle), _fallback(oracle)
    got = yield [currency, weth, fallback]
    if asset in (got.outcome(currency), got.outcome(weth)):
        return Fixed(value, COUNTED_IN, by_definition=True)
    return Opaque(got[fallback], value, "the fallback oracle's, for there is no source")


def _perhaps_of_fallback(oracle: Address, price: Price) -> Plan[Price]:
    """A source that answers zero or less is passed over; then the number is the fallback oracle's."""
    answer, fallback = latest_answer(price.source), _fallback(oracle)
    got = yield [answer, fallback]
    said, other = got.outcome(answer), got.outcome(fallback)
    if isinstance(said, ReadFailed) or isinstance(other, ReadFailed) or said > 0:
        return price
    return Price.of(Opaque(other, price.low, f"the fallback oracle's, for {price.source} answers {said}"))
