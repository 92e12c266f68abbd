"""What a spoke and its hubs lay down for the reserves that an account uses, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    for line in lines:
        yield from _of_reserve(line)
    yield Term(what="liquidated until health is", of="position", value=percent(market.liquidation.target, WAD))
    yield Term(what="liquidated whole where less is left than", of="position", value="1,000 USD")
    yield Term(what="risk premium", of="position", value=percent(account.risk_premium, BPS), set_by_rule=False)
    for line in lines:
        yield from _figures(line)


def _of_reserve(line: Line) -> Iterator[Term]:
    reserve, symbol = line.reserve, line.reserve.asset.symbol
    yield Term(what="price source", of=symbol, value=reserve.source)
    yield Term(what="hub", of=symbol, value=reserve.hub)
    yield Term(what="status", of=symbol, value=_status(reserve))
    if line.enabled:
        yield Term(what="collateral factor", of=symbol, value=percent(line.factor, BPS))
        yield Term(what="newest collateral factor", of=symbol, value=percent(line.newest_factor, BPS))
        yield from _caps(reserve, "supply cap")
    if line.owed_ray:
        yield from _caps(reserve, "borrow cap")


def _caps(reserve: Reserve, what: str) -> Iterator[Term]:
    allowed = reserve.liquidity.spoke
    if not isinstance(allowed, ReadFailed):
        cap = allowed.add_cap if what == "supply cap" else allowed.draw_cap
        yield Term(what=what, of=reserve.asset.symbol, value="none" if cap == NO_CAP else f"{cap:,}")


def _figures(line: Line) -> Iterator[Term]:
    if line.owed_ray:
        liquidity, symbol = line.reserve.liquidity, line.reserve.asset.symbol
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
