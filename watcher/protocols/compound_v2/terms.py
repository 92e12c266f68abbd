"""What a comptroller lays down for the collaterals and debts of one account, in words."""

from __future__ import annotations

from collections.abc import Iterator

from watcher.domain.errors import ReadFailed
from watcher.domain.position import Term
from watcher.protocols.compound_v2.maths import Account, Line, Market, Totals
from watcher.protocols.figures import a_year, amount, percent
from watcher.protocols.rounding import WAD

_NOBODY = "0x" + "0" * 40


def terms_of(market: Market, account: Account, lines: tuple[Line, ...]) -> Iterator[Term]:
    """Rules first, then the figures that move by themselves."""
    for line in lines:
        yield Term(what="price source", of=line.asset.symbol, value=line.price.source)
        if line.held.tokens:
            yield from _of_collateral(line)
        if line.held.debt:
            yield from _of_debt(line)
    yield from _of_all(market, account)
    for line in lines:
        listed = market.listed[line.held.c_token]
        if line.held.debt and not isinstance(listed, ReadFailed):
            yield from _figures(line.asset.symbol, listed.totals)


def _of_collateral(line: Line) -> Iterator[Term]:
    rule, asset = line.held.rule, line.asset
    yield Term(what="liquidation threshold", of=asset.symbol, value=percent(rule.threshold))
    yield Term(what="borrow limit", of=asset.symbol, value=percent(rule.limit))
    yield Term(what="liquidation penalty", of=asset.symbol, value=percent(max(rule.incentive - WAD, 0)))
    cap = "none" if rule.supply_cap is None else amount(rule.supply_cap, asset.decimals)
    yield Term(what="supply cap", of=asset.symbol, value=cap)
    yield Term(what="supply", of=asset.symbol, value=_open(paused=rule.supply_paused))
    yield Term(what="seizure", of=asset.symbol, value=_open(paused=rule.seizure_paused))


def _of_debt(line: Line) -> Iterator[Term]:
    rule, symbol = line.held.rule, line.asset.symbol
    yield Term(what="liquidations", of=symbol, value=_open(paused=rule.liquidation_paused))
    yield Term(what="repayments", of=symbol, value=_open(paused=rule.repayment_paused))
    yield Term(what="borrowing", of=symbol, value=_open(paused=rule.borrowing_paused))
    yield Term(what="forced liquidation", of=symbol, value="on" if rule.forced else "off")


def _of_all(market: Market, account: Account) -> Iterator[Term]:
    common = market.common
    yield Term(what="close factor", of="", value=percent(common.close_factor))
    yield Term(what="protocol", of="", value=_open(paused=common.all_paused))
    if common.liquidator is not None:
        yield Term(what="liquidator", of="", value="anybody" if common.liquidator == _NOBODY else common.liquidator)
        yield Term(what="pool", of="", value=f"{account.pool}" if account.pool else "core")
    if common.least_collateral:
        yield Term(what="least collateral", of="", value=f"{amount(common.least_collateral, 18)} USD")


def _figures(symbol: str, totals: Totals) -> Iterator[Term]:
    rate = totals.borrow_rate
    said = a_year(rate) if totals.per_second else f"{amount(rate * 100, 18)} % a block"
    yield Term(what="borrow rate", of=symbol, value=said, set_by_rule=False)
    lent = totals.cash + totals.borrows - totals.reserves
    used = percent(totals.borrows, lent) if lent > 0 else percent(0)
    yield Term(what="utilisation", of=symbol, value=used, set_by_rule=False)


def _open(*, paused: bool) -> str:
    return "paused" if paused else "open"
