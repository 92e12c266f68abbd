"""Compound v3's own arithmetic over state already read, exact to the unit.

Read beside `isLiquidatable`, `isBorrowCollateralized`, `accruedInterestIndices` and `principalValue` of
compound-finance/comet @ d5a30b0a, contracts/Comet.sol, CometWithExtendedAssetList.sol and CometCore.sol; `Patch` beside
pull request 1128 @ da98cd48, the version that can deactivate a collateral.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from watcher.domain.errors import ReadFailed
from watcher.domain.health import Health
from watcher.domain.position import Asset, Leg, Numeraire, State
from watcher.domain.price import Price
from watcher.domain.source import Address, Block, Holder
from watcher.protocols.comet.calls import AssetInfo, Totals
from watcher.protocols.reader import PriceMissing
from watcher.protocols.rounding import WAD, mul_div_down, mul_div_up
from watcher.reads import Outcome

INDEX: Final = 10**15
"""An index of one (`BASE_INDEX_SCALE`)."""
PRICE_PLACES: Final = 8
"""Decimals of every price (`PRICE_FEED_DECIMALS`), and so of every value."""

_SUPPLY, _WITHDRAW, _ABSORB = 1 << 0, 1 << 2, 1 << 3  # `pauseFlags`: CometCore.PAUSE_…_OFFSET
_BORROWERS_WITHDRAW, _COLLATERAL_SUPPLY, _BASE_SUPPLY, _COLLATERALS_WITHDRAW = 1 << 1, 1 << 2, 1 << 3, 1 << 7

# --- State, as the engine keeps it ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Collateral:
    """What one account has of one collateral, in base units. It is lent to nobody and bears no interest."""

    offset: int
    asset: Address
    balance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One user. `principal` is in base units at an index of one, below zero what is owed; collaterals in the
    market's own order, which is the order that the contract looks at them in."""

    holder: Holder
    principal: int
    collaterals: tuple[Collateral, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A collateral of the market; `supplied` is what everybody together has supplied of it."""

    info: AssetInfo
    asset: Asset
    supplied: int


@dataclass(frozen=True, slots=True)
class Patch:
    """What the version of 2026 keeps beside the old pause flags: bits by action, and by the offset of a collateral."""

    pauses: int
    supply_pauses: int
    deactivated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """Indices with 15 decimals, accrued to the block; utilisation, and the rate a second that it makes, as WAD."""

    supply_index: int
    borrow_index: int
    utilisation: int
    borrow_rate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What the accounts at hand share. Prices by token, the base's among them, in units of the numeraire."""

    at: Block
    base: Asset
    base_feed: Address
    numeraire: Numeraire
    pause_flags: int
    interest: Interest
    borrow_min: int
    patch: Patch | None
    listed: Mapping[Address, Listed]
    prices: Mapping[Address, Outcome[Price]]

    def _paused(self, old: int, new: int) -> bool:
        return bool(self.pause_flags & old or (self.patch is not None and self.patch.pauses & new))

    @property
    def absorb_paused(self) -> bool:
        return self._paused(_ABSORB, 0)

    @property
    def withdrawals_paused(self) -> bool:
        """Borrowing is withdrawing what one has not got."""
        return self._paused(_WITHDRAW, _BORROWERS_WITHDRAW | _COLLATERALS_WITHDRAW)

    @property
    def repayments_paused(self) -> bool:
        return self._paused(_SUPPLY, _BASE_SUPPLY)

    def supply_paused(self, offset: int) -> bool:
        own = self.patch is not None and bool(self.patch.supply_pauses >> offset & 1)
        return own or self._paused(_SUPPLY, _COLLATERAL_SUPPLY)

    def deactivated(self, offset: int) -> bool:
        return self.patch is not None and bool(self.patch.deactivated >> offset & 1)


# --- Interest ---------------------------------------------------------------------------------------------------------


def utilisation_of(totals: Totals) -> int:
    """`getUtilization`: by the stored indices, as accruing does; a WAD is where all that was lent is owed."""
    supply = mul_div_down(totals.supply, totals.supply_index, INDEX)
    borrow = mul_div_down(totals.borrow, totals.borrow_index, INDEX)
    return mul_div_down(borrow, WAD, supply) if supply else 0


def accrued(index: int, rate: int, seconds: int) -> int:
    """`accruedInterestIndices`: linear from the last accrual on, whoever asks in between."""
    return index + mul_div_down(index, rate * seconds, WAD)


def owed(market: Market, account: Account) -> int:
    """`borrowBalanceOf`: base units, rounded down."""
    return mul_div_down(max(-account.principal, 0), market.interest.borrow_index, INDEX)


def lent(market: Market, account: Account) -> int:
    """`balanceOf`: base units, rounded down."""
    return mul_div_down(max(account.principal, 0), market.interest.supply_index, INDEX)


def principal_of(market: Market, balance: int) -> int:
    """`principalValue`: what is owed is rounded up, what is lent down."""
    if balance < 0:
        return -mul_div_up(-balance, INDEX, market.interest.borrow_index)
    return mul_div_down(balance, INDEX, market.interest.supply_index)


# --- The protocol's own maths -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One collateral of one account as the contract values it, in units of the market's numeraire."""

    listed: Listed
    balance: int
    price: Price
    value: int
    backing: int

    def leg(self) -> Leg:
        """The collateral, weighted by the factor that liquidation goes by."""
        weight = Fraction(self.listed.info.liquidate_factor, WAD)
        asset = self.listed.asset
        return Leg(asset=asset, amount=self.balance, price=self.price, priced_as=asset.address, backing=weight)


def debt_value(market: Market, account: Account) -> int:
    """What is owed at the base token's price. Raises `PriceMissing`; who owes nothing needs no price."""
    if account.principal >= 0:
        return 0
    price = market.prices[market.base.address]
    if isinstance(price, ReadFailed):
        raise PriceMissing(f"no price for {market.base.symbol}: {price}") from price
    return mul_div_down(owed(market, account), price.low, 10**market.base.decimals)


def lines_of(market: Market, account: Account, debt: int) -> tuple[Line, ...]:
    """The loop of `isLiquidatable` over what the account has. Raises `PriceMissing` where the contract would revert.

    It looks at one collateral after the other, and no further once the debt is covered: so a feed that fails further
    down does no harm until it is needed. Such a collateral and all behind it are left out, as they are out of reach:
    the contract either is content before them or fails. A collateral of factor 0 is never asked for its price.
    """
    found: list[Line] = []
    liquidity = -debt
    for held in account.collaterals:
        listed = market.listed[held.asset]
        price = market.prices[held.asset]
        if not isinstance(price, ReadFailed):
            found.append(line := _line(listed, held.balance, price))
            liquidity += line.backing
        elif listed.info.liquidate_factor and account.principal < 0:
            if liquidity < 0:
                raise PriceMissing(f"no price for {listed.asset.symbol}: {price}") from price
            break
    return tuple(found)


def _line(listed: Listed, balance: int, price: Price) -> Line:
    value = mul_div_down(balance, price.low, listed.info.scale)
    backing = mul_div_down(value, listed.info.liquidate_factor, WAD)
    return Line(listed=listed, balance=balance, price=price, value=value, backing=backing)


def borrow_refusal(market: Market, account: Account, debt: int) -> str:
    """Why `isBorrowCollateralized` refuses what it guards, withdrawing and borrowing; empty where it does not."""
    liquidity = -debt
    for held in account.collaterals:
        if liquidity >= 0:
            return ""
        listed, price = market.listed[held.asset], market.prices[held.asset]
        if market.deactivated(held.offset):
            return f"{listed.asset.symbol} is deactivated"
        if market.patch is not None and not listed.info.borrow_factor:
            continue
        if isinstance(price, ReadFailed):
            return f"{listed.asset.symbol} has no price"
        value = _line(listed, held.balance, price).value
        liquidity += mul_div_down(value, listed.info.borrow_factor, WAD)
    return "" if liquidity >= 0 else "the debt is above what the collateral may borrow"


def state_of(market: Market, account: Account, health: Health, collateral: int) -> State:
    """The health, and whether absorbing is paused. An absorption has no minimum: what can be absorbed is no dust."""
    if account.principal >= 0:
        return State.NO_DEBT
    if not health.liquidatable:
        return State.DUST if owed(market, account) < market.borrow_min else State.HEALTHY
    if not collateral:
        return State.DEBT_WITHOUT_COLLATERAL
    return State.LIQUIDATABLE_BUT_BLOCKED if market.absorb_paused else State.LIQUIDATABLE


def legs_of(market: Market, account: Account, lines: tuple[Line, ...]) -> Iterator[Leg]:
    """What backs, what is owed, and what is lent, which backs nothing: who lends owes nothing."""
    yield from (line.leg() for line in lines)
    price = market.prices[market.base.address]
    amount = lent(market, account) - owed(market, account)
    if amount and not isinstance(price, ReadFailed):
        required = Fraction(1) if amount < 0 else Fraction(0)
        yield Leg(asset=market.base, amount=amount, price=price, priced_as=market.base.address, required=required)
