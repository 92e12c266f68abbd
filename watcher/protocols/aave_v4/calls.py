"""What is read of a spoke, of its oracle and of its hubs: their functions and the shapes of their answers.

Amounts of tokens are base units, shares are of a hub; factors and bonuses basis points; indices and rates RAY.
"""

from __future__ import annotations

from dataclasses import dataclass

from watcher.domain.source import Address
from watcher.reads.abi import interface


@dataclass(frozen=True, slots=True)
class ReserveData:
    """`ISpoke.Reserve`. `dynamic_key` is the newest key; the bits of `flags` are those of `ReserveFlagsMap`."""

    underlying: Address
    hub: Address
    asset_id: int
    decimals: int
    collateral_risk: int
    flags: int
    dynamic_key: int


@dataclass(frozen=True, slots=True)
class ReserveStatus:
    """What a user does with a reserve."""

    collateral: bool
    borrowing: bool


@dataclass(frozen=True, slots=True)
class UserPosition:
    """`ISpoke.UserPosition`. The premium owed is `premium_shares × index − premium_offset`, in RAYs of a base unit."""

    drawn_shares: int
    premium_shares: int
    premium_offset: int
    supplied_shares: int
    dynamic_key: int


@dataclass(frozen=True, slots=True)
class DynamicConfig:
    """`ISpoke.DynamicReserveConfig`: what a key stands for. A bonus of 10,000 is none."""

    factor: int
    bonus: int
    fee: int


@dataclass(frozen=True, slots=True)
class LiquidationConfig:
    """`ISpoke.LiquidationConfig`: healths in WAD."""

    target: int
    health_for_most_bonus: int
    bonus_factor: int


@dataclass(frozen=True, slots=True)
class SpokeConfig:
    """`IHub.SpokeConfig`: what a hub allows a spoke to do with an asset. Caps in whole tokens."""

    add_cap: int
    draw_cap: int
    risk_premium_threshold: int
    active: bool
    halted: bool


@dataclass(frozen=True, slots=True)
class AccountData:
    """`ISpoke.UserAccountData`: 10**26 of value are one dollar, debt is in RAYs of that, health in WAD."""

    risk_premium: int
    average_factor: int
    health_factor: int
    collateral: int
    debt_ray: int
    collaterals: int
    debts: int


_SPOKE = interface("aave_v4_spoke")
account_data_of = _SPOKE.function("getUserAccountData", AccountData, gas=600_000)
reserve_count = _SPOKE.function("getReserveCount", int, gas=25_000)
reserve_of = _SPOKE.function("getReserve", ReserveData, gas=40_000)
status_of = _SPOKE.function("getUserReserveStatus", ReserveStatus, gas=25_000)
position_of = _SPOKE.function("getUserPosition", UserPosition, gas=40_000)
risk_premium_of = _SPOKE.function("getUserLastRiskPremium", int, gas=25_000)
config_of = _SPOKE.function("getDynamicReserveConfig", DynamicConfig, gas=40_000)
liquidation_config = _SPOKE.function("getLiquidationConfig", LiquidationConfig, gas=25_000)
oracle_of = _SPOKE.function("ORACLE", Address, gas=25_000)

_ORACLE = interface("aave_v4_oracle")
price_by_id = _ORACLE.function("getReservePrice", int, gas=120_000)
source_by_id = _ORACLE.function("getReserveSource", Address, gas=25_000)
decimals_of = _ORACLE.function("decimals", int, gas=25_000)

_HUB = interface("aave_v4_hub")
drawn_index = _HUB.function("getAssetDrawnIndex", int)
drawn_rate = _HUB.function("getAssetDrawnRate", int)
added_assets = _HUB.function("getAddedAssets", int, gas=90_000)
added_shares = _HUB.function("getAddedShares", int)
total_owed = _HUB.function("getAssetTotalOwed", int, gas=90_000)
spoke_config = _HUB.function("getSpokeConfig", SpokeConfig)
