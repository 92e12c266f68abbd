"""What is read of the EVC and of a vault: the functions and the shapes of their answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from watcher.domain.source import Address
from watcher.oracles.euler_adapters import ORACLE
from watcher.reads.abi import Function, interface


@dataclass(frozen=True, slots=True)
class Ltv:
    """`LTVFull`: how much of a collateral's value counts, in basis points, and how the limit for liquidation falls.

    `target_at` is in Unix seconds, and 0 of a collateral that the vault was never told of.
    """

    borrow: int
    liquidation: int
    initial: int
    target_at: int
    ramp: int

    @property
    def recognised(self) -> bool:
        """`isRecognizedCollateral`: only these can be seized, be their LTV 0 by now."""
        return self.target_at != 0

    def ramping(self, now: int) -> bool:
        """Whether the limit for liquidation is on its way down."""
        return now < self.target_at and self.liquidation < self.initial

    def at(self, now: int) -> int:
        """`LTVConfigLib.getLTV(liquidation)`."""
        if not self.ramping(now):
            return self.liquidation
        return self.liquidation + (self.initial - self.liquidation) * (self.target_at - now) // self.ramp


NO_LTV: Final = Ltv(0, 0, 0, 0, 0)
"""Of what a vault does not recognise."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """`hookConfig`: which operations ask a contract first; all of them fail where that contract is none."""

    target: Address
    operations: int


@dataclass(frozen=True, slots=True)
class Liquidity:
    """`accountLiquidity`: values in smallest units of the unit of account, that of the collateral by its LTV."""

    collateral: int
    liability: int


@dataclass(frozen=True, slots=True)
class Quotes:
    """`getQuotes`: what is bid for an amount, and what is asked for it."""

    bid: int
    ask: int


def _addresses(whole: tuple[Address, ...]) -> tuple[Address, ...]:
    return whole


def _supply_cap(supply: int, _borrow: int) -> int:
    """`AmountCapLib.resolve`: ten bits of mantissa, in hundredths, over six of exponent; 0 is no cap at all."""
    return 2**256 - 1 if supply == 0 else 10 ** (supply & 63) * (supply >> 6) // 100


# Gas is guessed at some three times what the EVC takes for one word (7,300), and at what a vault takes behind its
# beacon to bring interest up to date.
_EVC = interface("evc")
controllers_of: Function[tuple[Address, ...]] = _EVC.function("getControllers", _addresses, gas=25_000)
collaterals_of: Function[tuple[Address, ...]] = _EVC.function("getCollaterals", _addresses, gas=60_000)
checked_at = _EVC.function("getLastAccountStatusCheckTimestamp", int, gas=25_000)

_VAULT = interface("euler_vault")
evc_of = _VAULT.function("EVC", Address)
asset_of_vault = _VAULT.function("asset", Address)
oracle_of = _VAULT.function("oracle", Address)
unit_of = _VAULT.function("unitOfAccount", Address)
shares_of = _VAULT.function("balanceOf", int)
debt_of = _VAULT.function("debtOf", int, gas=80_000)
liquidity_of = _VAULT.function(
    "accountLiquidity", Liquidity, gas=3_000_000
)  # up to ten collaterals, each with its oracle
ltv_of = _VAULT.function("LTVFull", Ltv)
discount_of = _VAULT.function("maxLiquidationDiscount", int)
cool_off_of = _VAULT.function("liquidationCoolOffTime", int)
hooks_of = _VAULT.function("hookConfig", Hooks)
supply_cap_of = _VAULT.function("caps", _supply_cap)
rate_of = _VAULT.function("interestRate", int, gas=80_000)
total_assets = _VAULT.function("totalAssets", int, gas=80_000)
total_shares = _VAULT.function("totalSupply", int, gas=80_000)
total_borrows = _VAULT.function("totalBorrows", int, gas=80_000)
to_assets = _VAULT.function("convertToAssets", int, gas=80_000)

get_quotes = ORACLE.function("getQuotes", Quotes, gas=300_000)
