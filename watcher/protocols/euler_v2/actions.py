"""What a repayment or a deposit would leave of an account, in the shares that the vault itself would mint.

Read beside `Borrowing.repay`, `BorrowUtils.decreaseBorrow`, `Vault.deposit` and `RiskManager.checkVaultStatus` of the
same sources as `maths`.
"""

from __future__ import annotations

from dataclasses import replace

from watcher.domain.errors import ReadFailed
from watcher.domain.position import Refused
from watcher.domain.source import Address
from watcher.protocols.euler_v2.maths import (
    OP_DEPOSIT,
    OP_REPAY,
    OP_TRANSFER,
    VIRTUAL_DEPOSIT,
    Account,
    Market,
    Stake,
    Vault,
    closed,
    counted,
    lender_of,
    vault_of,
)
from watcher.protocols.rounding import mul_div_down


def after_repay(market: Market, account: Account, asset: Address, amount: int) -> Account | Refused:
    """The debt is rounded up to whole units, and less by the amount. Nobody can pay more than that; it clears it."""
    lender = lender_of(market, account)
    if asset != lender.asset.address or not account.debt:
        return Refused(f"{asset} is not owed by this account")
    if closed(lender.hooks, OP_REPAY):
        return Refused(f"{lender.share.symbol} accepts no repayment: it is disabled there")
    return replace(account, debt=max(account.debt - amount, 0))


def after_top_up(market: Market, account: Account, asset: Address, amount: int) -> Account | Refused:
    """A deposit into the collateral vault of that asset which counts most; or its shares, where those are the asset."""
    held = _held(market, account, asset)
    if held is None:
        return Refused(f"{asset} is not a collateral of this account that counts")
    vault = vault_of(market, held)
    more = _transferred(vault, held, amount) if asset == vault.share.address else _deposited(vault, held, amount)
    if isinstance(more, Refused):
        return more
    return replace(account, stakes=tuple(more if stake is held else stake for stake in account.stakes))


def _held(market: Market, account: Account, asset: Address) -> Stake | None:
    ltvs, now = lender_of(market, account).ltvs, market.at.timestamp
    found = [stake for stake in counted(market, account) if _asset(market, account, stake) == asset]
    return max(found, key=lambda stake: ltvs[stake.vault].at(now), default=None)


def _asset(market: Market, account: Account, stake: Stake) -> Address | None:
    worth = market.worths[account.holder, stake.vault]
    return None if isinstance(worth, ReadFailed) else worth.asset.address


def _transferred(vault: Vault, held: Stake, amount: int) -> Stake | Refused:
    if closed(vault.hooks, OP_TRANSFER):
        return Refused(f"{vault.share.symbol} accepts no transfer: it is disabled there")
    return replace(held, shares=held.shares + amount)


def _deposited(vault: Vault, held: Stake, amount: int) -> Stake | Refused:
    if closed(vault.hooks, OP_DEPOSIT):
        return Refused(f"{vault.share.symbol} accepts no deposit: it is disabled there")
    assets, shares = vault.assets + held.deposited, vault.shares + held.minted
    if amount and assets + amount > vault.supply_cap:
        return Refused(f"{vault.share.symbol} accepts no more: its supply cap is {vault.supply_cap}")
    minted = mul_div_down(amount, shares + VIRTUAL_DEPOSIT, assets + VIRTUAL_DEPOSIT)
    if amount and not minted:
        return Refused(f"{amount} is too little for a share of {vault.share.symbol}")
    return Stake(held.vault, held.shares + minted, held.deposited + amount, held.minted + minted)
