"""The worlds are what they claim to be: real contracts, prices and clocks that we move, nothing left behind."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from .aave import MAX, AaveWorld, Outcome
from .aave_v30 import AaveV30World
from .aave_v36 import AaveV36World
from .abi import calldata
from .anvil import Anvil, Settings
from .boundary import flip
from .cache import open_world
from .chain import RevertError, named
from .listings import LISTINGS
from .node import HERE

WAD = 10**18
ETHER = 10**18
ROUND = "latestRoundData()(uint80,int256,uint256,uint256,uint80)"
ALICE, BOB, LIQUIDATOR = named("alice"), named("bob"), named("liquidator")


@pytest.fixture(scope="module", params=[AaveV30World, AaveV36World], ids=lambda kind: kind.name)
def shared(request: pytest.FixtureRequest) -> Iterator[AaveWorld]:
    with open_world(request.param, accounts=40, seed=3) as world:
        yield world


@pytest.fixture
def world(shared: AaveWorld) -> Iterator[AaveWorld]:
    """Undone after each test, and with the prices that it was listed at."""
    with shared.chain.undone():
        shared.set_prices({listing.symbol: listing.price for listing in LISTINGS})
        yield shared


def test_it_is_the_version_it_says(world: AaveWorld) -> None:
    revisions = {"aave_v30": 1, "aave_v36": 10}
    [revision] = world.chain.view(world.pool, "POOL_REVISION()(uint256)")
    assert revision == revisions[world.name]
    assert world.chain.view(world.provider, "getPool()(address)") == (world.pool,)
    assert len(world.tokens) >= 5


def test_it_answers_for_an_account(world: AaveWorld) -> None:
    world.supply(ALICE, "WETH", 10 * ETHER)
    world.borrow(ALICE, "USDC", 10_000 * 10**6)
    collateral, debt, _, threshold, _, health = world.account_data(ALICE)
    assert collateral == pytest.approx(10 * world.answer("WETH"), rel=1e-6)  # a block of interest
    assert debt == pytest.approx(10_000 * world.answer("USDC"), rel=1e-6)
    assert threshold == 8250
    assert health == pytest.approx(collateral * 0.825 / debt * WAD, rel=1e-3)


def test_it_values_an_e_mode_by_its_own_threshold(world: AaveWorld) -> None:
    world.set_emode(ALICE, 1)
    world.supply(ALICE, "wstETH", 10 * ETHER)
    world.borrow(ALICE, "WETH", 5 * ETHER)
    assert world.account_data(ALICE)[3] == 9300
    with pytest.raises(RevertError):
        world.borrow(ALICE, "DAI", ETHER)


def test_it_moves_a_price_through_the_proxy(world: AaveWorld) -> None:
    world.set_price("WBTC", 71_234_56789012)
    token = world.tokens["WBTC"]
    assert world.chain.view(world.oracle, "getAssetPrice(address)(uint256)", token.address) == (71_234_56789012,)
    assert world.chain.view(world.oracle, "getSourceOfAsset(address)(address)", token.address) == (token.feed,)
    assert world.chain.view(token.feed, "aggregator()(address)") == (token.aggregator,)
    assert world.chain.view(token.feed, ROUND)[3] == world.chain.head().timestamp


def test_it_dates_a_round_as_it_is_told(world: AaveWorld) -> None:
    token, before = world.tokens["DAI"], world.chain.head().timestamp
    world.set_round(token.aggregator, 99_000_000, before - 5_000)
    assert world.chain.view(token.feed, ROUND)[1:4] == (99_000_000, before - 5_000, before - 5_000)
    world.pass_time(86_400)
    world.touch_feeds("DAI")
    assert world.chain.view(token.feed, ROUND)[1:4:2] == (99_000_000, world.chain.head().timestamp)


def test_it_lets_interest_run(world: AaveWorld) -> None:
    world.supply(ALICE, "WBTC", 10**8)
    world.borrow(ALICE, "USDC", 10**9)
    world.pass_time(30 * 86_400)
    assert world.debt(ALICE, "USDC") > 10**9
    world.repay(ALICE, "USDC")
    assert world.account_data(ALICE)[5] == MAX


def test_it_counts_a_supply_only_while_its_owner_lets_it(world: AaveWorld) -> None:
    world.supply(ALICE, "WETH", ETHER)
    world.set_collateral(ALICE, "WETH", False)
    assert world.account_data(ALICE)[0] == 0
    world.set_collateral(ALICE, "WETH", True)
    world.set_liquidation_threshold("WETH", 7000)
    assert world.account_data(ALICE)[3] == 7000
    world.freeze("WETH")
    world.withdraw(ALICE, "WETH")
    assert world.balance(world.tokens["WETH"].address, ALICE) >= ETHER


def test_it_liquidates_only_below_one(world: AaveWorld) -> None:
    world.supply(ALICE, "WETH", 10 * ETHER)
    world.borrow(ALICE, "USDC", 20_000 * 10**6)
    refused = world.liquidate(LIQUIDATOR, ALICE, collateral="WETH", debt="USDC")
    assert refused == Outcome(False, {"aave_v30": "45", "aave_v36": "HealthFactorNotBelowThreshold"}[world.name])
    world.set_price("WETH", 2_400 * 10**8)
    assert world.account_data(ALICE)[5] < WAD
    assert world.liquidate(LIQUIDATOR, ALICE, collateral="WETH", debt="USDC").succeeded


def test_it_finds_the_price_where_the_contract_changes_its_mind(world: AaveWorld) -> None:
    world.supply(ALICE, "WETH", 10 * ETHER)
    world.supply(ALICE, "WBTC", 10**7)
    world.borrow(ALICE, "DAI", 25_000 * ETHER)
    below, above = flip(world, ALICE, "WETH", 1_000 * 10**8, 3_500 * 10**8)
    assert above == below + 1
    with world.chain.undone():
        world.set_price("WETH", below)
        assert world.account_data(ALICE)[5] < WAD
    world.set_price("WETH", above)
    assert world.account_data(ALICE)[5] >= WAD


def test_it_answers_at_a_block_that_is_no_longer_the_last(world: AaveWorld) -> None:
    pinned, before = world.chain.head(), world.answer("WETH")
    world.set_price("WETH", before + 1)
    asked = {"to": world.tokens["WETH"].feed, "data": "0x" + calldata("latestAnswer()").hex()}
    answer = world.chain.rpc.request("eth_call", asked, {"blockHash": pinned.hash, "requireCanonical": True})
    assert int(answer, 16) == before


def test_it_blocks_liquidation_while_paused_or_without_a_sequencer(world: AaveWorld) -> None:
    world.supply(ALICE, "WETH", 10 * ETHER)
    world.borrow(ALICE, "USDC", 25_000 * 10**6)
    world.set_price("WETH", 3_000 * 10**8)
    assert 0.95 * WAD < world.account_data(ALICE)[5] < WAD
    world.pause("WETH")
    assert not world.liquidate(LIQUIDATOR, ALICE, collateral="WETH", debt="USDC").succeeded
    world.pause("WETH", False)
    sequencer = world.install_sentinel(grace_period=3600)
    world.set_sequencer(sequencer, down=True, since=0)
    assert not world.liquidate(LIQUIDATOR, ALICE, collateral="WETH", debt="USDC").succeeded
    world.set_sequencer(sequencer, down=False, since=world.chain.head().timestamp - 3601)
    assert world.liquidate(LIQUIDATOR, ALICE, collateral="WETH", debt="USDC").succeeded


def test_it_fills_itself_with_all_sorts_of_accounts(shared: AaveWorld) -> None:
    healths = [data[5] for data in shared.accounts_data(shared.accounts)]
    assert len(healths) == 40
    assert any(health == MAX for health in healths)
    assert any(health < WAD for health in healths)
    assert any(WAD <= health < 10 * WAD for health in healths)


def test_it_carries_the_canonical_multicall(world: AaveWorld) -> None:
    [timestamp] = world.chain.view(world.multicall3, "getCurrentBlockTimestamp()(uint256)")
    assert timestamp == world.chain.head().timestamp


def test_it_opens_the_same_world_every_time(shared: AaveWorld) -> None:
    with open_world(type(shared), accounts=40, seed=3) as again:
        assert again.accounts == shared.accounts
        assert again.accounts_data(again.accounts) == shared.accounts_data(shared.accounts)


def test_it_borrows_at_a_stable_rate_and_prices_an_e_mode_by_its_own_source() -> None:
    with open_world(AaveV30World) as world:
        world.supply(BOB, "WETH", 10 * ETHER)
        world.borrow(BOB, "DAI", 1_000 * ETHER, rate_mode=1)
        stable_debt = world.tokens["DAI"].stable_debt
        assert stable_debt is not None
        assert world.balance(stable_debt, BOB) == 1_000 * ETHER
        world.set_emode(ALICE, 1)
        world.supply(ALICE, "WETH", ETHER)
        world.set_emode_price_source(1, 1_234 * 10**8)
        assert world.account_data(ALICE)[0] == pytest.approx(1_234 * 10**8, rel=1e-6)
        assert world.account_data(BOB)[0] == pytest.approx(10 * world.answer("WETH"), rel=1e-6)


def test_it_counts_a_collateral_without_a_base_threshold_where_an_e_mode_admits_it() -> None:
    with open_world(AaveV36World) as world:
        world.set_emode(ALICE, 2)
        world.supply(ALICE, "USDT", 1_000 * 10**6)
        assert world.account_data(ALICE)[3:5] == (9500, 9300)
        world.set_emode_ltvzero("USDT", 2, True)
        assert world.account_data(ALICE)[3:5] == (9500, 0)


def test_it_forbids_liquidation_in_the_grace_period_after_a_pause() -> None:
    with open_world(AaveV36World) as world:
        world.supply(ALICE, "WETH", 10 * ETHER)
        world.borrow(ALICE, "USDC", 25_000 * 10**6)
        world.set_price("WETH", 2_500 * 10**8)
        world.pause("WETH")
        world.unpause_with_grace("WETH", 3_600)
        refused = world.liquidate(LIQUIDATOR, ALICE, collateral="WETH", debt="USDC")
        assert refused == Outcome(False, "LiquidationGraceSentinelCheckFailed")
        world.pass_time(3_700)
        assert world.liquidate(LIQUIDATOR, ALICE, collateral="WETH", debt="USDC").succeeded


def test_it_leaves_no_process_behind() -> None:
    with Anvil(Settings(chain_id=7)) as anvil:
        pid = anvil.pid
        assert anvil.chain.rpc.request("eth_chainId") == "0x7"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_it_takes_its_process_along_when_it_is_killed() -> None:
    script = "import time, tests.worlds.anvil as a\nwith a.Anvil() as it: print(it.port, flush=True); time.sleep(60)"
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=HERE.parents[1], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        port = int(parent.stdout.readline())
        assert _listens(port)
        parent.kill()
    assert any(not _listens(port) for _ in range(1000))


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except ConnectionError:
        return False
    time.sleep(0.005)
    return True
