"""Aave v3.0.2 and v3.6 on a chain, read the way the daemon reads: every number equals the contract's, to the unit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from random import Random

import pytest

from tests.protocols.worlds import Numbers, configure, liquidated_at, look, look_at_one, ours, theirs
from tests.worlds.aave import STABLE, AaveWorld
from tests.worlds.aave_v30 import AaveV30World
from tests.worlds.aave_v36 import AaveV36World
from tests.worlds.boundary import flip
from tests.worlds.chain import named
from watcher.domain.health import Health
from watcher.domain.position import Check, Leg, Position, State
from watcher.domain.price import Freshness
from watcher.domain.source import Address
from watcher.protocols.aave.state import Account, Market, Variant
from watcher.snapshot import Snapshot

ALICE = named("alice")
ETHER, WAD = 10**18, 10**18
ROUNDS_OF_TIME = 4
PROBED = 4


def disagreeing(world: AaveWorld, snapshot: Snapshot) -> list[tuple[Numbers, Numbers]]:
    said = theirs(world, [position.id.wallet for position in snapshot.positions])
    pairs = [(ours(position), said[position.id.wallet]) for position in snapshot.positions]
    return [(one, other) for one, other in pairs if one != other]


def all_verified(snapshot: Snapshot) -> bool:
    return not snapshot.unreadable and {p.check for p in snapshot.positions} <= {Check.VERIFIED}


async def test_it_equals_the_contract_for_five_hundred_accounts_again_and_again(world: AaveWorld) -> None:
    """Each round up to two months of interest pass and every price moves: 2,000 states in all."""
    rng, seen = Random(2), set[Numbers]()
    for _ in range(ROUNDS_OF_TIME):
        snapshot = await look(world, world.accounts)
        assert len(snapshot.positions) == 500
        assert disagreeing(world, snapshot) == []
        assert all_verified(snapshot)
        assert all(position.legs_explain_health for position in snapshot.positions)
        seen |= {ours(position) for position in snapshot.positions}
        world.wander(rng)
    assert len(seen) > 450 * ROUNDS_OF_TIME  # not the same few numbers over and over


async def test_it_is_put_to_the_test_by_all_sorts_of_accounts(world: AaveWorld) -> None:
    snapshot = await look(world, world.accounts)
    accounts: list[Account] = [held.account for held in snapshot.held]
    legs = [leg for position in snapshot.positions for leg in position.legs]
    assert {leg.asset.decimals for leg in legs if leg.backing} == {6, 8, 18}
    assert {leg.asset.decimals for leg in legs if leg.required} == {6, 8, 18}
    assert sum(account.emode > 0 for account in accounts) > 100
    assert sum(account.emode == 0 for account in accounts) > 100
    stable_rate = [held for account in accounts for held in account.holdings if held.stable_debt]
    assert bool(stable_rate) == isinstance(world, AaveV30World)
    states = [position.state for position in snapshot.positions]
    assert min(states.count(state) for state in (State.NO_DEBT, State.HEALTHY, State.LIQUIDATABLE)) > 20
    holdings = [holding for account in accounts for holding in account.holdings]
    assert sum(0 < holding.scaled_supply <= 1000 for holding in holdings) > 10
    assert sum(0 < holding.scaled_debt <= 1000 for holding in holdings) > 10
    assert any(position.collateral == 0 and position.legs for position in snapshot.positions)  # worth nothing


def _otherwise(variant: Variant) -> Variant:
    return replace(variant, floors_average=not variant.floors_average, rounds_half_up=not variant.rounds_half_up)


def _other_rounding(variant: Variant) -> Variant:
    return replace(variant, rounds_half_up=not variant.rounds_half_up)


@pytest.mark.parametrize("change", [_otherwise, _other_rounding], ids=["other family", "other rounding only"])
async def test_it_would_be_wrong_with_any_other_rounding(
    world: AaveWorld, change: Callable[[Variant], Variant]
) -> None:
    """The negative control: agreement above is not an accident of easy numbers."""
    said, indebted, wrong = theirs(world, world.accounts), 0, 0
    for held in (await look(world, world.accounts)).held:
        market: Market = held.market
        [position] = held.reader.positions(replace(market, variant=change(market.variant)), held.account)
        assert isinstance(position, Position)
        indebted += position.debt > 0
        wrong += position.debt > 0 and ours(position) != said[position.id.wallet]
    assert wrong > 0.75 * indebted


async def test_it_flips_at_the_very_price_at_which_the_contract_does(world: AaveWorld) -> None:
    """Neighbouring prices found by asking the contract alone; and each account is really liquidated, or refused."""
    found = 0
    for position in (await look(world, world.accounts)).positions:
        backing, debts = ([leg for leg in position.legs if weigh(leg)] for weigh in (_backs, _owes))
        if position.state is not State.HEALTHY or len(backing) != 1 or backing[0].asset == debts[0].asset:
            continue
        [collateral], [debt, *_], wallet = backing, debts, position.id.wallet
        symbol, price = collateral.asset.symbol, collateral.price.low
        try:
            unsafe, safe = flip(world, wallet, symbol, price // 100, price)
        except ValueError:
            continue  # what it owes falls with its collateral
        found += 1
        for answer, liquidatable in ((unsafe, True), (safe, False)):
            with world.chain.undone():
                world.set_price(symbol, answer)
                snapshot = await look(world, [wallet])
                [there] = snapshot.positions
                assert all_verified(snapshot)
                assert (there.state is State.LIQUIDATABLE) == there.health.liquidatable == liquidatable
                assert disagreeing(world, snapshot) == []
            assert liquidated_at(world, wallet, symbol, answer, debt.asset.symbol) == liquidatable
        if found == PROBED:
            return
    pytest.fail(f"only {found} accounts to probe")


def _backs(leg: Leg) -> bool:
    return leg.backing > 0


def _owes(leg: Leg) -> bool:
    return leg.required > 0


async def test_it_says_which_accounts_use_a_stable_rate_an_e_mode_price_and_neither(v30: AaveV30World) -> None:
    """The e-mode's own price source replaces the prices of its members, in the sums and on the legs."""
    v30.supply(ALICE, "DAI", 5_000 * ETHER)
    v30.set_emode(ALICE, 1)
    v30.supply(ALICE, "wstETH", 10 * ETHER)
    v30.borrow(ALICE, "WETH", 3 * ETHER)
    wallets = [*v30.accounts, ALICE]
    before = await look_at_one(v30, ALICE)
    source = v30.set_emode_price_source(1, 3_300_12345678)
    v30.wander(Random(5), days=20)
    snapshot = await look(v30, wallets)
    assert disagreeing(v30, snapshot) == []
    assert all_verified(snapshot)
    [alice] = [position for position in snapshot.positions if position.id.wallet == ALICE]
    priced_as = {leg.asset.symbol: (leg.priced_as, leg.price.low) for leg in alice.legs}
    assert priced_as["wstETH"] == priced_as["WETH"] == (Address(source.proxy), 3_300_12345678)
    assert priced_as["DAI"][0] == v30.tokens["DAI"].address
    assert {leg.priced_as for leg in before.position.legs} == {Address(v30.tokens[s].address) for s in priced_as}


async def test_it_adds_stable_and_variable_debt_of_one_reserve(v30: AaveV30World) -> None:
    v30.supply(ALICE, "WETH", 10 * ETHER)
    v30.borrow(ALICE, "DAI", 1_000 * ETHER, STABLE)
    v30.borrow(ALICE, "DAI", 2_000 * ETHER)
    v30.pass_time(90 * 86_400)
    held = await look_at_one(v30, ALICE)
    [holding] = [holding for holding in held.account.holdings if holding.borrowing]
    assert holding.stable_debt > 1_000 * ETHER
    assert holding.scaled_debt > 0
    assert held.position.check is Check.VERIFIED
    assert ours(held.position) == theirs(v30, [ALICE])[ALICE]


async def test_it_leaves_out_a_collateral_without_a_threshold_as_its_revision_does(world: AaveWorld) -> None:
    """v3.0 does not count it at all; v3.6 counts its value, at a threshold of zero."""
    configure(world, "WBTC", lambda word: word & ~(0xFFFF << 16))
    snapshot = await look(world, world.accounts)
    assert disagreeing(world, snapshot) == []
    assert all_verified(snapshot)
    wbtc = Address(world.tokens["WBTC"].address)
    only = [
        held.position
        for held in snapshot.held
        if [holding.asset for holding in held.account.holdings if holding.collateral] == [wbtc]
    ]
    assert only
    assert all(bool(position.collateral) == isinstance(world, AaveV36World) for position in only)
    without_threshold = [position for position in only if position.debt]
    assert without_threshold
    assert all(position.health == Health(backing=0, required=WAD) for position in without_threshold)


async def test_it_follows_the_bitmap_of_an_e_mode(v36: AaveV36World) -> None:
    """A reserve leaves a category without any event of its users: in one block their threshold is another."""
    v36.set_emode(ALICE, 1)
    v36.supply(ALICE, "wstETH", 10 * ETHER)
    v36.borrow(ALICE, "WETH", 7 * ETHER)
    inside = await look_at_one(v36, ALICE)
    v36.set_emode_collateral("wstETH", 1, False)
    v36.set_emode_collateral("WETH", 3, True)
    snapshot = await look(v36, [*v36.accounts, ALICE])
    assert disagreeing(v36, snapshot) == []
    assert all_verified(snapshot)
    [outside] = [position for position in snapshot.positions if position.id.wallet == ALICE]
    assert [leg.backing for leg in inside.position.legs if leg.backing] == [Fraction(93, 100)]
    assert [leg.backing for leg in outside.legs if leg.backing] == [Fraction(81, 100)]


async def test_it_reads_what_is_hardly_there(world: AaveWorld) -> None:
    """A few base units of everything; and a wallet that came and went is no position at all."""
    for symbol in ("USDC", "WBTC", "DAI"):
        world.supply(ALICE, symbol, 2)
    world.supply(ALICE, "WETH", ETHER)
    for symbol in ("USDT", "WBTC", "DAI"):
        world.borrow(ALICE, symbol, 1)
    gone = named("came and went")
    world.supply(gone, "DAI", 7 * ETHER)
    world.withdraw(gone, "DAI")
    world.wander(Random(9), days=400)
    snapshot = await look(world, [ALICE, gone])
    assert disagreeing(world, snapshot) == []
    assert all_verified(snapshot)
    assert [position.id.wallet for position in snapshot.positions] == [ALICE]
    assert {wallet for _, wallet in snapshot.covered} == {ALICE, gone}


async def test_it_dates_prices_by_the_feeds_behind_the_oracle(world: AaveWorld) -> None:
    world.supply(ALICE, "WETH", ETHER)
    world.borrow(ALICE, "USDC", 10**6)
    world.touch_feeds()
    assert (await look_at_one(world, ALICE)).position.freshness is Freshness.FRESH
    world.pass_time(3600 + 360)
    at_limit = await look_at_one(world, ALICE)
    assert at_limit.position.freshness is Freshness.FRESH
    world.pass_time(1)
    world.touch_feeds("USDC")
    late = await look_at_one(world, ALICE)
    assert late.position.freshness is Freshness.STALE
    assert {r.pair: r.freshness(late.position.at.timestamp) for r in late.position.feeds} == {
        "WETH / USD": Freshness.STALE,
        "USDC / USD": Freshness.FRESH,
    }
