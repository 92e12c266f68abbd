"""Mean prices of real Uniswap v3 pools, against the pools themselves and OracleLibrary's arithmetic in Solidity."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.oracles.node import Node, node
from tests.worlds.artifacts import uniswap_v3
from tests.worlds.chain import RevertError
from tests.worlds.own import own
from watcher.domain.errors import NotDecodable, ReadFailed
from watcher.domain.feed import FeedKind, Freshness
from watcher.domain.source import Address
from watcher.oracles.shape import Unseen
from watcher.oracles.tick_math import MAX_TICK, mean_liquidity, mean_tick, quote_at, sqrt_ratio_at
from watcher.oracles.uniswap_v3 import mean_price

SEED = 20261201
SPACING = 10
WIDE = MAX_TICK // SPACING * SPACING


@dataclass(frozen=True)
class Market:
    """A node with the real factory on it, somebody who trades, and somebody who consults."""

    there: Node
    factory: Address
    trader: Address
    consultant: Address

    def pool(self, *places: int) -> Address:
        """A new pool of two new coins, not yet initialised."""
        coins = [self.there.deploy(own("PushCoin"), many) for many in places]
        self.there.send(self.factory, "createPool(address,address,uint24)", *coins, 500)
        return Address(self.there.view(self.factory, "getPool(address,address,uint24)(address)", *coins, 500))

    def open(self, tick: int, *places: int) -> Address:
        """One with a price, liquidity everywhere, and room for many observations."""
        pool = self.pool(*places)
        self.there.send(pool, "initialize(uint160)", sqrt_ratio_at(tick))
        self.provide(pool, 10**20)
        self.there.send(pool, "increaseObservationCardinalityNext(uint16)", 60)
        return pool

    def provide(self, pool: Address, amount: int) -> None:
        self.there.send(self.trader, "provide(address,int24,int24,uint128)", pool, -WIDE, WIDE, amount)

    def trade(self, pool: Address, zero_for_one: bool, amount: int) -> None:
        self.there.send(self.trader, "trade(address,bool,int256)", pool, zero_for_one, amount)

    def consulted(self, pool: Address, window: int) -> tuple[int, int]:
        tick, liquidity = self.there.chain.view(self.consultant, "consult(address,uint32)(int24,uint256)", pool, window)
        return tick, liquidity

    def tick_at(self, pool: Address, root: int) -> int:
        """As the pool would be initialised: by the real `getTickAtSqrtRatio`."""
        return int(self.there.view(self.trader, "tickAt(address,uint160)(int24)", pool, root))


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with node() as there:
        yield Market(
            there,
            there.deploy(uniswap_v3("UniswapV3Factory")),
            there.deploy(own("PushTrader")),
            there.deploy(own("PushConsultant")),
        )


def some_ticks() -> list[int]:
    chosen = random.Random(SEED)
    powers = [sign * (2**bit + step) for bit in range(20) for sign in (1, -1) for step in (0, -1)]
    edges = [0, MAX_TICK - 1, -MAX_TICK, 1 - MAX_TICK]
    return sorted({*powers, *edges, *(chosen.randint(-MAX_TICK, MAX_TICK - 1) for _ in range(60))})


def test_it_gives_every_tick_the_least_root_that_the_real_pool_gives_that_tick(market: Market) -> None:
    pool, ticks = market.pool(18, 6), some_ticks()
    assert len(ticks) >= 130
    roots = [sqrt_ratio_at(tick) for tick in ticks]
    above = [(pool, root) for root in roots]
    below = [(pool, root - 1) for root in roots if root > sqrt_ratio_at(-MAX_TICK)]
    asked = "tickAt(address,uint160)(int24)"
    assert [tick for (tick,) in market.there.chain.views(market.trader, asked, above)] == ticks
    got = [tick for (tick,) in market.there.chain.views(market.trader, asked, below)]
    assert got == [tick - 1 for tick in ticks if tick > -MAX_TICK]


def test_it_ends_where_the_real_pool_ends(market: Market) -> None:
    pool = market.pool(18, 6)
    assert market.tick_at(pool, sqrt_ratio_at(MAX_TICK) - 1) == MAX_TICK - 1
    for beyond in (sqrt_ratio_at(MAX_TICK), sqrt_ratio_at(-MAX_TICK) - 1):
        with pytest.raises(RevertError):
            market.tick_at(pool, beyond)
    for tick in (MAX_TICK + 1, -MAX_TICK - 1):
        with pytest.raises(NotDecodable, match="no tick"):
            sqrt_ratio_at(tick)


def test_it_quotes_as_the_oracle_library_does(market: Market) -> None:
    chosen = random.Random(SEED)
    asked = []
    for tick in [*some_ticks(), MAX_TICK]:
        for of_token0 in (True, False):
            amount = chosen.choice([1, 10**6, 10**18, 10**26, 2**128 - 1, chosen.randrange(2**128)])
            if quote_at(tick, amount, of_token0=of_token0) < 2**256:
                asked.append((tick, amount, of_token0))
    assert len(asked) >= 200
    answers = market.there.chain.views(
        market.consultant,
        "quote(uint160,uint128,bool)(uint256)",
        [(sqrt_ratio_at(tick), amount, of_token0) for tick, amount, of_token0 in asked],
    )
    assert [quote_at(tick, amount, of_token0=zero) for tick, amount, zero in asked] == [quote for (quote,) in answers]


@pytest.mark.parametrize("start", [196_000, -196_000, -3])
def test_it_reads_the_mean_of_a_pool_that_trades(market: Market, start: int) -> None:
    """Both tokens as base, over several windows, after each of many trades at random times."""
    there, chosen, compared, negative, rounded = market.there, random.Random(start), 0, 0, 0
    pool = market.open(start, 18, 6)
    tokens = [Address(there.view(pool, f"token{n}()(address)")) for n in (0, 1)]
    places = [there.view(token, "decimals()(uint8)") for token in tokens]
    there.chain.increase_time(4000)
    for _ in range(8):
        zero_for_one = chosen.random() < 0.5
        reserve = 10**20 * 2**96 // sqrt_ratio_at(start) if zero_for_one else 10**20 * sqrt_ratio_at(start) >> 96
        market.trade(pool, zero_for_one, reserve // chosen.randint(20, 2000) + 1)
        there.chain.increase_time(chosen.randint(1, 700))
        for window in (60, 1800, chosen.randint(61, 3600)):
            tick, liquidity = market.consulted(pool, window)
            (then, now), idle = there.chain.view(pool, "observe(uint32[])(int56[],uint160[])", [window, 0])
            assert mean_tick(then, now, window) == tick
            assert mean_liquidity(idle[0], idle[1], window) == liquidity
            negative, rounded = negative + (tick < 0), rounded + bool((now - then) % window)
            for base in (0, 1):
                reading = there.run(mean_price(pool, tokens[base], window, 8))
                amount = 10 ** (places[base] + 8)
                quote = there.view(
                    market.consultant, "quote(uint160,uint128,bool)(uint256)", sqrt_ratio_at(tick), amount, base == 0
                )
                assert reading.answer == quote // 10 ** places[1 - base]
                compared += 1
    assert (compared, bool(negative)) == (48, start < 0)
    assert rounded > 4, "some means are no whole ticks"


def test_it_is_of_the_block_that_it_is_read_at(market: Market) -> None:
    pool = market.open(0, 18, 18)
    head = market.there.chain.increase_time(100_000)
    base = Address(market.there.view(pool, "token0()(address)"))
    reading = market.there.run(mean_price(pool, base, 1800, 8))
    assert (reading.kind, reading.updated_at, reading.answer) == (FeedKind.TWAP, head.timestamp, 10**8)
    assert reading.freshness(head.timestamp) is Freshness.FRESH


def failure(market: Market, pool: Address, base: Address, window: int) -> str:
    with pytest.raises(ReadFailed) as failed:
        market.there.run(mean_price(pool, base, window, 8))
    return str(failed.value)


def test_it_says_why_a_pool_tells_nothing(market: Market) -> None:
    there, pool = market.there, market.open(0, 18, 18)
    base = Address(there.view(pool, "token0()(address)"))
    told = failure(market, pool, base, 86_400)
    assert told.startswith("uniswap_v3_pool.observe((86400, 0)) on")
    assert told.endswith("reverted: 'OLD'"), "it remembers less than a day"
    assert f"{pool} is none of the tokens of pool {pool}" in failure(market, pool, pool, 60)
    assert "no contract lives there" in failure(market, Address("0x" + "11" * 20), base, 60)
    there.send(market.trader, "withdraw(address,int24,int24,uint128)", pool, -WIDE, WIDE, 10**20)
    there.chain.increase_time(7200)
    assert "nobody provided liquidity" in failure(market, pool, base, 3600)
    market.provide(pool, 10**20)
    there.chain.increase_time(3700)
    assert there.run(mean_price(pool, base, 3600, 8)).answer == 10**8


def test_it_takes_no_answer_of_fewer_moments_than_asked(market: Market) -> None:
    there, pool = market.there, market.open(0, 18, 18)
    base = Address(there.view(pool, "token0()(address)"))
    runtime = there.chain.code(Address(there.deploy(own("PushShortPool"), base)))
    there.chain.set_code(pool, runtime)
    with pytest.raises(Unseen, match="two moments"):
        there.run(mean_price(pool, base, 60, 8))


def test_it_wraps_around_as_the_cumulatives_do() -> None:
    assert mean_tick(2**55 - 100, -(2**55) + 800, 300) == 3
    assert mean_tick(-(2**55) + 100, 2**55 - 801, 300) == -4
    assert mean_tick(0, -1, 1800) == -1
    assert mean_liquidity(2**160 - 1, (1800 << 128) // 7 - 1, 1800) == 7
    assert mean_liquidity(5, 5, 1800) == 0
