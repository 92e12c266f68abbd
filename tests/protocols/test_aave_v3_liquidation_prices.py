"""Printed liquidation prices, put to the contract itself: it liquidates there, and not one unit nearer to now."""

from __future__ import annotations

from collections.abc import Iterator

from tests.protocols.what_if import as_if, health_if
from tests.protocols.worlds import look
from tests.worlds.aave import AaveWorld
from tests.worlds.aave_v30 import AaveV30World
from tests.worlds.deployment import ADMIN
from watcher.domain.position import State
from watcher.risk.liquidation import Lever, LiquidationPrice, levers, liquidation_price
from watcher.snapshot import Held, Snapshot

WAD = 10**18
PROBED = 40


def probed(snapshot: Snapshot) -> list[Held]:
    """Accounts with a debt and above one, spread over those with the most reserves first, for their levers."""
    healthy = [held for held in snapshot.held if held.position.state is State.HEALTHY]
    healthy.sort(key=lambda held: -len(held.position.legs))
    return healthy[:: max(1, len(healthy) // PROBED)][:PROBED]


def between(price: LiquidationPrice) -> list[int]:
    """Values on the way from now to the printed one, the last ten before it among them."""
    span = price.lever.current - price.value
    near = [price.value + (1 if span > 0 else -1) * step for step in range(1, min(10, abs(span)))]
    return near + [price.value + span * part // 17 for part in range(1, 17) if abs(span) > 17]


def every_lever(snapshot: Snapshot) -> Iterator[tuple[Held, Lever]]:
    for held in probed(snapshot):
        for lever in levers(held.position):
            yield held, lever


async def put_to_the_contract(world: AaveWorld) -> tuple[list[LiquidationPrice], int]:
    """Every lever of the probed accounts. Returns the prices that stood, and how many levers have none."""
    snapshot = await look(world, world.accounts)
    stood, without = [], 0
    for held, lever in every_lever(snapshot):
        position, price = held.position, liquidation_price(held.position, lever, held.reprice)

        def contract(*values: int, wallet: str = position.id.wallet, moved: Lever = lever) -> list[int]:
            states = [as_if(world, moved, value) for value in values]
            return health_if(world, wallet, snapshot.block.hash, states)

        assert contract(lever.current) == [position.health.backing]  # the what-if itself changes nothing
        if price is None:
            without += 1
            assert min(contract(1, lever.current // 1000, lever.current * 1000, 10**30)) >= WAD, (position.id, lever)
            continue
        nearer = price.value + (1 if price.value < lever.current else -1)
        there, before, *on_the_way = contract(price.value, nearer, *between(price))
        assert there < WAD <= before, (position.id, lever, price.value)
        assert min(on_the_way, default=WAD) >= WAD, (position.id, lever, price.value)
        stood.append(price)
    return stood, without


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
