"""The vaults' own arithmetic over state already read: exact to the unit.

Read beside `LiquidityUtils.calculateLiquidity`, `Liquidation.calculateLiquidation` and `executeLiquidation`, and
`ConversionHelpers.conversionTotals` (euler-xyz/euler-vault-kit @ 5b98b420, src/EVault).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from watcher.domain.errors import ReadFailed
from watcher.domain.health import Health
from watcher.domain.position import Asset, Leg, State
from watcher.domain.price import Price
from watcher.domain.source import ZERO_ADDRESS, Address, Block, Holder
from watcher.protocols.euler_v2.calls import NO_LTV, Hooks, Ltv
from watcher.protocols.euler_v2.worths import Unit, Worth
from watcher.protocols.reader import PriceMissing
from watcher.protocols.rounding import BPS, mul_div_down
from watcher.reads import Outcome
from watcher.reads.call import T

OP_DEPOSIT, OP_TRANSFER, OP_REPAY, OP_LIQUIDATE, OP_VAULT_STATUS_CHECK = 1 << 0, 1 << 4, 1 << 7, 1 << 11, 1 << 14
"""Operations by their bits in `hookedOps` (`Constants.sol`). The last comes with each of the others."""
VIRTUAL_DEPOSIT: Final = 10**6
"""What every vault counts on top of its assets and its shares (`VIRTUAL_DEPOSIT_AMOUNT`)."""
_MOST_SLACK: Final = Fraction(1)

# --- State, as the engine keeps it ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stake:
    """Shares of one collateral vault. `deposited` and `minted` are what a what-if put into the vault and got for it."""

    vault: Address
    shares: int
    deposited: int = 0
    minted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One sub-account: the vault that controls it, what it owes there in assets, and the collaterals enabled.

    `checked_at`: when the EVC last found it in order, in Unix seconds.
    """

    holder: Holder
    controller: Address
    debt: int
    stakes: tuple[Stake, ...]
    checked_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """A vault whose shares back a debt. Totals are in assets and shares, with interest and fees to the block."""

    asset: Asset
    share: Asset
    assets: int
    shares: int
    hooks: Hooks
    supply_cap: int

    def assets_of(self, stake: Stake, worth: Worth) -> int:
        """What the shares come to: `toAssetsDown`, or in proportion to what another kind of vault told."""
        if stake.shares == worth.shares:
            return worth.amount
        if self._converted(worth.shares, 0, 0) != worth.amount:
            return mul_div_down(stake.shares, worth.amount, worth.shares)
        return self._converted(stake.shares, stake.deposited, stake.minted)

    def _converted(self, shares: int, deposited: int, minted: int) -> int:
        assets = self.assets + deposited + VIRTUAL_DEPOSIT
        return mul_div_down(shares, assets, self.shares + minted + VIRTUAL_DEPOSIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lender:
    """A vault that accounts owe: their controller. LTVs are by collateral vault, times in seconds."""

    address: Address
    share: Asset
    asset: Asset
    oracle: Address
    unit: Unit
    ltvs: Mapping[Address, Ltv]
    discount: int
    cool_off: int
    hooks: Hooks
    rate: int
    assets: int
    borrows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What the accounts at hand have to do with, each part by itself so that one that fails leaves the others.

    `worths` are by holder and vault (the controller's is the debt). `read` are the prices as read, `prices` those that
    count.
    """

    at: Block
    lenders: Mapping[Address, Outcome[Lender]]
    vaults: Mapping[Address, Outcome[Vault]]
    worths: Mapping[tuple[Holder, Address], Outcome[Worth]]
    read: Mapping[Address, Outcome[Price]]
    prices: Mapping[Address, Outcome[Price]]


# --- The vaults' own maths --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that an account has or owes, valued. `value` is in smallest units of the unit of account.

    `edge` is what is bid for it, or asked where it is owed. A debt has no LTV.
    """

    worth: Worth
    price: Price
    amount: int
    value: int
    edge: Outcome[int]
    ltv: Ltv

    def backing(self, now: int) -> int:
        """`getCollateralValue` for a liquidation."""
        return mul_div_down(self.value, self.ltv.at(now), BPS)


def lender_of(market: Market, account: Account) -> Lender:
    """Raises `ReadFailed` where it could not be read."""
    return _part(market.lenders, account.controller)


def vault_of(market: Market, stake: Stake) -> Vault:
    return _part(market.vaults, stake.vault)


def _part(parts: Mapping[Address, Outcome[T]], address: Address) -> T:
    if address not in parts:
        raise ReadFailed(f"the market was read without the vault {address}, which this account has to do with")
    found = parts[address]
    if isinstance(found, ReadFailed):
        raise found
    return found


def counted(market: Market, account: Account) -> Iterator[Stake]:
    """The collaterals that the contract asks its oracle about: it skips an LTV of 0, and an empty balance."""
    lender, now = lender_of(market, account), market.at.timestamp
    return (stake for stake in account.stakes if stake.shares and lender.ltvs[stake.vault].at(now))


def collateral_lines(market: Market, account: Account) -> tuple[Line, ...]:
    """Raises `PriceMissing` where one has no price, as the contract would revert."""
    return tuple(_collateral(market, account, stake) for stake in counted(market, account))


def _collateral(market: Market, account: Account, stake: Stake) -> Line:
    worth = _worth(market, account, stake.vault)
    vault = vault_of(market, stake)
    by_shares = worth.asset == vault.share
    amount = stake.shares if by_shares else vault.assets_of(stake, worth)
    return _line(market, account, worth, amount, lender_of(market, account).ltvs[stake.vault])


def debt_line(market: Market, account: Account) -> Line | None:
    """`getLiabilityValue`; None where nothing is owed. Raises `PriceMissing`."""
    if not account.debt:
        return None
    return _line(market, account, _worth(market, account, account.controller), account.debt, NO_LTV)


def _worth(market: Market, account: Account, vault: Address) -> Worth:
    found = market.worths[account.holder, vault]
    if isinstance(found, ReadFailed):
        raise PriceMissing(str(found)) from found
    return found


def _line(market: Market, account: Account, worth: Worth, amount: int, ltv: Ltv) -> Line:
    price, read = (prices[worth.priced_as] for prices in (market.prices, market.read))
    if isinstance(price, ReadFailed) or isinstance(read, ReadFailed):
        raise PriceMissing(f"no price for {worth.asset.symbol}: {price}")
    value = worth.under(lender_of(market, account).unit, read, price, amount)
    return Line(worth=worth, price=price, amount=amount, value=value, edge=worth.edge_under(value), ltv=ltv)


def health_at(lines: tuple[Line, ...], owed: int, now: int) -> Health:
    """`calculateLiquidity(liquidation)` if it were `now` and nothing else had moved: equality is liquidatable."""
    return Health(backing=sum(line.backing(now) for line in lines), required=owed, inclusive=True)


def state_of(market: Market, account: Account, health: Health) -> State:
    """What a liquidator could do now. A debt whose value is cut off to nothing cannot be liquidated."""
    if not account.debt:
        return State.NO_DEBT
    if not health.required:
        return State.DUST
    seizable = list(_seizable(market, account))
    if not seizable:
        return State.DEBT_WITHOUT_COLLATERAL
    if not health.liquidatable:
        return State.HEALTHY
    open_ = not waiting(market, account) and not closed(lender_of(market, account).hooks, OP_LIQUIDATE)
    able = open_ and any(not closed(vault_of(market, stake).hooks, OP_TRANSFER) for stake in seizable)
    return State.LIQUIDATABLE if able else State.LIQUIDATABLE_BUT_BLOCKED


def _seizable(market: Market, account: Account) -> Iterator[Stake]:
    ltvs = lender_of(market, account).ltvs
    return (stake for stake in account.stakes if stake.shares and ltvs[stake.vault].recognised)


def waiting(market: Market, account: Account) -> int:
    """For how many seconds yet it is in its cool-off (`isInLiquidationCoolOff`)."""
    return max(account.checked_at + lender_of(market, account).cool_off - market.at.timestamp, 0)


def closed(hooks: Hooks, operation: int) -> bool:
    """Whether nobody can do it: hooked, and with no contract to ask."""
    return hooks.target == ZERO_ADDRESS and bool(hooks.operations & (operation | OP_VAULT_STATUS_CHECK))


def legs_of(lender: Lender, lines: tuple[Line, ...], debt: Line | None, now: int) -> Iterator[Leg]:
    for line in lines:
        weight = Fraction(line.ltv.at(now), BPS)
        worth = line.worth
        yield Leg(asset=worth.asset, amount=line.amount, price=line.price, priced_as=worth.priced_as, backing=weight)
    if debt is not None:
        key = debt.worth.priced_as
        yield Leg(asset=lender.asset, amount=-debt.amount, price=debt.price, priced_as=key, required=Fraction(1))


def slack_of(unit: Unit, lines: tuple[Line, ...], debt: Line, backing: int) -> Fraction:
    """How far amounts at the prices of one are from what the contract makes of them: by what they are off now, twice,
    and a unit of account for each division."""
    off = max((_off(unit, line) for line in (*lines, debt)), default=Fraction(0))
    cut = Fraction(len(lines) + 1, max(min(backing, debt.value), 1))
    return min(Fraction(1, 10**9) + 2 * off + cut, _MOST_SLACK)


def _off(unit: Unit, line: Line) -> Fraction:
    exactly = line.value * unit.whole(line.worth.asset)
    return Fraction(abs(line.amount * line.price.low - exactly), exactly) if exactly else Fraction(0)
