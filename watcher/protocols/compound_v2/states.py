"""What the protocol would do with an account now: its health, what is paused, what is too small to be repaid."""

from __future__ import annotations

from collections.abc import Iterator

from watcher.domain.position import State
from watcher.protocols.compound_v2.maths import Account, Line, Market, Sums
from watcher.protocols.figures import amount
from watcher.protocols.rounding import WAD, mul_div_down


def state_of(market: Market, account: Account, lines: tuple[Line, ...], sums: Sums) -> State:
    """The health first; then a debt of a market under forced liquidation, which needs no shortfall."""
    if not account.owes:
        return State.NO_DEBT
    bad, forced = sums.health.liquidatable, any(line.held.debt and line.held.rule.forced for line in lines)
    if bad and not sums.collateral:
        return State.DEBT_WITHOUT_COLLATERAL
    if not any(_payable(market, account, lines, sums, exposed=False, open_only=False)):
        return State.DUST
    if not (bad or forced):
        return State.HEALTHY
    if any(_payable(market, account, lines, sums, exposed=True, open_only=True)) and _seizable(market, lines):
        return State.LIQUIDATABLE
    return State.LIQUIDATABLE_BUT_BLOCKED if bad else State.HEALTHY


def _payable(
    market: Market, account: Account, lines: tuple[Line, ...], sums: Sums, *, exposed: bool, open_only: bool
) -> Iterator[int]:
    """The most that one liquidation may repay, debt by debt; of all debts, or of those that may be liquidated now."""
    bad, whole = sums.health.liquidatable, taken_whole(market, sums)
    for line in lines:
        rule = line.held.rule
        if (bad or rule.forced or not exposed) and not (
            open_only and (rule.liquidation_paused or rule.repayment_paused)
        ):
            yield line.held.debt if rule.forced or whole else _close(market, line.held.debt)
    if account.vai and (bad or not exposed) and not (open_only and market.common.vai_paused):
        yield _close(market, account.vai.owed)


def _close(market: Market, debt: int) -> int:
    return mul_div_down(market.common.close_factor, debt, WAD)


def _seizable(market: Market, lines: tuple[Line, ...]) -> bool:
    return not market.common.all_paused and any(
        line.held.tokens and not line.held.rule.seizure_paused for line in lines
    )


def taken_whole(market: Market, sums: Sums) -> bool:
    """Venus's pools liquidate or heal an account with little collateral only as a whole, whatever the close factor."""
    return 0 < sums.collateral <= market.common.least_collateral


def notes_of(market: Market, account: Account, lines: tuple[Line, ...], sums: Sums) -> Iterator[str]:
    """What to know beside the state."""
    forced = [line.asset.symbol for line in lines if line.held.debt and line.held.rule.forced]
    if forced:
        yield f"debt in {', '.join(forced)} may be liquidated in full whatever its health (forced liquidation)"
    if account.owes and taken_whole(market, sums):
        least = amount(market.common.least_collateral, 18)
        yield f"its collateral is not above the pool's minimum of {least} USD: it is liquidated or healed as a whole"
    counted = {line.held.c_token for line in lines}
    left_out = [held.c_token for held in account.holdings if held.tokens and held.c_token not in counted]
    if left_out:
        yield f"not counted, as they have no price: {', '.join(left_out)}"
