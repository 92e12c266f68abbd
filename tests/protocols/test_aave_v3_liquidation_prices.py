"""Printed liquidation prices, put to the contract itself: it liquidates there, and not one unit nearer to now."""

from __future__ import annotations

from tests.protocols.flips import put_to_the_contract
from tests.protocols.worlds import look
from tests.worlds.aave import AaveWorld
from tests.worlds.aave_v30 import AaveV30World
from tests.worlds.deployment import ADMIN
from watcher.domain.position import State
from watcher.risk.liquidation import levers, liquidation_price


async def test_it_prints_the_unit_at_which_the_contract_flips(world: AaveWorld) -> None:
    stood, without = await put_to_the_contract(world)
    assert len(stood) > 40
    assert without > 0
    assert {price.distance > 0 for price in stood} == {True, False}  # debts that rise, collaterals that fall


async def test_it_prints_it_for_a_feed_that_several_assets_share(world: AaveWorld) -> None:
    shared = [world.tokens[symbol].address for symbol in ("wstETH", "USDT")]
    feeds = [world.tokens[symbol].feed for symbol in ("WETH", "USDC")]
    world.chain.send(ADMIN, world.oracle, "setAssetSources(address[],address[])", shared, feeds)
    stood, _ = await put_to_the_contract(world)
    by_feed = [price for price in stood if price.lever.feed is not None]
    assert {price.lever.feed for price in by_feed} <= set(feeds)
    assert len(by_feed) >= 5


async def test_it_prints_it_for_the_price_source_of_an_e_mode(v30: AaveV30World) -> None:
    source = v30.set_emode_price_source(1, v30.answer("WETH"))
    stood, _ = await put_to_the_contract(v30)
    assert any(price.lever.keys == {source.proxy} for price in stood)


async def test_it_prints_none_for_a_position_that_can_be_liquidated_already(world: AaveWorld) -> None:
    for held in (await look(world, world.accounts)).held:
        if held.position.state is State.LIQUIDATABLE:
            found = [liquidation_price(held.position, lever, held.reprice) for lever in levers(held.position)]
            assert not any(found)
