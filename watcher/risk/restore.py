"""What to do: how much to repay, or to add, so that health is back at a target."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from watcher.domain.position import Action, Asset, Leg, Position, Refused, Repay, TopUp
from watcher.domain.source import Address
from watcher.risk.search import Crossing


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """The smallest action that reaches the target, or the largest possible where `enough` is false.

    `health` is what the position has after it.
    """

    action: Action
    asset: Asset
    health: Decimal
    enough: bool


After = Callable[[Action], Position | Refused]
"""The position after an action, by the protocol's own formula and rounding."""


def remedies(position: Position, target: Decimal, after: After) -> tuple[Remedy, ...]:
    """One remedy for each debt and each collateral of the position that can be one, repayments first."""
    debts, collaterals = _curable(position, target)
    found = [_repay(position, leg, target, after) for leg in debts]
    found += [_top_up(position, leg, target, after) for leg in collaterals]
    return tuple(remedy for remedy in found if remedy is not None)


def tokens_for(position: Position, target: Decimal) -> tuple[Address, ...]:
    """The tokens that remedies may ask for: to know of each whether the wallet has it. None where all is well."""
    debts, collaterals = _curable(position, target)
    return tuple(dict.fromkeys(leg.asset.address for leg in (*debts, *collaterals)))


def best_step(offered: Iterable[Remedy], balances: Mapping[Address, int], now: Decimal, after: After) -> Remedy | None:
    """What helps most of that which can be paid today: a remedy as far as the wallet's balance of its token goes.

    None where nothing that it has would raise health above `now`.
    """
    steps = (_as_far_as(remedy, balances.get(remedy.asset.address, 0), after) for remedy in offered)
    return max((step for step in steps if step and step.health > now), key=lambda step: step.health, default=None)


def _as_far_as(remedy: Remedy, balance: int, after: After) -> Remedy | None:
    """The part of a remedy that a balance pays. None where that is nothing, or would be refused."""
    if balance >= remedy.action.amount:
        return remedy
    action = type(remedy.action)(remedy.asset.address, balance)
    reached = after(action) if balance else None
    if not isinstance(reached, Position):
        return None
    return Remedy(action=action, asset=remedy.asset, health=reached.health.factor, enough=False)


def _curable(position: Position, target: Decimal) -> tuple[list[Leg], list[Leg]]:
    """The debts that may be repaid and the collaterals that may be added to; none where health is at the target.

    More of what is worth nothing helps nobody, nor does paying back what is owed of it.
    """
    if _reaches(position, target):
        return [], []
    worth = [leg for leg in position.legs if leg.price.low > 0]
    return [leg for leg in worth if leg.required], [leg for leg in worth if leg.backing]


def _reaches(position: Position, target: Decimal) -> bool:
    """Whether health is at the target. One of 1 is none where the protocol liquidates at equality too."""
    return position.health.factor >= target and (target < 1 or not position.health.liquidatable)


def _ratio(position: Position) -> tuple[Fraction, Fraction]:
    backing = sum((leg.value() * leg.backing for leg in position.legs), Fraction(0))
    required = sum((abs(leg.value()) * leg.required for leg in position.legs), Fraction(0))
    return backing, required


def _repay(position: Position, debt: Leg, target: Decimal, after: After) -> Remedy | None:
    """`(D − W/h) / p` tokens of this debt; all of it where that is not enough."""
    backing, required = _ratio(position)
    per_unit = Fraction(debt.price.low, 10**debt.asset.decimals) * debt.required
    bearable = backing / Fraction(target)
    around = _Around((required - bearable) / per_unit, bearable / per_unit * position.slack)
    found = _smallest(position, Repay, debt.asset, around, abs(debt.amount), target, after)
    return found or _whole(debt, target, after)


def _whole(debt: Leg, target: Decimal, after: After) -> Remedy | None:
    """All of a debt, where the protocol takes no part of it: what would be left is too small for it."""
    action = Repay(debt.asset.address, abs(debt.amount))
    reached = after(action)
    if not isinstance(reached, Position):
        return None
    health = reached.health.factor
    return Remedy(action=action, asset=debt.asset, health=health, enough=health >= target)


def _top_up(position: Position, collateral: Leg, target: Decimal, after: After) -> Remedy | None:
    """`(h·D − W) / (p·L)` tokens more of this collateral."""
    backing, required = _ratio(position)
    per_unit = Fraction(collateral.price.low, 10**collateral.asset.decimals) * collateral.backing
    needed = Fraction(target) * required
    around = _Around((needed - backing) / per_unit, needed / per_unit * position.slack)
    return _smallest(position, TopUp, collateral.asset, around, None, target, after)


@dataclass(frozen=True, slots=True)
class _Around:
    """A closed form, in token units, and how far it may be off: what the slack of the whole health is worth in them.

    Near the target that is more than a share of the estimate, which is then small.
    """

    estimate: Fraction
    off: Fraction


def _smallest(
    position: Position,
    kind: Callable[..., Action],
    asset: Asset,
    around: _Around,
    most: int | None,
    target: Decimal,
    after: After,
) -> Remedy | None:
    """Search around the closed form for the first unit that suffices."""
    spread = around.off * 4 + _unit_noise(position, asset)
    estimate = around.estimate
    start = max(int(estimate - spread), 0)
    stop = int(estimate + spread) + 1
    if most is not None:
        start, stop = min(start, most), min(stop, most)

    def position_at(amount: int) -> Position | None:
        outcome = after(kind(asset.address, amount))
        return outcome if isinstance(outcome, Position) else None

    search = Crossing(
        position_at=position_at,
        crossed=lambda there: _reaches(there, target),
        limit=Fraction(target),
        below=False,
    )
    amount = search.first(0 if search.holds(start) else start, stop)
    reached = search.at(stop if amount is None else amount)
    if reached is None or (amount is None and most is None):
        return None
    return Remedy(
        action=kind(asset.address, stop if amount is None else amount),
        asset=asset,
        health=reached.health.factor,
        enough=amount is not None,
    )


def _unit_noise(position: Position, asset: Asset) -> Fraction:
    """Token units that one base unit of value per leg is worth: what roundings can move the answer by."""
    price = next(leg.price.low for leg in position.legs if leg.asset == asset)
    return Fraction((2 * len(position.legs) + 2) * 10**asset.decimals, price) * 4 + 4
