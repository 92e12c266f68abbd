"""BGD's synchronicity adapters: two feeds made into one price, or a feed and a rate.

Source: bgd-labs/cl-synchronicity-price-adapter @ 67124f2e, src/contracts (the first three are also in
aave-dao/aave-price-feeds @ 76a1e328). `StETHtoETHSynchronicityPriceAdapter`, a constant without a getter of its own,
is not told apart from anything that happens to answer 1.
"""

from __future__ import annotations

from typing import Final

from watcher.domain.source import Address
from watcher.oracles.composed import Composed
from watcher.oracles.rated import (
    by_assets,
    by_chi,
    by_exchange_rate,
    by_plain_exchange_rate,
    by_rate,
    by_shares,
    of_shares,
    plainly,
    rated,
)
from watcher.oracles.shape import Kind, Shape
from watcher.reads import Plan
from watcher.reads.abi import Function, interface

_SYNCHRONICITY = interface("cl_synchronicity")
_peg_to_base = _SYNCHRONICITY.function("PEG_TO_BASE", Address)
_base_to_peg = _SYNCHRONICITY.function("BASE_TO_PEG", Address)
_asset_to_peg = _SYNCHRONICITY.function("ASSET_TO_PEG", Address)
_decimals = _SYNCHRONICITY.function("DECIMALS", int)
_denominator = _SYNCHRONICITY.function("DENOMINATOR", int)
_price_ratio = _SYNCHRONICITY.function("PRICE_RATIO", int)
_multiplier = _SYNCHRONICITY.function("MULTIPLIER", int)
_rate_decimals = _SYNCHRONICITY.function("RATIO_DECIMALS", int)

_WHOLE: Final = 100_00
"""Of `PRICE_RATIO`, in basis points."""


def _through_peg(source: Address, asset: Address, base: Address, decimals: int, over: int) -> Plan[Shape | None]:
    yield []
    what = "asset to peg × peg to base"
    return Composed(positive=True, source=source, what=what, above=(asset, base), times=10**decimals, over=over)


def _by_peg(source: Address, asset: Address, base: Address, decimals: int) -> Plan[Shape | None]:
    yield []
    return Composed(
        positive=True,
        source=source,
        what="asset to peg ÷ base to peg",
        above=(asset,),
        below=(base,),
        times=10**decimals,
    )


def _at_ratio(source: Address, base: Address, ratio: int, multiplier: int) -> Plan[Shape | None]:
    yield []
    what = "a fixed ratio ÷ base to peg"
    return Composed(
        positive=True, source=source, what=what, above=(), below=(base,), times=ratio * multiplier, over=_WHOLE
    )


def _address(name: str) -> Function[Address]:
    return _SYNCHRONICITY.function(name, Address)


_told_by = _address("RATE_PROVIDER")
KINDS: Final = (
    Kind("peg to base", (_asset_to_peg, _peg_to_base, _decimals, _denominator), _through_peg),
    Kind("base to peg", (_asset_to_peg, _base_to_peg, _decimals), _by_peg),
    Kind("fixed ratio", (_base_to_peg, _price_ratio, _multiplier), _at_ratio),
    rated("wstETH in stETH", _address("ETH_TO_BASE"), _address("STETH"), of_shares(by_shares), _rate_decimals),
    rated("rETH in ETH", _address("ETH_TO_USD"), _address("RETH"), plainly(by_exchange_rate), _rate_decimals),
    rated("cbETH in ETH", _address("CBETH_TO_BASE"), _told_by, plainly(by_plain_exchange_rate), _rate_decimals),
    rated("staked MATIC in MATIC", _address("MATIC_TO_BASE"), _told_by, plainly(by_rate), _rate_decimals),
    rated("sDAI in DAI", _address("DAI_TO_USD"), _told_by, plainly(by_chi), _rate_decimals),
    rated("sDAI in xDAI", _address("DAI_TO_BASE"), _address("sDAI"), of_shares(by_assets), _rate_decimals),
)
