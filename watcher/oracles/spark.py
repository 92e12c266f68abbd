"""SparkLend's own oracles: tokens at their exchange rate, and a feed under a cap that nobody can move.

Source: sparkdotfi/sparklend-advanced @ e2ba58d0, src/*ExchangeRateOracle.sol and CappedOracle.sol. The fixed one is in
`fixed.py`. The ratio oracles of the kill switch price no reserve.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from watcher.domain.price import Cap, Expression, Fixed
from watcher.domain.source import Address
from watcher.oracles.rated import (
    Rated,
    by_assets,
    by_exchange_rate,
    by_rate,
    by_rseth_price,
    by_shares,
    of_shares,
    plainly,
    rated,
    total_locked,
    total_supply,
)
from watcher.oracles.shape import Kind, Shape, Under
from watcher.reads import Plan
from watcher.reads.abi import Function, interface

_SPARK = interface("sparklend_oracles")
_most = _SPARK.function("maxPrice", int)


def _address(name: str) -> Function[Address]:
    return _SPARK.function(name, Address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capped:
    """`min(source, maxPrice)`, whatever the sign; both are immutable."""

    address: Address
    of: Address
    most: int

    def expression(self, under: Under) -> Plan[Expression]:
        """The source below, and the cap."""
        of = yield from under.part(self.of)
        at = Fixed(self.most, "the most that this oracle can answer")
        return Cap(of=of, at=at, source=self.address, what="capped")


def _capped(source: Address, of: Address, most: int) -> Plan[Shape | None]:
    yield []
    return Capped(address=source, of=of, most=most)


def _of_renzo(source: Address, feed: Address, manager: Address, token: Address) -> Plan[Shape | None]:
    yield []
    rate, shares = total_locked(manager), total_supply(token)
    return Rated(address=source, base=feed, rate=rate, shares=shares, decimals=18, what="ezETH in ETH")


_ether, _teller = _address("ethSource"), _address("oracle")
KINDS: Final = (
    Kind("capped", (_address("source"), _most), _capped),
    rated("wstETH in stETH", _ether, _address("steth"), of_shares(by_shares)),
    rated("rETH in ETH", _ether, _address("reth"), plainly(by_exchange_rate)),
    rated("weETH in eETH", _ether, _address("weeth"), plainly(by_rate)),
    rated("spETH in ETH", _ether, _address("speth"), of_shares(by_assets)),
    Kind("ezETH in ETH", (_ether, _teller, _address("ezETH")), _of_renzo),
    rated("rsETH in ETH", _ether, _teller, plainly(by_rseth_price)),
)
