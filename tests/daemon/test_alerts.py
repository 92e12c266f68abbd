"""An alert from its first message to its all-clear, by the real daemon over real contracts."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

from tests.chain.rpc_stand_in import silence
from tests.daemon.gate import Gate
from tests.daemon.inside import NEVER, Clock, Inbox, Inside, inside
from tests.daemon.waiting import eventually
from tests.daemon.world import Market, configure
from watcher.alerts import figures
from watcher.config import Settings, load

FOUR_HOURS = 4 * 3600
RULES = "good_reads = 2"


def settings(folder: Path, market: Market, *, confirmations: int = 0) -> Settings:
    return load(configure(folder, market, interval=NEVER, confirmations=confirmations, rules=RULES))


def headlines(texts: list[str]) -> list[str]:
    """The first line of each notice in these messages."""
    return [notice.splitlines()[0].removesuffix(" · Aave v3 Local") for text in texts for notice in text.split("\n\n")]


async def next_block(daemon: Inside, market: Market) -> list[str]:
    market.world.chain.mine()
    return headlines(await daemon.look(after=12))


async def test_it_escalates_at_once_and_clears_when_it_has_been_well_for_long_enough(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    async with inside(settings(tmp_path, borrowers), clock) as daemon:
        assert headlines(daemon.inbox.texts) == ["WARNING · weak"]
        borrowers.move("WETH", 95)
        assert headlines(await daemon.look(after=12)) == ["CRITICAL, was WARNING · weak", "WARNING · thin"]
        borrowers.move("WETH", 90)
        assert headlines(await daemon.look(after=12)) == ["LIQUIDATABLE, was CRITICAL · weak"]
        borrowers.move("WETH", 140)
        assert headlines(await daemon.look(after=12)) == []
        cleared = await next_block(daemon, borrowers)
        assert sorted(cleared) == ["OK, was LIQUIDATABLE · weak", "OK, was WARNING · thin"]
        assert await next_block(daemon, borrowers) == []


async def test_it_clears_on_blocks_only_that_are_buried(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    async with inside(settings(tmp_path, borrowers, confirmations=3), clock) as daemon:
        borrowers.move("WETH", 120)
        assert headlines(await daemon.look(after=12)) == []
        for _ in range(3):
            assert await next_block(daemon, borrowers) == []
        assert await next_block(daemon, borrowers) == ["OK, was WARNING · weak"]


async def test_it_does_not_clear_on_a_block_that_a_reorganisation_took_away(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    chain = borrowers.world.chain
    async with inside(settings(tmp_path, borrowers, confirmations=2), clock) as daemon:
        before = chain.snapshot()
        borrowers.move("WETH", 120)
        chain.mine()
        assert await daemon.look(after=12) == []
        chain.revert(before)
        for _ in range(6):
            assert await next_block(daemon, borrowers) == []


async def test_it_says_nothing_twice_while_nothing_changes(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    async with inside(settings(tmp_path, borrowers), clock) as daemon:
        borrowers.move("WETH", 95)
        await daemon.look(after=12)
        for _ in range(100):
            assert await next_block(daemon, borrowers) == []


async def test_it_reminds_of_what_still_stands(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    async with inside(settings(tmp_path, borrowers), clock) as daemon:
        assert await daemon.look(after=FOUR_HOURS - 1) == []
        assert headlines(await daemon.look(after=1)) == ["STILL WARNING · weak"]
        assert await daemon.look(after=1) == []


async def test_it_says_how_to_get_out_and_the_contract_agrees(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    async with inside(settings(tmp_path, borrowers), clock) as daemon:
        [warning] = daemon.inbox.texts
        [line] = [line for line in warning.splitlines() if line.startswith("· repay")]
        usdc = Decimal(line.split()[2])
        borrowers.world.repay(borrowers.accounts["weak"], "USDC", int(usdc * 10**6))
        assert round(borrowers.health("weak"), 3) == 1.5
        assert daemon.inbox.texts == [warning]


async def test_it_says_what_the_wallet_has_of_that_by_its_tokens_and_its_coins(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    world, weak = borrowers.world, borrowers.accounts["weak"]
    world.chain.rpc.request("anvil_setBalance", weak, hex(25 * 10**17))
    assert world.balance(world.tokens["WETH"].address, weak) == 0
    usdc = figures.amount_down(world.balance(world.tokens["USDC"].address, weak), 6)
    async with inside(settings(tmp_path, borrowers), clock) as daemon:
        [warning] = daemon.inbox.texts
        ways = [line for line in warning.splitlines() if line.startswith("· ")]
        assert [line[line.index("(") :] for line in ways] == [f"(has {usdc})", "(has none, and 2.5 unwrapped)"]


async def test_it_says_that_a_price_is_stale_and_leaves_the_level_alone(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    async with inside(settings(tmp_path, borrowers), clock) as daemon:
        borrowers.world.pass_time(2 * 86_400)
        borrowers.world.touch_feeds("USDC")
        told = await daemon.look(after=2 * 86_400)
        assert set(headlines(told)) == {"STALE PRICE · WETH / USD · Local", "STILL WARNING · weak"}
        borrowers.world.touch_feeds()
        assert headlines(await daemon.look(after=12)) == ["PRICE ALIVE · WETH / USD · Local"]


async def test_it_tells_that_a_position_was_closed(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    async with inside(settings(tmp_path, borrowers), clock) as daemon:
        address = borrowers.accounts["weak"]
        borrowers.world.repay(address, "USDC")
        borrowers.world.withdraw(address, "WETH")
        told = [*headlines(await daemon.look(after=12)), *await next_block(daemon, borrowers)]
        assert told == ["CLOSED · weak"]


async def test_it_says_nothing_after_a_restart_without_a_change(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    inbox, chosen = Inbox(), settings(tmp_path, borrowers)
    for _ in range(10):
        async with inside(chosen, clock, inbox) as daemon:
            await next_block(daemon, borrowers)
    assert headlines(inbox.texts) == ["WARNING · weak"]


async def test_it_tells_at_first_sight_what_became_true_while_it_was_down(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    inbox, chosen = Inbox(), settings(tmp_path, borrowers)
    async with inside(chosen, clock, inbox):
        pass
    borrowers.move("WETH", 85)
    async with inside(chosen, clock, inbox):
        assert headlines(inbox.texts)[1:] == ["LIQUIDATABLE, was WARNING · weak", "WARNING · thin"]


async def test_it_watches_other_wallets_after_a_reload_and_forgets_nothing(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    path = configure(tmp_path, borrowers, interval=NEVER, labels=["weak"])
    async with inside(load(path), clock) as daemon:
        borrowers.borrower("late", "1.2")
        told = await daemon.reload(configure(tmp_path, borrowers, interval=NEVER, labels=["weak", "late"]))
        assert headlines(told) == ["WARNING · late"]


async def test_it_has_one_watch_after_two_reloads_at_once(
    tmp_path: Path, borrowers: Market, gate: Gate, clock: Clock
) -> None:
    path, release = configure(tmp_path, borrowers, interval=NEVER, endpoints=[gate.url]), asyncio.Event()
    async with inside(load(path), clock) as daemon:
        gate.shut(silence(release))
        asked = len(gate.asked)
        daemon.watch.wake.set()
        await eventually(lambda: len(gate.asked) > asked)  # a look that will not end, so that the reloads overlap
        asyncio.get_running_loop().call_later(0.2, gate.open)
        assert await daemon.reload(path, times=2) == []
        assert [task.get_name() for task in asyncio.all_tasks()].count("watch local") == 1
    release.set()


async def test_it_changes_nothing_when_the_new_configuration_is_faulty(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    path = configure(tmp_path, borrowers, interval=NEVER)
    async with inside(load(path), clock) as daemon:
        path.write_text(path.read_text().replace("[rules]", "[rules]\nwarm = 1.5"))
        [told] = await daemon.reload(path)
        assert told.startswith("CONFIGURATION NOT CHANGED\nThe old one stays in force.\n")
        assert "warm" in told
        borrowers.move("WETH", 95)
        assert "CRITICAL, was WARNING · weak" in headlines(await daemon.look(after=12))
