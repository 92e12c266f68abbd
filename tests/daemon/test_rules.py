"""The rules beside health, by the real daemon over real contracts: distance, falls, and what transactions did."""

from __future__ import annotations

from pathlib import Path

from tests.daemon.inside import NEVER, Clock, Inside, inside
from tests.daemon.world import Market, configure
from tests.worlds.chain import named
from watcher.config import Settings, load

QUIET = "warn = 1.03\ncritical = 1.02\ntarget = 1.5\n"
"""Limits that only the rule under test speaks below."""


def settings(folder: Path, market: Market, rules: str, *labels: str) -> Settings:
    return load(configure(folder, market, interval=NEVER, rules=QUIET + rules, labels=labels))


async def next_block(daemon: Inside, market: Market, *, after: float = 12) -> list[str]:
    market.world.chain.mine()
    return await daemon.look(after=after)


async def test_it_warns_of_a_liquidation_price_that_is_near_and_clears_once_it_is_far(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    rules = "distance_warn = 0.15\ndistance_critical = 0.05\ngood_reads = 1"
    async with inside(settings(tmp_path, borrowers, rules, "weak"), clock) as daemon:
        [first] = daemon.inbox.texts
        assert first.startswith("WARNING · distance to liquidation · weak · Aave v3 Local\nliquidation at WETH $")
        assert "(−13.0 %), nearer than 15 % (distance_warn)" in first
        borrowers.move("WETH", 91)
        [worse] = await daemon.look(after=12)
        assert worse.startswith("CRITICAL, was WARNING · distance to liquidation · weak")
        assert "(−4.4 %), nearer than 5 % (distance_critical)" in worse
        borrowers.move("WETH", 130)
        [clear] = [*await daemon.look(after=12), *await next_block(daemon, borrowers)]
        assert clear.startswith("OK, was CRITICAL · distance to liquidation · weak")
        assert "clear of 15 % (distance_warn)" in clear


async def test_it_judges_a_deployment_by_the_rules_for_its_protocol(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    rules = "[rules.aave_v3]\nwarn = 1.2\n[rules.aave_local]\ncritical = 1.16"
    async with inside(settings(tmp_path, borrowers, rules, "weak", "thin"), clock) as daemon:
        [told] = daemon.inbox.texts
        assert told.startswith("CRITICAL · weak")
        assert "< 1.16 (critical)" in told
        assert "thin" not in told


async def test_it_leaves_the_last_word_to_health_once_the_position_is_liquidatable(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    async with inside(settings(tmp_path, borrowers, "distance_critical = 0.05", "weak"), clock) as daemon:
        assert daemon.inbox.texts == []
        borrowers.move("WETH", 80)
        [told] = await daemon.look(after=12)
        assert told.startswith("LIQUIDATABLE · weak")
        assert "distance" not in told


async def test_it_tells_a_fast_drop_once_and_that_it_is_over_when_the_window_has_passed(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    rules = 'drop = 0.10\ndrop_within = "30m"\ngood_reads = 1'
    async with inside(settings(tmp_path, borrowers, rules, "sound"), clock) as daemon:
        borrowers.move("WETH", 94)
        assert await daemon.look(after=12) == []
        borrowers.world.pass_time(300)
        borrowers.move("WETH", 94)
        [told] = await daemon.look(after=312)
        assert told.startswith("FAST DROP · sound · Aave v3 Local\nhealth 1.7")
        assert ": 11.6 % below 1.9999, 5 min before; the rule: drop 10 % within 30 min" in told
        for _ in range(3):
            assert await next_block(daemon, borrowers) == []
        borrowers.world.pass_time(1800)
        [over] = [*await daemon.look(after=1800), *await next_block(daemon, borrowers)]
        assert over.startswith("DROP OVER · sound")


async def test_it_does_not_take_a_slow_decline_for_a_drop(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    rules = 'drop = 0.10\ndrop_within = "5m"'
    async with inside(settings(tmp_path, borrowers, rules, "sound"), clock) as daemon:
        for _ in range(5):
            borrowers.world.pass_time(301)
            borrowers.move("WETH", 94)
            assert await daemon.look(after=312) == []


async def test_it_tells_what_a_transaction_changed_per_asset_and_nothing_of_interest(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    async with inside(settings(tmp_path, borrowers, "events = true", "sound"), clock) as daemon:
        address = borrowers.accounts["sound"]
        borrowers.world.pass_time(86_400)
        borrowers.world.touch_feeds()
        assert await daemon.look(after=86_412) == []
        borrowers.world.repay(address, "USDC", 1_200 * 10**6)
        borrowers.world.supply(address, "WETH", 10**18)
        [told] = await daemon.look(after=12)
        head, *changes = told.splitlines()
        assert head == "CHANGED BY A TRANSACTION · sound · Aave v3 Local"
        assert changes[:2] == ["added 1 WETH to the collateral", "repaid 1,200 USDC"]
        assert changes[2].startswith("health 1.9999 → 2.39")
        assert await next_block(daemon, borrowers) == []


async def test_it_tells_that_a_debt_was_paid_in_full_and_another_taken_up(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    async with inside(settings(tmp_path, borrowers, "events = true", "sound"), clock) as daemon:
        address = borrowers.accounts["sound"]
        borrowers.world.repay(address, "USDC")
        borrowers.world.borrow(address, "WBTC", 10**6)
        [told] = await daemon.look(after=12)
        assert "\nborrowed 0.01 WBTC\n" in told
        assert "\nrepaid " in told


async def test_it_tells_of_a_position_that_was_opened_and_of_one_that_was_closed(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    address = borrowers.borrower("new", "2")
    borrowers.world.repay(address, "USDC")
    borrowers.world.withdraw(address, "WETH")
    async with inside(settings(tmp_path, borrowers, "events = true", "new"), clock) as daemon:
        assert daemon.inbox.texts == []
        borrowers.world.supply(address, "WETH", 2 * 10**18)
        [opened] = await daemon.look(after=12)
        assert opened.startswith("OPENED · new · Aave v3 Local\nadded 2 WETH to the collateral\n")
        borrowers.world.withdraw(address, "WETH")
        [closed] = await daemon.look(after=12)
        assert closed.startswith("CLOSED BY A TRANSACTION · new · Aave v3 Local\ntook 2 WETH out of the collateral\n")
        assert await next_block(daemon, borrowers) == []


async def test_it_says_nothing_of_what_was_there_when_it_started(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    chosen = settings(tmp_path, borrowers, "events = true", "sound")
    for _ in range(3):
        async with inside(chosen, clock) as daemon:
            assert daemon.inbox.texts == []


async def test_it_says_that_a_position_looks_liquidated_and_what_is_gone(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    async with inside(settings(tmp_path, borrowers, "", "weak"), clock) as daemon:
        address, world = borrowers.accounts["weak"], borrowers.world
        borrowers.move("WETH", 84)
        assert world.liquidate(named("liquidator"), address, collateral="WETH", debt="USDC").succeeded
        told = "\n\n".join(await daemon.look(after=12))
        assert told.startswith("LOOKS LIQUIDATED · weak · Aave v3 Local\n")
        assert " WETH of the collateral is gone\n" in told
        assert " USDC of the debt was repaid\n" in told
        assert "\nhealth 1.15" in told


async def test_it_does_not_take_a_deleveraging_of_ones_own_for_a_liquidation(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    async with inside(settings(tmp_path, borrowers, "events = true", "sound"), clock) as daemon:
        address = borrowers.accounts["sound"]
        borrowers.world.repay(address, "USDC", 2_000 * 10**6)
        borrowers.world.withdraw(address, "WETH", 10**18)
        [told] = await daemon.look(after=12)
        assert told.startswith("CHANGED BY A TRANSACTION · sound")
        assert "took 1 WETH out of the collateral\nrepaid 2,000 USDC\n" in told
