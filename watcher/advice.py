"""What would liquidate a position, and what would help: the arithmetic behind the advice of a message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from watcher.alerts.outlook import Advice
from watcher.domain.doubt import Doubt
from watcher.domain.errors import ReadFailed
from watcher.domain.position import Check, Leg
from watcher.domain.price import Freshness
from watcher.reads import Outcome
from watcher.reads.tokens import Holdings
from watcher.risk.healths import Healths, healths
from watcher.risk.liquidation import LiquidationPrice, levers, liquidation_price, nearest
from watcher.risk.restore import best_step, remedies, tokens_for
from watcher.snapshot import Held, Snapshot


def advise(held: Held, target: Decimal, holdings: Holdings, unwrapped: Holdings) -> Advice:
    """Liquidation prices, and remedies for this health beside the wallet's balances, and its coins by what wraps them.

    Raises `ReadFailed` where the protocol could not value it.
    """
    position = held.position
    if position.check is Check.MISMATCH:
        return Advice()  # a formula that does not give today's health gives no advice either
    prices = [liquidation_price(position, lever, held.reprice) for lever in levers(position)]
    found = sorted((price for price in prices if price is not None), key=_falls_first)
    purses = {token: (position.id.wallet, token) for token in tokens_for(position, target)}
    advice = Advice(
        liquidations=tuple(found),
        remedies=remedies(position, target, held.after),
        balances={token: holdings[purse] for token, purse in purses.items() if purse in holdings},
        unwrapped={token: unwrapped[purse] for token, purse in purses.items() if purse in unwrapped},
    )
    if not advice.out_of_reach:
        return advice
    return replace(advice, step=best_step(advice.offered, advice.balances, position.health.factor, held.after))


def first_to_liquidate(held: Held) -> LiquidationPrice | None:
    """The smallest fall of what is held that liquidates; the smallest rise of what is owed where no fall does."""
    position = held.position
    prices = [liquidation_price(position, lever, held.reprice) for lever in levers(position)]
    found = [price for price in prices if price is not None]
    return nearest(price for price in found if price.distance < 0) or nearest(found)


def driver(held: Held) -> Leg | None:
    """The leg whose price liquidates first; the largest collateral where no price does or that cannot be told.

    None where nothing is held.
    """
    first = None
    if held.position.check is not Check.MISMATCH:
        with suppress(ReadFailed):
            first = first_to_liquidate(held)
    legs = held.position.legs
    moving = (
        [leg for leg in legs if leg.priced_as in first.lever.keys] if first else [one for one in legs if one.amount > 0]
    )
    return max(moving, key=lambda leg: abs(leg.value()), default=None)


def _falls_first(price: LiquidationPrice) -> tuple[bool, Fraction]:
    """What one holds falling is likelier news than what one owes rising; the nearest first within either."""
    return price.distance > 0, abs(price.distance)


def healths_in_doubt(snapshot: Snapshot, doubts: Iterable[Doubt]) -> dict[str, Outcome[Healths]]:
    """By position: the healths at other prices of those that owe something by a price that is doubted or stale."""
    doubted = {str(position.id) for doubt in doubts for position in doubt.about}
    found: dict[str, Outcome[Healths]] = {}
    for held in snapshot.held:
        position, name = held.position, str(held.position.id)
        concerned = position.health.required and (name in doubted or position.freshness is Freshness.STALE)
        if concerned and position.check is not Check.MISMATCH:
            try:
                found[name] = healths(position, held.reprice)
            except ReadFailed as problem:
                found[name] = problem
    return found


def known(found: Mapping[str, Outcome[Healths]]) -> dict[str, Healths]:
    """Those that could be worked out: of the others no health at other prices is known."""
    return {name: one for name, one in found.items() if not isinstance(one, ReadFailed)}
