"""A worker on a real database with the stand-in or channels of our own, under a clock that never makes a test wait."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.bot_api import BotApi
from watcher.alerts.message import Level, Message, Text
from watcher.notify.channel import PLAIN, Channel, Envelope, Pace
from watcher.notify.sender import Sender
from watcher.notify.telegram import TelegramBot
from watcher.store import Backlog, ChatState, Store, StoreThread

LABEL = "May be a repeat"
START = 1_000_000
_AGE = re.compile(r"^(Raised|Written) .* ago, delivered late\.\n", re.MULTILINE)


class JumpingClock:
    """Stands still while a send is on its way, and jumps to wherever the worker wants to wait."""

    def __init__(self, start: float = START) -> None:
        self._now = start
        self.busy: Callable[[], bool] = lambda: False

    def now(self) -> float:
        return self._now

    async def sleep_until(self, moment: float) -> None:
        await asyncio.sleep(0)  # else who looks again and again would keep everybody else from ever moving
        self._now = max(self._now, moment)

    async def wait(self, event: asyncio.Event, until: float) -> None:
        await asyncio.sleep(0)
        if self.busy() and until - self._now <= 2:  # not for an answer, only beside it
            with suppress(TimeoutError):
                await asyncio.wait_for(event.wait(), 0.05)
            if not event.is_set():
                await self.sleep_until(until)
        elif self.busy():
            await event.wait()
        elif not event.is_set():
            await self.sleep_until(until)


@dataclass
class Rig:
    """A sender at work."""

    sender: Sender
    thread: StoreThread
    clock: JumpingClock
    fatal: list[str]

    async def put(self, *messages: Message) -> None:
        await self.thread.do(Store.commit, [], messages)
        self.sender.wake()

    async def backlog(self) -> Backlog:
        return await self.thread.do(Store.backlog)

    async def chats(self) -> dict[str, ChatState]:
        return await self.thread.do(Store.chats)

    async def until_empty(self) -> None:
        """Until nothing is left that could be sent."""
        await self.until(self._is_empty)

    async def until(self, there: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(60):
            while not await there():  # noqa: ASYNC110 - the answer is in a database, which sets no event
                await asyncio.sleep(0.002)

    async def _is_empty(self) -> bool:
        backlog = await self.backlog()
        return backlog.pending == backlog.refused


@asynccontextmanager
async def working(
    path: Path, channels: Mapping[str, Channel], *, clock: JumpingClock | None = None, before: Iterable[Message] = ()
) -> AsyncIterator[Rig]:
    """A sender that runs on the database at `path`, with the messages of `before` already in it."""
    clock = clock or JumpingClock()
    thread = StoreThread(Store.open(path))
    fatal: list[str] = []
    await thread.do(Store.register, {name: str(number) for number, name in enumerate(channels)})
    await thread.do(Store.commit, [], before)
    sender = Sender(thread, channels, clock=clock, on_fatal=fatal.append)
    clock.busy = lambda: sender.in_flight > 0
    running = asyncio.create_task(sender.run())
    try:
        yield Rig(sender, thread, clock, fatal)
    finally:
        await sender.stop(1.0)
        await running
        await thread.close()


@asynccontextmanager
async def telegram(api: BotApi, *, token: str | None = None) -> AsyncIterator[TelegramBot]:
    async with TelegramBot(token or api.token, base_url=api.base_url, connect_timeout=1.0, read_timeout=0.25) as bot:
        yield bot


@dataclass
class MemoryChannel:
    """Keeps what it is sent, or raises what it is told to, once each; `None` among `errors` lets one pass."""

    clock: JumpingClock
    pace: Pace = Pace.PRIVATE
    sent: list[tuple[float, str, str | None]] = field(default_factory=list)
    errors: list[Exception | None] = field(default_factory=list)
    cut: int = 1_000_000
    gate: asyncio.Event | None = None

    def parts(self, body: Text, *, plain: bool = False) -> tuple[Text, ...]:
        size = self.cut // 2 if plain else self.cut
        return tuple(Text(body.text[i : i + size]) for i in range(0, len(body.text), size))

    async def send(self, message: Message, *, label: str | None, envelope: Envelope = PLAIN) -> str:
        if self.errors and (error := self.errors.pop(0)) is not None:
            raise error
        self.sent.append((self.clock.now(), message.body.text, label))
        if self.gate is not None:
            await self.gate.wait()
        return str(len(self.sent))

    def move(self, address: str) -> None:
        self.sent.append((self.clock.now(), f"moved to {address}", None))

    @property
    def texts(self) -> list[str]:
        return [text for _, text, _ in self.sent]


def message(body: str | Text, chat: str = "a", severity: Level = Level.WARN, created_at: int = START) -> Message:
    text = Text(body) if isinstance(body, str) else body
    return Message(chat=chat, severity=severity, body=text, about=("position:1",), created_at=created_at)


def bare(texts: Iterable[str]) -> list[str]:
    """What was sent, without the line that tells its age."""
    return [_AGE.sub("", text) for text in texts]


def shortened(text: str) -> str:
    """A repeat, with the first words of its label instead of the whole of it."""
    first, _, rest = text.partition("\n")
    return f"{LABEL} {rest}" if first.startswith(LABEL) else text
