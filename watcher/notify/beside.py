"""What is sent beside the outbox: answers, and messages that only memory holds.

Both go through the same lanes as what the outbox holds, so a chat has one message on its way whoever sends it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from typing import Final

from watcher.alerts.fold import late
from watcher.alerts.message import Message
from watcher.notify.asking import ask
from watcher.notify.channel import Channel, ChatMoved, ChatRefused, NotSent
from watcher.notify.clock import Clock
from watcher.notify.pacing import Lane
from watcher.notify.unstored import LABEL

_TURN: Final = 0.05  # seconds between looks at a chat that has something on its way


class Beside:
    """Sends at once and whole, or says why not; who calls decides whether to try again."""

    def __init__(
        self,
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
        self._clock = clock
        self._wall = wall
        self._channels = channels
        self._lanes = lanes
        self._due = due
        self._wake = wake

    async def unstored(self, message: Message) -> None:
        """All parts, each in its chat's turn. Raises `DeliveryError`; then all of them are to be sent again."""
        age = late(message, int(self._wall()))
        await self._send(message, f"{LABEL}\n{age}" if age else LABEL)

    async def answer(self, message: Message) -> None:
        """All parts, each behind every alert to its chat.

        Raises `DeliveryError`, and `StoreFailed` where it cannot be known whether an alert waits.
        """
        await self._send(message, None, behind_alerts=True)

    async def _send(self, message: Message, label: str | None, *, behind_alerts: bool = False) -> None:
        chat = message.chat
        lane, channel = self._lanes.get(chat), self._channels.get(chat)
        if lane is None or channel is None:
            raise ChatRefused(f"no chat {chat} is configured any more")
        for part in channel.parts(message.body):
            while (behind_alerts and chat in await self._due()) or self._is_busy(lane, behind_alerts):
                await self._clock.sleep_until(self._clock.now() + _TURN)
            lane.start()
            try:
                await ask(self._channels[chat], replace(message, body=part), label)
            except ChatMoved as error:
                channel.move(error.address)
                raise
            except NotSent as error:
                lane.hold(self._clock.now() + (error.retry_after or 0))
                raise
            finally:
                lane.end(self._clock.now())
                self._wake()

    def _is_busy(self, lane: Lane, sparing: bool) -> bool:
        now = self._clock.now()
        return lane.ready_at(now, sparing=sparing) > now
