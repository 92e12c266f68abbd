"""What would liquidate a position, and what would help: the arithmetic behind the advice of a message."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from watcher.alerts.outlook import Advice
from watcher.domain.position import Check
from watcher.reads.tokens import Holdings
from watcher.risk.liquidation import LiquidationPrice, levers, liquidation_price
from watcher.risk.restore import best_step, remedies, tokens_for
from watcher.snapshot import Held


def advise(held: Held, target: Decimal, holdings: Holdings) -> Advice:
    """Liquidation prices, and remedies for this health beside the wallet's balances.

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
    )
    if not advice.out_of_reach:
        return advice
    return replace(advice, step=best_step(advice.offered, advice.balances, position.health.factor, held.after))


def _falls_first(price: LiquidationPrice) -> tuple[bool, Fraction]:
    """What one holds falling is likelier news than what one owes rising; the nearest first within either."""
    return price.distance > 0, abs(price.distance)
