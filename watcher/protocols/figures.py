"""How a protocol's rules and rates are written in terms: short, exact where it matters, and without floats."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from watcher.protocols.rounding import WAD

SECONDS_A_YEAR: Final = 365 * 24 * 60 * 60


def percent(part: int, whole: int = WAD) -> str:
    """A fraction of `whole` (a WAD where none is named) in percent, cut off after two places."""
    return f"{Decimal(part * 10_000 // whole).scaleb(-2):,f} %"


def amount(units: int, decimals: int) -> str:
    """Base units of a token in whole ones, with no place too many."""
    return f"{Decimal(units).scaleb(-decimals).normalize():,f}"


def a_year(rate: int) -> str:
    """A rate per second, as WAD, over a year without compounding."""
    return f"{percent(rate * SECONDS_A_YEAR)} a year"
