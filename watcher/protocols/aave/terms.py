"""What a market lays down for the reserves that an account uses, in words: from what was read of them anyhow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from watcher.domain.position import Term
from watcher.protocols.aave.maths import Line
from watcher.protocols.aave.state import Account, EMode, Market, Reserve
from watcher.protocols.figures import percent
from watcher.protocols.rounding import BPS, RAY


def terms_of(market: Market, account: Account, lines: Sequence[Line]) -> Iterator[Term]:
    """Rules first, then the rates, which move by themselves. What an account does not use is left out.

    Utilisation is none of them: it would take a request of its own.
    """
    if account.emode:
        yield from _of_emode(market.emodes[account.emode])
    for line in lines:
        yield from _of_reserve(line)
    for line in lines:
        yield from _rates(line)


def _of_emode(mode: EMode) -> Iterator[Term]:
    yield Term(what="e-mode liquidation threshold", of=mode.label, value=percent(mode.threshold, BPS))
    yield Term(what="e-mode borrow limit", of=mode.label, value=percent(mode.ltv, BPS))


def _of_reserve(line: Line) -> Iterator[Term]:
    reserve, symbol = line.reserve, line.reserve.asset.symbol
    yield Term(what="price source", of=symbol, value=line.price.source)
    yield Term(what="status", of=symbol, value=_status(reserve))
    if line.supplied:
        yield Term(what="liquidation threshold", of=symbol, value=percent(line.threshold, BPS))
        yield Term(what="borrow limit", of=symbol, value=percent(reserve.ltv, BPS))
        yield Term(what="supply cap", of=symbol, value=_cap(reserve.supply_cap))
    if line.owed:
        yield Term(what="borrow cap", of=symbol, value=_cap(reserve.borrow_cap))
        yield Term(what="rate model", of=symbol, value=reserve.rate_model)


def _rates(line: Line) -> Iterator[Term]:
    reserve, symbol = line.reserve, line.reserve.asset.symbol
    if line.supplied:
        yield Term(what="supply rate", of=symbol, value=_a_year(reserve.supply_rate), set_by_rule=False)
    if line.owed:
        yield Term(what="borrow rate", of=symbol, value=_a_year(reserve.borrow_rate), set_by_rule=False)


def _status(reserve: Reserve) -> str:
    """The state that stops most of what a user may do."""
    if not reserve.active:
        return "inactive"
    if reserve.paused:
        return "paused"
    return "frozen" if reserve.frozen else "active"


def _cap(tokens: int) -> str:
    return f"{tokens:,}" if tokens else "none"


def _a_year(rate: int) -> str:
    return f"{percent(rate, RAY)} a year"
