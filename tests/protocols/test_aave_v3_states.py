"""What Aave would do with an account now, or that it cannot say: told exactly as the contracts themselves behave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.protocols.worlds import (
    assert_as_the_contract_does,
    configure,
    liquidation_goes_through,
    look,
    look_at_one,
    numbers_or_revert,
    ours,
)
from tests.worlds.aave import AaveWorld
from tests.worlds.aave_v30 import AaveV30World
from tests.worlds.aave_v36 import AaveV36World
from tests.worlds.chain import named
from watcher.domain.position import Because, Check, State
from watcher.snapshot import Held

ALICE = named("alice")
ETHER = 10**18
ACTIVE_BIT = 1 << 56


@dataclass(frozen=True)
class Trouble:
    """Something that may forbid liquidations, and whether it did so for some and not for others."""

    befall: Callable[[AaveWorld], None]
    blocks_some: bool = True


def _nothing(world: AaveWorld) -> None:
    pass


def _paused_weth(world: AaveWorld) -> None:
    world.pause("WETH")


def _frozen_weth(world: AaveWorld) -> None:
    world.freeze("WETH")


def _inactive_usdc(world: AaveWorld) -> None:
    configure(world, "USDC", lambda word: word & ~ACTIVE_BIT)


def _sequencer_down(world: AaveWorld) -> None:
    world.set_sequencer(world.install_sentinel(grace_period=3600), down=True, since=0)


def _sequencer_just_up(world: AaveWorld) -> None:
    sequencer = world.install_sentinel(grace_period=3600)
    world.set_sequencer(sequencer, down=False, since=world.chain.head().timestamp)


def _sequencer_long_up(world: AaveWorld) -> None:
    sequencer = world.install_sentinel(grace_period=3600)
    world.set_sequencer(sequencer, down=False, since=world.chain.head().timestamp - 7200)


TROUBLES = {
    "nothing": Trouble(_nothing, blocks_some=False),
    "WETH paused": Trouble(_paused_weth),
    "WETH frozen": Trouble(_frozen_weth, blocks_some=False),
    "USDC inactive": Trouble(_inactive_usdc),
    "sequencer down": Trouble(_sequencer_down),
    "sequencer just up": Trouble(_sequencer_just_up),
    "sequencer long up": Trouble(_sequencer_long_up, blocks_some=False),
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES.keys())
async def test_it_calls_blocked_exactly_those_whose_every_liquidation_reverts(
    world: AaveWorld, trouble: Trouble
) -> None:
    """500 accounts after a fall of a tenth, so that some are below 0.95, where the sentinel has no say."""
    world.set_prices({symbol: world.answer(symbol) * 9 // 10 for symbol in ("WETH", "wstETH", "WBTC")})
    trouble.befall(world)
    found = assert_as_the_contract_does(world, await look(world, world.accounts))
    assert found[State.LIQUIDATABLE] > 10
    assert bool(found[State.LIQUIDATABLE_BUT_BLOCKED]) == trouble.blocks_some


async def test_it_counts_the_grace_period_after_a_pause_to_the_second(v36: AaveV36World) -> None:
    v36.supply(ALICE, "WETH", 10 * ETHER)
    v36.borrow(ALICE, "USDT", 18_000 * 10**6)
    v36.set_price("WETH", 2_000 * 10**8)
    v36.pause("WETH")
    v36.unpause_with_grace("WETH", 600)
    unpaused_at = v36.chain.head().timestamp
    for seconds, state in ((600, State.LIQUIDATABLE_BUT_BLOCKED), (601, State.LIQUIDATABLE)):
        v36.chain.mine(timestamp=unpaused_at + seconds)
        held = await look_at_one(v36, ALICE)
        assert held.position.check is Check.VERIFIED
        assert held.position.state is state
        assert liquidation_goes_through(v36, held) == (state is State.LIQUIDATABLE)


async def test_it_tells_debt_that_nothing_backs(world: AaveWorld) -> None:
    """A collateral that fell to no value at all: below one, and nothing to seize."""
    world.supply(ALICE, "WETH", 10**10)
    world.borrow(ALICE, "USDC", 10)
    world.set_price("WETH", 1)
    held = await look_at_one(world, ALICE)
    assert held.position.check is Check.VERIFIED
    assert held.position.state is State.DEBT_WITHOUT_COLLATERAL
    assert held.position.health.liquidatable


@pytest.mark.parametrize("answer", [0, -1, -(2**255)])
async def test_it_calls_unpriceable_exactly_those_whom_the_contract_cannot_value(world: AaveWorld, answer: int) -> None:
    """A feed without a positive answer; everybody else in the same snapshot is read and verified."""
    token = world.tokens["WBTC"]
    world.set_round(token.aggregator, answer, world.chain.head().timestamp)
    snapshot = await look(world, world.accounts)
    said = numbers_or_revert(world, world.accounts)
    assert {lost.id.wallet for lost in snapshot.unreadable} == {wallet for wallet in said if said[wallet] is None}
    assert {ours(position) == said[position.id.wallet] for position in snapshot.positions} == {True}
    assert {position.check for position in snapshot.positions} == {Check.VERIFIED}
    assert len(snapshot.unreadable) > 50
    assert len(snapshot.positions) > 50
    assert {lost.because for lost in snapshot.unreadable} == {Because.UNPRICEABLE}
    assert all("no price for WBTC" in lost.reason for lost in snapshot.unreadable)
    assert not {wallet for _, wallet in snapshot.covered} & {lost.id.wallet for lost in snapshot.unreadable}


async def test_it_calls_unpriceable_those_whose_e_mode_has_no_price(v30: AaveV30World) -> None:
    """The contract asks for the category's price before it looks at any reserve: not only members suffer."""
    v30.set_emode(ALICE, 1)
    v30.supply(ALICE, "DAI", 5_000 * ETHER)
    source = v30.set_emode_price_source(1, 3_300 * 10**8)
    v30.set_round(source.aggregator, 0, v30.chain.head().timestamp)
    snapshot = await look(v30, [*v30.accounts, ALICE])
    said = numbers_or_revert(v30, [*v30.accounts, ALICE])
    assert said[ALICE] is None
    assert {lost.id.wallet for lost in snapshot.unreadable} == {wallet for wallet in said if said[wallet] is None}
    assert len(snapshot.unreadable) > 50
    assert {lost.because for lost in snapshot.unreadable} == {Because.UNPRICEABLE}
    assert {position.check for position in snapshot.positions} == {Check.VERIFIED}


async def test_it_recovers_when_the_price_does(world: AaveWorld) -> None:
    token, before = world.tokens["USDC"], world.answer("USDC")
    wallets = world.accounts[:60]
    world.set_round(token.aggregator, 0, world.chain.head().timestamp)
    blind = await look(world, wallets)
    world.set_price("USDC", before)
    sighted = await look(world, wallets, warm=blind.asked)
    assert blind.unreadable
    assert not sighted.unreadable
    assert _wallets(sighted.held) >= _wallets(blind.held)
    assert len(sighted.held) == len(wallets)


def _wallets(held: tuple[Held, ...]) -> set[str]:
    return {one.position.id.wallet for one in held}
