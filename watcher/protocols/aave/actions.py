"""What an action would leave of a holding, in the shares that the contract itself would burn or mint.

Read beside `BorrowLogic.executeRepay` and `SupplyLogic.executeSupply` of the same sources as `maths`, and
`LendingPool.repay` and `deposit` of v2. Amounts are token base units, and indices RAY, as everywhere in this package.
"""

from __future__ import annotations

from dataclasses import replace

from watcher.domain.position import Refused
from watcher.protocols.aave.state import Holding, Market
from watcher.protocols.rounding import RAY, mul_div_down, mul_div_half_up, mul_div_up


def after_repay(market: Market, held: Holding, amount: int) -> Holding | Refused:
    """The holding after a repayment of variable debt; stable debt is untouched, and repaid in another way.

    An amount of the whole debt or more clears it. The burnt shares round to nearest until v3.4, down from v3.5 on.
    """
    reserve, variant = market.reserves[held.asset], market.variant
    if not held.scaled_debt:
        return Refused(f"no variable debt in {reserve.asset.symbol}")
    if not reserve.active or reserve.paused:
        return Refused(f"{reserve.asset.symbol} is paused or inactive: Aave accepts no repayment")
    divide = mul_div_half_up if variant.rounds_half_up else mul_div_down
    balance = (mul_div_half_up if variant.rounds_half_up else mul_div_up)(held.scaled_debt, reserve.debt_index, RAY)
    burnt = held.scaled_debt if amount >= balance else min(divide(amount, RAY, reserve.debt_index), held.scaled_debt)
    left = held.scaled_debt - burnt
    return replace(held, scaled_debt=left, whole_debt=max(held.whole_debt - amount, 0))


def after_top_up(market: Market, held: Holding, amount: int) -> Holding | Refused:
    """The holding after `SupplyLogic.executeSupply` of a reserve already used as collateral.

    Supply caps are not looked at: they bind the market, and may be filled or freed by anybody.
    """
    reserve, variant = market.reserves[held.asset], market.variant
    if not held.collateral:
        return Refused(f"{reserve.asset.symbol} is not enabled as collateral")
    if not reserve.active or reserve.paused or reserve.frozen:
        return Refused(f"{reserve.asset.symbol} is frozen, paused or inactive: Aave accepts no supply")
    divide = mul_div_half_up if variant.rounds_half_up else mul_div_down
    return replace(held, scaled_supply=held.scaled_supply + divide(amount, RAY, reserve.income))
