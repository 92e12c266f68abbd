"""Commands, wired: heard through the bot that speaks, answered from what the watches saw last, sent behind alerts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from watcher.alerts.message import Level, Message, Text
from watcher.alerts.record import Key, Record
from watcher.bot.access import Place, places
from watcher.bot.receive import Receiver
from watcher.bot.view import View, view_of
from watcher.config import Chat, Settings
from watcher.notify.sender import Sender
from watcher.notify.telegram import TelegramBot
from watcher.snapshot import Snapshot
from watcher.store import Store, StoreFailed, StoreThread

PATIENCE = 60.0
"""Seconds after which nobody waits for an answer any more."""


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to answer from: the newest snapshots by chain, and how every condition stands."""

    snapshots: Mapping[str, Snapshot | None]
    records: Mapping[Key, Record]


class Listening:
    """Hears commands while there is a bot. Whatever becomes of it, the daemon goes on."""

    def __init__(
        self,
        store: StoreThread,
        sender: Sender,
        *,
        settings: Settings,
        known: Callable[[], Known],
        tell: Callable[[str, str], Awaitable[None]],
        ended: Callable[[asyncio.Task[None]], None],
        now: Callable[[], float],
    ) -> None:
        """`tell` gives every chat a title and a text; `ended` is told of a task that ended; `now` is Unix seconds."""
        self._store = store
        self._sender = sender
        self._known = known
        self._settings = settings
        self._tell = tell
        self._ended = ended
        self._now = now
        self._started_at = now()
        self._bot: TelegramBot | None = None
        self._task: asyncio.Task[None] | None = None

    async def through(self, bot: TelegramBot | None, settings: Settings) -> None:
        """Listens through this bot from now on, under these settings; through none, not at all."""
        self._settings = settings
        if bot is self._bot:
            return
        await self.stop()
        self._bot = bot
        if bot is not None:
            receiver = Receiver(
                bot.library, places=self._places, view=self._view, say=self._say, tell=self._tell, now=self._now
            )
            self._task = asyncio.create_task(receiver.run(), name="commands")
            self._task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Hears nothing more, and drops the answers that are on their way."""
        task, self._task, self._bot = self._task, None, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _places(self) -> Sequence[Place]:
        chats = self._settings.chats
        try:
            return places(chats, await self._store.do(Store.chats))
        except StoreFailed:
            return places(chats, {})

    async def _view(self, chat: Chat) -> View:
        known = self._known()
        return await view_of(
            chat,
            self._settings,
            known.snapshots,
            known.records,
            self._store,
            started_at=self._started_at,
            now=self._now(),
        )

    async def _say(self, chat: str, body: Text) -> None:
        answer = Message(chat=chat, severity=Level.OK, body=body, about=(), created_at=int(self._now()))
        async with asyncio.timeout(PATIENCE):
            await self._sender.answer(answer)
