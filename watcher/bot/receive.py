"""Hearing commands by long polling, beside everything else: whatever becomes of this, alerts go on.

  another poller of the bot (409)    told once, in the log and in the chats; polling rests and then tries again
  no answer, or none of Telegram's   again after 1, 2, 4, … 60 s
  a flood refusal                    again when it says
  the token is refused (401)         the end of listening; the sender meets the same and ends the daemon

An update counts as read once the next poll names it, so a crash may have a command answered twice, and none is lost.
One that is older than two minutes is not answered: nobody waits for it any more.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from math import inf
from typing import Final

import structlog
from telegram import Bot, Message, Update
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from watcher.alerts.message import Text
from watcher.bot.access import Asked, Heard, Place, asked
from watcher.bot.answers import COMMANDS, answer
from watcher.bot.view import View
from watcher.config import Chat
from watcher.domain.errors import DeliveryError, WatcherError

POLL: Final = 25
"""Seconds that Telegram may hold a poll open."""
TOO_OLD: Final = 120
CONTESTED: Final = 300.0
"""Seconds of rest after another poller was met."""
_NEWS_AGAIN: Final = 3600  # seconds without one after which the next is news
WAITING: Final = 3
"""Answers that may wait in one chat; what is asked beyond them is not answered."""

_KINDS: Final = ("message",)
_LONGEST_WAIT: Final = 60.0

_log = structlog.get_logger("watcher.bot")


class Receiver:
    """`run()` it in a task of its own, and cancel it to stop."""

    def __init__(
        self,
        bot: Bot,
        *,
        places: Callable[[], Awaitable[Sequence[Place]]],
        view: Callable[[Chat], Awaitable[View]],
        say: Callable[[str, Text], Awaitable[None]],
        tell: Callable[[str, str], Awaitable[None]],
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`say` answers in a chat by its name, `tell` gives every chat a title and a text, `now` is Unix seconds."""
        self._bot = bot
        self._places = places
        self._view = view
        self._say = say
        self._tell = tell
        self._now = now
        self._sleep = sleep
        self._me = ""
        self._next: int | None = None
        self._failures = 0
        self._contested_at = -inf
        self._waiting: Counter[str] = Counter()
        self._answers: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Listen until cancelled, or until Telegram refuses the token."""
        try:
            while (wait := await self._listened()) is not None:
                if wait:
                    await self._sleep(wait)
        finally:
            for task in self._answers:
                task.cancel()
            await asyncio.gather(*self._answers, return_exceptions=True)

    async def _listened(self) -> float | None:
        """One poll and what came of it; returns the seconds to rest, or None when it is of no use to go on."""
        try:
            await self._introduce()
            updates = await self._bot.get_updates(offset=self._next, timeout=POLL, allowed_updates=_KINDS)
        except Conflict as error:
            await self._give_way(str(error))
            return CONTESTED
        except RetryAfter as error:
            wait = error.retry_after
            return float(wait) if isinstance(wait, int) else wait.total_seconds()
        except TelegramError as error:
            if isinstance(error, InvalidToken) and error.__cause__ is None:  # Telegram itself says so
                _log.error("bot.token_refused", what="commands are not heard: give the token that @BotFather shows")
                return None
            return self._backed_off(error)
        self._failures = 0
        if updates:
            await self._take(updates)
        return 0.0

    async def _introduce(self) -> None:
        """Learn the bot's own name, and offer the menu of commands. A bot without a menu is heard all the same."""
        if self._me:
            return
        self._me = (await self._bot.get_me()).username or ""
        try:
            await self._bot.set_my_commands([(name, command.about) for name, command in COMMANDS.items()])
        except TelegramError as error:
            _log.warning("bot.no_menu", kind=type(error).__name__)

    async def _give_way(self, said: str) -> None:
        now, before = self._now(), self._contested_at
        self._contested_at = now
        if now - before < _NEWS_AGAIN:
            return
        _log.error("bot.contested", said=said, again_in=CONTESTED)
        await self._tell(
            "COMMANDS ARE NOT HEARD",
            "Something else receives this bot's messages: a second watcher with the same token, or a webhook. "
            f"End it, or give each its own bot.\nAlerts go on. Telegram says: {said}",
        )

    def _backed_off(self, error: TelegramError) -> float:
        self._failures += 1
        if self._failures == 1:  # once; its text may hold the token
            _log.warning("bot.unreachable", kind=type(error).__name__)
        return min(_LONGEST_WAIT, 1 << min(self._failures - 1, 30))

    # Answering

    async def _take(self, updates: Sequence[Update]) -> None:
        self._next = updates[-1].update_id + 1
        known = await self._places()
        for update in updates:
            heard = _heard(update.message) if update.message else None
            if heard is None or heard.at < self._now() - TOO_OLD:
                continue
            question = asked(heard, known, self._me)
            if question is not None:
                self._begin(question)

    def _begin(self, question: Asked) -> None:
        name = question.chat.name
        if self._waiting[name] >= WAITING:
            _log.warning("bot.too_many", chat=name)
            return
        self._waiting[name] += 1
        task = asyncio.create_task(self._answer(question), name=f"answer-{name}")
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answer(self, question: Asked) -> None:
        name = question.chat.name
        try:
            body = await self._worked_out(question)
            await self._say(name, body)
        except (WatcherError, TimeoutError) as problem:
            kind = "refused" if isinstance(problem, DeliveryError) else "failed"
            _log.warning("bot.no_answer", chat=name, kind=kind, problem=str(problem))
        finally:
            self._waiting[name] -= 1

    async def _worked_out(self, question: Asked) -> Text:
        try:
            view = await self._view(question.chat)
            return await asyncio.to_thread(answer, question.command, question.arguments, view)
        except Exception:  # noqa: BLE001 - a bug in an answer is said and logged, and must not end the alerts
            _log.exception("bot.bug", command=question.command)
            return Text("This could not be answered: an internal error, see the log. Alerts go on.")


def _heard(message: Message) -> Heard | None:
    """A message as we need it; None for what is no text."""
    if message.text is None:
        return None
    return Heard(
        chat=message.chat.id,
        thread=message.message_thread_id if message.is_topic_message else None,
        user=message.from_user.id if message.from_user else None,
        text=message.text,
        at=int(message.date.timestamp()),
    )
