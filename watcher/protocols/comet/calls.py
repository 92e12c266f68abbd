"""What is read of a Compound v3 market: the functions of one proxy, and the shapes of their answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from watcher.domain.source import Address
from watcher.reads.abi import Function, interface


@dataclass(frozen=True, slots=True)
class UserBasic:
    """`UserBasic`: `principal` below zero is debt, in base units at an index of one."""

    principal: int
    tracking_index: int
    tracking_accrued: int
    assets_in: int
    reserved: int

    @property
    def offsets(self) -> tuple[int, ...]:
        """The collaterals held. The word for the first 16 goes on in the reserved byte, where a market has more."""
        bits = self.assets_in | self.reserved << 16
        return tuple(offset for offset in range(24) if bits >> offset & 1)


@dataclass(frozen=True, slots=True)
class Totals:
    """`TotalsBasic`: indices with 15 decimals and sums of principals, as of `accrued_at` in Unix seconds."""

    supply_index: int
    borrow_index: int
    tracking_supply_index: int
    tracking_borrow_index: int
    supply: int
    borrow: int
    accrued_at: int
    pause_flags: int


@dataclass(frozen=True, slots=True)
class AssetInfo:
    """`AssetInfo`: factors as WAD; `liquidation_factor` is what an absorption pays for a unit of value."""

    offset: int
    asset: Address
    feed: Address
    scale: int
    borrow_factor: int
    liquidate_factor: int
    liquidation_factor: int
    supply_cap: int


def _first(value: int, _reserved: int) -> int:
    return value


def _nothing() -> None:
    return None


_COMET = interface("comet")
asset_count = _COMET.function("numAssets", int, gas=20_000)
asset_info = _COMET.function("getAssetInfo", AssetInfo)
base_token = _COMET.function("baseToken", Address, gas=20_000)
base_feed = _COMET.function("baseTokenPriceFeed", Address, gas=20_000)
base_scale = _COMET.function("baseScale", int, gas=20_000)
borrow_min = _COMET.function("baseBorrowMin", int, gas=20_000)
index_scale = _COMET.function("baseIndexScale", int, gas=20_000)
factor_scale = _COMET.function("factorScale", int, gas=20_000)
price_scale = _COMET.function("priceScale", int, gas=20_000)
totals_basic = _COMET.function("totalsBasic", Totals, gas=30_000)
totals_collateral = _COMET.function("totalsCollateral", _first, gas=30_000)
borrow_rate = _COMET.function("getBorrowRate", int, gas=30_000)
supply_rate = _COMET.function("getSupplyRate", int, gas=60_000)
price_of = _COMET.function("getPrice", int, gas=150_000)  # a wrapper may ask several feeds, each behind a proxy
user_basic = _COMET.function("userBasic", UserBasic, gas=30_000)
user_collateral = _COMET.function("userCollateral", _first, gas=30_000)
accrue_account = _COMET.function("accrueAccount", _nothing, gas=150_000)
liquidatable = _COMET.function("isLiquidatable", bool, gas=1_000_000)  # up to 24 collaterals, each with its price
borrow_balance = _COMET.function("borrowBalanceOf", int)
extended_pauses = _COMET.function("extendedPauseFlags", int, gas=30_000)
supply_pauses = _COMET.function("collateralsSupplyPauseFlags", int, gas=30_000)
deactivated = _COMET.function("deactivatedCollaterals", int, gas=30_000)

SHARED: Final[Sequence[Function[Any]]] = (
    totals_basic,
    base_token,
    base_feed,
    base_scale,
    borrow_min,
    extended_pauses,
    supply_pauses,
    deactivated,
)
"""What is read of every market without an argument, whoever is in it."""

symbol_of = interface("erc20").function("symbol", str)
