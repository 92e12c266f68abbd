"""Keeping what was decided and telling it, also while the state volume takes nothing: disk full, read-only, failing.

While it refuses, records stay in memory and their messages are sent from there, with an alert about the volume itself;
each look tries again. Once it works, what memory held is committed together with whatever had not left by then.
What a mute holds, or the quiet hours of a chat, waits in memory for their end, or for the volume.
A process that ends before that has told, and has not stored: it raises the same alerts again, which is why they say so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

import structlog

from watcher.alerts import figures
from watcher.alerts.message import Level, Message, Section, Text, bold
from watcher.alerts.record import Key, Record
from watcher.domain.source import Address
from watcher.notify.sender import Sender
from watcher.store import Store, StoreFailed, StoreThread
from watcher.store.prices import NOTHING, PricesKept
from watcher.store.seen import LastSeen

SUBJECT: Final = "state volume"

_log = structlog.get_logger("watcher.notify")


class Keeper:
    """Where decisions go. One for all who decide."""

    def __init__(
        self,
        store: StoreThread,
        sender: Sender,
        *,
        chats: Callable[[], Sequence[str]],
        now: Callable[[], float],
        quiet: Callable[[], Collection[str]] = tuple,
    ) -> None:
        """`chats` are told about the volume; `now` is the clock that messages are dated by; `quiet` as the sender's."""
        self._store = store
        self._sender = sender
        self._chats = chats
        self._now = now
        self._quiet = quiet
        self._unsaved: dict[Key, Record] = {}
        self._held: list[Message] = []
        self._unsaved_seen: dict[tuple[str, Address], LastSeen] = {}
        self._unsaved_prices = NOTHING
        self._refused_since: int | None = None
        self._turn = asyncio.Lock()

    @property
    def unsaved(self) -> dict[Key, Record]:
        """Records that are newer than the database's."""
        return dict(self._unsaved)

    async def keep(
        self,
        records: Iterable[Record],
        messages: Sequence[Message],
        seen: Iterable[LastSeen] = (),
        prices: PricesKept = NOTHING,
    ) -> None:
        """Stores all in one transaction and has the messages sent; or remembers the rest and sends them all the same.

        Never fails for the volume's sake.
        """
        async with self._turn:
            self._unsaved |= {record.key: record for record in records}
            self._unsaved_seen |= {one.place: one for one in seen}
            self._unsaved_prices |= prices
            unsent = [*self._sender.take_back(), *self._held, *messages]
            try:
                await self._store.do(
                    Store.commit,
                    list(self._unsaved.values()),
                    [*unsent, *self._mended()],
                    list(self._unsaved_seen.values()),
                    self._unsaved_prices,
                )
            except StoreFailed as problem:
                _log.error("state.not_written", problem=str(problem), unsaved=len(self._unsaved))
                self._held = [message for message in unsent if self._is_held(message)]
                loud = [message for message in unsent if message not in self._held]
                self._sender.send_now([*self._refused(str(problem)), *loud])
            else:
                self._unsaved.clear()
                self._held.clear()
                self._unsaved_seen.clear()
                self._unsaved_prices = NOTHING
                self._refused_since = None
                self._sender.wake()

    async def retry(self) -> None:
        """Tries again to store what could not be stored, if anything."""
        if self._refused_since is not None:
            await self.keep((), ())

    def _is_held(self, message: Message) -> bool:
        hushed = message.severity < Level.CRITICAL and message.chat in self._quiet()
        return hushed or message.held_until > self._now()

    def _refused(self, problem: str) -> list[Message]:
        """The alert, the first time."""
        if self._refused_since is not None:
            return []
        self._refused_since = int(self._now())
        body = bold("STATE VOLUME REFUSES WRITES") + f"\n{problem}\n"
        body += Text("Alerts are still sent, from memory: a restart repeats them. Free the disk or make it writable.")
        return self._told(Level.CRITICAL, body)

    def _mended(self) -> list[Message]:
        if self._refused_since is None:
            return []
        span = figures.duration(max(int(self._now()) - self._refused_since, 0))
        return self._told(Level.OK, bold("STATE VOLUME WRITABLE AGAIN") + f"\nNothing could be stored for {span}.")

    def _told(self, level: Level, body: Text) -> list[Message]:
        now = int(self._now())
        section = Section(rule="state", subject=SUBJECT, severity=level, level=level, body=body, at=now, since=now)
        return [Message.of(chat, [section], now) for chat in self._chats()]
