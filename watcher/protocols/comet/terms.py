"""What a market lays down for the collaterals and the debt of one account, in words."""

from __future__ import annotations

from collections.abc import Iterator

from watcher.domain.position import Term
from watcher.protocols.comet.maths import Account, Listed, Market
from watcher.protocols.figures import a_year, amount, percent
from watcher.protocols.rounding import WAD


def terms_of(market: Market, account: Account) -> Iterator[Term]:
    """Rules first, then the figures that move by themselves."""
    for held in account.collaterals:
        yield from _of_collateral(market, market.listed[held.asset])
    base = market.base
    yield Term(what="price source", of=base.symbol, value=market.base_feed)
    yield Term(what="minimum borrow", of=base.symbol, value=amount(market.borrow_min, base.decimals))
    yield Term(what="liquidations", of=base.symbol, value=_open(paused=market.absorb_paused))
    yield Term(what="repayments", of=base.symbol, value=_open(paused=market.repayments_paused))
    yield Term(what="withdrawals", of=base.symbol, value=_open(paused=market.withdrawals_paused))
    yield Term(what="borrow rate", of=base.symbol, value=a_year(market.interest.borrow_rate), set_by_rule=False)
    yield Term(what="utilisation", of=base.symbol, value=percent(market.interest.utilisation), set_by_rule=False)


def _of_collateral(market: Market, listed: Listed) -> Iterator[Term]:
    info, asset = listed.info, listed.asset
    yield Term(what="liquidation threshold", of=asset.symbol, value=percent(info.liquidate_factor))
    yield Term(what="borrow limit", of=asset.symbol, value=percent(info.borrow_factor))
    yield Term(what="liquidation penalty", of=asset.symbol, value=percent(max(WAD - info.liquidation_factor, 0)))
    yield Term(what="supply cap", of=asset.symbol, value=amount(info.supply_cap, asset.decimals))
    yield Term(what="price source", of=asset.symbol, value=info.feed)
    yield Term(what="supply", of=asset.symbol, value=_open(paused=market.supply_paused(info.offset)))
    if market.patch is not None:
        state = "deactivated" if market.deactivated(info.offset) else "active"
        yield Term(what="status", of=asset.symbol, value=state)


def _open(*, paused: bool) -> str:
    return "paused" if paused else "open"
