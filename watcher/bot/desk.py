"""The desk: takes what was heard and what was pressed, and answers, a few at a time for each chat.

Nobody is kept waiting by a chat that asks without end: what comes while `WAITING` answers of it are on their way is
not answered. A bug in an answer is said and logged, and ends nothing else.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, Protocol

import structlog

from watcher.alerts.message import Text
from watcher.bot.access import Asked, Push
from watcher.bot.commands import answer
from watcher.bot.editing import in_force, outcome
from watcher.bot.hands import Hands
from watcher.bot.presses import OUT_OF_DATE, Response, respond
from watcher.bot.reply import Reply
from watcher.bot.view import View
from watcher.buttons import Keyboard
from watcher.config import Chat
from watcher.domain.errors import DeliveryError, WatcherError
from watcher.wallets import Edit

WAITING: Final = 3
"""Answers that may be on their way to one chat."""
TAKEN_OVER: Final = 60
"""Seconds within which an edit is in force, and has been looked at, or we say that it is not."""
_FAULT: Final = "This could not be answered: an internal error, see the log. Alerts go on."

_log = structlog.get_logger("watcher.bot")


class Voice(Protocol):
    """How answers get out. All raise `WatcherError`."""

    async def say(self, chat: str, reply: Reply, reply_to: str | None = None) -> None:
        """Behind every alert to the chat."""
        ...

    async def show(self, chat: str, message: str, body: Text | None, keyboard: Keyboard) -> None:
        """Makes a message say this; without a text, only its buttons are others."""
        ...

    async def nod(self, query: str, text: str) -> None:
        """A few words to whoever pressed, at once and only to them."""
        ...


class Desk:
    """`close()` it when done."""

    def __init__(
        self,
        *,
        voice: Voice,
        view: Callable[[Chat], Awaitable[View]],
        hands: Hands,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._voice = voice
        self._view = view
        self._hands = hands
        self._sleep = sleep
        self._waiting: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, what: Asked | Push) -> None:
        """Begins to answer, unless the chat has too many answers on their way already."""
        name = what.chat.name
        if self._waiting[name] >= WAITING:
            _log.warning("bot.too_many", chat=name)
            return
        self._waiting[name] += 1
        work = self._answer(what) if isinstance(what, Asked) else self._respond(what)
        self._begin(self._counted(name, work), f"answer-{name}")

    async def close(self) -> None:
        """Drops the answers that are on their way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _counted(self, chat: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            await self._outspoken(chat, work)
        finally:
            self._waiting[chat] -= 1

    async def _outspoken(self, chat: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (WatcherError, TimeoutError) as problem:
            kind = "refused" if isinstance(problem, DeliveryError) else "failed"
            _log.warning("bot.no_answer", chat=chat, kind=kind, problem=str(problem))

    # Commands

    async def _answer(self, asked: Asked) -> None:
        await self._voice.say(asked.chat.name, await self._worked_out(asked))

    async def _worked_out(self, asked: Asked) -> Reply:
        try:
            view = await self._view(asked.chat)
            return await answer(asked.command, asked.arguments, view, self._hands, asked.by)
        except WatcherError as problem:
            _log.warning("bot.not_done", command=asked.command, problem=str(problem))
            return Reply(body=Text(f"This could not be done: {problem}"))
        except Exception:  # noqa: BLE001 - a bug in an answer is said and logged, and must not end the alerts
            _log.exception("bot.bug", command=asked.command)
            return Reply(body=Text(_FAULT))

    # Buttons

    async def _respond(self, push: Push) -> None:
        """What was pressed is done first; then whoever pressed hears of it, and then the chat."""
        chat, response = push.chat.name, await self._done(push)
        await self._outspoken(chat, self._voice.nod(push.query, response.nod))
        if response.shows is not None:
            await self._outspoken(chat, self._voice.show(chat, push.message, *response.shows))
        if response.handled and push.pressed is not None:
            await self._outspoken(chat, self._hands.refresh(push.pressed.ref))
        if response.reply is not None:
            await self._voice.say(chat, response.reply, push.message)
        if response.edit is not None:
            self._begin(self._outspoken(chat, self._follow(push, response.edit)), f"edit-{chat}")

    async def _done(self, push: Push) -> Response:
        if push.pressed is None:
            return Response(nod=OUT_OF_DATE)
        try:
            return await respond(push, await self._view(push.chat), self._hands)
        except WatcherError as problem:
            _log.warning("bot.not_done", button=push.pressed, problem=str(problem))
            return Response(nod=f"This could not be done: {problem}")
        except Exception:  # noqa: BLE001 - as above
            _log.exception("bot.bug", button=push.pressed)
            return Response(nod=_FAULT)

    async def _follow(self, push: Push, edit: Edit) -> None:
        """Tells what an edit came to, once the watcher goes by it."""
        for _ in range(TAKEN_OVER):
            view = await self._view(push.chat)
            if in_force(edit, view):
                await self._voice.say(push.chat.name, Reply(body=outcome(edit, view)), push.message)
                return
            await self._sleep(1)
        late = Text("Saved, and not in force yet: see /status, and the watcher's log.")
        await self._voice.say(push.chat.name, Reply(body=late), push.message)
