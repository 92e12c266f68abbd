"""What an action would leave of an account. Read beside `supplyBase` and `supplyCollateral` of the same sources as
`maths`. Amounts are token base units."""

from __future__ import annotations

from dataclasses import replace

from watcher.domain.position import Refused
from watcher.domain.source import Address
from watcher.protocols.comet.maths import Account, Market, owed, principal_of


def after_repay(market: Market, account: Account, asset: Address, amount: int) -> Account | Refused:
    """Base supplied: it pays what is owed, and what it exceeds that by is lent."""
    if asset != market.base.address or account.principal >= 0:
        return Refused(f"{asset} is not owed here")
    if market.repayments_paused:
        return Refused(f"supplying {market.base.symbol} is paused: Compound accepts no repayment")
    return replace(account, principal=principal_of(market, amount - owed(market, account)))


def after_top_up(market: Market, account: Account, asset: Address, amount: int) -> Account | Refused:
    """More of a collateral that the account has. What is left of the market's cap is the most accepted."""
    held = next((one for one in account.collaterals if one.asset == asset), None)
    if held is None:
        return Refused(f"{asset} is not a collateral of this account")
    listed = market.listed[asset]
    if market.supply_paused(held.offset):
        return Refused(f"supplying {listed.asset.symbol} is paused")
    if listed.supplied + amount > listed.info.supply_cap:
        return Refused(f"{listed.asset.symbol} would be above its supply cap")
    more = replace(held, balance=held.balance + amount)
    return replace(account, collaterals=tuple(more if one is held else one for one in account.collaterals))
