"""A chat with the real daemon, over a real market, through the Bot API."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from tests.bot_api import BotApi
from tests.bot_api_rules import Accepted
from tests.daemon.gate import Gate
from tests.daemon.inside import NEVER, Clock
from tests.daemon.waiting import PATIENCE, eventually
from tests.daemon.world import TOKEN, Market, configure
from watcher.config import load
from watcher.config.changes import FileChanges
from watcher.daemon import Daemon
from watcher.notify import sender
from watcher.notify.pacing import Limits, Rate
from watcher.wallets import edit_wallets
from watcher.watch import ChainWatch

UNPACED = Rate(1000, 1.0)
ME, STRANGER, GROUP, ANN = 5, 66, -100, 7


@dataclass
class Talking:
    """A daemon, and the chat with it."""

    api: BotApi
    path: Path
    clock: Clock
    paced: bool
    daemon: Daemon = field(init=False)
    _running: asyncio.Task[int] = field(init=False)

    async def start(self) -> None:
        self.daemon = daemon = Daemon(
            load(self.path),
            reload=lambda: load(self.path),
            files=FileChanges(self.path),
            edit=partial(edit_wallets, self.path),
            now=self.clock,
        )
        with pytest.MonkeyPatch.context() as patched:
            if not self.paced:
                patched.setattr(sender, "Limits", lambda: Limits(chat=UNPACED, group=UNPACED))
            self._running = asyncio.create_task(daemon.run())
            await eventually(lambda: "local" in daemon.watches or self._running.done())

    async def stop(self) -> None:
        self.daemon.stop()
        assert await self._running == 0

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
        return (await self.message(count)).text

    async def message(self, count: int) -> Accepted:
        async with asyncio.timeout(PATIENCE):
            return (await self.api.until(count))[count - 1]

    async def press(self, data: str, message: int = 1, *, chat: int = ME, user: int = ME) -> str:
        """What somebody is shown who presses a button under a message."""
        query = self.api.updates.press(chat, user, message, data)
        await eventually(lambda: any(each["callback_query_id"] == query for each in self.api.updates.answered))
        [nod] = [each for each in self.api.updates.answered if each["callback_query_id"] == query]
        return nod.get("text", "")

    async def edited(self, message: int, *, times: int = 1) -> Accepted:
        """A message as it is once it has been edited so many times."""
        await eventually(lambda: len(self.edits(message)) >= times)
        return self.edits(message)[times - 1]

    def edits(self, message: int) -> list[Accepted]:
        return [edit for edit in self.api.edits if edit.message_id == message]

    async def take_over(self) -> None:
        """What the scheduler does every other second: looks whether a file has changed."""
        assert isinstance(self.daemon._files, FileChanges)
        for _ in range(2):
            await self.daemon._chores.look_at_files()
            await self.daemon.settled()

    async def until_none(self, query: str) -> None:
        """Until this counts nothing in the database."""
        await eventually(lambda: self._count(query) == 0)

    def kept(self, table: str) -> int:
        """How many rows a table of the database has."""
        return self._count(f"SELECT count(*) FROM {table}")

    def _count(self, query: str) -> int:
        with closing(sqlite3.connect(f"file:{self.daemon._settings.state}?mode=ro", uri=True)) as connection:
            [count] = connection.execute(query).fetchone()
        return int(count)


@asynccontextmanager
async def talking(
    folder: Path,
    market: Market,
    clock: Clock,
    *,
    gate: Gate | None = None,
    max_age: int = 86_400,
    chats: Mapping[str, int] | None = None,
    role: str = "act",
    listed: Iterable[str] | None = None,
    paced: bool = False,
) -> AsyncIterator[Talking]:
    """A daemon whose first alert has arrived, with its wallets in a file of their own.

    Everybody who speaks in a chat has this role; in the group that is Ann. `listed` wallets are watched, or else all.
    Unless it is `paced`, the API refuses no flood and the daemon fears none: these tests say much to one chat.
    """
    async with BotApi(TOKEN, chats=[ME, STRANGER, GROUP], flood=paced) as api:
        path = configure(
            folder,
            market,
            endpoints=[gate.url] if gate else None,
            api=api.base_url,
            chats=chats or {"me": ME},
            labels=listed,
            interval=NEVER,
            max_age=max_age,
        )
        _let_speak(path, role)
        chat = Talking(api, path, clock, paced)
        await chat.start()
        try:
            await chat.told(len(chats or ["me"]))
            await eventually(lambda: chat.kept("incident") == len(chats or ["me"]))
            yield chat
        finally:
            await chat.stop()


def _let_speak(path: Path, role: str) -> None:
    """Takes the wallets to a file of their own, and gives everybody a role."""
    settings, mark, wallets = path.read_text().partition("[[wallets]]")
    settings = settings.replace(f"id = {GROUP}\n", f"id = {GROUP}\nusers = [{ANN}]\n")
    settings = re.sub(r"^(id = .*)$", rf'\1\nrole = "{role}"', settings, flags=re.MULTILINE)
    path.write_text('wallets_file = "wallets.toml"\n' + settings)
    path.with_name("wallets.toml").write_text(mark + wallets)
