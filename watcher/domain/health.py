"""Health: the two integers that a protocol's own liquidation check compares."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context, Decimal

INFINITE = Decimal("Infinity")

# The default context has 28 digits and would silently round a product of wei amounts; rounding down never shows a
# position healthier than it is, and keeps the comparison with a limit exact.
_FLOOR_60 = Context(prec=60, rounding=ROUND_FLOOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What backs a position against what is required of it, in the protocol's own units.

    Aave: (healthFactor, 10**18). Morpho: (maximum borrow, borrowed). A perp: (equity, maintenance margin).
    The units cancel, so no price of anything in dollars is needed to compare. Unknown is never a `Health`.
    """

    backing: int
    required: int
    inclusive: bool = False
    """Liquidatable at equality too, as some protocols have it."""

    @property
    def factor(self) -> Decimal:
        """`backing / required`, rounded down; `Infinity` where nothing is required."""
        if self.required == 0:
            return INFINITE if self.backing >= 0 else -INFINITE
        return _FLOOR_60.divide(Decimal(self.backing), Decimal(self.required))

    @property
    def liquidatable(self) -> bool:
        """Whether the protocol's own comparison allows a liquidation."""
        if self.required == 0 and self.backing >= 0:
            return False
        return self.backing <= self.required if self.inclusive else self.backing < self.required
