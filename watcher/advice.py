"""What would liquidate a position, and what would help: the arithmetic behind the advice of a message."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from watcher.alerts.words import Advice
from watcher.domain.position import Check
from watcher.risk.liquidation import LiquidationPrice, levers, liquidation_price
from watcher.risk.restore import remedies
from watcher.snapshot import Held


def advise(held: Held, target: Decimal) -> Advice:
    """Liquidation prices, and remedies for this health. Raises `ReadFailed` where the protocol could not value it."""
    position = held.position
    if position.check is Check.MISMATCH:
        return Advice()  # a formula that does not give today's health gives no advice either
    prices = [liquidation_price(position, lever, held.reprice) for lever in levers(position)]
    found = sorted((price for price in prices if price is not None), key=_falls_first)
    return Advice(liquidations=tuple(found), remedies=remedies(position, target, held.after))


def _falls_first(price: LiquidationPrice) -> tuple[bool, Fraction]:
    """What one holds falling is likelier news than what one owes rising; the nearest first within either."""
    return price.distance > 0, abs(price.distance)
