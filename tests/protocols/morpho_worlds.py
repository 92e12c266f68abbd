"""A Morpho world read as the daemon reads it, and what the contract itself says there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from tests.protocols.worlds import spec_of
from tests.worlds.abi import calldata
from tests.worlds.chain import RevertError, named
from tests.worlds.morpho import ADMIN, LIQUIDATOR, PARAMS, MorphoMarket, MorphoWorld
from watcher.chain import Chain
from watcher.config import Deployment
from watcher.domain.price import FeedFacts
from watcher.domain.source import Address, Holder
from watcher.protocols.morpho_blue import MorphoBlue
from watcher.protocols.reader import Place
from watcher.reads.logs import Log
from watcher.snapshot import Held, Snapshot, Watched, take

_LIQUIDATE = f"liquidate({PARAMS},address,uint256,uint256,bytes)"
_REPAY = f"repay({PARAMS},uint256,uint256,address,bytes)(uint256,uint256)"


def reader_of(world: MorphoWorld, feeds: Mapping[Address, FeedFacts] | None = None) -> MorphoBlue:
    return MorphoBlue(
        place=Place(deployment="morpho", title="Morpho Blue", feeds=feeds or {}),
        morpho=Address(world.morpho),
        since=0,
        pre_liquidations=Address(world.factory),
    )


def logged(world: MorphoWorld, reader: MorphoBlue, wallet: str) -> tuple[str, ...]:
    """The keys that the logs tell of, searched for as the reader wants it."""
    search = reader.search(Holder.of(Address(wallet)))
    assert search is not None
    wanted = {
        "address": list(search.emitters),
        "fromBlock": hex(search.since),
        "toBlock": "latest",
        "topics": [None if each is None else [f"0x{one.hex()}" for one in each] for each in search.topics],
    }
    logs = world.chain.rpc.request("eth_getLogs", wanted)
    return tuple(dict.fromkeys(search.key(_log(each)) for each in logs))


def _log(plain: Mapping[str, str | list[str]]) -> Log:
    return Log(
        address=Address(str(plain["address"])),
        topics=tuple(bytes.fromhex(topic[2:]) for topic in plain["topics"]),
        data=bytes.fromhex(str(plain["data"])[2:]),
        block=int(str(plain["blockNumber"]), 16),
    )


def watched_in(world: MorphoWorld, reader: MorphoBlue, wallets: Sequence[str]) -> Watched:
    return Watched(
        deployment=Deployment(id="morpho", protocol="morpho_blue", chain="local", title="Morpho Blue", reader=reader),
        holders=tuple(Holder.of(Address(wallet)) for wallet in wallets),
        found={Address(wallet): logged(world, reader, wallet) for wallet in wallets},
    )


async def look(world: MorphoWorld, wallets: Sequence[str], reader: MorphoBlue | None = None) -> Snapshot:
    """One snapshot of these wallets at the head."""
    watched = watched_in(world, reader or reader_of(world), wallets)
    async with Chain(spec_of(world)) as chain:
        return await chain.first(lambda at: take(at, [watched], ()))


def market_of(world: MorphoWorld, held: Held) -> MorphoMarket:
    [market] = [market for market in world.markets.values() if market.id == held.position.id.key]
    return market


def owed(world: MorphoWorld, market: MorphoMarket, who: str) -> int:
    """What the contract itself would take for all shares at the head, in loan base units."""
    shares, _ = world.held(market, who)
    if not shares:
        return 0
    call = calldata(_REPAY, market.params, 0, shares, who, b"")
    return int.from_bytes(world.chain.call(world.morpho, call, sender=LIQUIDATOR)[:32], "big")


def liquidates(world: MorphoWorld, market: MorphoMarket, who: str) -> bool:
    """Whether a liquidation of one share succeeds at the head."""
    try:
        call = calldata(_LIQUIDATE, market.params, who, 0, 1, b"")
        world.chain.call(world.morpho, call, sender=LIQUIDATOR)
    except RevertError:
        return False
    return True


ALICE, BOB = named("alice of Morpho's"), named("bob of Morpho's")
ETHER = 10**18


@contextmanager
def debtors() -> Iterator[MorphoWorld]:
    """Alice owes 1,500 USDC on one ether at 2,000, and Bob half of a WBTC's worth."""
    with MorphoWorld.start() as world:
        open_(world, ALICE, world.markets["WETH/USDC"], ETHER, 1_500 * 10**6)
        open_(world, BOB, world.markets["WBTC/USDC"], 10**8, 20_000 * 10**6)
        yield world


def open_(world: MorphoWorld, who: str, market: MorphoMarket, amount: int, debt: int) -> None:
    txs = world.supplying(who, market, amount)
    world.chain.send_all([*txs, *(world.borrowing(who, market, debt) if debt else [])])


def price(world: MorphoWorld, market: MorphoMarket, value: int) -> None:
    world.chain.send(ADMIN, market.oracle, "setPrice(uint256)", value)


async def one(world: MorphoWorld, who: str) -> Held:
    snapshot = await look(world, [who])
    assert not snapshot.unreadable, snapshot.unreadable
    [held] = snapshot.held
    return held
