"""Daily digests, wired: each is written at its time, in one transaction with the day that it is the digest of.

So a day has one whatever happens in between. While the database takes nothing there is none: that is an alert already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import date
from typing import Final

import structlog

from watcher.alerts.message import Level, Message, Section
from watcher.bot.digest import digest
from watcher.bot.view import View
from watcher.config import Chat
from watcher.store import StoreFailed, StoreThread
from watcher.store.digests import digest_days, keep_digest

LOOK_EVERY: Final = 30
"""Seconds between two looks at the clock."""
PATIENCE: Final = 120
"""Seconds that a digest waits for the first sight of every chain, as after a start."""

_DIGEST: Final = "digest"  # as a subject: one that still waits gives way to the next

_log = structlog.get_logger("watcher.digests")


class Digests:
    """`look()` at regular intervals. One, for all chats."""

    def __init__(
        self,
        store: StoreThread,
        *,
        view: Callable[[Chat], Awaitable[View]],
        now: Callable[[], float],
        spoke: Callable[[], None],
    ) -> None:
        """`view` is what a chat may see; `now` is Unix seconds; `spoke` is called once a message is stored."""
        self._store = store
        self._view = view
        self._now = now
        self._spoke = spoke
        self._waiting: dict[tuple[str, date], float] = {}

    async def look(self, chats: Iterable[Chat]) -> None:
        """Writes every digest that is due."""
        scheduled = [chat for chat in chats if chat.digest]
        if not scheduled:
            return
        try:
            last = await self._store.do(digest_days)
            for chat in scheduled:
                due = chat.digest.due(self._now(), last.get(chat.name)) if chat.digest else None
                if due is not None:
                    await self._write(chat, due)
        except StoreFailed as problem:
            _log.error("digest.not_written", problem=str(problem))

    async def _write(self, chat: Chat, day: date) -> None:
        view = await self._view(chat)
        if not view.wallets or self._waits(view, day):
            return
        body = await asyncio.to_thread(digest, (), view)
        section = Section(
            rule=_DIGEST, subject=_DIGEST, severity=Level.OK, level=Level.OK, body=body, at=view.now, since=view.now
        )
        await self._store.do(keep_digest, Message.of(chat.name, [section], view.now), day)
        self._waiting.pop((chat.name, day), None)
        self._spoke()
        _log.info("digest.written", chat=chat.name, day=day.isoformat())

    def _waits(self, view: View, day: date) -> bool:
        """Whether a chain may yet be seen that has not been looked at, and is not known to be blind."""
        since = self._waiting.setdefault((view.chat, day), view.now)
        unseen = any(sight.snapshot is None and sight.blind_since is None for sight in view.sights)
        return unseen and 0 <= view.now - since < PATIENCE
