"""The time-weighted mean price in a Uniswap v3 pool, as a second word on a feed.

The pool's `observe` gives the sums of its tick over time; their difference over the window is the mean tick, and that
a price. It is of the block that it is read at, and covers the seconds before.

Source: Uniswap/v3-core 1.0.1 UniswapV3Pool and libraries/Oracle.sol; Uniswap/v3-periphery @ 0682387 OracleLibrary.sol.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from watcher.domain.feed import FeedKind, FeedReading, HeartbeatFrom
from watcher.domain.source import Address
from watcher.oracles.shape import Unseen
from watcher.oracles.tick_math import mean_liquidity, mean_tick, quote_at
from watcher.reads import Memo, Plan, lasting
from watcher.reads.abi import interface

_A_DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Sums:
    """What `observe` answers: of each moment asked for, the tick and the seconds per liquidity, summed over time."""

    ticks: tuple[int, ...]
    seconds_per_liquidity: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Pool:
    """The two tokens of a pool, and their decimals. They never change."""

    tokens: tuple[Address, Address]
    places: tuple[int, int]


_POOL = interface("uniswap_v3_pool")
_token0 = _POOL.function("token0", Address)
_token1 = _POOL.function("token1", Address)
_observe = _POOL.function("observe", Sums, gas=200_000)  # it searches its observations by halves
_places_of = interface("erc20").function("decimals", int)


def mean_price(pool: Address, base: Address, window: int, decimals: int) -> Plan[FeedReading]:
    """What one whole `base` was worth in the other token over the last `window` seconds, with so many decimals.

    Raises `ReadFailed` where the pool remembers less than the window, or had no liquidity in it.
    """
    about = yield from lasting(Memo("uniswap v3 pool", pool), lambda: _about(pool), lasts=_A_DAY)
    if base not in about.tokens:
        raise Unseen(f"{base} is none of the tokens of pool {pool}: those are {about.tokens[0]} and {about.tokens[1]}")
    ask = _observe(pool, (window, 0))
    got = yield [ask]
    tick = _mean(got[ask], window, pool)
    return FeedReading(
        feed=pool,
        pair="",
        answer=_worth(tick, about, about.tokens.index(base), decimals),
        decimals=decimals,
        updated_at=got.at.timestamp,
        kind=FeedKind.TWAP,
        heartbeat=window,
        heartbeat_from=HeartbeatFrom.CONTRACT,
        behind=pool,
    )


def _about(pool: Address) -> Plan[Pool]:
    first, second = _token0(pool), _token1(pool)
    got = yield [first, second]
    tokens = got[first], got[second]
    asked = [_places_of(token) for token in tokens]
    got = yield asked
    return Pool(tokens, (got[asked[0]], got[asked[1]]))


def _mean(sums: Sums, window: int, pool: Address) -> int:
    try:
        (then, now), (idle_then, idle_now) = sums.ticks, sums.seconds_per_liquidity
    except ValueError:
        raise Unseen(f"pool {pool} does not answer of two moments, and was asked of two") from None
    if not mean_liquidity(idle_then, idle_now, window):
        raise Unseen(f"nobody provided liquidity in pool {pool} over the last {window} s, so its price means nothing")
    return mean_tick(then, now, window)


def _worth(tick: int, about: Pool, base: int, decimals: int) -> int:
    """Asked of as many base tokens as the answer has decimals, so that none of these is lost to the other's."""
    amount = 10 ** (about.places[base] + decimals)
    return quote_at(tick, amount, of_token0=base == 0) // int(10 ** about.places[1 - base])
