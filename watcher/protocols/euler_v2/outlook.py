"""Healths that are in store: down an LTV that falls, after a cool-off; and the one by which borrowing is allowed.

Read beside `LiquidityUtils.checkLiquidity` and `LTVConfigLib.getLTV` of the same sources as `maths`.
"""

from __future__ import annotations

from collections.abc import Iterator

from watcher.domain.errors import ReadFailed
from watcher.domain.health import Health
from watcher.domain.position import Scenario
from watcher.protocols.euler_v2.maths import Account, Line, Market, health_at, waiting
from watcher.protocols.rounding import BPS, mul_div_down


def scenarios_of(market: Market, account: Account, lines: tuple[Line, ...], debt: Line) -> Iterator[Scenario]:
    """Down an LTV that falls, and where it first crosses; after a cool-off."""
    now = market.at.timestamp
    health = health_at(lines, debt.value, now)
    ends = [line.ltv.target_at for line in lines if line.ltv.ramping(now)]
    if ends:
        end = max(ends)
        if not health.liquidatable and (at := _first_crossing(lines, debt.value, now, end)) is not None:
            yield Scenario(what="as the LTV falls", health=health_at(lines, debt.value, at), at=at)
        yield Scenario(what="when the LTV has fallen", health=health_at(lines, debt.value, end), at=end)
    if health.liquidatable and waiting(market, account):
        yield Scenario(what="after the cool-off", health=health, at=now + waiting(market, account))


def to_borrow(lines: tuple[Line, ...], debt: Line) -> Health | None:
    """`checkLiquidity`: what is bid for the collateral by the LTV for borrowing, against what is asked for the debt.

    At equality and below, borrowing and withdrawing are refused. None where the oracle bids or asks nothing.
    """
    if isinstance(debt.edge, ReadFailed):
        return None
    backing = 0
    for line in lines:
        if line.ltv.borrow and isinstance(line.edge, ReadFailed):
            return None
        backing += 0 if isinstance(line.edge, ReadFailed) else mul_div_down(line.edge, line.ltv.borrow, BPS)
    return Health(backing=backing, required=debt.edge, inclusive=True)


def _first_crossing(lines: tuple[Line, ...], owed: int, now: int, end: int) -> int | None:
    """The first second at which the falling LTVs allow a liquidation, prices and debt as they are."""
    if not health_at(lines, owed, end).liquidatable:
        return None
    while end - now > 1:
        middle = (now + end) // 2
        now, end = (now, middle) if health_at(lines, owed, middle).liquidatable else (middle, end)
    return end
