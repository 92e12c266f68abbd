"""Whole-number arithmetic as contracts do it: a product divided, with the rounding in the name.

Of whole numbers of zero or more, with a divisor above zero. The unit is what theirs come to: shares × an index in RAY ÷
RAY are token base units, base units × a price ÷ the base units of one token are a value.
"""

from __future__ import annotations

from typing import Final

WAD: Final = 10**18
RAY: Final = 10**27
BPS: Final = 10_000


def mul_div_down(a: int, b: int, c: int) -> int:
    """a × b ÷ c, rounded down: plain integer division; `rayMulFloor` and `rayDivFloor` of Aave v3.5."""
    return a * b // c


def mul_div_up(a: int, b: int, c: int) -> int:
    """The same, rounded up: `rayMulCeil` and `MathUtils.mulDivCeil` of Aave v3.5, `mulDivUp` of Morpho."""
    return -(-a * b // c)


def mul_div_half_up(a: int, b: int, c: int) -> int:
    """The same, rounded to nearest, a half up: `rayMul`, `rayDiv`, `wadDiv`, `percentMul` of Aave's older libraries."""
    return (a * b + c // 2) // c


def pow_half_up(base: int, exponent: int, one: int) -> int:
    """`base` to the power of `exponent`, each step rounded to nearest, a half up: `rpow` of Maker's Jug."""
    if base == 0:
        return one if exponent == 0 else 0
    result = base if exponent % 2 else one
    while exponent := exponent // 2:
        base = mul_div_half_up(base, base, one)
        if exponent % 2:
            result = mul_div_half_up(result, base, one)
    return result
