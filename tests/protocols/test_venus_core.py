"""Venus's core pool on a local chain, by the package's own bytecode: e-mode pools, VAI, reserves that are sent away.

What the contract would do is asked of it in one `eth_call`: accrue everything, then change something, then liquidate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from random import Random

import pytest

from tests.oracles.node import node
from tests.protocols.venus import PRICES, TERMS, CorePool, Seen, answering, core_pool, look
from tests.worlds.abi import calldata
from tests.worlds.chain import Tx, named
from watcher.domain.position import Because, Position, Refused, Repay, State, TopUp, Unreadable, Verdict
from watcher.domain.price import Leaf, Price, nodes
from watcher.domain.source import Address, Holder
from watcher.protocols.compound_v2.maths import raw_of
from watcher.reads import sure
from watcher.risk.liquidation import Lever, levers, liquidation_price
from watcher.risk.restore import remedies

USERS, ROUNDS = 60, 5
ACTIONS = {"MINT": 0, "REPAY": 3, "SEIZE": 4, "LIQUIDATE": 5}


@pytest.fixture(scope="module")
def opened() -> Iterator[CorePool]:
    with node() as it:
        yield core_pool(it, users=USERS, seed=11)


@pytest.fixture
def pool(opened: CorePool) -> Iterator[CorePool]:
    with opened.node.chain.undone():
        yield opened


def scramble(pool: CorePool, random: Random) -> None:
    """Other prices, some blocks later, with some of the markets accrued in between."""
    pool.node.chain.rpc.request("anvil_mine", hex(random.randint(1, 90)))
    pool.node.chain.send_all([pool.repricing(symbol, _moved(price, random)) for symbol, price in PRICES.items()])
    touched = random.sample(list(pool.world.markets), 2)
    pool.node.chain.send_all([Tx(pool.world.admin, to, data) for to, data in pool.world.accruing(touched)])
    pool.node.chain.rpc.request("anvil_mine", hex(random.randint(0, 9) + 1))


def _moved(price: int, random: Random) -> int:
    return price * random.randint(780, 1160) // 1000 + random.randint(0, 99)


def sure_position(one: Seen) -> Position:
    assert isinstance(one.reading, Position), one.reading
    return one.reading


def test_it_equals_the_contract_in_hundreds_of_states(pool: CorePool) -> None:
    random, states, with_vai, pools = Random(5), Counter[State](), 0, Counter[int]()
    for _ in range(ROUNDS):
        scramble(pool, random)
        for one in look(pool):
            position, verdict = sure_position(one), sure(one.verdict)
            assert verdict is not None
            assert verdict.agrees_with(position), (position, verdict)
            assert position.health.backing - position.health.required == pool.margin(one.account.holder.wallet)
            assert position.legs_explain_health
            states[position.state] += 1
            pools[one.account.pool] += position.debt > 0
            with_vai += one.account.vai is not None and one.account.vai.owed > 0

    assert sum(states.values()) >= 200
    assert min(states[State.HEALTHY], states[State.LIQUIDATABLE], states[State.NO_DEBT]) > 20
    assert min(pools.values()) > 5
    assert len(pools) == 3
    assert with_vai > 20


def test_it_says_liquidatable_where_a_liquidation_goes_through(pool: CorePool) -> None:
    random, tried = Random(6), Counter[bool]()
    for _ in range(2):
        scramble(pool, random)
        for one in look(pool):
            position = sure_position(one)
            if position.debt:
                assert (position.state is State.LIQUIDATABLE) == liquidated(pool, one), position
                tried[position.state is State.LIQUIDATABLE] += 1

    assert min(tried.values()) > 10


def liquidated(pool: CorePool, one: Seen) -> bool:
    """Whether any debt can be repaid, a little of it, against any collateral."""
    position = sure_position(one)
    supplied = [leg for leg in position.legs if leg.backing or leg.amount > 0]
    found = []
    for debt in (leg for leg in position.legs if leg.required):
        name = "VAI" if debt.asset.symbol == "VAI" else pool.symbol(debt.priced_as)
        for collateral in supplied:
            worth = collateral.value() / debt.price.low * 10**debt.asset.decimals / 10
            amount = max(min(-debt.amount // 2, int(worth)), 1)
            found.append(goes(pool, one.account.holder.wallet, name, pool.symbol(collateral.priced_as), amount))
    return any(found)


def goes(pool: CorePool, who: Address, debt: str, seized: str, amount: int) -> bool:
    accruals = pool.world.accruing(list(pool.world.markets))
    *_, (success, data) = pool.world.would([*accruals, *pool.world.liquidating(who, debt, seized, amount)])
    return success and int.from_bytes(data[:32], "big") == 0


# --- Figures that are printed -----------------------------------------------------------------------------------------


def test_it_prints_the_very_price_at_which_the_contract_would_liquidate(pool: CorePool) -> None:
    """Of a market's price in the oracle's own units, and of the answer of the feed under it."""
    random, flipped = Random(7), Counter[bool]()
    scramble(pool, random)
    for one in look(pool):
        position, reader = sure_position(one), pool.reader
        for lever in levers(position):
            found = liquidation_price(position, lever, partial(repriced, pool, one))
            if found is not None and not lever.keys & {pool.world.vai}:
                nearer = found.value + (1 if found.value < lever.current else -1)
                there, not_yet = (margin_at(pool, one, lever, value) for value in (found.value, nearer))
                assert there is not None
                assert not_yet is not None
                assert there < 0 <= not_yet, (position, found)
                flipped[lever.feed is not None] += 1
        assert reader.place.deployment == position.id.deployment

    assert min(flipped.values()) >= 50, flipped


def repriced(pool: CorePool, one: Seen, prices: Mapping[Address, Price]) -> Position:
    [found] = pool.reader.positions(pool.reader.repriced(one.market, prices), one.account)
    assert isinstance(found, Position)
    return found


def margin_at(pool: CorePool, one: Seen, lever: Lever, value: int) -> int | None:
    who = one.account.holder.wallet
    if lever.feed is not None:
        [aggregator] = [
            token.feeds["main"].aggregator for token in pool.tokens.values() if token.feeds["main"].proxy == lever.feed
        ]
        return pool.margin(who, (aggregator, answering(value)))
    posting = []
    for leg in sure_position(one).legs:
        if leg.asset.symbol != "VAI":
            price = leg.price.at(value) if leg.priced_as in lever.keys else leg.price
            post = calldata("post(address,uint256)", leg.priced_as, raw_of(price, leg.asset))
            posting.append((pool.posted, post))
    switch = (pool.world.comptroller, calldata("_setPriceOracle(address)", pool.posted))
    return pool.margin(who, *posting, switch)


def test_it_prints_the_smallest_amount_that_saves(pool: CorePool) -> None:
    saved = Counter[str]()
    for seed in range(4):
        scramble(pool, Random(seed))
        falls = [(symbol, PRICES[symbol] * (72 + 5 * seed) // 100) for symbol in ("BTCB", "ETH", "DOGE8")]
        pool.node.chain.send_all([pool.repricing(symbol, price) for symbol, price in falls])
        for one in look(pool):
            saved += saving(pool, one)

    assert sum(saved.values()) >= 100, saved
    assert min(saved["Repay"], saved["TopUp"]) >= 15
    assert saved["VAI"] >= 2


def saving(pool: CorePool, one: Seen) -> Counter[str]:
    """What the contract makes of every remedy of an account that it would liquidate, and of one unit less."""
    position, found = sure_position(one), Counter[str]()
    offered = remedies(position, Decimal(1), partial(after, pool, one))
    for remedy in offered if position.health.liquidatable else ():
        if remedy.enough:
            kind, amount = type(remedy.action), remedy.action.amount
            enough, less = (done(pool, one, kind, remedy.asset.address, some) for some in (amount, amount - 1))
            assert enough is not None
            assert less is not None
            assert less < 0 <= enough, (position, remedy)
            found["VAI" if remedy.asset.symbol == "VAI" else kind.__name__] += 1
    return found


def after(pool: CorePool, one: Seen, action: Repay | TopUp) -> Position | Refused:
    changed = pool.reader.after(one.market, one.account, action)
    if isinstance(changed, Refused):
        return changed
    [found] = pool.reader.positions(one.market, changed)
    assert isinstance(found, Position)
    return found


def done(pool: CorePool, one: Seen, kind: type[Repay | TopUp], token: str, amount: int) -> int | None:
    """The margin once somebody has repaid or supplied so much for the account."""
    who, world = one.account.holder.wallet, pool.world
    if not amount:
        return pool.margin(who)
    if token == world.vai:
        paying = world.paying(world.controller, world.vai, amount)
        return pool.margin(who, *paying, (world.controller, calldata("repayVAIBehalf(address,uint256)", who, amount)))
    market = next(one for one in world.markets.values() if one.token == token)
    action = "repayBorrowBehalf(address,uint256)" if kind is Repay else "mintBehalf(address,uint256)"
    paying = world.paying(market.v_token, token, amount)
    return pool.margin(who, *paying, (market.v_token, calldata(action, who, amount)))


def test_it_knows_the_margin_after_any_amount(pool: CorePool) -> None:
    random, compared = Random(9), 0
    scramble(pool, random)
    for one in look(pool):
        for leg in sure_position(one).legs:
            kind = Repay if leg.required else TopUp
            amount = random.choice((1, 10 ** random.randint(1, 20), abs(leg.amount) // 3, abs(leg.amount)))
            there = after(pool, one, kind(leg.asset.address, amount))
            if isinstance(there, Position) and leg.amount and amount:
                margin = done(
                    pool, one, kind, leg.asset.address, min(amount, abs(leg.amount)) if leg.required else amount
                )
                assert there.health.backing - there.health.required == margin, (leg, amount)
                compared += 1

    assert compared > 70


# --- What is paused or forced -----------------------------------------------------------------------------------------


def switch(pool: CorePool, action: str, symbols: list[str]) -> None:
    markets = [pool.world.markets[symbol].v_token for symbol in symbols]
    pool.world.order(
        pool.world.comptroller, "_setActionsPaused(address[],uint8[],bool)", markets, [ACTIONS[action]], True
    )


def bad_ones(pool: CorePool) -> list[Seen]:
    scramble(pool, Random(6))
    found = [one for one in look(pool) if sure_position(one).state is State.LIQUIDATABLE]
    assert len(found) > 5
    return found


@pytest.mark.parametrize("action", ["SEIZE", "LIQUIDATE", "REPAY"])
def test_it_is_blocked_where_a_pause_stops_every_liquidation(pool: CorePool, action: str) -> None:
    wallets = {one.account.holder.wallet for one in bad_ones(pool) if not (one.account.vai and one.account.vai.owed)}
    switch(pool, action, list(PRICES))

    now = [one for one in look(pool) if one.account.holder.wallet in wallets]
    assert {sure_position(one).state for one in now} == {State.LIQUIDATABLE_BUT_BLOCKED}
    assert not any(liquidated(pool, one) for one in now)


def test_it_is_open_where_one_way_is_left(pool: CorePool) -> None:
    bad_ones(pool)
    switch(pool, "SEIZE", ["USDT", "BTCB"])
    switch(pool, "LIQUIDATE", ["USDC6"])
    now = [one for one in look(pool) if sure_position(one).health.liquidatable]

    assert {one.account.holder.wallet: sure_position(one).state is State.LIQUIDATABLE for one in now} == {
        one.account.holder.wallet: liquidated(pool, one) for one in now
    }
    assert len({sure_position(one).state for one in now}) == 2


def test_it_is_blocked_where_the_whole_protocol_is_paused(pool: CorePool) -> None:
    bad_ones(pool)
    pool.world.order(pool.world.comptroller, "_setProtocolPaused(bool)", True)
    now = [one for one in look(pool) if sure_position(one).health.liquidatable]

    assert {sure_position(one).state for one in now} == {State.LIQUIDATABLE_BUT_BLOCKED}
    assert isinstance(after(pool, now[0], Repay(sure_position(now[0]).legs[-1].asset.address, 1)), Refused)


def test_it_is_liquidatable_in_health_where_that_is_forced(pool: CorePool) -> None:
    pool.world.order(
        pool.world.comptroller, "_setForcedLiquidation(address,bool)", pool.world.markets["USDC6"].v_token, True
    )
    healthy = [one for one in look(pool) if sure_position(one).debt and not sure_position(one).health.liquidatable]
    states = {one.account.holder.wallet: sure_position(one).state for one in healthy}

    assert Counter(states.values())[State.LIQUIDATABLE] > 3
    assert {who: state is State.LIQUIDATABLE for who, state in states.items()} == {
        one.account.holder.wallet: liquidated(pool, one) for one in healthy
    }


def test_it_sees_a_supply_cap_to_the_unit(pool: CorePool) -> None:
    one = next(one for one in look(pool) if any(leg.backing for leg in sure_position(one).legs))
    leg = next(leg for leg in sure_position(one).legs if leg.backing)
    market = pool.world.markets[pool.symbol(leg.priced_as)]
    accrued = pool.world.accruing([market.symbol])
    view = [(market.v_token, calldata(name)) for name in ("totalSupply()", "exchangeRateStored()")]
    *_, supply, rate = (
        int.from_bytes(data, "big") for _, data in pool.world.would([*accrued, *view]) if len(data) == 32
    )
    cap = supply * rate // 10**18 * 101 // 100
    pool.world.order(pool.world.comptroller, "setMarketSupplyCaps(address[],uint256[])", [market.v_token], [cap])
    [now] = [again for again in look(pool) if again.account.holder == one.account.holder]
    listed = sure(now.market.listed[Address(market.v_token)])
    room = cap - listed.totals.tokens * listed.totals.rate // 10**18

    assert isinstance(after(pool, now, TopUp(leg.asset.address, room + 1)), Refused)
    assert isinstance(after(pool, now, TopUp(leg.asset.address, room)), Position)
    assert supplying(pool, now, market.symbol, room)
    assert not supplying(pool, now, market.symbol, room + 1)


def supplying(pool: CorePool, one: Seen, symbol: str, amount: int) -> bool:
    market, who = pool.world.markets[symbol], one.account.holder.wallet
    mint = (market.v_token, calldata("mintBehalf(address,uint256)", who, amount))
    accruals = pool.world.accruing([symbol])
    *_, (success, data) = pool.world.would([*accruals, *pool.world.paying(market.v_token, market.token, amount), mint])
    return success and int.from_bytes(data[:32], "big") == 0


# --- What goes wrong --------------------------------------------------------------------------------------------------


def unlisted(pool: CorePool, symbol: str) -> None:
    """The oracle has no price of that token any more: it reverts."""
    off = pool.venus.listed(pool.tokens[symbol].address, [pool.venus.oracles["main"]], (False, False, False))
    pool.node.chain.send_all(off)


def test_one_dead_price_makes_those_unreadable_who_owe_and_use_it(pool: CorePool) -> None:
    before = {one.account.holder.wallet: sure_position(one) for one in look(pool)}
    unlisted(pool, "DOGE8")
    v_token = pool.world.markets["DOGE8"].v_token
    lost = 0
    for one in look(pool):
        who = one.account.holder.wallet
        uses = any(held.c_token == v_token and not held.empty for held in one.account.holdings)
        if uses and one.account.owes:
            assert isinstance(one.reading, Unreadable)
            assert one.reading.because is Because.UNPRICEABLE
            assert pool.margin(who) is None
            lost += 1
        else:
            position = sure_position(one)
            assert position.state is before[who].state
            assert pool.margin(who) is not None or position.state is State.NO_DEBT
    assert lost > 3


def test_a_price_of_nothing_is_no_price(pool: CorePool) -> None:
    pool.world.order(pool.world.comptroller, "_setPriceOracle(address)", pool.posted)
    found = look(pool)
    owing = [one for one in found if one.account.owes]

    assert owing
    assert all(isinstance(one.reading, Unreadable) and "answers 0" in one.reading.reason for one in owing)
    assert all(sure_position(one).state is State.NO_DEBT for one in found if not one.account.owes)


def test_a_market_entered_with_nothing_in_it_needs_no_price(pool: CorePool) -> None:
    one = next(one for one in look(pool) if sure_position(one).debt and len(one.account.holdings) < 3)
    empty = next(m for m in pool.world.markets.values() if m.v_token not in {h.c_token for h in one.account.holdings})
    entering = calldata("enterMarkets(address[])", [empty.v_token])
    pool.node.chain.send_all([Tx(one.account.holder.wallet, pool.world.comptroller, entering)])
    unlisted(pool, empty.symbol)
    [now] = [again for again in look(pool) if again.account.holder == one.account.holder]

    position, verdict = sure_position(now), now.verdict
    assert Address(empty.v_token) in {held.c_token for held in now.account.holdings}
    assert isinstance(verdict, Verdict)
    assert verdict.agrees_with(position)
    assert pool.margin(one.account.holder.wallet) == position.health.backing - position.health.required


def test_a_market_that_is_not_listed_any_more_does_not_count(pool: CorePool) -> None:
    """`getAssetsIn` leaves it out, and so does the comptroller's own sum."""
    found = [one for one in look(pool) if len(one.account.holdings) > 1]
    gone = next(held.c_token for one in found for held in one.account.holdings if held.tokens)
    comptroller, zero = pool.world.comptroller, 0
    for action in range(9):
        pool.world.order(comptroller, "_setActionsPaused(address[],uint8[],bool)", [gone], [action], True)
    pool.world.order(comptroller, "setCollateralFactor(uint96,address,uint256,uint256)", 0, gone, zero, zero)
    for setter in ("setMarketSupplyCaps", "setMarketBorrowCaps"):
        pool.world.order(comptroller, f"{setter}(address[],uint256[])", [gone], [0])
    pool.world.order(comptroller, "unlistMarket(address)", gone)

    for one in look(pool):
        assert gone not in {held.c_token for held in one.account.holdings}
        assert sure_position(one).health.backing - sure_position(one).health.required == pool.margin(
            one.account.holder.wallet
        )


def test_it_reads_forty_markets_at_once(pool: CorePool) -> None:
    """Some lend the same token: each has a price and a leg of its own."""
    who, world = Address(named("holds everything")), pool.world
    names = [f"USDC6 {number}" for number in range(35)]
    for name in names:
        world.add(name, pool.tokens["USDC6"].address, 6, TERMS["USDC6"])
    txs = [tx for name in (*names, *PRICES) for tx in world.supplying(who, name, 10**12 + len(name))]
    pool.node.chain.send_all([*txs, *world.borrowing(who, "USDC6 3", 10**7)])
    pool.users.append(who)
    try:
        [one] = [one for one in look(pool) if one.account.holder.wallet == who]
    finally:
        pool.users.remove(who)

    position = sure_position(one)
    assert len(one.account.holdings) == 40
    assert len(position.legs) == 41
    assert position.legs_explain_health
    assert position.health.backing - position.health.required == pool.margin(who)


# --- Beside -----------------------------------------------------------------------------------------------------------


def test_it_sees_through_prices_to_the_feeds(pool: CorePool) -> None:
    for one in look(pool):
        for leg in sure_position(one).legs:
            found = [node for node in nodes(leg.price.expression) if isinstance(node, Leaf)]
            assert bool(found) == (leg.asset.symbol != "VAI")


def test_it_holds_nothing_where_no_market_was_entered(pool: CorePool) -> None:
    stranger = Holder.of(Address(named("a stranger")))
    pool.node.chain.send_all(pool.world.supplying(stranger.wallet, "USDT", 10**18, enter=False))

    assert pool.node.run(pool.reader.discover(stranger, ())) == ()
    assert pool.node.run(pool.reader.account(stranger)) is None


def test_it_recognises_its_comptroller_and_no_other(pool: CorePool) -> None:
    elsewhere = replace(pool.reader, comptroller=Address(pool.world.oracle))

    assert pool.node.run(pool.reader.expects()) == []
    assert len(pool.node.run(elsewhere.expects())) == 4
