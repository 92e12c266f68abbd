"""Adapters that multiply a feed with the rate at which a contract exchanges one token for another.

Half of their price has no age: the rate is read from its contract as it is now.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from watcher.domain.price import Expression, Product, Rate
from watcher.domain.source import Address
from watcher.oracles.shape import Kind, Shape, Under, Unseen
from watcher.reads import Answers, Call, Plan
from watcher.reads.abi import Function, interface

_RATES = interface("exchange_rates")
by_shares = _RATES.function("getPooledEthByShares", int)
by_exchange_rate = _RATES.function("getExchangeRate", int)
by_plain_exchange_rate = _RATES.function("exchangeRate", int)
by_rate = _RATES.function("getRate", int)
by_chi = _RATES.function("chi", int)
by_assets = _RATES.function("convertToAssets", int, gas=150_000)
by_rseth_price = _RATES.function("rsETHPrice", int)
total_supply = _RATES.function("totalSupply", int)

Asking = Callable[[Address, int], Call[int]]
"""From the contract that tells a rate, and the decimals that the rate has, to the call."""


def _locked(_operators: object, _totals: object, all_of_it: int) -> int:
    return all_of_it


total_locked = _RATES.function("calculateTVLs", _locked, gas=2_000_000)
"""The value of all that stands behind Renzo's ezETH, in ether."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """`base × rate ÷ 10^decimals`; 0 where either is not positive.

    `shares`: the rate is no rate yet, but the worth of so many shares, and `rate × 10^decimals ÷ shares` is it.
    """

    address: Address
    base: Address
    rate: Call[int]
    decimals: int
    what: str
    shares: Call[int] | None = None

    def expression(self, under: Under) -> Plan[Expression]:
        """The feed, and beside it the rate as it stands. Raises `Unseen` where there are no shares."""
        got = yield [self.rate, *([self.shares] if self.shares else [])]
        base = yield from under.part(self.base)
        rate = Rate(source=self.rate.target, what=self.what, value=self._told(got), decimals=self.decimals)
        return Product(above=(base, rate), over=10**self.decimals, positive=True, source=self.address, what=self.what)

    def _told(self, got: Answers) -> int:
        if self.shares is None:
            return got[self.rate]
        if not got[self.shares]:
            raise Unseen(f"{self.shares} answers 0: there is nothing to have a rate")
        whole: int = 10**self.decimals
        return got[self.rate] * whole // got[self.shares]


def rated(name: str, base: Function[Address], teller: Function[Address], asking: Asking, *more: Function[int]) -> Kind:
    """A kind that names its feed, who tells the rate, and perhaps its decimals (18 where it does not)."""

    def shape(source: Address, feed: Address, told_by: Address, decimals: int = 18) -> Plan[Shape | None]:
        yield []
        return Rated(address=source, base=feed, rate=asking(told_by, decimals), decimals=decimals, what=name)

    return Kind(name, (base, teller, *more), shape)


def of_shares(asked: Function[int]) -> Asking:
    """For a rate that is told as the worth of one whole share."""
    return lambda teller, decimals: asked(teller, 10**decimals)


def plainly(asked: Function[int]) -> Asking:
    """For a rate that is told as it is."""
    return lambda teller, _: asked(teller)
