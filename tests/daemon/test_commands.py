"""Commands to the real daemon: over a real market, through the Bot API, beside its alerts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from telegram import Bot

from tests.bot_api import BotApi
from tests.daemon.gate import Gate
from tests.daemon.inside import NEVER, Clock
from tests.daemon.waiting import PATIENCE, eventually
from tests.daemon.world import TOKEN, Market, configure
from watcher.config import load
from watcher.daemon import Daemon
from watcher.watch import ChainWatch

ME, STRANGER = 5, 66


@dataclass
class Talking:
    """A daemon, and the chat with it."""

    daemon: Daemon
    api: BotApi

    @property
    def watch(self) -> ChainWatch:
        return self.daemon.watches["local"]

    async def ask(self, line: str) -> str:
        """The answer to a command."""
        before = len(self.api.accepted)
        self.api.updates.say(ME, ME, line)
        return await self.told(before + 1)

    async def told(self, count: int) -> str:
        """The last of so many messages, once it is there."""
        async with asyncio.timeout(PATIENCE):
            return (await self.api.until(count))[count - 1].text


@asynccontextmanager
async def talking(
    folder: Path, market: Market, clock: Clock, *, gate: Gate | None = None, max_age: int = 86_400
) -> AsyncIterator[Talking]:
    """A daemon whose first alert has arrived."""
    async with BotApi(TOKEN, chats=[ME, STRANGER]) as api:
        path = configure(
            folder,
            market,
            endpoints=[gate.url] if gate else None,
            api=api.base_url,
            chats={"me": ME},
            interval=NEVER,
            max_age=max_age,
        )
        daemon = Daemon(load(path), now=clock)
        running = asyncio.create_task(daemon.run())
        chat = Talking(daemon, api)
        try:
            await chat.told(1)
            yield chat
        finally:
            daemon.stop()
            assert await running == 0


async def test_it_answers_from_what_it_saw_last_without_asking_the_chain(
    tmp_path: Path, borrowers: Market, clock: Clock, gate: Gate
) -> None:
    async with talking(tmp_path, borrowers, clock, gate=gate) as chat:
        asked = len(gate.asked)
        told = await chat.ask("/health")
        assert [line.split(" ", 1)[1] for line in told.splitlines()[:3]] == [
            "WARNING · weak · Aave v3 Local",
            "thin · Aave v3 Local",
            "sound · Aave v3 Local",
        ]
        assert "no alert is waiting" in await chat.ask("/status")
        assert "for health 1.50, one of\n· repay " in await chat.ask("/position weak")
        assert len(gate.asked) == asked


async def test_it_foretells_what_the_contract_then_says(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    async with talking(tmp_path, borrowers, clock) as chat:
        told = await chat.ask("/whatif WETH -20%")
        foretold = {line.split(" · ")[-2]: told.splitlines()[place + 1] for place, line in _positions(told)}
        borrowers.move("WETH", 80)
        for label in ("weak", "thin", "sound"):
            after = float(foretold[label].split(" → ")[1])
            assert abs(float(borrowers.health(label)) - after) < 0.0002
        assert "1 of 3 positions would be liquidatable." in told


def _positions(told: str) -> list[tuple[int, str]]:
    return [(place, line) for place, line in enumerate(told.splitlines()) if line.endswith(" · Aave v3 Local")]


async def test_it_says_that_it_does_not_see(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    async with talking(tmp_path, borrowers, clock, max_age=300) as chat:
        clock.now += 400
        assert "NOT CURRENT" in await chat.ask("/positions")
        assert "NOT CURRENT" in await chat.ask("/health weak")


async def test_it_does_not_hear_strangers(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    async with talking(tmp_path, borrowers, clock) as chat:
        for _ in range(20):
            chat.api.updates.say(STRANGER, STRANGER, "/status")
        await chat.ask("/help")
        assert {message.chat for message in chat.api.accepted} == {ME}


async def test_it_goes_on_alerting_while_another_poller_has_its_ear(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    async with talking(tmp_path, borrowers, clock) as chat:
        async with Bot(TOKEN, base_url=chat.api.base_url) as other:
            await eventually(lambda: any(method == "getUpdates" for method, *_ in chat.api.requests))
            await other.get_updates(timeout=0)
        assert (await chat.told(2)).startswith("COMMANDS ARE NOT HEARD\n")
        borrowers.move("WETH", 95)
        clock.now += 12
        await chat.watch.tick()
        assert "CRITICAL, was WARNING · weak" in await chat.told(3)


async def test_it_hears_under_a_new_configuration(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    async with talking(tmp_path, borrowers, clock) as chat:
        path = tmp_path / "watcher.toml"
        path.write_text(path.read_text().replace('label = "weak"', 'label = "frail"'))
        chat.daemon._reload = lambda: load(path)
        await chat.daemon.reload()
        await eventually(lambda: bool(chat.watch.last))
        assert "WARNING · frail · Aave v3 Local" in await chat.ask("/health frail")
        polls = [method for method, *_ in chat.api.requests].count("setMyCommands")
        assert polls == 1  # the same bot goes on listening
