"""Hearing commands and presses by long polling, beside everything else: whatever becomes of this, alerts go on.

  another poller of the bot (409)    told once, in the log and in the chats; polling rests and then tries again
  no answer, or none of Telegram's   again after 1, 2, 4, … 60 s
  a flood refusal                    again when it says
  the token is refused (401)         the end of listening; the sender meets the same and ends the daemon

An update counts as read once the next poll names it, so a crash may have a command answered twice, and none is lost.
A command that is older than two minutes is not answered: nobody waits for it any more. A press has no date; what it
does is bound to its message instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from math import inf
from typing import Final

import structlog
from telegram import Bot, CallbackQuery, Message, Update
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from watcher.bot.access import Asked, Heard, Place, Push, Touched, asked, pushed
from watcher.bot.commands import COMMANDS
from watcher.buttons import Seal

POLL: Final = 25
"""Seconds that Telegram may hold a poll open."""
TOO_OLD: Final = 120
CONTESTED: Final = 300.0
"""Seconds of rest after another poller was met."""
_NEWS_AGAIN: Final = 3600  # seconds without one after which the next is news

_KINDS: Final = ("message", "callback_query")
_LONGEST_WAIT: Final = 60.0

_log = structlog.get_logger("watcher.bot")


class Receiver:
    """`run()` it in a task of its own, and cancel it to stop."""

    def __init__(
        self,
        bot: Bot,
        *,
        places: Callable[[], Awaitable[Sequence[Place]]],
        seal: Seal,
        take: Callable[[Asked | Push], None],
        tell: Callable[[str, str], Awaitable[None]],
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`take` is given what is to be answered, `tell` gives every chat a title and a text, `now` is Unix seconds."""
        self._bot = bot
        self._places = places
        self._seal = seal
        self._take = take
        self._tell = tell
        self._now = now
        self._sleep = sleep
        self._me = ""
        self._next: int | None = None
        self._failures = 0
        self._contested_at = -inf
        self.problem = ""
        """Why Telegram cannot be heard now; empty where it can, or was not asked yet."""

    async def run(self) -> None:
        """Listen until cancelled, or until Telegram refuses the token."""
        while (wait := await self._listened()) is not None:
            if wait:
                await self._sleep(wait)

    async def _listened(self) -> float | None:
        """One poll and what came of it; returns the seconds to rest, or None when it is of no use to go on."""
        try:
            hold = 0 if self._failures else POLL  # after a failure, to know at once that it is over
            await self._introduce()
            updates = await self._bot.get_updates(offset=self._next, timeout=hold, allowed_updates=_KINDS)
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
        self._failures, self.problem = 0, ""
        if updates:
            await self._read(updates)
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
        self.problem = f"no answer: {type(error).__name__}"
        if self._failures == 1:  # once; its text may hold the token
            _log.warning("bot.unreachable", kind=type(error).__name__)
        return min(_LONGEST_WAIT, 1 << min(self._failures - 1, 30))

    async def _read(self, updates: Sequence[Update]) -> None:
        self._next = updates[-1].update_id + 1
        known = await self._places()
        for update in updates:
            meant = self._meant(update, known)
            if meant is not None:
                self._take(meant)

    def _meant(self, update: Update, known: Sequence[Place]) -> Asked | Push | None:
        """The command or the press in an update, if it is from somebody who may speak."""
        touched = _touched(update.callback_query) if update.callback_query else None
        if touched is not None:
            return pushed(touched, known, self._seal)
        heard = _heard(update.message) if update.message else None
        if heard is None or heard.at < self._now() - TOO_OLD:
            return None
        return asked(heard, known, self._me)


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


def _touched(query: CallbackQuery) -> Touched | None:
    """A press as we need it; None where it is under no message of a chat."""
    if query.message is None or query.data is None:
        return None
    return Touched(
        chat=query.message.chat.id,
        user=query.from_user.id,
        message=str(query.message.message_id),
        data=query.data,
        query=query.id,
    )
