"""Aave v2 on a chain, by its real contracts: every number and every flip is the contract's own."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest

from tests.protocols.flips import put_to_the_contract
from tests.protocols.remedied import assert_as_foretold, take_action
from tests.protocols.worlds import (
    Numbers,
    assert_as_the_contract_does,
    deployment_of,
    liquidated_at,
    look,
    look_at_one,
    numbers_or_revert,
    ours,
    played,
    theirs,
)
from tests.worlds.aave import STABLE
from tests.worlds.aave_v2 import AaveV2World
from tests.worlds.boundary import flip
from tests.worlds.chain import ZERO, named
from watcher.domain.position import Because, Check, Numeraire, Position, Repay, State, Term
from watcher.domain.price import Fixed, Leaf, Opaque
from watcher.domain.source import Address
from watcher.protocols.aave.oracle import COUNTED_IN
from watcher.protocols.aave.state import Market, Variant
from watcher.protocols.aave_v2 import AaveV2
from watcher.risk.restore import remedies
from watcher.snapshot import Snapshot

ALICE = named("alice")
ETHER = 10**18
ROUNDS_OF_TIME = 3


def disagreeing(world: AaveV2World, snapshot: Snapshot) -> list[tuple[Numbers, Numbers]]:
    said = theirs(world, [position.id.wallet for position in snapshot.positions])
    pairs = [(ours(position), said[position.id.wallet]) for position in snapshot.positions]
    return [(one, other) for one, other in pairs if one != other]


async def test_it_equals_the_contract_for_five_hundred_accounts_again_and_again(v2: AaveV2World) -> None:
    """Each round up to two months of interest pass and every price but that of WETH moves: 1,500 states in all."""
    rng, seen = Random(2), set[Numbers]()
    for _ in range(ROUNDS_OF_TIME):
        snapshot = await look(v2, v2.accounts)
        assert len(snapshot.positions) == 500
        assert disagreeing(v2, snapshot) == []
        assert {position.check for position in snapshot.positions} == {Check.VERIFIED}
        assert all(position.legs_explain_health for position in snapshot.positions)
        seen |= {ours(position) for position in snapshot.positions}
        v2.wander(rng)
    assert len(seen) > 450 * ROUNDS_OF_TIME
    stable = [held for one in snapshot.held for held in one.account.holdings if held.stable_debt]
    assert len(stable) > 20


@pytest.mark.parametrize("change", ["floors_average", "rounds_half_up", "stable_debt"])
async def test_it_would_be_wrong_with_any_other_arithmetic(v2: AaveV2World, change: str) -> None:
    """The negative control."""
    said, wrong = theirs(v2, v2.accounts), 0
    for held in (await look(v2, v2.accounts)).held:
        market: Market = held.market
        variant: Variant = market.variant
        other = replace(variant, **{change: not getattr(variant, change)})
        [position] = held.reader.positions(replace(market, variant=other), held.account)
        assert isinstance(position, Position)
        wrong += ours(position) != said[position.id.wallet]
    assert wrong > 20


async def test_it_flips_at_the_very_price_at_which_the_contract_liquidates(v2: AaveV2World) -> None:
    """Neighbouring prices found by asking the contract alone; each account is really liquidated, or refused."""
    found = 0
    for position in (await look(v2, v2.accounts)).positions:
        backing, debts = [leg for leg in position.legs if leg.backing], [leg for leg in position.legs if leg.required]
        if position.state is not State.HEALTHY or len(backing) != 1 or backing[0].asset.symbol == "WETH":
            continue
        symbol, price, wallet = backing[0].asset.symbol, backing[0].price.low, position.id.wallet
        try:
            unsafe, safe = flip(v2, wallet, symbol, price // 100, price)
        except ValueError:
            continue  # what it owes falls with its collateral
        for answer, liquidatable in ((unsafe, True), (safe, False)):
            with v2.chain.undone():
                v2.set_price(symbol, answer)
                there = await look_at_one(v2, wallet)
                assert there.position.check is Check.VERIFIED
                assert there.position.health.liquidatable == liquidatable
            assert liquidated_at(v2, wallet, symbol, answer, debts[0].asset.symbol) == liquidatable
        found += 1
        if found == 4:
            return
    pytest.fail(f"only {found} accounts to probe")


async def test_it_prints_the_unit_at_which_the_contract_flips(v2: AaveV2World) -> None:
    """All levers of fifty accounts; of WETH there is none, for the contract holds it at 1."""
    stood, _ = await put_to_the_contract(v2, accounts=50)
    assert len(stood) >= 50
    assert {price.distance > 0 for price in stood} == {True, False}
    assert not [price for price in stood if Address(v2.tokens["WETH"].address) in price.lever.keys]


async def test_it_foretells_what_fifty_remedies_leave(v2: AaveV2World) -> None:
    """Done in the very next block; and with one unit less the health is not at the target."""
    rng, done, short = Random(11), 0, 0
    indebted = [held for held in (await look(v2, v2.accounts)).held if held.position.health.factor < 2]
    for one in rng.sample(indebted, 24):
        wallet, target = (
            one.position.id.wallet,
            one.position.health.factor * Decimal(rng.randrange(1_002, 1_700)) / 1000,
        )
        with v2.chain.undone():
            v2.chain.mine()
            forecast = await look_at_one(v2, wallet)
        for remedy in remedies(forecast.position, target, forecast.after):
            with v2.chain.undone():
                take_action(v2, wallet, remedy)
                assert_as_foretold(forecast, remedy, await look_at_one(v2, wallet), target)
            done += 1
            if remedy.enough and remedy.action.amount > 1:
                less = replace(remedy, action=type(remedy.action)(remedy.action.asset, remedy.action.amount - 1))
                with v2.chain.undone():
                    take_action(v2, wallet, less)
                    assert Decimal(v2.account_data(wallet)[5]) / ETHER < target
                short += 1
    assert done >= 50
    assert short >= 30


async def test_it_values_in_ether_and_says_why_the_price_of_weth_has_no_feed(v2: AaveV2World) -> None:
    v2.supply(ALICE, "WETH", 10 * ETHER)
    v2.borrow(ALICE, "DAI", 1_000 * ETHER)
    position = (await look_at_one(v2, ALICE)).position
    weth, dai = position.legs
    assert position.numeraire == Numeraire(symbol="ETH", decimals=18)
    assert weth.price.expression == Fixed(ETHER, COUNTED_IN, by_definition=True)
    assert isinstance(dai.price.expression, Leaf)
    assert dai.price.feeds[0].feed == v2.tokens["DAI"].feed
    assert dai.price.low == v2.answer("DAI") < ETHER // 1000


@pytest.mark.parametrize("broken", ["no source", "zero", "negative"])
async def test_it_names_the_fallback_oracle_where_its_number_is_used(v2: AaveV2World, broken: str) -> None:
    v2.supply(ALICE, "WBTC", 10**8)
    fallback = v2.set_fallback_price("WBTC", 21 * ETHER)
    if broken == "no source":
        v2.set_source("WBTC", ZERO)
    else:
        v2.set_round(v2.tokens["WBTC"].aggregator, 0 if broken == "zero" else -5, v2.chain.head().timestamp)
    position = (await look_at_one(v2, ALICE)).position
    expression = position.legs[0].price.expression
    assert isinstance(expression, Opaque)
    assert (expression.source, expression.value) == (fallback, 21 * ETHER)
    assert "fallback oracle" in expression.why
    assert position.check is Check.VERIFIED
    assert ours(position) == theirs(v2, [ALICE])[ALICE]


async def test_it_calls_unpriceable_those_whom_the_contract_values_at_nothing(v2: AaveV2World) -> None:
    """No answer and no fallback: v2 takes the fallback's zero for a price, which no one should believe."""
    v2.set_round(v2.tokens["WBTC"].aggregator, 0, v2.chain.head().timestamp)
    snapshot = await look(v2, v2.accounts)
    assert len(snapshot.unreadable) > 50
    assert {lost.because for lost in snapshot.unreadable} == {Because.UNPRICEABLE}
    assert all("no price for WBTC" in lost.reason for lost in snapshot.unreadable)
    assert {position.check for position in snapshot.positions} == {Check.VERIFIED}
    assert len(snapshot.positions) > 50


async def test_it_calls_unpriceable_those_whose_source_reverts(v2: AaveV2World) -> None:
    """And the others are read as ever."""
    v2.set_source("WBTC", v2.tokens["DAI"].address)
    snapshot = await look(v2, v2.accounts)
    said = numbers_or_revert(v2, v2.accounts)
    assert {lost.id.wallet for lost in snapshot.unreadable} == {wallet for wallet in said if said[wallet] is None}
    assert len(snapshot.unreadable) > 50
    assert {position.check for position in snapshot.positions} == {Check.VERIFIED}


@pytest.mark.parametrize("trouble", ["nothing", "frozen", "inactive", "paused"])
async def test_it_calls_blocked_exactly_those_whose_every_liquidation_reverts(v2: AaveV2World, trouble: str) -> None:
    v2.set_prices({symbol: v2.answer(symbol) * 9 // 10 for symbol in ("wstETH", "WBTC")})
    v2.set_prices({symbol: v2.answer(symbol) * 12 // 10 for symbol in ("USDC", "DAI", "USDT")})
    if trouble == "frozen":
        v2.freeze("USDC")
    if trouble == "inactive":
        v2.rewrite("USDC", lambda word: word & ~(1 << 56))
    if trouble == "paused":
        v2.pause_all()
    found = assert_as_the_contract_does(v2, await look(v2, v2.accounts))
    assert (found[State.LIQUIDATABLE] > 10) == (trouble != "paused")
    assert bool(found[State.LIQUIDATABLE_BUT_BLOCKED]) == (trouble in ("inactive", "paused"))


async def test_it_refuses_remedies_that_a_wound_down_reserve_refuses(v2: AaveV2World) -> None:
    """Frozen reserves take repayments and no deposits; a paused pool takes neither."""
    v2.supply(ALICE, "USDC", 10_000 * 10**6)
    v2.borrow(ALICE, "DAI", 5_000 * ETHER)
    v2.freeze("USDC")
    v2.freeze("DAI")
    held = await look_at_one(v2, ALICE)
    assert [type(one.action) for one in remedies(held.position, Decimal(3), held.after)] == [Repay]
    v2.pause_all()
    held = await look_at_one(v2, ALICE)
    assert remedies(held.position, Decimal(3), held.after) == ()


async def test_it_tells_what_the_market_lays_down(v2: AaveV2World) -> None:
    v2.supply(ALICE, "USDC", 10_000 * 10**6)
    v2.borrow(ALICE, "DAI", 1_000 * ETHER, STABLE)
    v2.freeze("USDC")
    terms = (await look_at_one(v2, ALICE)).position.terms
    rules = {(term.what, term.of): term.value for term in terms if term.set_by_rule}
    feed = v2.tokens["USDC"].feed
    assert rules["price source", "USDC"] == feed
    assert rules["status", "USDC"] == "frozen"
    assert rules["status", "DAI"] == "active"
    assert rules["liquidation threshold", "USDC"] == "78.00 %"
    assert rules["borrow limit", "USDC"] == "75.00 %"
    assert {(term.what, term.of) for term in terms if not term.set_by_rule} == {
        ("supply rate", "USDC"),
        ("borrow rate", "DAI"),
    }
    before = Term(what="liquidation threshold", of="USDC", value="78.00 %")
    v2.rewrite("USDC", lambda word: word & ~(0xFFFF << 16) | 7_000 << 16)
    lowered = await look_at_one(v2, ALICE)
    assert before in terms
    assert replace(before, value="70.00 %") in lowered.position.terms
    assert lowered.position.check is Check.VERIFIED


async def test_it_reads_nothing_of_those_who_have_nothing(v2: AaveV2World) -> None:
    snapshot = await look(v2, [named("nobody"), v2.accounts[0]])
    assert [position.id.wallet for position in snapshot.positions] == [v2.accounts[0]]
    assert not snapshot.unreadable


async def test_it_expects_pool_and_provider_to_name_each_other(v2: AaveV2World) -> None:
    reader = deployment_of(v2).reader
    assert isinstance(reader, AaveV2)
    assert await played(v2, reader.expects()) == []
    [silent, *_] = await played(v2, replace(reader, pool=Address(v2.oracle)).expects())
    assert "getAddressesProvider" in silent
    v2.set_pool(named("another pool"))
    [problem] = await played(v2, reader.expects())
    assert "has pool" in problem
    [lost] = (await look(v2, v2.accounts[:1])).unreadable
    assert "says that the pool is" in lost.reason
