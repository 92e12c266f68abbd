"""A real Aave market whose oracle asks adapters: the position's prices rest on the feeds below them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.protocols.worlds import HEARTBEAT, look_at_one, ours, theirs
from tests.worlds.aave_v30 import AaveV30World
from tests.worlds.cache import open_world
from tests.worlds.chain import named
from tests.worlds.deployment import ADMIN
from tests.worlds.own import own
from watcher.domain.position import Position
from watcher.domain.price import Cap, Freshness, Price, nodes

RATE, BORROWER = 1_193_234_567_890_123_456, named("a borrower against wstETH")


@pytest.fixture(scope="module")
def world() -> Iterator[AaveV30World]:
    """wstETH by a ratio, USDC by a stable's cap, as Aave lists them."""
    with open_world(AaveV30World, accounts=0, seed=7) as opened:
        chain, tokens = opened.chain, opened.tokens
        opened.touch_feeds()
        rate = chain.deploy(ADMIN, own("AaveRate").creation(RATE))
        wsteth = chain.deploy(ADMIN, own("AaveRatioCap").creation(tokens["WETH"].feed, rate, 18, False))
        usdc = chain.deploy(ADMIN, own("AaveStableCap").creation(tokens["USDC"].feed, 1_04000000))
        cap = (RATE, chain.head().timestamp - 7 * 86_400, 968)
        chain.send(ADMIN, wsteth, "set(uint104,uint48,uint16)", *cap)
        assets = [tokens["wstETH"].address, tokens["USDC"].address]
        chain.send(ADMIN, opened.oracle, "setAssetSources(address[],address[])", assets, [wsteth, usdc])
        opened.supply(BORROWER, "wstETH", 10 * 10**18)
        opened.borrow(BORROWER, "USDC", 9_000 * 10**6)
        yield opened


def rate_of(world: AaveV30World, symbol: str) -> str:
    """The contract whose rate the adapter of a token asks."""
    [adapter] = world.chain.view(world.oracle, "getSourceOfAsset(address)(address)", world.tokens[symbol].address)
    [found] = world.chain.view(adapter, "RATIO_PROVIDER()(address)")
    return str(found)


def prices_of(position: Position) -> dict[str, Price]:
    return {leg.asset.symbol: leg.price for leg in position.legs}


async def test_it_rests_on_the_feeds_below_the_adapters(world: AaveV30World) -> None:
    world.touch_feeds()
    held = await look_at_one(world, BORROWER)
    prices, now = prices_of(held.position), world.chain.head().timestamp
    assert ours(held.position) == theirs(world, [BORROWER])[BORROWER]
    assert {symbol: [one.pair for one in price.feeds] for symbol, price in prices.items()} == {
        "wstETH": ["WETH / USD"],
        "USDC": ["USDC / USD"],
    }
    assert [price.hidden for price in prices.values()] == [(), ()]
    assert {price.freshness(now) for price in prices.values()} == {Freshness.FRESH}


async def test_it_grows_stale_with_the_feed_that_the_adapter_hides(world: AaveV30World) -> None:
    world.touch_feeds()
    world.pass_time(2 * HEARTBEAT)
    world.touch_feeds("USDC")
    prices, now = prices_of((await look_at_one(world, BORROWER)).position), world.chain.head().timestamp
    assert {symbol: price.freshness(now) for symbol, price in prices.items()} == {
        "wstETH": Freshness.STALE,
        "USDC": Freshness.FRESH,
    }


async def test_it_says_when_the_cap_makes_the_price(world: AaveV30World) -> None:
    with world.chain.undone():
        for rate, active in ((RATE, False), (2 * RATE, True)):
            world.chain.send(ADMIN, rate_of(world, "wstETH"), "set(uint256)", rate)
            held = await look_at_one(world, BORROWER)
            assert ours(held.position) == theirs(world, [BORROWER])[BORROWER]
            expression = prices_of(held.position)["wstETH"].expression
            assert [one.active for one in nodes(expression) if isinstance(one, Cap)] == [active]
