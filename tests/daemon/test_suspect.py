"""Suspect prices by the real daemon over real contracts: told at once, over restarts, and never of what is gone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.daemon.inside import NEVER, Clock, Inbox, Inside, inside
from tests.daemon.world import Market, configure
from watcher.config import Settings, load

QUIET = "warn = 1.03\ncritical = 1.02\ntarget = 1.5\n"
LEAP = "SUSPECT PRICE · WETH / USD · Local\njump: "


def settings(
    folder: Path, market: Market, *labels: str, prices: str = "", rules: str = QUIET, confirmations: int = 0
) -> Settings:
    told = configure(
        folder,
        market,
        interval=NEVER,
        rules=rules,
        prices=prices,
        labels=labels or ("sound",),
        confirmations=confirmations,
    )
    return load(told)


async def next_block(daemon: Inside, market: Market, seconds: int = 12) -> list[str]:
    market.world.pass_time(seconds)
    return await daemon.look(after=seconds)


def rows(state: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{state}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


async def test_a_price_that_leaps_is_told_with_value_and_limit_and_the_health_at_the_edge(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    async with inside(settings(tmp_path, borrowers), clock) as daemon:
        assert daemon.inbox.texts == []
        borrowers.move("WETH", 130)
        [told] = await daemon.look(after=12)
        assert told.startswith(LEAP)
        assert "30.00 % more, within 3,600 s; the limit is 20 %\n" in told
        assert "\n· sound · Aave v3 Local · health 2.5" in told
        assert told.endswith(" at the edge of the feeds' deviation")
        assert await next_block(daemon, borrowers) == [], "said once"


async def test_it_ends_by_itself_an_hour_later(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    async with inside(settings(tmp_path, borrowers), clock) as daemon:
        borrowers.move("WETH", 130)
        assert len(await daemon.look(after=12)) == 1
        borrowers.world.touch_feeds()
        for _ in range(3):
            assert await next_block(daemon, borrowers, 600) == []
        borrowers.world.pass_time(3600)
        borrowers.world.touch_feeds()
        told = [*await daemon.look(after=3600)]
        for _ in range(3):
            told += await next_block(daemon, borrowers)
        assert [text.splitlines()[0] for text in told] == ["PRICE NOT SUSPECT ANY MORE · WETH / USD · Local"]


async def test_a_leap_while_nobody_looked_is_told_by_the_next_start(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    inbox, chosen = Inbox(), settings(tmp_path, borrowers)
    async with inside(chosen, clock, inbox):
        assert inbox.texts == []
    borrowers.move("WETH", 130)
    clock.now += 24
    async with inside(chosen, clock, inbox):
        assert [text.startswith(LEAP) for text in inbox.texts] == [True]


async def test_a_price_in_a_block_that_is_taken_back_makes_no_leap_of_the_next(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    chain = borrowers.world.chain
    async with inside(settings(tmp_path, borrowers, confirmations=2), clock) as daemon:
        for _ in range(3):
            await next_block(daemon, borrowers)
        before = chain.snapshot()
        borrowers.move("WETH", 85)
        assert await daemon.look(after=12) == [], "15 % is no leap"
        chain.revert(before)
        borrowers.move("WETH", 110)
        for _ in range(3):
            chain.mine()
        assert await daemon.look(after=12) == [], "nor is 10 %: from 85 it would be one"


async def test_a_reload_and_a_wallet_that_declines_end_it_as_told(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    async with inside(settings(tmp_path, borrowers), clock) as daemon:
        borrowers.move("WETH", 130)
        assert len(await daemon.look(after=12)) == 1
        edited = configure(
            tmp_path, borrowers, interval=NEVER, rules=QUIET + "suspect = false", prices="", labels=("sound",)
        )
        [ended] = await daemon.reload(edited)
        assert ended.startswith("NO LONGER WATCHED · suspect price · ")
        assert "suspect is false" in ended


async def test_it_keeps_which_positions_rest_on_which_feeds_and_what_it_remembers_of_these(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    chosen = settings(tmp_path, borrowers, "sound", "thin")
    async with inside(chosen, clock) as daemon:
        await next_block(daemon, borrowers)
        weth = borrowers.world.tokens["WETH"].feed
        found = rows(chosen.state, "SELECT wallet, pair, per_percent, chain FROM rest WHERE pair LIKE 'WETH%'")
        assert {wallet for wallet, *_ in found} == {borrowers.accounts[one] for one in ("sound", "thin")}
        assert all(str(per_percent).startswith("-0.0") and chain == "local" for _, _, per_percent, chain in found)
        assert (weth,) in rows(chosen.state, "SELECT key FROM track WHERE chain = 'local'")
        borrowers.world.repay(borrowers.accounts["thin"], "USDC")
        await daemon.look(after=12)
        left = rows(chosen.state, "SELECT DISTINCT wallet FROM rest")
        assert left == [(borrowers.accounts["sound"],)], "who owes nothing rests on nothing"
