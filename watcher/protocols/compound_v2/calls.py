"""What is read of comptrollers and their markets, and the shapes of their answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from watcher.domain.source import Address
from watcher.reads.abi import interface


@dataclass(frozen=True, slots=True)
class Liquidity:
    """`getAccountLiquidity`: an error code, and by how much collateral is above or below debt, as WAD."""

    error: int
    above: int
    below: int

    @property
    def margin(self) -> int:
        return self.above - self.below


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`getAccountSnapshot`: market tokens, debt in base units, and what a market token is worth in those, as WAD."""

    error: int
    tokens: int
    borrowed: int
    rate: int


@dataclass(frozen=True, slots=True)
class Listing:
    """`markets` of a version that has one factor, for borrowing and for liquidation alike."""

    listed: bool
    factor: int


@dataclass(frozen=True, slots=True)
class PoolListing:
    """`markets` of Venus's pools."""

    listed: bool
    limit: int
    threshold: int


def _all(addresses: Sequence[Address]) -> tuple[Address, ...]:
    return tuple(addresses)


def _nothing() -> None:
    return None


_COMPTROLLER: Final = interface("compound_v2_comptroller")
entered_by = _COMPTROLLER.function("getAssetsIn", _all)
liquidity_of = _COMPTROLLER.function("getAccountLiquidity", Liquidity, gas=1_500_000)  # every market and its price
oracle_of = _COMPTROLLER.function("oracle", Address, gas=20_000)
close_factor = _COMPTROLLER.function("closeFactorMantissa", int, gas=20_000)
incentive = _COMPTROLLER.function("liquidationIncentiveMantissa", int, gas=20_000)
listing = _COMPTROLLER.function("markets", Listing)
seizure_paused = _COMPTROLLER.function("seizeGuardianPaused", bool, gas=20_000)
minting_paused = _COMPTROLLER.function("mintGuardianPaused", bool, gas=20_000)
borrowing_paused = _COMPTROLLER.function("borrowGuardianPaused", bool, gas=20_000)
deprecated = _COMPTROLLER.function("isDeprecated", bool)
supply_cap = _COMPTROLLER.function("supplyCaps", int, gas=20_000)

_MARKET: Final = interface("compound_v2_market")
accrue = _MARKET.function("accrueInterest", int, gas=350_000)  # some send reserves away as they accrue
snapshot = _MARKET.function("getAccountSnapshot", Snapshot)
exchange_rate = _MARKET.function("exchangeRateStored", int)
cash = _MARKET.function("getCash", int)
borrows = _MARKET.function("totalBorrows", int, gas=20_000)
reserves = _MARKET.function("totalReserves", int, gas=20_000)
supply = _MARKET.function("totalSupply", int, gas=20_000)
rate_per_block = _MARKET.function("borrowRatePerBlock", int)
rate_per_second = _MARKET.function("borrowRatePerTimestamp", int)
bad_debt = _MARKET.function("badDebt", int, gas=20_000)
time_based = _MARKET.function("isTimeBased", bool, gas=20_000)

_VENUS: Final = interface("venus_comptroller")
action_paused = _VENUS.function("actionPaused", bool)
venus_cap = _VENUS.function("supplyCaps", int)
forced = _VENUS.function("isForcedLiquidationEnabled", bool)
forced_for = _VENUS.function("isForcedLiquidationEnabledForUser", bool)
weight_of = _VENUS.function("getEffectiveLtvFactor", int)
incentive_for = _VENUS.function("getEffectiveLiquidationIncentive", int)
pool_of = _VENUS.function("userPoolId", int)
all_paused = _VENUS.function("protocolPaused", bool)
liquidator = _VENUS.function("liquidatorContract", Address)
vai_controller = _VENUS.function("vaiController", Address)
minted_vai = _VENUS.function("mintedVAIs", int)

_POOL: Final = interface("venus_pool_comptroller")
pool_listing = _POOL.function("markets", PoolListing)
least_collateral = _POOL.function("minLiquidatableCollateral", int)

_VAI: Final = interface("venus_vai_controller")
accrue_vai = _VAI.function("accrueVAIInterest", _nothing, gas=300_000)
vai_index = _VAI.function("vaiMintIndex", int)
vai_index_of = _VAI.function("getVAIMinterInterestIndex", int)
past_interest = _VAI.function("pastVAIInterest", int)
vai_token = _VAI.function("getVAIAddress", Address)

price_of = interface("compound_v2_oracle").function("getUnderlyingPrice", int, gas=400_000)
symbol_of = interface("erc20").function("symbol", str)
