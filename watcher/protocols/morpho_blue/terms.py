"""What a market lays down for one account, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from watcher.domain.position import Term
from watcher.domain.source import ZERO_ADDRESS
from watcher.protocols.figures import a_year, percent
from watcher.protocols.morpho_blue.maths import Account, Line, Market
from watcher.protocols.rounding import WAD, mul_div_down

_CURSOR: Final = 3 * 10**17
"""`LIQUIDATION_CURSOR`: how much of what the LTV leaves over is for the liquidator; as WAD."""
_MOST_INCENTIVE: Final = 115 * 10**16
"""`MAX_LIQUIDATION_INCENTIVE_FACTOR`, as WAD."""


def incentive_of(lltv: int) -> int:
    """The liquidation incentive factor of `Morpho.liquidate`: what is seized for each unit repaid, as WAD."""
    return min(_MOST_INCENTIVE, mul_div_down(WAD, WAD, WAD - mul_div_down(_CURSOR, WAD - lltv, WAD)))


def terms_of(market: Market, account: Account) -> Iterator[Term]:
    """Rules first, all of them for good but for the guards; then the figures that move by themselves."""
    params, what, loan = market.params, market.collateral.symbol, market.loan.symbol
    yield Term(what="liquidation threshold", of=what, value=percent(params.lltv))
    yield Term(what="liquidation penalty", of=what, value=percent(incentive_of(params.lltv) - WAD))
    yield Term(what="price source", of=what, value=params.oracle)
    yield Term(what="rate model", of=loan, value="none" if params.irm == ZERO_ADDRESS else params.irm)
    for guard in account.guards:
        yield Term(what=f"pre-liquidation by {guard.contract}", of=what, value=f"from {percent(guard.params.lltv)} on")
    yield Term(what="borrow rate", of=loan, value=a_year(market.rate), set_by_rule=False)
    yield Term(what="utilisation", of=loan, value=percent(market.utilisation), set_by_rule=False)


def notes_of(market: Market, account: Account, lines: tuple[Line, ...], counted: Line) -> Iterator[str]:
    """What the numbers do not say by themselves."""
    if counted.guard is not None:
        yield (
            f"pre-liquidation: {counted.guard.contract}, which this account has authorised, may sell a part of the"
            f" {market.collateral.symbol} from an LTV of {percent(counted.lltv)} on; Morpho itself liquidates from"
            f" {percent(market.params.lltv)} on"
        )
    acting = {line.guard.contract for line in lines if line.guard}
    for guard in account.guards:
        if guard.contract not in acting:
            yield f"the authorised pre-liquidation {guard.contract} cannot act now, by its own price"
