"""Pre-liquidations that a borrower has authorised: which count, from where on, and for how long."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.protocols.morpho_worlds import ALICE, ETHER, debtors, liquidates, one, price
from tests.worlds.chain import named
from tests.worlds.compiled import morpho
from tests.worlds.morpho import ADMIN, MorphoWorld
from tests.worlds.own import own
from watcher.domain.position import Check, Repay, State, TopUp
from watcher.domain.source import Address
from watcher.protocols.rounding import mul_div_up
from watcher.risk.levers import levers
from watcher.risk.liquidation import liquidation_price
from watcher.risk.restore import remedies


@pytest.fixture(scope="module")
def opened() -> Iterator[MorphoWorld]:
    with debtors() as world:
        yield world


@pytest.fixture
def world(opened: MorphoWorld) -> Iterator[MorphoWorld]:
    with opened.chain.undone():
        yield opened


async def test_an_authorised_pre_liquidation_is_the_line_that_counts(world: MorphoWorld) -> None:
    """At 75 % it begins; Alice stands at 75 % and a little interest."""
    market = world.markets["WETH/USDC"]
    guard = world.pre_liquidation(market, 750)
    before = (await one(world, ALICE)).position
    assert (before.state, before.scenarios, before.notes) == (State.HEALTHY, (), ())
    world.authorise(ALICE, guard)
    held = await one(world, ALICE)
    assert (held.position.state, held.position.check) == (State.LIQUIDATABLE, Check.VERIFIED)
    assert held.position.health.backing == 1_500 * 10**6
    [scenario] = held.position.scenarios
    assert (scenario.what, scenario.health.backing) == ("liquidation by Morpho itself", 1_720 * 10**6)
    assert not scenario.health.liquidatable
    assert "from an LTV of 75.00 % on; Morpho itself liquidates from 86.00 % on" in held.position.notes[0]
    assert {term.what: term.value for term in held.position.terms}[f"pre-liquidation by {guard}"] == "from 75.00 % on"
    assert world.goes_through(world.pre_liquidating(ALICE, guard))
    assert not liquidates(world, market, ALICE)


async def test_who_takes_the_authorisation_back_is_no_longer_guarded(world: MorphoWorld) -> None:
    guard = world.pre_liquidation(world.markets["WETH/USDC"], 750)
    world.authorise(ALICE, guard)
    world.authorise(ALICE, guard, False)
    position = (await one(world, ALICE)).position
    assert (position.state, position.scenarios) == (State.HEALTHY, ())


async def test_others_that_are_authorised_are_no_guards(world: MorphoWorld) -> None:
    """A bundler; a pre-liquidation of nobody's factory; one of another market."""
    market, other = world.markets["WETH/USDC"], world.markets["WBTC/USDC"]
    stranger = world.deploy(own("MorphoPreLiquidationFactory"), world.morpho)
    stray = world.pre_liquidation(market, 500, factory=stranger)
    for contract in (named("a bundler"), stray, world.pre_liquidation(other, 500)):
        world.authorise(ALICE, contract)
    position = (await one(world, ALICE)).position
    assert (position.state, position.scenarios, position.check) == (State.HEALTHY, (), Check.VERIFIED)


async def test_a_guard_flips_at_the_printed_price_by_its_own_oracle(world: MorphoWorld) -> None:
    market = world.markets["WETH/USDC"]
    oracle = world.deploy(morpho()["OracleMock"])
    world.chain.send(ADMIN, oracle, "setPrice(uint256)", 2_300 * 10**24 + 12_345)
    guard = world.pre_liquidation(market, 700, oracle)
    world.authorise(ALICE, guard)
    with world.chain.undone():
        world.chain.mine()
        held = await one(world, ALICE)
    assert held.position.state is State.HEALTHY
    assert held.position.legs[0].priced_as == oracle
    [lever, *_] = levers(held.position)
    found = liquidation_price(held.position, lever, held.reprice)
    assert found is not None
    for value, flips in ((found.value, True), (found.value + 1, False)):
        txs = world.pricing(oracle, value), world.pre_liquidating(ALICE, guard)
        assert world.goes_through(*txs) is flips


async def test_a_guard_leaves_to_morpho_what_is_beyond_the_markets_lltv(world: MorphoWorld) -> None:
    """By its own price: at the lowest by which the debt is still covered it acts, one unit below it does not."""
    market = world.markets["WETH/USDC"]
    oracle = world.deploy(morpho()["OracleMock"])
    world.chain.send(ADMIN, oracle, "setPrice(uint256)", 2_300 * 10**24)
    guard = world.pre_liquidation(market, 700, oracle)
    world.authorise(ALICE, guard)
    with world.chain.undone():
        world.chain.mine()
        held = await one(world, ALICE)
    debt, own = held.position.health.required, held.position.legs[0].price
    covered = mul_div_up(mul_div_up(debt, ETHER, market.params[4]), 10**36, ETHER)
    for value, acts in ((covered, True), (covered - 1, False)):
        assert held.reprice({Address(oracle): own.at(value)}).health.liquidatable is acts
        txs = world.pricing(oracle, value), world.pre_liquidating(ALICE, guard)
        assert world.goes_through(*txs) is acts


async def test_what_ends_a_guards_danger_is_exact(world: MorphoWorld) -> None:
    market = world.markets["WETH/USDC"]
    guard = world.pre_liquidation(market, 740)
    world.authorise(ALICE, guard)
    with world.chain.undone():
        world.chain.mine()
        held = await one(world, ALICE)
    kinds = set()
    for remedy in remedies(held.position, Decimal(1), held.after):
        act = world.repaying if isinstance(remedy.action, Repay) else world.supplying
        for amount, flips in ((remedy.action.amount, False), (remedy.action.amount - 1, True)):
            txs = [*act(ALICE, market, amount), world.pre_liquidating(ALICE, guard)]
            assert world.goes_through(*txs) is flips, remedy
        kinds.add(type(remedy.action))
    assert kinds == {Repay, TopUp}


@pytest.mark.parametrize("how", ["beyond", "reverting"])
async def test_a_guard_that_cannot_act_is_no_danger(world: MorphoWorld, how: str) -> None:
    """Its own oracle fails, or has the position beyond the market's LLTV already."""
    oracle = world.deploy(morpho()["OracleMock"]) if how == "beyond" else world.deploy(own("MorphoNoOracle"))
    if how == "beyond":
        world.chain.send(ADMIN, oracle, "setPrice(uint256)", 1_000 * 10**24)
    guard = world.pre_liquidation(world.markets["WETH/USDC"], 750, oracle)
    world.authorise(ALICE, guard)
    position = (await one(world, ALICE)).position
    assert (position.state, position.check) == (State.HEALTHY, Check.VERIFIED)
    assert position.notes == (f"the authorised pre-liquidation {guard} cannot act now, by its own price",)
    assert not world.goes_through(world.pre_liquidating(ALICE, guard))


async def test_beyond_morphos_own_line_its_liquidation_is_what_counts(world: MorphoWorld) -> None:
    market = world.markets["WETH/USDC"]
    guard = world.pre_liquidation(market, 750)
    world.authorise(ALICE, guard)
    price(world, market, 1_600 * 10**24)
    position = (await one(world, ALICE)).position
    assert (position.state, position.check, position.scenarios) == (State.LIQUIDATABLE, Check.VERIFIED, ())
    assert liquidates(world, market, ALICE)
    assert not world.goes_through(world.pre_liquidating(ALICE, guard))
