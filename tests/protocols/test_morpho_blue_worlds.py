"""Real Morpho on a local chain: every number, every verdict, and both sides of every printed boundary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from random import Random

import pytest

from tests.protocols.morpho_worlds import liquidates, look, market_of, owed
from tests.worlds.chain import Tx
from tests.worlds.morpho import MorphoWorld
from watcher.domain.position import Check, Position, Repay, State
from watcher.risk.levers import levers
from watcher.risk.liquidation import liquidation_price
from watcher.risk.restore import Remedy, remedies
from watcher.snapshot import Held

PEOPLE, SEED = 80, 11
FLIPS = 50


@pytest.fixture(scope="module")
def opened() -> Iterator[tuple[MorphoWorld, list[str]]]:
    with MorphoWorld.start() as world:
        yield world, list(world.fill(Random(SEED), PEOPLE))


@pytest.fixture
def world(opened: tuple[MorphoWorld, list[str]]) -> Iterator[MorphoWorld]:
    with opened[0].chain.undone():
        yield opened[0]


@pytest.fixture
def people(opened: tuple[MorphoWorld, list[str]]) -> list[str]:
    return opened[1]


async def forecast(world: MorphoWorld, people: list[str]) -> list[Held]:
    """The positions as they will be in the next block, if nobody does anything in it."""
    with world.chain.undone():
        world.chain.mine()
        return list((await look(world, people)).held)


async def test_it_owes_and_is_liquidated_exactly_as_the_contract_has_it(world: MorphoWorld, people: list[str]) -> None:
    random, states, seen = Random(SEED), 0, Counter[State]()
    for days in (1, 30, 200):
        world.wander(random, days=days, per_mille=60)
        snapshot = await look(world, people)
        assert not snapshot.unreadable
        for one in snapshot.held:
            market, position = market_of(world, one), one.position
            assert position.check is Check.VERIFIED, position
            assert position.health.required == owed(world, market, position.id.account)
            assert position.health.liquidatable == liquidates(world, market, position.id.account), position
            states += 1
            seen[position.state] += 1
    assert states >= 250
    assert min(seen[state] for state in (State.HEALTHY, State.LIQUIDATABLE)) > 20, seen


async def test_it_flips_at_the_printed_price_and_not_one_unit_before(world: MorphoWorld, people: list[str]) -> None:
    flipped = 0
    for one in await forecast(world, people):
        market, who = market_of(world, one), one.position.id.account
        [lever, *_] = levers(one.position)
        price = liquidation_price(one.position, lever, one.reprice)
        if price is None:
            continue
        at, before = (
            [world.pricing(market.oracle, n), world.liquidating(who, market)] for n in (price.value, price.value + 1)
        )
        assert world.goes_through(*at), (one.position, price)
        assert not world.goes_through(*before), (one.position, price)
        flipped += 1
        if flipped == FLIPS:
            break
    assert flipped >= FLIPS


def acting(world: MorphoWorld, one: Held, remedy: Remedy, amount: int) -> list[Tx]:
    market, who = market_of(world, one), one.position.id.account
    act = world.repaying if isinstance(remedy.action, Repay) else world.supplying
    return act(who, market, amount) if amount else []


async def test_what_it_says_is_needed_ends_the_danger_and_one_unit_less_does_not(
    world: MorphoWorld, people: list[str]
) -> None:
    world.wander(Random(5), days=20, per_mille=400)
    tried = Counter[type]()
    for one in await forecast(world, people):
        if not one.position.health.liquidatable:
            continue
        market, who = market_of(world, one), one.position.id.account
        for remedy in remedies(one.position, Decimal(1), one.after):
            amount, last = remedy.action.amount, world.liquidating(who, market)
            if not remedy.enough or (amount >= one.position.health.required and isinstance(remedy.action, Repay)):
                continue
            assert not world.goes_through(*acting(world, one, remedy, amount), last), (one.position, remedy)
            assert world.goes_through(*acting(world, one, remedy, amount - 1), last), (one.position, remedy)
            tried[type(remedy.action)] += 1
    assert len(tried) == 2
    assert sum(tried.values()) >= FLIPS


async def test_an_action_leaves_the_very_health_that_it_foretold(world: MorphoWorld, people: list[str]) -> None:
    done = 0
    for one in Random(3).sample(await forecast(world, people), 30):
        for remedy in remedies(one.position, Decimal("1.25"), one.after):
            with world.chain.undone():
                full = isinstance(remedy.action, Repay) and remedy.action.amount >= one.position.health.required
                if full:
                    continue
                world.chain.send_all(acting(world, one, remedy, remedy.action.amount))
                after = position_of(list((await look(world, [one.position.id.wallet])).held), one)
                assert after.health.factor == remedy.health
                done += 1
    assert done > 20


def position_of(held: list[Held], one: Held) -> Position:
    [found] = [each.position for each in held if each.position.id == one.position.id]
    return found
