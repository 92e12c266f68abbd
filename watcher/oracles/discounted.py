"""Aave's adapters that price a token at a feed's answer less a discount: Pendle's principal tokens, and MKR by SKY.

Source: aave-dao/aave-price-feeds @ 76a1e328, src/contracts/PendlePriceCapAdapter.sol and
misc-adapters/DiscountedMKRSKYAdapter.sol; its first form, whose pool admin sets feed and discount, in
bgd-labs/aave-price-feeds before March 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from watcher.domain.price import Expression, Fixed, Product
from watcher.domain.source import Address
from watcher.oracles.shape import Kind, Shape, Under
from watcher.reads import Plan
from watcher.reads.abi import interface

_FEEDS = interface("aave_price_feeds")
_asset = _FEEDS.function("ASSET_TO_USD_AGGREGATOR", Address)
_token = _FEEDS.function("PENDLE_PRINCIPAL_TOKEN", Address)
_maturity = _FEEDS.function("MATURITY", int)
_whole = _FEEDS.function("PERCENTAGE_FACTOR", int)
_yearly = _FEEDS.function("discountRatePerYear", int)
_current = _FEEDS.function("getCurrentDiscount", int)
_reference = _FEEDS.function("referenceFeed", Address)
_fixed_reference = _FEEDS.function("REFERENCE_FEED", Address)
_discount = _FEEDS.function("discount", int)
_exchange = _FEEDS.function("EXCHANGE_RATE", int)
_one = _FEEDS.function("ONE_EXCHANGE_RATE", int)
_hundred_percent = _FEEDS.function("ONE_HUNDRED_PERCENT_BPS", int)

_WAD: Final = 10**18


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """`asset × (whole - discount) ÷ whole`: the discount melts with every second, and is nothing at maturity."""

    address: Address
    asset: Address
    maturity: int
    whole: int

    def expression(self, under: Under) -> Plan[Expression]:
        """The asset's feed; the discount is pinned by governance, and by the clock."""
        current, yearly = _current(self.address), _yearly(self.address)
        got = yield [current, yearly]
        asset = yield from under.part(self.asset)
        why = f"1, less {got[yearly]} in {self.whole} a year until its maturity at {self.maturity}"
        left = Fixed(self.whole - got[current], why)
        return Product(above=(asset, left), over=self.whole, positive=True, source=self.address, what="PT in its asset")


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """`feed × exchange rate × (whole - discount) ÷ (whole × one)`: MKR, of which each is worth so many SKY.

    `feed` is None where the adapter's admin can exchange it.
    """

    address: Address
    feed: Address | None
    exchange: int
    one: int
    whole: int

    def expression(self, under: Under) -> Plan[Expression]:
        """The feed of SKY; the discount stands as it is set now."""
        discount, set_to = _discount(self.address), _reference(self.address)
        got = yield [discount, *([] if self.feed else [set_to])]
        part = yield from under.part(self.feed or got[set_to])
        return Product(
            above=(part,),
            times=self.exchange * (self.whole - got[discount]),
            over=self.whole * self.one,
            positive=True,
            source=self.address,
            what="MKR in SKY, less a discount",
        )


def _as_principal(source: Address, asset: Address, _: Address, maturity: int, whole: int) -> Plan[Shape | None]:
    yield []
    return Principal(address=source, asset=asset, maturity=maturity, whole=whole)


def _as_set(source: Address, _: Address, exchange: int, one: int, whole: int) -> Plan[Shape | None]:
    yield []
    return Converted(address=source, feed=None, exchange=exchange, one=one, whole=whole)


def _as_fixed(source: Address, feed: Address, exchange: int, _: int) -> Plan[Shape | None]:
    yield []
    return Converted(address=source, feed=feed, exchange=exchange, one=1, whole=_WAD)


PRINCIPAL: Final = Kind("Pendle PT", (_asset, _token, _maturity, _whole), _as_principal)
SET: Final = Kind("MKR by SKY, as set", (_reference, _exchange, _one, _hundred_percent), _as_set)
FIXED: Final = Kind("MKR by SKY", (_fixed_reference, _exchange, _discount), _as_fixed)
