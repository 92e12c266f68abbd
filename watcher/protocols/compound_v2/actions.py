"""What an action would leave of an account. Read beside `repayBorrowFresh` and `mintFresh` of the same sources as
`maths`. Amounts are token base units."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from watcher.domain.errors import ReadFailed
from watcher.domain.position import Refused
from watcher.domain.source import Address
from watcher.protocols.compound_v2.maths import Account, Holding, Listed, Market
from watcher.protocols.rounding import WAD, mul_div_down


def after_repay(market: Market, account: Account, asset: Address, amount: int) -> Account | Refused:
    """Debt paid back; more than is owed is not taken."""
    if market.common.all_paused:
        return Refused("the protocol is paused: it accepts no repayment")
    vai = market.common.vai
    if account.vai and account.vai.owed and vai and vai.address == asset:
        return replace(account, vai=account.vai.after_repay(amount))
    return _changed(market, account, asset, lambda held: held.debt > 0, lambda held, _: _repaid(held, amount))


def after_top_up(market: Market, account: Account, asset: Address, amount: int) -> Account | Refused:
    """More of what is supplied in a market that was entered."""
    if market.common.all_paused:
        return Refused("the protocol is paused: it accepts no supply")

    def change(held: Holding, listed: Listed) -> Holding | Refused:
        return _supplied(market, held, listed, amount)

    return _changed(market, account, asset, lambda held: held.tokens > 0, change)


def _changed(
    market: Market,
    account: Account,
    asset: Address,
    fits: Callable[[Holding], bool],
    change: Callable[[Holding, Listed], Holding | Refused],
) -> Account | Refused:
    """The account with one holding changed: the first in that asset that takes it, as two markets may lend the same."""
    refused = Refused(f"{asset} is not in a market where this would help")
    for held, listed in _in(market, account, asset):
        if fits(held):
            changed = change(held, listed)
            if isinstance(changed, Holding):
                holdings = tuple(changed if one is held else one for one in account.holdings)
                return replace(account, holdings=holdings)
            refused = changed
    return refused


def _in(market: Market, account: Account, asset: Address) -> Iterator[tuple[Holding, Listed]]:
    for held in account.holdings:
        listed = market.listed[held.c_token]
        if not isinstance(listed, ReadFailed) and listed.asset.address == asset:
            yield held, listed


def _repaid(held: Holding, amount: int) -> Holding | Refused:
    if held.rule.repayment_paused:
        return Refused("repaying is paused")
    return replace(held, debt=max(held.debt - amount, 0))


def _supplied(market: Market, held: Holding, listed: Listed, amount: int) -> Holding | Refused:
    """`mintFresh`: market tokens at the rate before, cut off; the rate itself moves by what was cut off."""
    totals, cap = listed.totals, held.rule.supply_cap
    if held.rule.supply_paused:
        return Refused(f"supplying {listed.asset.symbol} is paused")
    rate = totals.rate_after(held)
    there = mul_div_down(rate, totals.tokens, WAD) if market.version.caps_by_shares else totals.net
    if cap is not None and there + amount > cap:
        return Refused(f"{listed.asset.symbol} would be above its supply cap")
    minted = mul_div_down(amount, WAD, rate)
    return replace(held, tokens=held.tokens + minted, added=held.added + amount, minted=held.minted + minted)
