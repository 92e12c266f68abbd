"""What a Morpho market can be in beside being well: no price, no rate model, bad debt, guards, and many others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.oracles.node import Node
from tests.protocols.morpho_worlds import (
    ALICE,
    BOB,
    ETHER,
    debtors,
    liquidates,
    logged,
    look,
    one,
    open_,
    owed,
    price,
    reader_of,
)
from tests.worlds.abi import calldata
from tests.worlds.artifacts import chainlink
from tests.worlds.chain import ZERO, Tx, named
from tests.worlds.compiled import morpho
from tests.worlds.morpho import ADMIN, LENDER, MorphoWorld
from tests.worlds.own import own
from watcher.domain.errors import NotDecodable
from watcher.domain.position import Because, Check, Position, Refused, Repay, State, TopUp
from watcher.domain.price import FeedFacts, Freshness
from watcher.domain.source import Address, Holder, Id32
from watcher.protocols.morpho_blue.shared import accrual_of, params_of
from watcher.reads import Answers
from watcher.reads.logs import Log
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


# --- Who is found where -----------------------------------------------------------------------------------------------


async def test_the_logs_tell_where_a_wallet_owes(world: MorphoWorld) -> None:
    reader, markets = reader_of(world), world.markets
    assert logged(world, reader, ALICE) == (markets["WETH/USDC"].id,)
    guard = world.pre_liquidation(markets["WETH/USDC"], 800)
    world.authorise(ALICE, guard)
    world.authorise(ALICE, guard, False)
    open_(world, ALICE, markets["wstETH/WETH"], ETHER, ETHER // 2)
    assert logged(world, reader, ALICE) == (markets["WETH/USDC"].id, guard, markets["wstETH/WETH"].id)
    assert logged(world, reader, BOB) == (markets["WBTC/USDC"].id,)
    snapshot = await look(world, [ALICE, BOB])
    assert {(held.position.id.wallet, held.position.id.key) for held in snapshot.held} == {
        (ALICE, markets["WETH/USDC"].id),
        (ALICE, markets["wstETH/WETH"].id),
        (BOB, markets["WBTC/USDC"].id),
    }


async def test_a_configured_market_needs_no_log(world: MorphoWorld) -> None:
    carol, market = named("carol of Morpho's"), world.markets["EURC/DAI"]
    open_(world, carol, market, 10**9, 0)
    assert (await look(world, [carol])).held == ()
    reader = replace(reader_of(world), markets=(Id32(market.id),))
    [held] = (await look(world, [carol], reader)).held
    assert (held.position.state, held.position.debt, held.position.check) == (State.NO_DEBT, 0, Check.VERIFIED)
    assert held.position.collateral == 10**9 * world.price(market.oracle) // 10**6


def test_a_log_of_another_form_is_refused(world: MorphoWorld) -> None:
    search = reader_of(world).search(Holder.of(Address(ALICE)))
    assert search is not None
    with pytest.raises(NotDecodable, match="neither a borrow nor an authorisation"):
        search.key(Log(address=Address(world.morpho), topics=(bytes(32),) * 4, data=b"", block=7))


# --- States -----------------------------------------------------------------------------------------------------------


async def test_it_says_what_a_market_lays_down(world: MorphoWorld) -> None:
    position = (await one(world, ALICE)).position
    market = world.markets["WETH/USDC"]
    told = {term.what: (term.of, term.value, term.set_by_rule) for term in position.terms}
    assert told["liquidation threshold"] == ("WETH", "86.00 %", True)
    assert told["liquidation penalty"] == ("WETH", "4.38 %", True)
    assert told["price source"] == ("WETH", market.oracle, True)
    assert told["rate model"] == ("USDC", world.irm, True)
    assert {what for what, (_, _, rule) in told.items() if not rule} == {"borrow rate", "utilisation"}
    assert (position.numeraire.symbol, position.numeraire.decimals) == ("USDC", 24)
    assert [leg.asset.symbol for leg in position.legs] == ["WETH", "USDC"]
    assert position.legs[0].value() == position.collateral == 2_000 * 10**24


async def test_the_debt_of_somebody_without_collateral_is_bad(world: MorphoWorld) -> None:
    """Morpho writes it off with the last collateral; only a write into its storage can leave it."""
    market = world.markets["WETH/USDC"]
    shares, _ = world.held(market, ALICE)
    world.set_collateral(market, ALICE, 0)
    assert world.held(market, ALICE) == (shares, 0)
    held = await one(world, ALICE)
    assert (held.position.state, held.position.check) == (State.DEBT_WITHOUT_COLLATERAL, Check.VERIFIED)
    assert held.position.health.liquidatable
    assert liquidates(world, market, ALICE)


async def test_a_price_of_zero_is_a_price(world: MorphoWorld) -> None:
    """Morpho takes it for one: whatever there is of collateral is for whoever comes first."""
    market = world.markets["WETH/USDC"]
    price(world, market, 0)
    held = await one(world, ALICE)
    assert (held.position.state, held.position.health.backing) == (State.LIQUIDATABLE, 0)
    assert held.position.check is Check.VERIFIED
    kinds = [type(remedy.action) for remedy in remedies(held.position, Decimal(1), held.after)]
    assert kinds == [Repay], "nothing that is worth nothing can help"


@pytest.mark.parametrize("kind", ["none", "reverting", "overflowing"])
async def test_a_market_without_a_price_is_unpriceable_and_loses_no_other(world: MorphoWorld, kind: str) -> None:
    market = world.markets["WETH/USDC"]
    if kind == "overflowing":
        price(world, market, 2**256 - 1)
    else:
        reverting = world.chain.code(world.deploy(own("MorphoNoOracle")))
        world.chain.set_code(market.oracle, reverting if kind == "reverting" else b"")
    open_(world, ALICE, world.markets["EURC/DAI"], 10**9, 10**20)
    snapshot = await look(world, [ALICE, BOB])
    [lost] = snapshot.unreadable
    assert (lost.because, lost.id.key, lost.id.wallet) == (Because.UNPRICEABLE, market.id, ALICE)
    assert {held.position.check for held in snapshot.held} == {Check.VERIFIED}
    assert len(snapshot.held) == 2
    assert not liquidates(world, market, ALICE)


async def test_who_owes_nothing_needs_no_price(world: MorphoWorld) -> None:
    market, shares = world.markets["WETH/USDC"], world.held(world.markets["WETH/USDC"], ALICE)[0]
    world.chain.send_all(world.repaying(ALICE, market, 10**12, shares))
    world.chain.set_code(market.oracle, world.chain.code(world.deploy(own("MorphoNoOracle"))))
    position = (await one(world, ALICE)).position
    assert (position.state, position.health.liquidatable, position.legs) == (State.NO_DEBT, False, ())
    assert "the collateral is not valued" in position.notes[0]


async def test_a_market_made_without_an_oracle_is_unpriceable(world: MorphoWorld) -> None:
    """Nobody can borrow there; who has supplied owes nothing."""
    market = world.create("WETH/USDC without an oracle", ZERO, 770)
    open_(world, BOB, market, ETHER, 0)
    reader = replace(reader_of(world), markets=(Id32(market.id),))
    snapshot = await look(world, [BOB], reader)
    [found] = [held.position for held in snapshot.held if held.position.id.key == market.id]
    assert (found.state, snapshot.unreadable) == (State.NO_DEBT, ())
    assert "the market has no oracle" in found.notes[0]


async def test_a_rate_model_that_reverts_leaves_nothing_to_be_known(world: MorphoWorld) -> None:
    """No transaction of its markets succeeds; one without a rate model is as well as ever."""
    open_(world, BOB, world.markets["USDC/WBTC"], 10**12, 10**8)
    world.chain.send(ADMIN, world.irm, "fail(bool)", True)
    snapshot = await look(world, [ALICE, BOB])
    assert {(lost.id.wallet, lost.because) for lost in snapshot.unreadable} == {
        (ALICE, Because.REVERTED),
        (BOB, Because.REVERTED),
    }
    [held] = snapshot.held
    assert (held.position.id.key, held.position.check) == (world.markets["USDC/WBTC"].id, Check.VERIFIED)
    assert {term.what: term.value for term in held.position.terms}["rate model"] == "none"


async def test_forty_markets_are_read_at_once(world: MorphoWorld) -> None:
    """Every third of them broken in some way."""
    for number in range(40):
        oracle = world.deploy(morpho()["OracleMock"])
        world.chain.send(ADMIN, oracle, "setPrice(uint256)", 2_000 * 10**24 + number)
        market = world.create(f"WETH/USDC no. {number}", oracle, 770)
        world.lend(market, 10**12)
        open_(world, ALICE, market, ETHER + number, 10**9 + number)
        if number % 3 == 0:
            world.chain.set_code(oracle, b"")
    world.chain.increase_time(86_400)
    snapshot = await look(world, [ALICE])
    assert (len(snapshot.held), len(snapshot.unreadable)) == (27, 14)
    assert {held.position.check for held in snapshot.held} == {Check.VERIFIED}
    assert {lost.because for lost in snapshot.unreadable} == {Because.UNPRICEABLE}
    by_id = {market.id: market for market in world.markets.values()}
    for held in snapshot.held:
        assert held.position.health.required == owed(world, by_id[held.position.id.key], ALICE)


async def test_it_rests_on_the_feeds_under_the_oracle(world: MorphoWorld) -> None:
    feed = world.deploy(chainlink("MockV3Aggregator"), 8, 2_000 * 10**8)
    oracle = world.deploy(own("MorphoSecond"), [feed, ZERO, ZERO, ZERO], [ZERO, ZERO], [1, 1], 10**16)
    market = world.create("WETH/USDC by a feed", oracle, 860)
    world.lend(market, 10**12)
    open_(world, BOB, market, ETHER, 10**9)
    reader = reader_of(world, {Address(feed): FeedFacts(pair="ETH / USD", heartbeat=3600)})
    world.chain.increase_time(7200)
    snapshot = await look(world, [BOB], reader)
    [position] = [held.position for held in snapshot.held if held.position.id.key == market.id]
    assert position.check is Check.VERIFIED
    assert [reading.pair for reading in position.feeds] == ["ETH / USD"]
    assert position.freshness is Freshness.STALE


# --- Held against the contract ----------------------------------------------------------------------------------------


def test_an_accrual_is_compared_once_an_hour_and_a_wrong_one_every_time(world: MorphoWorld) -> None:
    """A rate model that tells another rate than it charges."""
    node, market = Node(world.chain, world.multicall3), world.markets["WETH/USDC"]
    morpho_, asked = Address(world.morpho), []
    answers = Answers(node.block)

    def compared() -> object:
        answers.at, answers.returned = node.block, {}
        answers._decoded.clear()
        params = node.finished(params_of(morpho_, market.id), answers)
        before = len(node.asked)
        totals = node.finished(accrual_of(morpho_, market.id, params), answers)
        asked.append(len(node.asked) - before)
        return totals

    world.chain.increase_time(1000)
    assert compared() is not None
    world.chain.mine()
    assert compared() is None
    assert asked[-1] == 0
    world.chain.increase_time(3600)
    assert compared() is not None

    world.chain.send(ADMIN, world.irm, "lie(bool)", True)
    world.chain.increase_time(3600)
    for _ in range(3):
        assert compared() is not None
        assert asked[-1] > 0
        world.chain.increase_time(100)


async def test_a_rate_model_that_charges_other_than_it_tells_is_a_mismatch(world: MorphoWorld) -> None:
    world.chain.increase_time(86_400)
    assert (await one(world, ALICE)).position.check is Check.VERIFIED
    world.chain.send(ADMIN, world.irm, "lie(bool)", True)
    world.chain.increase_time(86_400)
    assert (await one(world, ALICE)).position.check is Check.MISMATCH


async def test_it_says_whether_the_configured_contracts_are_what_they_must_be(world: MorphoWorld) -> None:
    reader, node = reader_of(world), Node(world.chain, world.multicall3)
    known = replace(reader, markets=(Id32(world.markets["WETH/USDC"].id),))
    assert node.run(known.expects()) == []
    assert node.run(replace(reader, pre_liquidations=Address(ZERO)).expects()) == []
    other = world.deploy(own("MorphoPreLiquidationFactory"), LENDER)
    assert "makes pre-liquidations of" in node.run(replace(reader, pre_liquidations=Address(other)).expects())[0]
    unknown = Id32("0x" + "11" * 32)
    assert node.run(replace(reader, markets=(unknown,)).expects()) == [f"there is no market {unknown}"]
    wrong = node.run(replace(reader, morpho=Address(world.irm)).expects())
    assert "reverted" in wrong[0]


async def test_an_action_that_morpho_would_refuse_is_refused(world: MorphoWorld) -> None:
    held = await one(world, ALICE)
    market = world.markets["WETH/USDC"]
    for action in (
        Repay(Address(market.collateral), 1),
        TopUp(Address(market.loan), 1),
        TopUp(Address(market.collateral), 2**128),
    ):
        assert isinstance(held.after(action), Refused), action
    paid = held.after(Repay(Address(market.loan), 10**30))
    assert isinstance(paid, Position)
    assert (paid.state, paid.debt) == (State.NO_DEBT, 0)


async def test_it_flips_at_the_printed_answer_of_every_feed_under_the_oracle(world: MorphoWorld) -> None:
    """The fall of what is held and the rise of what is owed, each by its own feed, as the oracle divides them."""
    pairs = {"ETH / USD": 2_000 * 10**8 + 7, "USDC / USD": 10**8 - 12_345}
    feeds = {world.deploy(chainlink("MockV3Aggregator"), 8, answer): pair for pair, answer in pairs.items()}
    base, quote = feeds
    oracle = world.deploy(own("MorphoSecond"), [base, ZERO, quote, ZERO], [ZERO, ZERO], [1, 1], 10**24)
    market = world.create("WETH/USDC by two feeds", oracle, 860)
    world.lend(market, 10**12)
    open_(world, BOB, market, ETHER, 1_234_567_890)
    reader = reader_of(world, {Address(feed): FeedFacts(pair=pair, heartbeat=3600) for feed, pair in feeds.items()})
    with world.chain.undone():
        world.chain.mine()
        [held] = [one for one in (await look(world, [BOB], reader)).held if one.position.id.key == market.id]
    flipped = set()
    for lever in levers(held.position):
        found = liquidation_price(held.position, lever, held.reprice)
        if lever.feed is None or found is None:
            continue
        nearer = 1 if found.value < lever.current else -1
        for answer, flips in ((found.value, True), (found.value + nearer, False)):
            moved = Tx(ADMIN, lever.feed, calldata("updateAnswer(int256)", answer), 10**6)
            assert world.goes_through(moved, world.liquidating(BOB, market)) is flips, (lever, found)
        flipped.add(lever.name)
    assert flipped == set(pairs)
