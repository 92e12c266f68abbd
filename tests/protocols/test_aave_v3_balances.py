"""The action card against the wallet: what it can afford succeeds on the chain, from that balance and no less."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from random import Random

import pytest

from tests.protocols.worlds import NO_DEBT, look, look_at_one
from tests.worlds.aave import AaveWorld
from tests.worlds.abi import calldata
from tests.worlds.chain import RevertError, Tx, named
from watcher.advice import advise
from watcher.alerts.outlook import Advice
from watcher.domain.position import Action, Asset, Check, Repay
from watcher.domain.source import Address
from watcher.risk.restore import Remedy, best_step
from watcher.snapshot import Held

TARGET = Decimal("1.5")
SINK = named("where surplus goes")
PROBED = 6
WAD = 10**18
_GAS = 2_000_000


def acting(world: AaveWorld, wallet: Address, asset: Asset, action: Action, balance: int) -> list[Tx]:
    """An action from a wallet that has exactly this balance: in one block, so that no interest comes between."""
    pool, token = world.pool, asset.address
    doing = (
        calldata("repay(address,uint256,uint256,address)", token, action.amount, 2, wallet)
        if isinstance(action, Repay)
        else calldata("supply(address,uint256,address,uint16)", token, action.amount, wallet, 0)
    )
    surplus = calldata("transfer(address,uint256)", SINK, world.balance(token, wallet))
    return [
        Tx(wallet, token, surplus, gas=_GAS),
        world.minting(asset.symbol, wallet, balance),
        Tx(wallet, token, calldata("approve(address,uint256)", pool, NO_DEBT), gas=_GAS),
        Tx(wallet, pool, doing, gas=_GAS),
    ]


def health(world: AaveWorld, wallet: Address) -> Decimal:
    return Decimal(world.account_data(wallet)[5]) / WAD


async def forecasts(world: AaveWorld) -> list[Held]:
    """Some positions below the target, as they will be in a next block in which nobody does anything."""
    wallets = [one.position.id.wallet for one in (await look(world, world.accounts)).held if _low(one)]
    with world.chain.undone():
        world.chain.mine()
        return [await look_at_one(world, wallet) for wallet in Random(5).sample(wallets, PROBED)]


def _low(one: Held) -> bool:
    return one.position.check is Check.VERIFIED and one.position.health.factor < TARGET


def with_balance(one: Held, token: Address, balance: int) -> Advice:
    return advise(one, TARGET, {(one.position.id.wallet, token): balance}, {})


def offers(held: list[Held]) -> Iterator[tuple[Held, Remedy]]:
    for one in held:
        for remedy in advise(one, TARGET, {}, {}).remedies:
            if remedy.enough and remedy.action.amount > 1:
                yield one, remedy


async def test_it_reads_the_balance_that_each_token_tells(world: AaveWorld) -> None:
    """Of the debts and collaterals of every wallet below its target, at the snapshot's block."""
    snapshot = await look(world, world.accounts[:40])
    low = {
        (one.position.id.wallet, leg.asset.address)
        for one in snapshot.held
        if _low(one)
        for leg in one.position.legs
        if leg.backing or leg.required
    }
    assert snapshot.holdings == {purse: world.balance(purse[1], purse[0]) for purse in low}
    assert sum(bool(balance) for balance in snapshot.holdings.values()) > 10


async def test_what_it_calls_affordable_succeeds_from_that_balance_and_reaches_the_target(world: AaveWorld) -> None:
    kinds = []
    for one, remedy in offers(await forecasts(world)):
        wallet, token = one.position.id.wallet, remedy.asset.address
        assert with_balance(one, token, remedy.action.amount).affordable(remedy)
        with world.chain.undone():
            world.chain.send_all(acting(world, wallet, remedy.asset, remedy.action, remedy.action.amount))
            assert health(world, wallet) == remedy.health >= TARGET, (wallet, remedy)
            assert world.balance(token, wallet) == 0
        kinds.append(type(remedy.action))
    assert min(kinds.count(kind) for kind in set(kinds)) > 3
    assert len(set(kinds)) == 2


async def test_one_unit_less_pays_for_no_remedy_and_leaves_exactly_the_health_foretold(world: AaveWorld) -> None:
    told = 0
    for one, remedy in offers(await forecasts(world)):
        wallet, token, balance = one.position.id.wallet, remedy.asset.address, remedy.action.amount - 1
        assert not with_balance(one, token, balance).affordable(remedy)
        with world.chain.undone(), pytest.raises(RevertError):
            world.chain.send_all(acting(world, wallet, remedy.asset, remedy.action, balance))
        step = all_in(one, remedy, balance)
        with world.chain.undone():
            world.chain.send_all(acting(world, wallet, remedy.asset, step.action, balance))
            assert health(world, wallet) == step.health < TARGET, (wallet, step)
        told += 1
    assert told > 10


async def test_the_best_step_gives_the_health_that_it_says_and_more_than_any_other(world: AaveWorld) -> None:
    """Wallets that have a hundredth of every remedy, each in its own token."""
    told = 0
    for one in await forecasts(world):
        wallet = one.position.id.wallet
        had = {remedy.asset: remedy.action.amount // 100 for remedy in advise(one, TARGET, {}, {}).offered}
        advice = advise(one, TARGET, {(wallet, asset.address): balance for asset, balance in had.items()}, {})
        if not advice.step:
            continue
        reached = {}
        for remedy in advice.offered:
            amount = min(had[remedy.asset], remedy.action.amount)
            with world.chain.undone():
                act = type(remedy.action)(remedy.asset.address, amount)
                world.chain.send_all(acting(world, wallet, remedy.asset, act, amount))
                reached[act] = health(world, wallet)
        assert advice.step.health == reached[advice.step.action] == max(reached.values())
        assert advice.step.health > one.position.health.factor
        told += 1
    assert told >= PROBED // 2


def all_in(one: Held, remedy: Remedy, balance: int) -> Remedy:
    """All of a balance that is short of this remedy, put into it."""
    step = best_step([remedy], {remedy.asset.address: balance}, one.position.health.factor, one.after)
    assert step is not None
    assert step.action.amount == balance
    return step
