"""What is sent beside the outbox: answers, edits, and messages that only memory holds.

All go through the same lanes as what the outbox holds, so a chat has one message on its way whoever sends it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import partial
from math import inf
from typing import Final, TypeVar

import structlog

from watcher.alerts.fold import late
from watcher.alerts.message import Message, Text
from watcher.buttons import Keyboard
from watcher.notify.asking import bounded
from watcher.notify.channel import (
    PLAIN,
    Channel,
    ChatMoved,
    ChatRefused,
    Envelope,
    FateUnknown,
    NotSent,
    RichChannel,
)
from watcher.notify.clock import Clock
from watcher.notify.pacing import Lane, Share
from watcher.notify.unstored import LABEL
from watcher.store import Store, StoreFailed, StoreThread

T = TypeVar("T")

_log = structlog.get_logger("watcher.notify")

PATIENCE: Final = 10.0
"""Seconds that an edit waits for its turn: a newer one will say more."""
_CHOOSES: Final = 600.0  # seconds for which a press is remembered
_TURN: Final = 0.05  # seconds between looks at a chat that has something on its way


class Beside:
    """Sends at once and whole, or says why not; who calls decides whether to try again."""

    def __init__(
        self,
        store: StoreThread,
        clock: Clock,
        wall: Callable[[], float],
        *,
        channels: Mapping[str, Channel],
        lanes: Mapping[str, Lane],
        due: Callable[[], Awaitable[Collection[str]]],
        wake: Callable[[], None],
    ) -> None:
        """`channels` and `lanes` are the sender's own, by chat, and change under us.

        `due` names the chats that something in the outbox waits for; `wake` says that a lane is free again. `wall`, in
        Unix seconds, is the clock that messages were dated by.
        """
        self._store = store
        self._clock = clock
        self._wall = wall
        self._channels = channels
        self._lanes = lanes
        self._due = due
        self._wake = wake
        self._edits: dict[str, asyncio.Future[None]] = {}  # on their way, by chat
        self._pressed: dict[tuple[str, str], float] = {}  # when somebody was given other buttons only
        self._awaited: Counter[str] = Counter()  # how much people wait for, by chat

    async def unstored(self, message: Message) -> None:
        """All parts, each in its chat's turn. Raises `DeliveryError`; then all of them are to be sent again."""
        age = late(message, int(self._wall()))
        label = f"{LABEL}\n{age}" if age else LABEL
        for part in self._channel(message.chat).parts(message.body):
            await self._in_turn(message.chat, partial(_send, message=replace(message, body=part), label=label))

    async def answer(self, message: Message, envelope: Envelope = PLAIN, photo: bytes | None = None) -> str:
        """All parts, each behind every alert to its chat; returns the id of the last.

        The first answers what the envelope names, the last has its buttons. A `photo` (PNG) goes first, over as much
        of the text as fits under it; a chat without pictures gets the text only.
        Raises `DeliveryError`, and `StoreFailed` where it cannot be known whether an alert waits.
        """
        chat, sent = message.chat, ""
        requests = _requests(self._channel(chat), message, photo)
        for place, request in enumerate(requests):
            reply_to = envelope.reply_to if place == 0 else None
            keyboard = envelope.keyboard if place == len(requests) - 1 else ()
            request = partial(request, envelope=Envelope(reply_to, keyboard))  # noqa: PLW2901 - the same, addressed
            sent = await self._in_turn(chat, request, Share.ANSWER)
        return sent

    async def edit(
        self, chat: str, external_id: str, body: Text | None, keyboard: Keyboard, *, asked: bool = False
    ) -> None:
        """Makes a message say this, once nothing else of its chat waits. What waits longer than `PATIENCE` is dropped.

        Edits have the least share of the room, and wait for answers; one that somebody `asked` for counts as an answer.
        An alert that becomes due meanwhile does not wait for it: the edit is broken off. Raises `MessageGone` and other
        `DeliveryError`s (`ChatRefused` where messages cannot be edited), and `StoreFailed`.
        """
        if not isinstance(self._channel(chat), RichChannel):
            raise ChatRefused(f"messages to {chat} cannot be edited")
        if asked and body is None:
            self._pressed = {at: when for at, when in self._pressed.items() if self._clock.now() - when < _CHOOSES}
            self._pressed[chat, external_id] = self._clock.now()
        request = partial(self._edit, chat=chat, external_id=external_id, body=body, keyboard=keyboard)
        await self._in_turn(chat, request, Share.ANSWER if asked else Share.EDIT, within=PATIENCE)

    def pressed_at(self, chat: str, external_id: str) -> float:
        """When somebody was last given other buttons under a message, if that was within the last minutes."""
        return self._pressed.get((chat, external_id), -inf)

    def give_way(self, chats: Iterable[str]) -> None:
        """Breaks off the edits that are on their way to these chats."""
        for chat in chats:
            if chat in self._edits:
                self._edits[chat].cancel()

    async def _edit(
        self, channel: Channel, *, chat: str, external_id: str, body: Text | None, keyboard: Keyboard
    ) -> None:
        assert isinstance(channel, RichChannel)
        task = asyncio.ensure_future(channel.edit(external_id, body, keyboard))
        self._edits[chat] = task
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
            del self._edits[chat]
        if task.cancelled():
            raise FateUnknown("broken off: an alert was to go first")
        task.result()

    async def _in_turn(
        self, chat: str, request: Callable[[Channel], Awaitable[T]], share: Share = Share.ALERT, within: float = inf
    ) -> T:
        """One request, when its chat may get one. Raises `DeliveryError`."""
        lane, channel = self._lanes[chat], self._channel(chat)
        self._awaited[chat] += share is Share.ANSWER
        try:
            await self._turn_of(chat, lane, share, within)
        finally:
            self._awaited[chat] -= share is Share.ANSWER
        lane.start()
        try:
            return await bounded(request(self._channels[chat]), chat)
        except ChatMoved as error:
            channel.move(error.address)
            await self._keep_move(chat, error.address)
            raise
        except NotSent as error:
            lane.hold(self._clock.now() + (error.retry_after or 0))
            raise
        finally:
            lane.end(self._clock.now())
            self._wake()

    async def _keep_move(self, chat: str, address: str) -> None:
        """Where the volume refuses, what is sent after a restart is told of the move again."""
        try:
            await self._store.do(Store.chat_moved, chat, address)
        except StoreFailed as error:
            _log.error("outbox.not_written", error=str(error))

    async def _turn_of(self, chat: str, lane: Lane, share: Share, within: float) -> None:
        ends, behind_alerts = self._clock.now() + within, share is not Share.ALERT
        # Asked again after the database: an alert may have left meanwhile.
        while (
            self._is_busy(chat, lane, share)
            or (behind_alerts and chat in await self._due())
            or self._is_busy(chat, lane, share)
        ):
            if self._clock.now() >= ends:
                raise NotSent(f"{chat} has had no turn to spare for {within:.0f} s")
            await self._clock.sleep_until(self._clock.now() + _TURN)

    def _channel(self, chat: str) -> Channel:
        if chat not in self._lanes or chat not in self._channels:
            raise ChatRefused(f"no chat {chat} is configured any more")
        return self._channels[chat]

    def _is_busy(self, chat: str, lane: Lane, share: Share) -> bool:
        now = self._clock.now()
        return lane.ready_at(now, share) > now or (share is Share.EDIT and self._awaited[chat] > 0)


def _requests(channel: Channel, message: Message, photo: bytes | None) -> list[Callable[..., Awaitable[str]]]:
    """What has to be asked of a channel for one answer, in order; each takes the channel and an `envelope`."""
    requests: list[Callable[..., Awaitable[str]]] = []
    rest = message.body
    if photo is not None and isinstance(channel, RichChannel):
        caption, rest = channel.caption(message.body)
        requests.append(partial(_photo, png=photo, caption=caption))
    if rest.text or not requests:
        parts = channel.parts(rest)
        requests += [partial(_send, message=replace(message, body=part), label=None) for part in parts]
    return requests


async def _send(channel: Channel, *, message: Message, label: str | None, envelope: Envelope = PLAIN) -> str:
    return await channel.send(message, label=label, envelope=envelope)


async def _photo(channel: Channel, *, png: bytes, caption: Text, envelope: Envelope) -> str:
    assert isinstance(channel, RichChannel)
    return await channel.photo(png, caption, envelope=envelope)
