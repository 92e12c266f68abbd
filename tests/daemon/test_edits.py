"""What an edit of the configuration does to alerts that stand: it ends what nobody asks for, and nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.daemon.inside import NEVER, Clock, Inbox, Inside, inside
from tests.daemon.waiting import eventually
from tests.daemon.world import Market, configure
from watcher.config import load

QUIET = "warn = 1.03\ncritical = 1.02\ntarget = 1.5\n"
DAY = 86_400


def written(folder: Path, market: Market, rules: str = "", labels: Sequence[str] = ("weak",)) -> Path:
    return configure(folder, market, interval=NEVER, rules=rules, labels=labels)


def standing(state: Path) -> list[tuple[str, int]]:
    """The rule and level of every condition that stands in the database."""
    with closing(sqlite3.connect(f"file:{state}?mode=ro", uri=True)) as connection:
        return sorted(connection.execute("SELECT rule, level FROM condition WHERE level > 0"))


async def next_block(daemon: Inside, market: Market) -> list[str]:
    market.world.chain.mine()
    return await daemon.look(after=12)


async def stale(daemon: Inside, market: Market, *fresh: str) -> list[str]:
    """Two days on, in which only the feeds of these spoke."""
    market.world.pass_time(2 * DAY)
    market.world.touch_feeds("USDC", *fresh)
    return await daemon.look(after=2 * DAY)


# --- A rule that is switched off --------------------------------------------------------------------------------------


async def test_it_says_once_that_a_distance_is_no_longer_watched_and_not_that_it_is_over(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    on, off = QUIET + "distance_warn = 0.15", QUIET
    async with inside(load(written(tmp_path, borrowers, on)), clock) as daemon:
        assert len(daemon.inbox.texts) == 1
        [told] = await daemon.reload(written(tmp_path, borrowers, off))
        assert told == (
            "NO LONGER WATCHED · distance to liquidation · weak · Aave v3 Local\n"
            "The configuration has changed: distance_warn and distance_critical are not set any more.\n"
            "What was said before may still be so. This is not an all-clear."
        )
        assert standing(daemon.state) == []
        assert await next_block(daemon, borrowers) == []
        [again] = await daemon.reload(written(tmp_path, borrowers, on))
        assert again.startswith("WARNING · distance to liquidation · weak")


async def test_it_says_that_a_stale_price_is_no_longer_watched_and_of_whose(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    async with inside(load(written(tmp_path, borrowers, QUIET)), clock) as daemon:
        [raised] = await stale(daemon, borrowers)
        assert raised.startswith("STALE PRICE · WETH / USD · Local\nlast answer: 2 d old, ")
        assert "heartbeat 24 h, allowed 26 h 24 min (stale)" in raised
        [told] = await daemon.reload(written(tmp_path, borrowers, QUIET + "stale = false"))
        assert told.startswith("NO LONGER WATCHED · stale price · 0x")
        assert "The configuration has changed: stale is false.\n· weak · Aave v3 Local\n" in told
        assert standing(daemon.state) == []
        assert await next_block(daemon, borrowers) == []


async def test_it_ends_the_alert_of_the_one_who_declines_and_goes_on_for_the_other(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    path = written(tmp_path, borrowers, QUIET, ["weak", "thin"])
    async with inside(load(path), clock) as daemon:
        assert len(await stale(daemon, borrowers)) == 1
        path.write_text(path.read_text() + "stale = false\n")  # in the table of the last wallet
        [told] = await daemon.reload(path)
        assert told.startswith("NO LONGER WATCHED · stale price")
        assert "thin" in told
        assert "weak" not in told
        assert standing(daemon.state) == [("stale", 1)]
        borrowers.world.touch_feeds()
        [alive] = await daemon.look(after=12)
        assert alive.startswith("PRICE ALIVE")


@pytest.mark.parametrize("edit", ["remind = '5h'", "unreadable = false", "drop = 0.5", "distance_critical = 0.05"])
async def test_it_says_nothing_of_an_edit_that_does_not_touch_what_stands(
    tmp_path: Path, borrowers: Market, clock: Clock, edit: str
) -> None:
    async with inside(load(written(tmp_path, borrowers, "distance_warn = 0.15")), clock) as daemon:
        await stale(daemon, borrowers)
        before = standing(daemon.state)
        assert [rule for rule, _ in before] == ["distance", "health", "stale"]
        assert await daemon.reload(written(tmp_path, borrowers, "distance_warn = 0.15\n" + edit)) == []
        assert await next_block(daemon, borrowers) == []
        assert standing(daemon.state) == before


# --- A wallet that is removed -----------------------------------------------------------------------------------------


async def test_it_forgets_a_wallet_that_is_removed_in_silence_and_begins_afresh_when_it_returns(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    both, one = ["weak", "thin"], ["thin"]
    async with inside(load(written(tmp_path, borrowers, labels=both)), clock) as daemon:
        assert standing(daemon.state) == [("health", 1)]
        assert await daemon.reload(written(tmp_path, borrowers, labels=one)) == []
        assert standing(daemon.state) == []
        assert await daemon.look(after=5 * 3600) == []
        [raised] = await daemon.reload(written(tmp_path, borrowers, labels=both))
        assert raised.startswith("WARNING · weak")
        assert await daemon.reload(written(tmp_path, borrowers, labels=one)) == []
        borrowers.move("WETH", 120)
        borrowers.world.chain.mine()
        assert await daemon.reload(written(tmp_path, borrowers, labels=both)) == []


async def test_it_forgets_what_was_removed_while_it_was_down(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    inbox = Inbox()
    async with inside(load(written(tmp_path, borrowers, labels=["weak", "thin"])), clock, inbox) as daemon:
        await stale(daemon, borrowers)
    before = len(inbox.texts)
    async with inside(load(written(tmp_path, borrowers, labels=["sound"])), clock, inbox) as daemon:
        assert [text.splitlines()[0] for text in inbox.texts[before:]] == ["STALE PRICE · WETH / USD · Local"]
        assert standing(daemon.state) == [("stale", 1)]


# --- A debt that is new on a feed that is stale -----------------------------------------------------------------------


async def test_it_tells_at_once_of_a_debt_that_is_new_on_a_price_known_to_be_stale(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    inbox, late = Inbox(), borrowers.borrower("late", "2")
    borrowers.world.repay(late, "USDC")
    chosen = load(written(tmp_path, borrowers, QUIET, ["weak", "late"]))
    async with inside(chosen, clock, inbox) as daemon:
        [raised] = await stale(daemon, borrowers)
        assert "late" not in raised
        borrowers.world.borrow(late, "USDC", 1000 * 10**6)
        [joined] = await daemon.look(after=12)
        assert joined.startswith("STALE PRICE · WETH / USD · Local\n")
        assert "· late · Aave v3 Local · health" in joined
        assert "weak" not in joined
        assert await next_block(daemon, borrowers) == []
    async with inside(chosen, clock, inbox) as daemon:
        assert await next_block(daemon, borrowers) == []
        borrowers.world.touch_feeds()
        [alive] = await daemon.look(after=12)
        assert alive.startswith("PRICE ALIVE")
    assert len(inbox.texts) == 3


# --- What is said of a closed position --------------------------------------------------------------------------------


async def test_it_says_once_that_a_position_is_closed_whatever_stood(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    async with inside(load(written(tmp_path, borrowers, "distance_warn = 0.15\ndrop = 0.1")), clock) as daemon:
        borrowers.move("WETH", 90)
        await daemon.look(after=12)
        assert [rule for rule, _ in standing(daemon.state)] == ["distance", "drop", "health"]
        address = borrowers.accounts["weak"]
        borrowers.world.repay(address, "USDC")
        borrowers.world.withdraw(address, "WETH")
        told = [*await daemon.look(after=12), *await next_block(daemon, borrowers)]
        assert told == ["CLOSED · weak · Aave v3 Local\nThe position is closed."]
        assert standing(daemon.state) == []


# --- A volume that refuses --------------------------------------------------------------------------------------------


async def test_it_lives_through_a_reload_while_the_state_volume_refuses(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    texts: list[str] = []
    async with inside(load(written(tmp_path, borrowers, labels=["weak", "thin"])), clock) as daemon:
        texts = daemon.inbox.texts
        await daemon.volume("query_only = 1")
        borrowers.move("WETH", 95)
        await daemon.watch.tick()
        await eventually(lambda: len(texts) == 3)
        assert "STATE VOLUME REFUSES WRITES" in texts[1]
        assert await daemon.reload(written(tmp_path, borrowers, labels=["weak"])) == []
        assert [wallet.label for wallet in daemon.watch.settings.wallets] == ["weak"]
        borrowers.move("WETH", 90)
        await daemon.watch.tick()
        await eventually(lambda: len(texts) == 4)
        assert "\nLIQUIDATABLE, was CRITICAL · weak" in texts[3]
        await daemon.volume("query_only = 0")
        await next_block(daemon, borrowers)
        assert standing(daemon.state) == [("health", 3)]
    assert "".join(texts).count("was WARNING · weak") == 1
