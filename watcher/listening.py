"""Commands and buttons, wired: heard through the bot that speaks, answered from what the watches saw last, sent behind
alerts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from telegram.error import TelegramError

from watcher import charts
from watcher.alerts.clean import shortened
from watcher.alerts.message import Level, Message, Text
from watcher.alerts.record import Key, Record
from watcher.alerts.sighting import View as Judged
from watcher.bot.access import Place, places
from watcher.bot.chart import chart_of
from watcher.bot.desk import Desk
from watcher.bot.hands import Alert, Hands
from watcher.bot.proposals import Proposals
from watcher.bot.receive import Receiver
from watcher.bot.reply import Reply
from watcher.bot.view import Found, View, view_of, with_last_day
from watcher.buttons import Keyboard, Seal
from watcher.chain import EndpointReport
from watcher.config import Chat, Settings
from watcher.domain.errors import ConfigError
from watcher.handling import Handling
from watcher.notify.channel import Envelope
from watcher.notify.sender import Sender
from watcher.notify.telegram import TelegramBot
from watcher.panel import Panel
from watcher.snapshot import Snapshot
from watcher.store import Store, StoreFailed, StoreThread
from watcher.store.incidents import told
from watcher.wallets import Change, Edit

PATIENCE = 60.0
"""Seconds after which nobody waits for an answer any more."""
_NOD: Final = 200  # characters, core.telegram.org/bots/api#answercallbackquery


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to answer from: how every condition stands, and by chain its newest snapshot, what alerts made of
    it, why it cannot be seen now if it cannot, and how its endpoints have been doing.
    """

    snapshots: Mapping[str, Snapshot | None]
    records: Mapping[Key, Record]
    unseen: Mapping[str, str]
    endpoints: Mapping[str, Sequence[EndpointReport]]
    judged: Mapping[str, Judged | None] = field(default_factory=dict)


class Voice:
    """Answers through the sender, in whose limits they are; nods past it, since they are no messages."""

    def __init__(self, bot: TelegramBot, sender: Sender, now: Callable[[], float]) -> None:
        self._bot = bot
        self._sender = sender
        self._now = now

    async def say(self, chat: str, reply: Reply, reply_to: str | None = None) -> None:
        answer = Message(chat=chat, severity=Level.OK, body=reply.body, about=(), created_at=int(self._now()))
        async with asyncio.timeout(PATIENCE):
            message = await self._sender.answer(answer, Envelope(reply_to, reply.keyboard), reply.photo)
        if reply.sent is not None:
            reply.sent(message)

    async def show(self, chat: str, message: str, body: Text | None, keyboard: Keyboard) -> None:
        await self._sender.edit(chat, message, body, keyboard, asked=True)

    async def nod(self, query: str, text: str) -> None:
        try:
            await self._bot.library.answer_callback_query(query, shortened(text, _NOD))
        except TelegramError as error:
            failure = self._bot.failure(error)
        else:
            return
        raise failure  # out of the handler: its traceback holds request objects, and those hold the token


class Listening:
    """Hears commands and presses while there is a bot. Whatever becomes of it, the daemon goes on."""

    def __init__(
        self,
        store: StoreThread,
        sender: Sender,
        *,
        settings: Settings,
        known: Callable[[], Known],
        handling: Handling,
        edit: Callable[[Change], Edit] | None,
        tell: Callable[[str, str], Awaitable[None]],
        ended: Callable[[asyncio.Task[None]], None],
        refresh: Callable[[int], Coroutine[Any, Any, None]],
        now: Callable[[], float],
    ) -> None:
        """`edit` tries a change of the wallets file, in a thread; None: there is no configuration file to edit.

        `tell` gives every chat a title and a text; `ended` is told of a task that ended; `refresh` shows
        what was said of an alert, by its number; `now` is Unix seconds.
        """
        self._store = store
        self._sender = sender
        self._known = known
        self._handling = handling
        self._edit = edit
        self._proposals = Proposals(now)
        self._settings = settings
        self._tell = tell
        self._ended = ended
        self._refresh = refresh
        self._now = now
        self._started_at = now()
        self._bot: TelegramBot | None = None
        self._desk: Desk | None = None
        self._receiver: Receiver | None = None
        self._task: asyncio.Task[None] | None = None

    async def through(self, bot: TelegramBot | None, settings: Settings) -> None:
        """Listens through this bot from now on, under these settings; through none, not at all."""
        self._settings = settings
        if bot is self._bot:
            return
        await self.stop()
        self._bot = bot
        if bot is not None and settings.telegram is not None:
            seal = Seal.of_bot(settings.telegram.token.reveal())
            self._desk = Desk(voice=Voice(bot, self._sender, self._now), view=self.view, hands=self._hands(seal))
            self._receiver = Receiver(
                bot.library, places=self._places, seal=seal, take=self._desk.take, tell=self._tell, now=self._now
            )
            self._task = asyncio.create_task(self._receiver.run(), name="commands")
            self._task.add_done_callback(self._ended)

    @property
    def problem(self) -> str:
        """Why Telegram cannot be heard now; empty where it can, was not asked yet, or is not to be."""
        return self._receiver.problem if self._receiver else ""

    async def stop(self) -> None:
        """Hears nothing more, and drops the answers that are on their way."""
        task, self._task, self._bot, self._receiver = self._task, None, None, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        desk, self._desk = self._desk, None
        if desk is not None:
            await desk.close()

    def _hands(self, seal: Seal) -> Hands:
        return Hands(
            handling=self._handling,
            alert=self._alert,
            edit=self._tried,
            chart=self._chart,
            last_day=self._with_last_day,
            proposals=self._proposals,
            seal=seal,
            panel=Panel(seal, self._chat, charts=charts.available()),
            refresh=self._refresh,
        )

    def _chat(self, name: str) -> Chat | None:
        return self._settings.chats.get(name)

    async def _alert(self, number: int) -> Alert | None:
        """A delivered alert; what of it got worse is told elsewhere by now."""
        found = await self._store.do(told, number)
        if found is None:
            return None
        return Alert(id=number, chat=found.message.chat, message=found.external_id, members=found.members)

    async def _chart(self, chat: str, found: Found, seconds: int) -> tuple[bytes, Text]:
        settings, where = self._settings, self._chat(chat)
        zone = where.zone if where else "UTC"
        return await chart_of(found, seconds, self._store, now=int(self._now()), zone=zone, interval=settings.interval)

    async def _with_last_day(self, view: View) -> View:
        return await with_last_day(view, self._store)

    async def _tried(self, change: Change) -> Edit:
        if self._edit is None:
            raise ConfigError("this watcher was started without a configuration file: there is nothing to edit")
        return await asyncio.to_thread(self._edit, change)

    async def _places(self) -> Sequence[Place]:
        chats = self._settings.chats
        try:
            return places(chats, await self._store.do(Store.chats))
        except StoreFailed:
            return places(chats, {})

    async def view_of_day(self, chat: Chat) -> View:
        """What this chat may see now, and what the last day brought."""
        return await self._with_last_day(await self.view(chat))

    async def view(self, chat: Chat) -> View:
        """What this chat may see now."""
        known = self._known()
        return await view_of(
            chat,
            self._settings,
            known.snapshots,
            known.records,
            self._store,
            judged=known.judged,
            unseen=known.unseen,
            endpoints=known.endpoints,
            acks=self._handling.acks,
            mutes=self._handling.mutes(chat.name),
            started_at=self._started_at,
            now=self._now(),
        )
