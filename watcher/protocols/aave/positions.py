"""From a market and an account in it to its position: Aave liquidates a user as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from watcher.domain.errors import ReadFailed
from watcher.domain.position import Action, Because, Position, PositionId, Refused, Repay, Unreadable
from watcher.protocols.aave.actions import after_repay, after_top_up
from watcher.protocols.aave.maths import Line, health_of, legs_of, lines_of, slack_of, state_of, totals
from watcher.protocols.aave.state import Account, Market
from watcher.protocols.aave.terms import terms_of
from watcher.protocols.reader import Place, PriceMissing


def positions_of(place: Place, market: Market, account: Account) -> Sequence[Position | Unreadable]:
    """Its one position; unreadable where one of its reserves has no price, as the contract would revert."""
    if unread := [held.asset for held in account.holdings if held.asset not in market.reserves]:
        raise ReadFailed(f"the market was read without {unread[0]}, which this account holds")
    if account.emode and account.emode not in market.emodes:
        raise ReadFailed(f"the market was read without e-mode {account.emode}, which this account is in")
    try:
        return [_valued(place, market, account, lines_of(market, account))]
    except PriceMissing as problem:
        return [
            Unreadable(
                id=_id(place, account),
                holder=account.holder,
                at=market.at,
                market=place.title,
                because=Because.UNPRICEABLE,
                reason=str(problem),
            )
        ]


def _valued(place: Place, market: Market, account: Account, lines: tuple[Line, ...]) -> Position:
    found = totals(market.variant, lines)
    return Position(
        id=_id(place, account),
        holder=account.holder,
        at=market.at,
        market=place.title,
        state=state_of(market, lines, found),
        health=health_of(found.health_factor),
        legs=tuple(leg for line in lines for leg in legs_of(line)),
        collateral=found.collateral,
        debt=found.debt,
        numeraire=market.numeraire,
        slack=slack_of(market.variant, found),
        regime=found.average_threshold if market.variant.floors_average else 1,
        notes=(f"e-mode {account.emode}: {market.emodes[account.emode].label}",) if account.emode else (),
        terms=tuple(terms_of(market, account, lines)),
    )


def _id(place: Place, account: Account) -> PositionId:
    return PositionId(deployment=place.deployment, wallet=account.holder.wallet, account=account.holder.account)


def account_after(market: Market, account: Account, action: Action) -> Account | Refused:
    """The account after repaying debt or supplying more of a collateral that it already uses."""
    held = next((h for h in account.holdings if h.asset == action.asset), None)
    if held is None:
        return Refused(f"{action.asset} is not in this account")
    change = after_repay if isinstance(action, Repay) else after_top_up
    changed = change(market, held, action.amount)
    if isinstance(changed, Refused):
        return changed
    return replace(account, holdings=tuple(changed if h is held else h for h in account.holdings))
