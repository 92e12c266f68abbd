"""Printed remedies, done on the chain: the shares that they leave are the ones foretold, and health is at target."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from tests.protocols.remedied import assert_as_foretold, take_action
from tests.protocols.worlds import look, look_at_one
from tests.worlds.aave import STABLE, AaveWorld
from tests.worlds.aave_v30 import AaveV30World
from tests.worlds.chain import named
from watcher.domain.position import Position, Repay, TopUp
from watcher.risk.restore import Remedy, remedies

ALICE = named("alice")
WAD = 10**18
PROBED = 12


async def test_it_leaves_the_shares_and_the_health_that_it_foretold(world: AaveWorld) -> None:
    """The forecast is made at an empty block, and the action mined in its place: same time, same indices and prices."""
    rng = Random(11)
    indebted = [held for held in (await look(world, world.accounts)).held if held.position.health.factor < 2]
    done: list[Remedy] = []
    for one in rng.sample(indebted, PROBED):
        wallet = one.position.id.wallet
        target = one.position.health.factor * Decimal(rng.randrange(1_002, 1_700)) / 1000
        with world.chain.undone():
            world.chain.mine()
            forecast = await look_at_one(world, wallet)
        for remedy in remedies(forecast.position, target, forecast.after):
            with world.chain.undone():
                take_action(world, wallet, remedy)
                came = await look_at_one(world, wallet)
            assert_as_foretold(forecast, remedy, came, target)
            done.append(remedy)
    kinds = [(isinstance(remedy.action, Repay), remedy.enough) for remedy in done]
    assert kinds.count((True, True)) >= 5
    assert kinds.count((False, True)) >= 5
    assert kinds.count((True, False)) >= 1  # paid back in full, and still short of the target


async def test_it_would_not_do_with_one_unit_less(world: AaveWorld) -> None:
    """Done on the chain too: the printed amount is the smallest that reaches the target."""
    target = Decimal("1.5")
    indebted = [held for held in (await look(world, world.accounts)).held if held.position.health.factor < target]
    short = 0
    for one in indebted[: 4 * PROBED : 4]:
        wallet = one.position.id.wallet
        with world.chain.undone():
            world.chain.mine()
            forecast = await look_at_one(world, wallet)
        for remedy in remedies(forecast.position, target, forecast.after):
            if not remedy.enough or remedy.action.amount < 2:
                continue
            less = Remedy(
                action=type(remedy.action)(remedy.action.asset, remedy.action.amount - 1),
                asset=remedy.asset,
                health=remedy.health,
                enough=False,
            )
            with world.chain.undone():
                take_action(world, wallet, less)
                assert Decimal(world.account_data(wallet)[5]) / WAD < target, (wallet, remedy)
            short += 1
    assert short > 10


async def test_it_offers_all_that_would_do_however_near_the_target_is(world: AaveWorld) -> None:
    """Near it the amounts are small, and what the flooring of an average is worth is not."""
    indebted = [held for held in (await look(world, world.accounts)).held if held.position.health.factor < 2]
    offered = 0
    for held in indebted[::20]:
        for near in ("1.0005", "1.01", "1.1"):
            target = held.position.health.factor * Decimal(near)
            found = {(type(one.action), one.asset.address): one for one in remedies(held.position, target, held.after)}
            for leg in held.position.legs:
                kind = Repay if leg.amount < 0 else TopUp
                most = held.after(kind(leg.asset.address, abs(leg.amount)))  # all of the debt, or as much again
                if not isinstance(most, Position) or most.health.factor < target or not (leg.required or leg.backing):
                    continue
                assert found[kind, leg.asset.address].enough, (held.position.id, kind, leg.asset.symbol, near)
                offered += 1
    assert offered > 15


async def test_it_offers_no_repayment_of_a_debt_at_a_stable_rate(v30: AaveV30World) -> None:
    """It is repaid in another way; the search for an amount that is refused whatever it is has to end."""
    v30.supply(ALICE, "WETH", 10 * WAD)
    v30.borrow(ALICE, "DAI", 10_000 * WAD, STABLE)
    held = await look_at_one(v30, ALICE)
    found = remedies(held.position, held.position.health.factor * 2, held.after)
    assert [type(remedy.action) for remedy in found] == [TopUp]
