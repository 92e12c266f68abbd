"""Messages that only memory holds, for as long as the state volume takes none.

They are sent at once and until they arrive, the most severe of a chat first, and every one of them says that it may
come again: once the process ends, nothing remembers that it was sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import structlog

from watcher.alerts.fold import fold
from watcher.alerts.message import Message
from watcher.domain.errors import DeliveryError
from watcher.notify.channel import NotSent
from watcher.notify.clock import Clock
from watcher.notify.pacing import Backoff

LABEL: Final = "Not stored, the state volume refuses: this may be repeated."

_AGAIN: Final = Backoff(4.0)

_log = structlog.get_logger("watcher.notify")


class Unstored:
    """What waits in memory, by chat, and the tasks that send it."""

    def __init__(self, clock: Clock, deliver: Callable[[Message], Awaitable[None]]) -> None:
        """`deliver` sends one message whole, waiting for its chat's turn. It raises `DeliveryError`."""
        self._clock = clock
        self._deliver = deliver
        self._waiting: dict[str, list[Message]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def busy(self) -> int:
        """How many chats something is being sent to."""
        return len(self._tasks)

    def put(self, messages: Iterable[Message]) -> None:
        """Sends these as soon as their chats may get something."""
        for message in messages:
            waiting = self._waiting.get(message.chat, [])
            self._waiting[message.chat] = _folded(waiting, message)
            if message.chat not in self._tasks:
                task = asyncio.create_task(self._send_all(message.chat), name=f"unstored-{message.chat}")
                self._tasks[message.chat] = task

    def take_back(self) -> list[Message]:
        """What has not left yet, which its taker now answers for."""
        taken = [message for waiting in self._waiting.values() for message in waiting]
        self._waiting.clear()
        return taken

    async def stop(self, seconds: float) -> None:
        """Waits that long for what is on its way. The rest is raised again after a start: nothing of it was stored."""
        self._waiting.clear()
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks.values()), timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _send_all(self, chat: str) -> None:
        attempt = 0
        try:
            while waiting := self._waiting.get(chat):
                message = max(waiting, key=lambda one: one.severity)
                waiting.remove(message)
                try:
                    await self._deliver(message)
                    attempt = 0
                except DeliveryError as error:
                    _log.warning("notify.failed", chat=chat, stored=False, kind=type(error).__name__, error=str(error))
                    if not error.permanent:
                        attempt += 1
                        self._waiting[chat] = _folded([message], *self._waiting.get(chat, []))
                        await self._wait(error, attempt)
        finally:
            del self._tasks[chat]

    async def _wait(self, error: DeliveryError, attempt: int) -> None:
        asked = error.retry_after if isinstance(error, NotSent) else None
        await self._clock.sleep_until(self._clock.now() + (asked or _AGAIN.after(attempt)))


def _folded(waiting: list[Message], *newer: Message) -> list[Message]:
    """All of them, each subject in the newest that speaks of it."""
    for message in newer:
        kept = []
        for older in waiting:
            rest, message = fold(older, message)  # noqa: PLW2901 - it grows by what it takes over
            kept += [rest] if rest else []
        waiting = [*kept, message]
    return waiting
