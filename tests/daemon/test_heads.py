"""New blocks, and none: when the daemon looks, what a look costs, and what becomes of it when time jumps."""

from __future__ import annotations

import asyncio
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.chain.rpc_stand_in import on_wire, silence
from tests.daemon.gate import Gate
from tests.daemon.inside import NEVER, Clock, Inside, inside
from tests.daemon.waiting import eventually
from tests.daemon.world import Market, configure
from watcher.config import Settings, load
from watcher.store import Store
from watcher.store.history import points_of
from watcher.watch import BLIND_AFTER, ChainWatch

HOUR = 3600


def settings(folder: Path, market: Market, *endpoints: str, confirmations: int = 0, rules: str = "") -> Settings:
    path = configure(folder, market, endpoints=endpoints, interval=NEVER, confirmations=confirmations, rules=rules)
    return load(path)


def restless(daemon: Inside) -> ChainWatch:
    """Its watch, which looks at every hint: there is no rest between two looks."""
    daemon.watch.wake._least = 0
    return daemon.watch


async def test_it_asks_for_the_head_alone_while_that_stays_the_same(
    tmp_path: Path, borrowers: Market, gate: Gate, clock: Clock
) -> None:
    chosen = settings(tmp_path, borrowers, gate.url, confirmations=3, rules="events = true")
    async with inside(chosen, clock) as daemon:
        borrowers.world.repay(borrowers.accounts["sound"], "USDC", 10**9)
        [_changed] = await daemon.look(after=12)  # an event to be taken back, and an alert that waits to be ended
        assert len(gate.asked) > 5
        for _ in range(5):
            before = len(gate.asked)
            assert await daemon.look(after=2) == []
            assert [asked.method for asked in gate.asked[before:]] == ["eth_getBlockByNumber"]


async def test_it_asks_for_no_header_but_the_next_one_where_no_block_is_passed_over(
    tmp_path: Path, borrowers: Market, gate: Gate, clock: Clock
) -> None:
    async with inside(settings(tmp_path, borrowers, gate.url, confirmations=30), clock) as daemon:
        for blocks, headers in [(1, 1), (1, 1), (2, 2), (1, 1)]:
            before = gate.count("eth_getBlockByNumber")
            for _ in range(blocks):
                borrowers.world.chain.mine()
            await daemon.look(after=12 * blocks)
            assert gate.count("eth_getBlockByNumber") - before == headers


async def test_it_looks_at_a_block_that_it_is_told_of(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    url = borrowers.world.url.replace("http:", "ws:")
    async with inside(settings(tmp_path, borrowers, url), clock) as daemon:
        restless(daemon)
        borrowers.move("WETH", 95)

        def told() -> bool:
            borrowers.world.chain.mine()  # the subscription may be younger than the block with the price
            clock.now = max(clock.now, borrowers.now)
            return any("CRITICAL, was WARNING · weak" in text for text in daemon.inbox.texts)

        await eventually(told)


async def test_it_looks_once_more_for_all_blocks_of_a_slow_look(
    tmp_path: Path, borrowers: Market, gate: Gate, clock: Clock
) -> None:
    release = asyncio.Event()
    async with inside(settings(tmp_path, borrowers, gate.url), clock) as daemon:
        watch = restless(daemon)
        gate.faults["eth_call"] = silence(release)
        borrowers.world.chain.mine()
        watch.wake.hint()
        await eventually(lambda: gate.asked[-1].method == "eth_call")
        heads = gate.count("eth_getBlockByNumber")
        for _ in range(20):
            borrowers.move("WETH", 99)
            watch.wake.hint()
        assert gate.count("eth_getBlockByNumber") == heads
        gate.open()
        release.set()
        newest = borrowers.world.chain.head().number
        await eventually(lambda: watch.last is not None and watch.last.block.number == newest)
        assert gate.count("eth_getBlockByNumber") - heads <= 4


async def test_it_looks_as_soon_as_its_machine_wakes(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    """A job that should have run half an hour ago is run, not left out."""
    async with inside(settings(tmp_path, borrowers), clock) as daemon:
        first = restless(daemon).progressed_at
        clock.now += HOUR
        borrowers.world.pass_time(HOUR)
        job = daemon.daemon._scheduler.get_job("watch local")
        job.modify(next_run_time=datetime.now(UTC) - timedelta(minutes=30))
        await eventually(lambda: daemon.watch.progressed_at > first)
        assert daemon.watch.progressed_at == clock.now


async def test_it_tells_after_an_hour_s_sleep_what_became_true_meanwhile(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    async with inside(settings(tmp_path, borrowers), clock) as daemon:
        borrowers.world.pass_time(HOUR)
        borrowers.move("WETH", 90)
        told = "\n\n".join(await daemon.look(after=HOUR))
        assert "LIQUIDATABLE, was WARNING · weak" in told or "CRITICAL, was WARNING · weak" in told
        assert "BLIND" not in told


async def test_it_is_blind_at_once_after_an_hour_s_sleep_if_it_then_sees_nothing(
    tmp_path: Path, borrowers: Market, gate: Gate, clock: Clock
) -> None:
    async with inside(settings(tmp_path, borrowers, gate.url), clock) as daemon:
        gate.shut(on_wire())
        [blind] = await daemon.look(after=HOUR)
        assert blind.startswith("BLIND · Local\n")
        gate.open()
        [back] = await daemon.look(after=12)
        assert back.startswith("SEEING AGAIN · Local\nIt could not be watched for 1 h")


async def test_it_is_blind_no_later_for_a_clock_that_was_put_back(
    tmp_path: Path, borrowers: Market, gate: Gate, clock: Clock
) -> None:
    async with inside(settings(tmp_path, borrowers, gate.url), clock) as daemon:
        gate.shut(on_wire())
        assert await daemon.look(after=-HOUR) == []
        assert await daemon.look(after=BLIND_AFTER - 1) == []
        [blind] = await daemon.look(after=1)
        assert blind.startswith("BLIND · Local\n")


async def test_it_orders_blocks_of_one_timestamp_by_their_numbers(
    tmp_path: Path, borrowers: Market, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.worlds.chain.SECONDS_PER_BLOCK", 0)
    at = borrowers.now
    async with inside(settings(tmp_path, borrowers, confirmations=2), clock) as daemon:
        said = []
        for per_cent in (95, 140, 100, 100, 100, 100, 70):
            borrowers.move("WETH", per_cent)
            said.append([text.splitlines()[0].split(" · ")[0] for text in await daemon.look()])
        assert borrowers.now == at
        assert said == [["CRITICAL, was WARNING"], [], [], [], ["OK, was CRITICAL"], [], ["CRITICAL"]]
        assert daemon.watch.reorgs == 0
    with closing(Store.open(tmp_path / "watcher.db")) as store:
        [point] = points_of(store, f"aave_local/{borrowers.accounts['weak']}", at, at)
    assert point.block == borrowers.world.chain.head().number


async def test_it_logs_and_counts_what_the_chain_took_back(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    chain = borrowers.world.chain
    async with inside(settings(tmp_path, borrowers, confirmations=9), clock) as daemon:
        for _ in range(5):
            chain.mine()
            await daemon.look(after=12)
        chain.rpc.request("anvil_rollback", 3)
        for _ in range(4):
            borrowers.move("WETH", 99)
        with capture_logs() as logs:
            await daemon.look(after=12)
        [entry] = [entry for entry in logs if entry["event"] == "chain.reorg"]
        assert (entry["chain"], entry["depth"], entry["looked_at"]) == ("local", 3, 3)
        assert daemon.watch.reorgs == 1


async def test_it_still_believes_its_endpoints_after_a_reorganisation_deeper_than_its_confirmations(
    tmp_path: Path, borrowers: Market, gate: Gate, clock: Clock
) -> None:
    async with inside(settings(tmp_path, borrowers, gate.url, confirmations=1), clock) as daemon:
        for _ in range(6):
            borrowers.world.chain.mine()
            assert await daemon.look(after=12) == []
        borrowers.world.chain.rpc.request("anvil_rollback", 5)
        for _ in range(5):
            borrowers.move("WETH", 100)
            borrowers.world.chain.increase_time(13)
        gate.shut(on_wire())
        await daemon.look(after=12)  # so that the endpoint has to be admitted anew
        gate.open()
        await daemon.look(after=12)
        assert daemon.watch.last is not None
        assert daemon.watch.last.block.hash == borrowers.world.chain.head().hash
