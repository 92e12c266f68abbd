"""Numbers in the sentences of doubts."""

from __future__ import annotations

from decimal import Context, Decimal

_EXACT = Context(prec=60)
_SIX = Context(prec=6)


def shown(value: int, decimals: int) -> str:
    """A value with its point: two places from 1,000 on, else six digits that count."""
    number = Decimal(value).scaleb(-decimals, _EXACT)
    if abs(number) >= 1000:
        return f"{number:,.2f}"
    return f"{_SIX.plus(number).normalize(_SIX):f}"


def percent(part: int, whole: int) -> str:
    """How much of the whole a part is, without its sign."""
    if whole == 0:
        return "∞ %"
    return f"{_EXACT.divide(abs(Decimal(part)) * 100, abs(Decimal(whole))):,.2f} %"


def limit(allowed: Decimal) -> str:
    """A limit that was given as a fraction."""
    return f"{(allowed * 100).normalize(_SIX):f} %"


def moved(value: int, before: int, decimals: int) -> str:
    """From one value to another, and by how much of the one before."""
    way = "more" if value > before else "less"
    return f"{shown(value, decimals)} after {shown(before, decimals)}, {percent(value - before, before)} {way}"
