"""What a spoke and its hubs lay down for the reserves that an account uses, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from watcher.domain.errors import ReadFailed
from watcher.domain.position import Scenario, Term
from watcher.protocols.aave_v4.maths import Account, Line, Market, Reserve, health_of, totals
from watcher.protocols.figures import percent
from watcher.protocols.rounding import BPS, RAY, WAD

NO_CAP: Final = 2**40 - 1
"""`MAX_ALLOWED_SPOKE_CAP`."""
NEWEST_FACTORS: Final = "at the newest collateral factors, which the next borrowing or withdrawal takes over"


def scenarios_of(lines: Sequence[Line]) -> Iterator[Scenario]:
    """Health at the newest keys, where they are other ones than those that the position keeps."""
    if any(line.enabled and line.factor != line.newest_factor for line in lines):
        found = totals(lines, newest=True)
        if found.debt_ray:
            yield Scenario(what=NEWEST_FACTORS, health=health_of(found.health_factor))


def terms_of(market: Market, account: Account, lines: Sequence[Line]) -> Iterator[Term]:
    """Rules first, then the figures that move by themselves. What an account does not use is left out."""
    names = _names(lines)
    for line in lines:
        yield from _of_reserve(line, names[line.reserve.id])
    yield Term(what="liquidated until health is", of="position", value=percent(market.liquidation.target, WAD))
    yield Term(what="liquidated whole where less is left than", of="position", value="1,000 USD")
    yield Term(what="risk premium", of="position", value=percent(account.risk_premium, BPS), set_by_rule=False)
    for line in lines:
        yield from _figures(line, names[line.reserve.id])


def _names(lines: Sequence[Line]) -> Mapping[int, str]:
    """What to call each reserve: by its asset, and by its number too where several hubs lend the same."""
    symbols = [line.reserve.asset.symbol for line in lines]
    return {
        line.reserve.id: symbol if symbols.count(symbol) == 1 else f"{symbol} (reserve {line.reserve.id})"
        for line, symbol in zip(lines, symbols, strict=True)
    }


def _of_reserve(line: Line, symbol: str) -> Iterator[Term]:
    reserve = line.reserve
    yield Term(what="price source", of=symbol, value=reserve.source)
    yield Term(what="hub", of=symbol, value=reserve.hub)
    yield Term(what="status", of=symbol, value=_status(reserve))
    if line.enabled:
        yield Term(what="collateral factor", of=symbol, value=percent(line.factor, BPS))
        yield Term(what="newest collateral factor", of=symbol, value=percent(line.newest_factor, BPS))
        yield from _cap(reserve, symbol, "supply cap")
    if line.owed_ray:
        yield from _cap(reserve, symbol, "borrow cap")


def _cap(reserve: Reserve, symbol: str, what: str) -> Iterator[Term]:
    allowed = reserve.liquidity.spoke
    if not isinstance(allowed, ReadFailed):
        cap = allowed.add_cap if what == "supply cap" else allowed.draw_cap
        yield Term(what=what, of=symbol, value="none" if cap == NO_CAP else f"{cap:,}")


def _figures(line: Line, symbol: str) -> Iterator[Term]:
    if line.owed_ray:
        liquidity = line.reserve.liquidity
        rate, used = percent(liquidity.drawn_rate, RAY), percent(liquidity.owed, max(liquidity.assets, 1))
        yield Term(what="borrow rate", of=symbol, value=f"{rate} a year", set_by_rule=False)
        yield Term(what="utilisation", of=symbol, value=used, set_by_rule=False)


def _status(reserve: Reserve) -> str:
    """The state that stops most of what a user may do."""
    if not reserve.liquidity.active:
        return "inactive at its hub"
    if reserve.liquidity.halted:
        return "halted at its hub"
    if reserve.paused:
        return "paused"
    return "frozen" if reserve.frozen else "active"
