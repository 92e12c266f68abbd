"""What prices may do before they are suspect: `[prices]`, the same for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Annotated, Any

from watcher.config.forms import duration, number, whole
from watcher.config.refusal import Form, Problems, Right
from watcher.risk.doubts import Limits

PRICES = "prices"

Jump = Annotated[
    Decimal, Right("a fraction above 0 and at most 10, such as 0.20", number(lambda share: 0 < share <= 10))
]
JumpWithin = Annotated[int, Right('a duration from "1m" to "7d", such as "1h"', duration(60, 7 * 86_400))]
Share = Annotated[Decimal, Right("a fraction above 0 and below 1, such as 0.03", number(lambda share: 0 < share < 1))]
Unchanged = Annotated[int, Right("a whole number of heartbeats from 2 to 1000, such as 8", whole(2, 1000))]


@dataclass(frozen=True, slots=True, kw_only=True)
class PricesForm(Form):
    """The keys of `Limits`, each of which may be left out."""

    jump: Jump | None = None
    jump_within: JumpWithin | None = None
    deviation: Share | None = None
    pegged: Share | None = None
    growth: Share | None = None
    unchanged: Unchanged | None = None
    bound: Share | None = None
    confidence: Share | None = None
    capped: Share | None = None


def read_prices(table: Mapping[str, Any], problems: Problems) -> Limits:
    """The limits, by default for what the table leaves out."""
    form = problems.fill_what_fits(PricesForm, table, PRICES)
    given = {each.name: getattr(form, each.name) for each in fields(form) if getattr(form, each.name) is not None}
    return Limits(**given)
