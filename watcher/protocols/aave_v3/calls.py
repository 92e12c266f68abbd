"""What is read of an Aave v3 market: its contracts' functions and the shapes of their answers."""

from __future__ import annotations

from dataclasses import dataclass

from watcher.domain.source import Address
from watcher.protocols.aave.calls import AccountData, as_addresses
from watcher.reads.abi import Function, interface


@dataclass(frozen=True, slots=True)
class ReserveData:
    """`ReserveDataLegacy`: one layout in every revision (`DataTypes.sol`)."""

    configuration: int
    liquidity_index: int
    liquidity_rate: int
    variable_borrow_index: int
    variable_borrow_rate: int
    stable_borrow_rate: int
    updated_at: int
    id: int
    a_token: Address
    stable_debt_token: Address
    variable_debt_token: Address
    rate_strategy: Address
    accrued_to_treasury: int
    unbacked: int
    isolation_debt: int


@dataclass(frozen=True, slots=True)
class EModeConfig:
    """`getEModeCategoryCollateralConfig` (v3.2): basis points."""

    ltv: int
    threshold: int
    bonus: int


@dataclass(frozen=True, slots=True)
class OldEMode:
    """`getEModeCategoryData` (until v3.1). `price_source` zero: the members keep their own prices."""

    ltv: int
    threshold: int
    bonus: int
    price_source: Address
    label: str


def _old_emode(whole: tuple[int, int, int, Address, str]) -> OldEMode:
    return OldEMode(*whole)


# Gas is guessed at three times what the test markets' real contracts take (8,200 for one word of a user): batches are
# packed by it, and a guess of ten times costs a request for every forty wallets.
_POOL = interface("aave_v3_pool")
revision_of = _POOL.function("POOL_REVISION", int)
provider_of = _POOL.function("ADDRESSES_PROVIDER", Address)
reserves_list: Function[tuple[Address, ...]] = _POOL.function("getReservesList", as_addresses, gas=250_000)
reserve_by_id = _POOL.function("getReserveAddressById", Address)
user_configuration = _POOL.function("getUserConfiguration", int, gas=25_000)
user_emode = _POOL.function("getUserEMode", int, gas=25_000)
account_data_of = _POOL.function("getUserAccountData", AccountData, gas=350_000)
reserve_data = _POOL.function("getReserveData", ReserveData, gas=80_000)
normalized_income = _POOL.function("getReserveNormalizedIncome", int)
normalized_debt = _POOL.function("getReserveNormalizedVariableDebt", int)
grace_until = _POOL.function("getLiquidationGracePeriod", int)
emode_data = _POOL.function("getEModeCategoryData", _old_emode)
emode_config = _POOL.function("getEModeCategoryCollateralConfig", EModeConfig)
emode_bitmap = _POOL.function("getEModeCategoryCollateralBitmap", int)
emode_label = _POOL.function("getEModeCategoryLabel", str)

_PROVIDER = interface("aave_v3_addresses_provider")
pool_of = _PROVIDER.function("getPool", Address)
oracle_of = _PROVIDER.function("getPriceOracle", Address)
sentinel_of = _PROVIDER.function("getPriceOracleSentinel", Address)

_ORACLE = interface("aave_oracle")
liquidation_allowed = _ORACLE.function("isLiquidationAllowed", bool)
