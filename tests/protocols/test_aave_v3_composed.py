"""Levers and healths of prices that an adapter makes of a feed and a capped rate, put to the contract itself."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from tests.protocols.composed import RATE, WAD, Adapted, adapt
from tests.protocols.trees import with_readings
from tests.protocols.what_if import Overrides, as_if, health_if
from tests.worlds.aave import AaveWorld
from tests.worlds.chain import named
from watcher.domain.position import State
from watcher.domain.source import Address
from watcher.risk.healths import healths, sensitivities
from watcher.risk.levers import Lever, levers
from watcher.risk.liquidation import LiquidationPrice, liquidation_price
from watcher.snapshot import Held

PROBED = 60


async def probed(adapted: Adapted) -> list[Held]:
    """Healthy accounts that hold or owe wstETH, those with the most legs first."""
    wsteth = Address(adapted.world.tokens["wstETH"].address)
    found = [
        held
        for held in await adapted.look(adapted.world.accounts)
        if held.position.state is State.HEALTHY and any(leg.priced_as == wsteth for leg in held.position.legs)
    ]
    assert all(held.position.legs_explain_health for held in found)
    return sorted(found, key=lambda held: -len(held.position.legs))[:PROBED]


def asked(world: AaveWorld, held: Held, lever: Lever, *values: int) -> list[int]:
    states = [as_if(world, lever, value) for value in values]
    return health_if(world, held.position.id.wallet, held.position.at.hash, states)


async def test_it_prints_the_unit_of_the_feed_at_which_the_contract_flips(world: AaveWorld) -> None:
    adapted, stood, without = adapt(world), [], 0
    for held in await probed(adapted):
        for lever in levers(held.position):
            if not lever.composed:
                continue
            price = liquidation_price(held.position, lever, held.reprice)
            if price is None:
                without += 1
                assert min(asked(world, held, lever, lever.current // 900, lever.current * 900)) >= WAD
                continue
            assert flips(world, held, price), (held.position.id, lever.name, price.value)
            stood.append(price)
    assert len(stood) > 20
    assert without > 0
    assert {price.lever.feed for price in stood} == {adapted.feed, adapted.ratio}
    assert {price.distance > 0 for price in stood} == {True, False}


def flips(world: AaveWorld, held: Held, price: LiquidationPrice) -> bool:
    """Liquidatable at the printed value, and nowhere nearer to now that we look."""
    now, value = price.lever.current, price.value
    nearer = [value + (1 if value < now else -1) * step for step in range(1, 6)]
    on_the_way = [value + (now - value) * part // 13 for part in range(1, 14)]
    there, *before = asked(world, held, price.lever, value, *nearer, *on_the_way)
    return there < WAD <= min(before)


async def test_a_feed_under_two_assets_is_one_lever_in_its_own_unit(world: AaveWorld) -> None:
    adapted = adapt(world)
    pair = {Address(world.tokens[symbol].address) for symbol in ("WETH", "wstETH")}
    seen = 0
    for held in await probed(adapted):
        found = {lever.feed: lever for lever in levers(held.position)}
        lever = found.get(adapted.feed)
        assert lever is not None
        here = frozenset({leg.priced_as for leg in held.position.legs} & pair)
        assert (lever.keys, lever.current, lever.name) == (here, world.answer("WETH"), "WETH / USD")
        assert lever.unit is not None
        assert (lever.unit.symbol, lever.unit.decimals) == ("USD", 8)
        seen += len(here) == 2
    assert seen > 5


async def test_a_loop_has_no_price_of_ether_but_one_of_its_rate(world: AaveWorld) -> None:
    adapted, looper = adapt(world), named("looper")
    world.supply(looper, "wstETH", 10 * WAD)
    world.borrow(looper, "WETH", 8 * WAD)
    [held] = await adapted.look([looper])
    found = {lever.feed: liquidation_price(held.position, lever, held.reprice) for lever in levers(held.position)}
    assert found[adapted.feed] is None
    rate = found[adapted.ratio]
    assert rate is not None
    assert (rate.lever.name, rate.lever.current) == ("wstETH in WETH", RATE)
    assert rate.counted_in(held.position).symbol == "WETH"
    assert flips(world, held, rate)


async def test_it_names_no_rate_where_a_feed_tells_the_same(world: AaveWorld) -> None:
    adapted, holder = adapt(world), named("holder of the wrapped")
    world.supply(holder, "wstETH", 10 * WAD)
    world.borrow(holder, "USDC", 20_000 * 10**6)
    [held] = await adapted.look([holder])
    assert [lever.name for lever in levers(held.position)] == ["wstETH", "USDC", "WETH / USD"]


async def test_a_rate_beyond_its_cap_moves_nothing_until_it_is_below(world: AaveWorld) -> None:
    adapted = adapt(world, most=RATE - RATE // 10)
    found = 0
    for held in await probed(adapted):
        for lever in levers(held.position):
            price = liquidation_price(held.position, lever, held.reprice) if lever.feed == adapted.ratio else None
            if price is not None:
                found += 1
                assert price.value < adapted.most
                assert flips(world, held, price)
    assert found > 0


async def test_sensitivities_are_what_the_contract_says_of_each_feed_one_per_cent_lower(world: AaveWorld) -> None:
    adapted, compared = adapt(world), 0
    for held in await probed(adapted):
        known = {reading.feed: reading for reading in held.position.feeds}
        for one in sensitivities(held.position, held.reprice):
            reading = known[one.feed]
            lever = Lever(name="", keys=frozenset(), current=reading.answer, feed=one.feed)
            [then] = asked(world, held, lever, reading.answer * 99 // 100)
            assert one.per_percent * WAD == then - held.position.health.backing
            compared += 1
    assert compared > 100


async def test_the_edge_is_the_worst_that_the_contract_says_of_all_feeds_at_their_thresholds(world: AaveWorld) -> None:
    adapted, compared = adapt(world), 0
    for held in map(with_thresholds, (await probed(adapted))[:12]):
        edge = healths(held.position, held.reprice).edge
        assert edge is not None
        moves = [
            (reading.feed, (reading.answer * 995 // 1000, -(-reading.answer * 1005 // 1000)))
            for reading in held.position.feeds
        ]
        states: list[Overrides] = [{}]
        for feed, values in moves:
            states = [{**state, **as_if(world, at(feed), value)} for state in states for value in values]
        worst = min(health_if(world, held.position.id.wallet, held.position.at.hash, states))
        assert edge * WAD == worst
        compared += len(states)
    assert compared > 50


def at(feed: Address) -> Lever:
    return Lever(name="", keys=frozenset(), current=0, feed=feed)


def with_thresholds(held: Held) -> Held:
    """The same, every feed with a deviation threshold of half a per cent."""
    market = held.market
    prices = {
        key: with_readings(price, lambda reading: replace(reading, deviation=Decimal("0.5")))
        for key, price in market.prices.items()
    }
    moved = replace(held, market=held.reader.repriced(market, prices))
    return replace(moved, position=moved.of_account(held.account))
