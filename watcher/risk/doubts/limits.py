"""How far a price may go before it is doubted, and the little arithmetic that all checks share."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

A_DAY: Final = 86_400
A_YEAR: Final = 365 * A_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the checks allow. Fractions, not percent.

    `jump` within `jump_within` seconds; `deviation` of a second source, `pegged` instead where both are about one;
    `growth` a day of a rate that has no bound of its own; `unchanged` heartbeats; `bound`: how near to the least or
    most that a feed can answer; `confidence` of an answer; `capped`: by how much a cap may cut unsaid.
    """

    jump: Decimal = Decimal("0.20")
    jump_within: int = 3600
    deviation: Decimal = Decimal("0.03")
    pegged: Decimal = Decimal("0.01")
    growth: Decimal = Decimal("0.01")
    unchanged: int = 8
    bound: Decimal = Decimal("0.01")
    confidence: Decimal = Decimal("0.02")
    capped: Decimal = Decimal("0.002")


def over(part: int, whole: int, limit: Decimal) -> bool:
    """Whether `part` is more than `limit` of `whole`, exactly."""
    above, below = limit.as_integer_ratio()
    return abs(part) * below > above * abs(whole)


def near_one(value: int, decimals: int, within: Decimal) -> bool:
    """Whether a value is about one whole unit, as of two things that are pegged to each other."""
    unit = 10**decimals
    return not over(value - unit, unit, within)
