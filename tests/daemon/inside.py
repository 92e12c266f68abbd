"""The daemon inside the test, with a clock that the test moves and a chat that it reads."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from tests.daemon.waiting import eventually
from watcher.alerts.message import Message, Text
from watcher.config import Settings, load
from watcher.config.settings import CONSOLE
from watcher.daemon import Daemon
from watcher.notify.channel import PLAIN, Envelope, Pace
from watcher.store import Store
from watcher.watch import ChainWatch

NEVER = "1h"
"""An interval at which the daemon looks only when the test says so."""


@dataclass(slots=True)
class Clock:
    """Unix seconds, moved by hand."""

    now: float

    def __call__(self) -> float:
        return self.now


@dataclass(slots=True)
class Inbox:
    """A chat that keeps what it is sent."""

    texts: list[str] = field(default_factory=list)

    @property
    def pace(self) -> Pace:
        return Pace.FREE

    def parts(self, body: Text, *, plain: bool = False) -> tuple[Text, ...]:
        return (body,)

    async def send(self, message: Message, *, label: str | None, envelope: Envelope = PLAIN) -> str:
        self.texts.append(f"{label}\n{message.body}" if label else str(message.body))
        return str(len(self.texts))

    def move(self, address: str) -> None:
        raise AssertionError(f"nothing moves here: {address}")


@dataclass(slots=True)
class Inside:
    """A running daemon."""

    daemon: Daemon
    clock: Clock
    inbox: Inbox
    state: Path

    @property
    def watch(self) -> ChainWatch:
        return self.daemon.watches["local"]

    async def look(self, *, after: float = 0) -> list[str]:
        """One look at the chain, so many seconds later; returns what it made the daemon say."""
        self.clock.now += after
        before = len(self.inbox.texts)
        await self.watch.tick()
        return (await self.heard())[before:]

    async def heard(self) -> list[str]:
        """All that was said so far, once it has arrived."""
        await eventually(lambda: len(self.inbox.texts) >= said(self.state, self.clock.now))
        return self.inbox.texts

    async def reload(self, config: Path, *, times: int = 1) -> list[str]:
        """Finds this configuration on so many SIGHUPs at once; returns what the first look after them says."""
        self.daemon._reload = lambda: load(config)
        before = len(self.inbox.texts)
        await asyncio.gather(*(self.daemon.reload() for _ in range(times)))
        await self.looked()
        return self.inbox.texts[before:]

    async def volume(self, pragma: str) -> None:
        """What SQLite then answers is what it answers on a state volume that is full, read-only, or well again."""

        def ask(store: Store) -> None:
            driver = store._connection.connection.driver_connection
            assert driver is not None
            driver.execute(f"PRAGMA {pragma}")

        await self.daemon._store.do(ask)

    async def looked(self) -> None:
        """Waits for the first look of the watch as it is now."""
        await eventually(lambda: any(watch.progressed_at for watch in self.daemon.watches.values()))
        await self.heard()


def said(state: Path, now: float = inf) -> int:
    """How many messages were ever written into the outbox, without those that a mute holds then."""
    with closing(sqlite3.connect(f"file:{state}?mode=ro", uri=True)) as connection:
        [count] = connection.execute("SELECT count(*) FROM outbox WHERE held_until <= ?", [now]).fetchone()
    return int(count)


@asynccontextmanager
async def inside(settings: Settings, clock: Clock, inbox: Inbox | None = None) -> AsyncIterator[Inside]:
    """A daemon that has looked once, and looks again only when asked to (`interval` is to be `NEVER`)."""
    inbox = inbox or Inbox()
    daemon = Daemon(settings, now=clock, channels={CONSOLE: inbox})
    running = asyncio.create_task(daemon.run())
    started = Inside(daemon, clock, inbox, settings.state)
    try:
        await started.looked()
        yield started
    finally:
        daemon.stop()
        code = await running
    assert code == 0
