"""Prices from ticks of concentrated liquidity: the arithmetic of Uniswap v3, to the unit.

Source: Uniswap/v3-core 1.0.1 libraries/TickMath.sol; Uniswap/v3-periphery @ 0682387 libraries/OracleLibrary.sol.
"""

from __future__ import annotations

from typing import Final

from watcher.domain.errors import NotDecodable

MAX_TICK: Final = 887_272
"""The largest tick, up or down: a price of about 2**128, or its inverse."""

_MOST: Final = 2**256 - 1
_FACTORS: Final = (
    0xFFFCB933BD6FAD37AA2D162D1A594001,
    0xFFF97272373D413259A46990580E213A,
    0xFFF2E50F5F656932EF12357CF3C7FDCC,
    0xFFE5CACA7E10E4E61C3624EAA0941CD0,
    0xFFCB9843D60F6159C9DB58835C926644,
    0xFF973B41FA98C081472E6896DFB254C0,
    0xFF2EA16466C96A3843EC78B326B52861,
    0xFE5DEE046A99A2A811C461F1969C3053,
    0xFCBE86C7900A88AEDCFFC83B479AA3A4,
    0xF987A7253AC413176F2B074CF7815E54,
    0xF3392B0822B70005940C7A398E4B70F3,
    0xE7159475A2C29B7443B29C7FA6E889D9,
    0xD097F3BDFD2022B8845AD8F792AA5825,
    0xA9F746462D870FDF8A65DC1F90E061E5,
    0x70D869A156D2A1B890BB3DF62BAF32F7,
    0x31BE135F97D08FD981231505542FCFA6,
    0x9AA508B5B7A84E1C677DE54F3E99BC9,
    0x5D6AF8DEDB81196699C329225EE604,
    0x2216E584F5FA1EA926041BEDFE98,
    0x48A170391F7DC42444E8FA2,
)
"""1 / sqrt(1.0001 ** 2**i) for bit i of a tick, with 128 binary places."""


def sqrt_ratio_at(tick: int) -> int:
    """The square root of the price of token 0 in token 1 at a tick, with 96 binary places, rounded up.

    Raises `NotDecodable` for a tick that no pool can have.
    """
    if abs(tick) > MAX_TICK:
        raise NotDecodable(f"{tick} is no tick: those reach from {-MAX_TICK} to {MAX_TICK}")
    ratio = 1 << 128
    for bit, factor in enumerate(_FACTORS):
        if abs(tick) >> bit & 1:
            ratio = ratio * factor >> 128
    if tick > 0:
        ratio = _MOST // ratio
    return -(-ratio >> 32)


def mean_tick(earlier: int, later: int, seconds: int) -> int:
    """The mean over time between two cumulative ticks, towards negative infinity (`consult`).

    The cumulative is an `int56` that wraps around, and so does their difference.
    """
    gone = (later - earlier + 2**55) % 2**56 - 2**55
    return gone // seconds


def quote_at(tick: int, amount: int, *, of_token0: bool) -> int:
    """What an amount of one token is worth in the other at a tick, in base units, rounded down (`getQuoteAtTick`)."""
    root = sqrt_ratio_at(tick)
    ratio, one = (root * root, 1 << 192) if root < 2**128 else (root * root >> 64, 1 << 128)
    return ratio * amount // one if of_token0 else one * amount // ratio


def mean_liquidity(earlier: int, later: int, seconds: int) -> int:
    """The harmonic mean of the liquidity in use between two cumulatives of seconds per liquidity (`consult`).

    Zero where nobody provided any: an idle pool counts one unit.
    """
    gone = (later - earlier) % 2**160
    return seconds * (2**160 - 1) // (gone << 32) if gone else 0
