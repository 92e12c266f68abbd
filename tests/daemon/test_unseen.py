"""Events that nobody saw: those of the time when the daemon was down, and those that a reorganisation took back."""

from __future__ import annotations

from pathlib import Path

from tests.daemon.inside import NEVER, Clock, Inbox, Inside, inside
from tests.daemon.world import Market, configure
from tests.worlds.chain import named
from watcher.config import load

RULES = "warn = 1.03\ncritical = 1.02\ntarget = 1.5\nevents = true\n"
DAY = 86_400


def written(folder: Path, market: Market, *labels: str, rules: str = RULES, confirmations: int = 0) -> Path:
    return configure(folder, market, interval=NEVER, rules=rules, labels=labels, confirmations=confirmations)


def first_lines(texts: list[str]) -> list[str]:
    return [text.splitlines()[0].removesuffix(" · Aave v3 Local") for text in texts]


async def next_block(daemon: Inside, market: Market) -> list[str]:
    market.world.chain.mine()
    return await daemon.look(after=12)


def liquidated(market: Market, label: str) -> None:
    outcome = market.world.liquidate(named("liquidator"), market.accounts[label], collateral="WETH", debt="USDC")
    assert outcome.succeeded, outcome.reason


# --- While it was down ------------------------------------------------------------------------------------------------


async def test_it_tells_at_the_first_look_what_was_done_while_it_was_down(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    world, inbox = borrowers.world, Inbox()
    new, leaving = borrowers.borrower("new", "2"), borrowers.borrower("leaving", "2")
    world.repay(new, "USDC")
    world.withdraw(new, "WETH")
    chosen = load(written(tmp_path, borrowers, "sound", "weak", "new", "leaving"))
    async with inside(chosen, clock, inbox):
        assert inbox.texts == []
    world.pass_time(3600)
    world.supply(new, "WETH", 2 * 10**18)
    world.repay(leaving, "USDC")
    world.withdraw(leaving, "WETH")
    world.repay(borrowers.accounts["sound"], "USDC", 1_200 * 10**6)
    clock.now += 3600 + 100
    async with inside(chosen, clock, inbox):
        told = "\n\n".join(inbox.texts)
        assert "OPENED · new · Aave v3 Local\nadded 2 WETH to the collateral\n" in told
        assert "CLOSED BY A TRANSACTION · leaving · Aave v3 Local\ntook 10 WETH out of the collateral\n" in told
        assert "CHANGED BY A TRANSACTION · sound · Aave v3 Local\nrepaid 1,199.9" in told
        assert "Nobody looked for 1 h" in told
        assert "weak" not in told
    before = len(inbox.texts)
    async with inside(chosen, clock, inbox):
        assert inbox.texts[before:] == []


async def test_it_takes_no_interest_of_the_time_when_it_was_down_for_a_transaction(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    inbox, chosen = Inbox(), load(written(tmp_path, borrowers, "sound", "thin"))
    async with inside(chosen, clock, inbox):
        pass
    borrowers.world.pass_time(60 * DAY)
    borrowers.world.touch_feeds()
    borrowers.world.set_price("WETH", borrowers.world.answer("WETH") + 1)  # no price is the same after two months
    clock.now += 60 * DAY + 100
    async with inside(chosen, clock, inbox):
        assert inbox.texts == []


async def test_it_says_that_a_position_was_liquidated_while_it_was_down_though_all_was_well_before(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    inbox, chosen = Inbox(), load(written(tmp_path, borrowers, "weak", rules="warn = 1.03\ncritical = 1.02\n"))
    async with inside(chosen, clock, inbox):
        assert inbox.texts == []
    borrowers.move("WETH", 84)
    liquidated(borrowers, "weak")
    async with inside(chosen, clock, inbox) as daemon:
        [told] = [text for text in inbox.texts if "LIQUIDATED" in text]
        assert told.startswith("LOOKS LIQUIDATED · weak · Aave v3 Local\n")
        assert " WETH of the collateral is gone\n" in told
        assert "Collateral and debt went together while nobody looked.\n" in told
        assert "LOOKS LIQUIDATED" not in "".join(await next_block(daemon, borrowers))


async def test_it_takes_both_sides_that_went_for_a_liquidation_where_an_alert_stood(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    """The price is back before it looks again: nothing but the alert says that health allowed it."""
    inbox, chosen = Inbox(), load(written(tmp_path, borrowers, "weak", rules="warn = 1.3\ncritical = 1.2\n"))
    async with inside(chosen, clock, inbox):
        assert first_lines(inbox.texts) == ["CRITICAL · weak"]
    price = borrowers.world.answer("WETH")
    borrowers.move("WETH", 84)
    liquidated(borrowers, "weak")
    borrowers.world.set_price("WETH", price)
    async with inside(chosen, clock, inbox):
        assert "LOOKS LIQUIDATED · weak" in "".join(inbox.texts[1:])


async def test_it_takes_a_deleveraging_while_it_was_down_for_no_liquidation(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    inbox, chosen = Inbox(), load(written(tmp_path, borrowers, "sound"))
    async with inside(chosen, clock, inbox):
        pass
    borrowers.world.repay(borrowers.accounts["sound"], "USDC", 2_000 * 10**6)
    borrowers.world.withdraw(borrowers.accounts["sound"], "WETH", 10**18)
    async with inside(chosen, clock, inbox):
        assert first_lines(inbox.texts) == ["CHANGED BY A TRANSACTION · sound"]


async def test_it_tells_what_was_done_while_it_reloaded_exactly(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    async with inside(load(written(tmp_path, borrowers, "sound")), clock) as daemon:
        borrowers.world.repay(borrowers.accounts["sound"], "USDC", 1_200 * 10**6)
        [told] = await daemon.reload(written(tmp_path, borrowers, "sound", "thin"))
        assert told.startswith("CHANGED BY A TRANSACTION · sound · Aave v3 Local\nrepaid 1,200 USDC\nhealth 1.9999 → ")
        assert await daemon.reload(written(tmp_path, borrowers, "sound")) == []


async def test_it_says_nothing_of_what_a_wallet_did_while_it_was_not_watched(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    both, one = ("sound", "thin"), ("thin",)
    inbox = Inbox()
    async with inside(load(written(tmp_path, borrowers, *both)), clock, inbox) as daemon:
        assert await daemon.reload(written(tmp_path, borrowers, *one)) == []
        borrowers.world.repay(borrowers.accounts["sound"], "USDC", 1_200 * 10**6)
        assert await daemon.reload(written(tmp_path, borrowers, *both)) == []
    async with inside(load(written(tmp_path, borrowers, *one)), clock, inbox):
        borrowers.world.repay(borrowers.accounts["sound"], "USDC", 1_200 * 10**6)
    async with inside(load(written(tmp_path, borrowers, *both)), clock, inbox):
        assert inbox.texts == []


# --- In blocks that were taken back -----------------------------------------------------------------------------------


async def test_it_says_that_an_event_of_an_orphaned_block_did_not_happen_after_all(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    chain = borrowers.world.chain
    chosen = load(written(tmp_path, borrowers, "weak", confirmations=3))
    async with inside(chosen, clock) as daemon:
        borrowers.move("WETH", 84)
        assert first_lines(await daemon.look(after=12)) == ["LIQUIDATABLE · weak"]
        before = chain.snapshot()
        liquidated(borrowers, "weak")
        assert "LOOKS LIQUIDATED · weak" in first_lines(await daemon.look(after=12))
        chain.revert(before)
        for _ in range(4):
            chain.mine()
        [undone] = [text for text in await daemon.look(after=12) if "LIQUIDATED" in text]
        assert undone.startswith(
            "NOT LIQUIDATED AFTER ALL · weak · Aave v3 Local\n"
            "The chain took back the block in which that was seen (a reorganisation).\nhealth 0.9"
        )
        assert await next_block(daemon, borrowers) == []
        liquidated(borrowers, "weak")
        assert "LOOKS LIQUIDATED · weak" in first_lines(await daemon.look(after=12))


async def test_it_takes_an_event_back_though_it_first_saw_another_block_of_the_same_height(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    chain = borrowers.world.chain
    chosen = load(written(tmp_path, borrowers, "weak", confirmations=3))
    async with inside(chosen, clock) as daemon:
        borrowers.move("WETH", 84)
        await daemon.look(after=12)
        liquidated(borrowers, "weak")
        assert "LOOKS LIQUIDATED · weak" in first_lines(await daemon.look(after=12))
        chain.rpc.request("anvil_rollback", 1)
        chain.mine()
        told = [*first_lines(await daemon.look()), *first_lines(await next_block(daemon, borrowers))]
        assert told == ["NOT LIQUIDATED AFTER ALL · weak"]


async def test_it_tells_no_second_time_what_happened_after_all_in_another_block(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    chain = borrowers.world.chain
    chosen = load(written(tmp_path, borrowers, "weak", confirmations=3))
    async with inside(chosen, clock) as daemon:
        borrowers.move("WETH", 84)
        await daemon.look(after=12)
        before = chain.snapshot()
        liquidated(borrowers, "weak")
        await daemon.look(after=12)
        chain.revert(before)
        chain.mine()
        liquidated(borrowers, "weak")
        chain.mine()
        chain.mine()
        told = await daemon.look(after=12)
        for _ in range(5):
            told += await next_block(daemon, borrowers)
        assert "LIQUIDATED" not in "".join(told)


async def test_it_takes_back_each_kind_of_event(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    world, chain = borrowers.world, borrowers.world.chain
    new = borrowers.borrower("new", "2")
    world.repay(new, "USDC")
    world.withdraw(new, "WETH")
    chosen = load(written(tmp_path, borrowers, "sound", "thin", "new", confirmations=6))
    async with inside(chosen, clock) as daemon:
        before = chain.snapshot()
        world.supply(new, "WETH", 10**18)
        world.repay(borrowers.accounts["sound"], "USDC")
        world.withdraw(borrowers.accounts["sound"], "WETH")
        world.repay(borrowers.accounts["thin"], "USDC", 10**9)
        assert len("\n".join(await daemon.look(after=12)).split("\n\n")) == 3
        chain.revert(before)
        world.repay(borrowers.accounts["thin"], "USDC", 2 * 10**9)
        for _ in range(12):
            chain.mine()
        told = "\n\n".join(await daemon.look(after=12))
        heads = [notice.splitlines()[0].removesuffix(" · Aave v3 Local") for notice in told.split("\n\n")]
        assert sorted(heads) == ["NOT CLOSED AFTER ALL · sound", "NOT OPENED AFTER ALL · new"]
        assert await next_block(daemon, borrowers) == []


async def test_it_believes_an_event_once_its_block_is_buried(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    async with inside(load(written(tmp_path, borrowers, "sound", confirmations=2)), clock) as daemon:
        borrowers.world.repay(borrowers.accounts["sound"], "USDC", 10**9)
        assert len(await daemon.look(after=12)) == 1
        for doubtful in (1, 0, 0):
            assert await next_block(daemon, borrowers) == []
            assert daemon.watch.baseline is not None
            assert len(daemon.watch.baseline.told) == doubtful


async def test_it_fires_on_a_block_that_is_taken_back_and_does_not_clear_by_one(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    chain = borrowers.world.chain
    chosen = load(written(tmp_path, borrowers, "weak", rules="good_reads = 1", confirmations=2))
    async with inside(chosen, clock) as daemon:
        well = chain.snapshot()
        borrowers.move("WETH", 90)
        borrowers.world.chain.mine()
        assert first_lines(await daemon.look(after=24)) == ["CRITICAL, was WARNING · weak"]
        chain.revert(well)
        borrowers.move("WETH", 99)
        chain.mine()
        chain.mine()
        assert await daemon.look(after=24) == []
        ill = chain.snapshot()
        borrowers.move("WETH", 150)
        assert await daemon.look(after=12) == []
        chain.revert(ill)
        told = [await next_block(daemon, borrowers) for _ in range(5)]
        assert first_lines([text for texts in told for text in texts]) == ["WARNING, was CRITICAL · weak"]
