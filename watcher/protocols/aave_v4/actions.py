"""What an action would leave of a holding: the shares that spoke and hub would mint or burn.

Neither moves a dynamic configuration key: `Spoke.supply` and `Spoke.repay` refresh none. What the action itself does to
the hub's share price, at most a base unit of a position, is not foreseen; it raises it.

Read beside `Spoke.supply`, `Spoke.repay` and `UserPositionUtils` (sources as in `maths`).
"""

from __future__ import annotations

from dataclasses import replace

from watcher.domain.position import Action, Refused, Repay
from watcher.protocols.aave_v4.calls import UserPosition
from watcher.protocols.aave_v4.maths import Account, Holding, Market, Reserve, premium_ray
from watcher.protocols.rounding import BPS, RAY, mul_div_down, mul_div_up
from watcher.reads import sure


def account_after(market: Market, account: Account, action: Action) -> Account | Refused:
    """The account after paying back a debt, or adding to a collateral that it already uses.

    An asset may be in several reserves, by several hubs: the first that fits is meant.
    """
    for held in account.holdings:
        reserve = sure(market.reserves[held.reserve])
        fits = held.borrowing if isinstance(action, Repay) else held.collateral
        if reserve.asset.address == action.asset and fits:
            changed = _changed(reserve, held, account.risk_premium, action)
            if isinstance(changed, Refused):
                return changed
            return replace(account, holdings=tuple(changed if one is held else one for one in account.holdings))
    return Refused(f"{action.asset} is no {'debt' if isinstance(action, Repay) else 'collateral'} of this account")


def _changed(reserve: Reserve, held: Holding, premium: int, action: Action) -> Holding | Refused:
    if not reserve.payable:
        return Refused(f"{reserve.asset.symbol} is paused or halted: Aave accepts neither repayments nor supplies")
    if isinstance(action, Repay):
        return _after_repay(reserve, held, premium, action.amount)
    if reserve.frozen:
        return Refused(f"{reserve.asset.symbol} is frozen: Aave accepts no supply")
    shares = held.position.supplied_shares + reserve.liquidity.shares_for(action.amount)
    return replace(held, position=replace(held.position, supplied_shares=shares))


def _after_repay(reserve: Reserve, held: Holding, premium: int, amount: int) -> Holding:
    """The premium is paid first; what is left burns shares, rounded down. An amount of the whole debt clears it."""
    index, position = reserve.liquidity.drawn_index, held.position
    drawn_paid, premium_paid = _restored(position, index, amount)
    drawn = position.drawn_shares - mul_div_down(drawn_paid, RAY, index)
    shares = mul_div_up(drawn, premium, BPS)
    offset = shares * index - (premium_ray(position, index) - premium_paid)
    left = replace(position, drawn_shares=drawn, premium_shares=shares, premium_offset=offset)
    return replace(held, borrowing=drawn > 0, position=left)


def _restored(position: UserPosition, index: int, amount: int) -> tuple[int, int]:
    """`UserPositionUtils.calculateRestoreAmount`: what is paid of the drawn debt, and of the premium in RAYs."""
    drawn, premium = mul_div_up(position.drawn_shares, index, RAY), premium_ray(position, index)
    whole_premium = mul_div_up(premium, 1, RAY)
    if amount >= drawn + whole_premium:
        return drawn, premium
    return (0, amount * RAY) if amount < whole_premium else (amount - whole_premium, premium)
