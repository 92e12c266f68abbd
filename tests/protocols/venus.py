"""Venus's core pool full of accounts at random, priced by its own ResilientOracle over Chainlink's real proxies."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tests.oracles.node import Node
from tests.oracles.venus import Token, Venus, venus_on
from tests.worlds.abi import calldata
from tests.worlds.chain import RevertError, Tx, named
from tests.worlds.own import own
from tests.worlds.venus import UNIT, Terms, VenusCoreWorld
from watcher.domain.position import Position, Unreadable, Verdict
from watcher.domain.price import FeedFacts
from watcher.domain.source import Address, Holder
from watcher.protocols.compound_v2 import VenusCore
from watcher.protocols.compound_v2.maths import Account, Market
from watcher.protocols.reader import Place
from watcher.reads import Outcome, together

PRICES = {"USDT": 10**8, "BTCB": 60_000 * 10**8, "ETH": 2_500 * 10**8, "USDC6": 10**8, "DOGE8": 10**7}
DECIMALS = {"USDT": 18, "BTCB": 18, "ETH": 18, "USDC6": 6, "DOGE8": 8}
TERMS = {
    "USDT": Terms(limit=75 * UNIT // 100, threshold=80 * UNIT // 100),
    "BTCB": Terms(limit=70 * UNIT // 100, threshold=75 * UNIT // 100, kept=5),
    "ETH": Terms(limit=72 * UNIT // 100, threshold=77 * UNIT // 100),
    "USDC6": Terms(limit=75 * UNIT // 100, threshold=81 * UNIT // 100, kept=3),
    "DOGE8": Terms(limit=40 * UNIT // 100, threshold=43 * UNIT // 100, incentive=12 * UNIT // 10),
}
CLOSE = {
    symbol: Terms(limit=90 * UNIT // 100, threshold=93 * UNIT // 100, incentive=104 * UNIT // 100)
    for symbol in ("USDT", "USDC6")
}
ALLIED = {
    symbol: Terms(limit=80 * UNIT // 100, threshold=85 * UNIT // 100, incentive=105 * UNIT // 100)
    for symbol in ("ETH", "BTCB", "USDT")
}


@dataclass
class CorePool:
    """A pool, its tokens with their feeds, and who is in it."""

    node: Node
    venus: Venus
    world: VenusCoreWorld
    tokens: dict[str, Token]
    users: list[Address]
    posted: Address
    """An oracle whose prices are posted to the unit."""

    @property
    def reader(self) -> VenusCore:
        feeds = {
            Address(token.feeds["main"].proxy): FeedFacts(pair=f"{symbol} / USD", heartbeat=3600)
            for symbol, token in self.tokens.items()
        }
        place = Place(deployment="venus", title="Venus", feeds=feeds)
        return VenusCore(place=place, comptroller=Address(self.world.comptroller))

    def symbol(self, v_token: str) -> str:
        return next(one.symbol for one in self.world.markets.values() if one.v_token == v_token)

    def margin(self, who: Address, *before: tuple[str, bytes]) -> int | None:
        """By the contract, of all markets accrued, if `before` had happened; None where it has none."""
        calls = [*self.world.accruing(list(self.world.markets)), *before]
        view = (self.world.comptroller, calldata("getAccountLiquidity(address)", who))
        *rest, (success, data) = self.world.would([*calls, view])
        assert all(one for one, _ in rest), rest
        error, above, below = (
            (int.from_bytes(data[at : at + 32], "big") for at in (0, 32, 64)) if success else (1, 0, 0)
        )
        return None if error else above - below

    def repricing(self, symbol: str, answer: int) -> Tx:
        return Tx(self.world.admin, self.tokens[symbol].feeds["main"].aggregator, answering(answer))


def answering(answer: int) -> bytes:
    return calldata("updateAnswer(int256)", answer)


def core_pool(node: Node, users: int, seed: int) -> CorePool:
    venus = venus_on(node)
    world = VenusCoreWorld(node.chain, node.multicall3, venus.resilient, venus.permits).build()
    tokens = {symbol: venus.token(symbol, decimals) for symbol, decimals in DECIMALS.items()}
    it = CorePool(node, venus, world, tokens, [], node.deploy(own("PostedPrices")))
    main = [venus.oracles["main"]]
    node.chain.send_all(
        [tx for token in tokens.values() for tx in venus.listed(token.address, main, (True, False, False))]
    )
    node.chain.send_all([it.repricing(symbol, price) for symbol, price in PRICES.items()])
    for symbol, token in tokens.items():
        world.add(symbol, token.address, token.decimals, TERMS[symbol])
    world.pool("stable", CLOSE, fallback=False)
    world.pool("allied", ALLIED, fallback=True)
    world.add_vai(UNIT // 20, int(node.chain.rpc.request("eth_chainId"), 16))
    _people(it, Random(seed), users)
    return it


def _people(it: CorePool, random: Random, users: int) -> None:
    bank = named("a bank")
    it.node.chain.send_all(
        [
            tx
            for symbol in PRICES
            for tx in it.world.supplying(bank, symbol, worth(symbol, random.randint(10**6, 10**7)))
        ]
    )
    for number in range(users):
        who = Address(named(f"user {number}"))
        it.users.append(who)
        _person(it, random, who)


def _person(it: CorePool, random: Random, who: Address) -> None:
    """Supplies one to three things, enters a pool or none, borrows up to what it may, and perhaps mints VAI."""
    world, pool = it.world, random.choice((0, 0, 0, 1, 2))
    choice = list(CLOSE if pool == 1 else ALLIED if pool == 2 and random.random() < 0.5 else PRICES)
    supplied = random.sample(choice, random.randint(1, min(3, len(choice))))
    txs = [
        tx
        for symbol in supplied
        for tx in world.supplying(who, symbol, worth(symbol, _size(random)), enter=random.random() < 0.9)
    ]
    if pool:
        txs.append(Tx(who, world.comptroller, calldata("enterPool(uint96)", pool)))
    it.node.chain.send_all(txs)
    if not pool and random.random() < 0.3:
        _try(
            it, Tx(who, world.controller, calldata("mintVAI(uint256)", _power(it, who) * random.randint(5, 60) // 100))
        )
    for symbol in random.sample(choice, random.randint(0, 2)):
        part = random.choice((1, 30, 60, 90, 100))
        amount = _power(it, who) * part // 100 * 10 ** DECIMALS[symbol] * 10**8 // PRICES[symbol] // UNIT
        for tx in world.borrowing(who, symbol, amount or random.randint(1, 5)):
            _try(it, tx)


def _power(it: CorePool, who: Address) -> int:
    return int(it.node.chain.view(it.world.comptroller, "getBorrowingPower(address)(uint256,uint256,uint256)", who)[1])


def _size(random: Random) -> int:
    return random.choice((1, 10, 1_000, 10_000, 100_000)) * random.randint(1, 9)


def _try(it: CorePool, tx: Tx) -> None:
    try:
        it.node.chain.send_all([tx])
    except RevertError:
        return  # it may not: then it just does not


def worth(symbol: str, dollars: int) -> int:
    """So many dollars of a token in base units, and some odd ones."""
    whole, odd = dollars * 10 ** (8 + DECIMALS[symbol]) // PRICES[symbol], 10 ** (DECIMALS[symbol] // 2)
    return int(whole + 12_345_678 % odd)


@dataclass(frozen=True)
class Seen:
    """One account of the pool as the watcher reads it at the head."""

    account: Account
    market: Market
    reading: Position | Unreadable
    verdict: Outcome[Verdict | None]


def look(it: CorePool) -> list[Seen]:
    reader, node = it.reader, it.node
    holders = [Holder.of(user) for user in it.users]
    read = node.run(together(reader.account(holder) for holder in holders))
    accounts = [one for one in read if isinstance(one, Account)]
    assert len(accounts) == len([one for one in read if one is not None]), read
    market = node.run(reader.market(accounts))
    verdicts = node.run(together(reader.verdict(one.holder) for one in accounts))
    return [
        Seen(one, market, reader.positions(market, one)[0], verdict)
        for one, verdict in zip(accounts, verdicts, strict=True)
    ]
