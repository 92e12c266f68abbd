"""What people said counts over restarts, and what they did not want to hear is told at its end: by the real daemon."""

from __future__ import annotations

from pathlib import Path

from tests.daemon.inside import NEVER, Clock, Inbox, Inside, inside
from tests.daemon.test_alerts import headlines
from tests.daemon.world import Market, configure
from watcher.alerts.message import Level
from watcher.config import Settings, load
from watcher.config.settings import CONSOLE

HOUR = 3600
BY = 7


def settings(folder: Path, market: Market) -> Settings:
    return load(configure(folder, market, interval=NEVER, rules="good_reads = 2"))


async def freed(daemon: Inside, *, after: float) -> list[str]:
    """What the sender finds that much later, without a look at the chain."""
    before = len(daemon.inbox.texts)
    daemon.clock.now += after
    daemon.daemon._sender.wake()
    return (await daemon.heard())[before:]


async def test_a_snooze_stops_reminders_over_a_restart_and_tells_at_its_end(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    inbox, chosen = Inbox(), settings(tmp_path, borrowers)
    async with inside(chosen, clock, inbox) as daemon:
        [weak] = daemon.daemon._memory.standing(lambda _: True)
        await daemon.daemon._handling.snooze([weak], 5 * HOUR, BY)
    async with inside(chosen, clock, inbox) as daemon:
        assert await daemon.look(after=4 * HOUR) == []
        assert await daemon.look(after=HOUR - 1) == []
        assert headlines(await daemon.look(after=1)) == ["STILL WARNING · weak"]
        assert await daemon.look(after=12) == []


async def test_an_acknowledgement_stops_reminders_over_a_restart_and_no_raise(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    inbox, chosen = Inbox(), settings(tmp_path, borrowers)
    async with inside(chosen, clock, inbox) as daemon:
        [weak] = daemon.daemon._memory.standing(lambda _: True)
        await daemon.daemon._handling.acknowledge([weak], BY)
    async with inside(chosen, clock, inbox) as daemon:
        assert await daemon.look(after=9 * HOUR) == []
        borrowers.move("WETH", 95)
        assert "CRITICAL, was WARNING · weak" in headlines(await daemon.look(after=12))


async def test_a_mute_lets_the_critical_through_and_tells_at_its_end_what_it_held(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    inbox, chosen = Inbox(), settings(tmp_path, borrowers)
    async with inside(chosen, clock, inbox) as daemon:
        await daemon.daemon._handling.mute(CONSOLE, None, Level.WARN, 2 * HOUR, BY)
        borrowers.move("WETH", 95)
        assert headlines(await daemon.look(after=12)) == ["CRITICAL, was WARNING · weak"]
    async with inside(chosen, clock, inbox) as daemon:
        borrowers.move("WETH", 110)
        told = [line for _ in range(2) for line in headlines(await next_look(daemon, borrowers))]
        assert told == ["WARNING, was CRITICAL · weak"], "what ends something loud is told as it was"
        [held] = await freed(daemon, after=2 * HOUR)
        assert held.splitlines()[:2] == ["Raised 2 h ago, held by a mute.", "OK, was WARNING · thin · Aave v3 Local"]
        assert "It was WARNING before, first raised" in held
        assert daemon.daemon._memory.mutes
        await daemon.daemon._chores.housekeeping()
        assert not daemon.daemon._memory.mutes


async def test_the_end_of_a_mute_by_hand_tells_at_once_what_it_held(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    async with inside(settings(tmp_path, borrowers), clock) as daemon:
        handling = daemon.daemon._handling
        [thin] = [wallet.address for wallet in daemon.watch.settings.wallets if wallet.label == "thin"]
        mute = await handling.mute(CONSOLE, thin, Level.WARN, 8 * HOUR, BY)
        borrowers.move("WETH", 95)
        assert headlines(await daemon.look(after=12)) == ["CRITICAL, was WARNING · weak"]
        daemon.clock.now += HOUR
        before = len(daemon.inbox.texts)
        assert await handling.unmute(CONSOLE, thin) == [mute]
        [told] = (await daemon.heard())[before:]
        assert told.splitlines()[:2] == ["Raised 1 h ago, held by a mute.", "WARNING · thin · Aave v3 Local"]


async def test_a_mute_by_one_chat_is_no_mute_for_another(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    async with inside(settings(tmp_path, borrowers), clock) as daemon:
        await daemon.daemon._handling.mute("elsewhere", None, Level.CRITICAL, 8 * HOUR, BY)
        borrowers.move("WETH", 95)
        assert len(headlines(await daemon.look(after=12))) == 2


async def next_look(daemon: Inside, market: Market) -> list[str]:
    market.world.chain.mine()
    return await daemon.look(after=12)
