"""A world read as the daemon reads it: over HTTP, at one pinned block, by the same snapshot."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from tests.worlds.aave import AaveWorld
from tests.worlds.aave_v2 import AaveV2World
from tests.worlds.abi import calldata
from tests.worlds.anvil import Anvil
from tests.worlds.chain import RevertError, Tx, named
from watcher.alerts.rules import Rules
from watcher.chain import Chain, ChainSpec, EndpointSpec
from watcher.config import Deployment
from watcher.domain.position import Check, Position, State
from watcher.domain.price import FeedFacts
from watcher.domain.source import Address, Holder
from watcher.protocols.aave.state import Account
from watcher.protocols.aave_v2 import AaveV2
from watcher.protocols.aave_v3 import AaveV3
from watcher.protocols.reader import Place
from watcher.reads import Plan, Request
from watcher.reads.call import T
from watcher.snapshot import Held, Snapshot, Watched, Wrapping, run, take

HEARTBEAT = 3600


class Reachable(Protocol):
    """Any world: the node that it runs on, and the Multicall3 there."""

    @property
    def anvil(self) -> Anvil: ...
    @property
    def multicall3(self) -> str: ...
    @property
    def url(self) -> str: ...


def spec_of(world: Reachable, url: str | None = None) -> ChainSpec:
    """The world as a configured chain; `url` where something stands in front of its node."""
    return ChainSpec(
        name="local",
        id=world.anvil.settings.chain_id,
        title="Local",
        multicall3=Address(world.multicall3),
        block_time=Decimal(12),
        max_age=60,
        confirmations=0,
        explorer="",
        endpoints=(EndpointSpec(name="anvil", url=url or world.url),),
    )


def deployment_of(world: AaveWorld) -> Deployment:
    """Its market as a configured deployment, with the heartbeat of every feed published."""
    feeds = {
        Address(token.feed): FeedFacts(pair=f"{symbol} / USD", heartbeat=HEARTBEAT)
        for symbol, token in world.tokens.items()
    }
    place = Place(deployment=world.name, title=world.name, feeds=feeds)
    kind, protocol = (AaveV2, "aave_v2") if isinstance(world, AaveV2World) else (AaveV3, "aave_v3")
    reader = kind(place=place, pool=Address(world.pool), provider=Address(world.provider))
    return Deployment(id=world.name, protocol=protocol, chain="local", title=world.name, reader=reader)


def watched_in(world: AaveWorld, wallets: Sequence[str]) -> Watched:
    holders = tuple(Holder.of(Address(wallet)) for wallet in wallets)
    targets = {holder.wallet: Rules().target for holder in holders}
    wrapping = Wrapping(token=Address(world.tokens["WETH"].address), teller=Address(world.multicall3))
    return Watched(deployment=deployment_of(world), holders=holders, targets=targets, wrapping=wrapping)


async def look(world: AaveWorld, wallets: Sequence[str], warm: Collection[Request] = ()) -> Snapshot:
    """One snapshot of these wallets at the head."""
    async with Chain(spec_of(world)) as chain:
        return await chain.first(lambda at: take(at, [watched_in(world, wallets)], warm))


async def look_at_one(world: AaveWorld, wallet: str) -> Held:
    """The one position of a wallet. Fails the test where it cannot be read."""
    snapshot = await look(world, [wallet])
    assert not snapshot.unreadable, snapshot.unreadable
    [held] = snapshot.held
    return held


Numbers = tuple[int, int, int]
"""Collateral and debt in base units, health factor as WAD (the largest word where nothing is owed)."""

NO_DEBT = 2**256 - 1


def ours(position: Position) -> Numbers:
    factor = position.health.backing if position.health.required else NO_DEBT
    return position.collateral, position.debt, factor


def theirs(world: AaveWorld, wallets: Sequence[str]) -> Mapping[str, Numbers]:
    """`getUserAccountData` at the head, asked apart from everything under test."""
    data = world.accounts_data(wallets)
    return {wallet: (row[0], row[1], row[5]) for wallet, row in zip(wallets, data, strict=True)}


def numbers_or_revert(world: AaveWorld, wallets: Sequence[str]) -> Mapping[str, Numbers | None]:
    """The same one by one; None where the contract itself reverts."""

    def ask(wallet: str) -> Numbers | None:
        try:
            row = world.account_data(wallet)
        except RevertError:
            return None
        return row[0], row[1], row[5]

    return {wallet: ask(wallet) for wallet in wallets}


LIQUIDATOR = named("a liquidator with means")
_LIQUIDATION = "liquidationCall(address,address,address,uint256,bool)"


def give_means(world: AaveWorld) -> None:
    """Let the liquidator pay for anything."""
    txs = []
    for token in world.tokens.values():
        approval = calldata("approve(address,uint256)", world.pool, NO_DEBT)
        txs += [world.minting(token.symbol, LIQUIDATOR, 10**30), Tx(LIQUIDATOR, token.address, approval)]
    world.chain.send_all(txs)


def liquidation_goes_through(world: AaveWorld, held: Held) -> bool:
    """Whether `liquidationCall` succeeds for any pair of a collateral and a debt, tried at the head."""
    account: Account = held.account
    pairs = [(c.asset, d.asset) for c in account.holdings if c.collateral for d in account.holdings if d.borrowing]
    return any(_succeeds(world, *pair, account.holder.account) for pair in pairs)


def assert_as_the_contract_does(world: AaveWorld, snapshot: Snapshot) -> dict[State, int]:
    """Every account is really tried, with every pair of its reserves. Returns how many there were of each state."""
    assert {position.check for position in snapshot.positions} == {Check.VERIFIED}
    for held in snapshot.held:
        state, below = held.position.state, held.position.health.liquidatable
        assert (state is State.LIQUIDATABLE) == liquidation_goes_through(world, held), held.position
        assert (state in (State.LIQUIDATABLE, State.LIQUIDATABLE_BUT_BLOCKED)) == below, held.position
    states = [position.state for position in snapshot.positions]
    return {state: states.count(state) for state in State}


def _succeeds(world: AaveWorld, collateral: Address, debt: Address, user: Address) -> bool:
    try:
        world.chain.call(world.pool, calldata(_LIQUIDATION, collateral, debt, user, NO_DEBT, False), sender=LIQUIDATOR)
    except RevertError:
        return False
    return True


def configure(world: AaveWorld, symbol: str, change: Callable[[int], int]) -> None:
    """Rewrite a reserve's configuration word, past the checks of the configurator that forbid it with suppliers."""
    asset = world.tokens[symbol].address
    [[word]] = world.chain.view(world.pool, "getConfiguration(address)((uint256))", asset)
    world.chain.send(
        world.market.configurator, world.pool, "setConfiguration(address,(uint256))", asset, (change(word),)
    )


def liquidated_at(world: AaveWorld, user: str, symbol: str, answer: int, debt: str) -> bool:
    """Whether a liquidation that is mined right behind a new price of its collateral, in the same block, succeeds."""
    token, now = world.tokens[symbol], world.chain.next_timestamp()
    [latest] = world.chain.view(token.aggregator, "latestRound()(uint256)")
    moved = calldata("updateRoundData(uint80,int256,uint256,uint256)", latest + 1, answer, now, now)
    seized = calldata(_LIQUIDATION, token.address, world.tokens[debt].address, user, NO_DEBT, False)
    with world.chain.undone():
        try:
            world.chain.send_all([Tx(LIQUIDATOR, token.aggregator, moved), Tx(LIQUIDATOR, world.pool, seized)])
        except RevertError:
            return False
    return True


async def played(world: AaveWorld, plan: Plan[T]) -> T:
    """What a plan comes to at the head."""
    async with Chain(spec_of(world)) as chain:
        return (await chain.first(lambda at: run(plan, at)))[0]
