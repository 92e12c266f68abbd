"""The worker that empties the outbox.

One loop starts every send that may start now and sleeps until the next may; the sends run beside each other, one per
chat, and no more of them than it takes: see `way`. Each is claimed, and the claim is on the disk, before its request.
What an outcome means:

  delivered       settled, or on to the message's next part
  NotSent         again after `retry_after`, which holds this chat only; without one after 1, 2, 4, 5 s
  FateUnknown     again after 1, 2, 4, … 60 s, with a label; sooner if another chat shows that the service is back
  ChatMoved       the new address is kept, and the message goes there
  BodyRefused     once more, plain and in shorter parts; refused again it is dead, and the chats are told
  ChatRefused     the message is dead, its chat disabled, and the other chats are told which, why, and what to do
  ChannelDown     nothing more is sent, and `on_fatal` is told
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import replace
from math import ceil, inf
from typing import Any, Concatenate, Final, ParamSpec

import structlog

from watcher.alerts.fold import late
from watcher.alerts.message import Message, Text
from watcher.buttons import Keyboard
from watcher.domain.errors import DeliveryError
from watcher.notify import notices
from watcher.notify.asking import ask
from watcher.notify.beside import Beside
from watcher.notify.channel import (
    PLAIN,
    BodyRefused,
    Channel,
    ChannelDown,
    ChatMoved,
    ChatRefused,
    Envelope,
    FateUnknown,
    NotSent,
    Pace,
    RichChannel,
)
from watcher.notify.clock import Clock, SystemClock
from watcher.notify.pacing import Backoff, Lane, Limits, Window
from watcher.notify.unstored import Unstored
from watcher.notify.way import Way
from watcher.store import Claimed, Store, StoreFailed, StoreThread

P = ParamSpec("P")

_IDLE: Final = 10.0  # seconds: the loop shows that it lives this often
_STORE_RETRY: Final = 5.0
_UNSENT: Final = Backoff(5.0)  # nothing is lost by trying, and the way may be open again any moment
_UNKNOWN: Final = Backoff(60.0)  # every try may be a copy

_log = structlog.get_logger("watcher.notify")


class Sender:
    """`run()` it in a task; `wake()` it after a commit; `stop()` it, then await the task."""

    def __init__(
        self,
        store: StoreThread,
        channels: Mapping[str, Channel],
        *,
        clock: Clock | None = None,
        wall: Callable[[], float] | None = None,
        on_fatal: Callable[[str], None] = lambda _: None,
        quiet: Callable[[], Collection[str]] = tuple,
        envelope: Callable[[Claimed], Awaitable[Envelope]] | None = None,
        limits: Limits | None = None,
        concurrency: int = 16,
    ) -> None:
        """`channels` by chat name; `wall` is the clock that messages were dated by, if it is another one.
        `on_fatal` is called once, with the reason, when sending had to end. `quiet` names the chats that are to hear
        only what is critical now; what they are not to hear waits, and folds, until they may. `envelope` gives what
        goes with a message besides its words.
        """
        self._store = store
        self._clock = clock or SystemClock()
        self._wall = wall or self._clock.now
        self._on_fatal = on_fatal
        self._quiet = quiet
        self._envelope = envelope
        self._limits = limits or Limits()
        self._concurrency = concurrency
        self._overall = Window(self._limits.overall)
        self._paced = Way()
        self._ways: dict[str, Way] = {}  # the chats with limits share one service; every other channel is its own
        self._channels: dict[str, Channel] = {}  # also those no longer served: one of their sends may be on its way
        self._served: frozenset[str] = frozenset()
        self._lanes: dict[str, Lane] = {}
        self._beside = Beside(
            store, self._clock, self._wall, channels=self._channels, lanes=self._lanes, due=self._due, wake=self.wake
        )
        self._unstored = Unstored(self._clock, self._beside.unstored)
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._ending = False
        self._shown_plain: set[str] = set()
        self.progressed_at = self._clock.now()
        self.serve(channels)

    @property
    def in_flight(self) -> int:
        """How many sends are on their way."""
        return len(self._tasks) + self._unstored.busy

    def serve(self, channels: Mapping[str, Channel]) -> None:
        """Sends to these chats from now on. A chat that stays keeps what is known of its pace."""
        self._channels |= channels
        self._served = frozenset(channels)
        for name, channel in channels.items():
            lane = self._lanes.get(name)
            if lane is None or lane.pace is not channel.pace:
                self._lanes[name] = Lane(channel.pace, self._limits, self._overall)
                self._ways[name] = Way() if channel.pace is Pace.FREE else self._paced
        self.wake()

    def wake(self) -> None:
        """Looks into the outbox now."""
        self._wake.set()

    def send_now(self, messages: Iterable[Message]) -> None:
        """Sends what cannot be stored, from memory, and says of it that it may be repeated."""
        self._unstored.put(messages)

    async def answer(self, message: Message, envelope: Envelope = PLAIN, photo: bytes | None = None) -> str:
        """Sends what somebody asked for and waits for: once, kept nowhere, behind every alert. See `Beside.answer`."""
        return await self._beside.answer(message, envelope, photo)

    async def edit(
        self, chat: str, external_id: str, body: Text | None, keyboard: Keyboard = (), *, asked: bool = False
    ) -> None:
        """Makes a message say this, with these buttons only, when nothing else of its chat waits. See `Beside.edit`.

        Raises `DeliveryError`: `MessageGone` where there is no such message any more; and `StoreFailed`.
        """
        await self._beside.edit(chat, external_id, body, keyboard, asked=asked)

    def pressed_at(self, chat: str, external_id: str) -> float:
        return self._beside.pressed_at(chat, external_id)

    def rich(self, chat: str) -> RichChannel | None:
        """The way to a chat whose messages can be edited; None where they cannot, or it is not served."""
        channel = self._channels[chat] if chat in self._served else None
        return channel if isinstance(channel, RichChannel) else None

    def take_back(self) -> list[Message]:
        """What `send_now` was given and has not begun to send; the caller answers for it from now on."""
        return self._unstored.take_back()

    async def forget(self, seconds: float) -> None:
        """Deletes what was settled longer ago than that, by the clock that it was settled by. Raises `StoreFailed`."""
        await self._store.do(Store.forget, int(self._clock.now() - seconds))

    async def run(self) -> None:
        """Sends until stopped, or until the channel is down. Raises whatever no outcome foresees."""
        while not self._ending:
            self._wake.clear()
            again = await self._start_what_may_leave()
            self.progressed_at = self._clock.now()
            await self._clock.wait(self._wake, min(again, self.progressed_at + _IDLE))
        if self._tasks:
            ended, _ = await asyncio.wait(set(self._tasks))
            for task in ended:
                if not task.cancelled():
                    task.result()

    async def stop(self, seconds: float) -> None:
        """Starts nothing more, and waits that long for what is on its way. What is cut off then will be repeated."""
        self._ending = True
        self.wake()
        await asyncio.gather(self._unstored.stop(seconds), self._stop_sends(seconds))

    async def _stop_sends(self, seconds: float) -> None:
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    # The loop

    async def _start_what_may_leave(self) -> float:
        """Starts all that may start; returns when to look again."""
        while not self._ending and len(self._tasks) < self._concurrency:
            try:
                again = await self._start_one()
            except StoreFailed as error:
                _log.error("outbox.unreadable", error=str(error))
                return self._clock.now() + _STORE_RETRY
            if again is not None:
                return again
        return inf  # a send that ends wakes the loop

    async def _start_one(self) -> float | None:
        """Claims and starts one send, and returns nothing; or, when none may leave yet, when one may."""
        due = await self._due()
        now = self._clock.now()
        self._beside.give_way(chat for chat, at in due.items() if at <= now)
        may_leave = self._may_leave({chat: at for chat, at in due.items() if chat in self._served}, now)
        ready = [chat for chat, at in may_leave.items() if at <= now]
        if not ready:
            return min(may_leave.values(), default=inf)
        claimed = await self._store.do(Store.claim, int(now), ready, dated=int(self._wall()))
        if claimed is None:
            return None
        lane = self._lanes[claimed.message.chat]
        lane.start()
        way = self._ways[claimed.message.chat]
        way.start(now)
        task = asyncio.create_task(self._deliver(claimed, lane), name=f"send-{claimed.id}")
        self._tasks.add(task)
        task.add_done_callback(lambda _: way.end())
        task.add_done_callback(self._ended)
        return None

    async def _due(self) -> dict[str, int]:
        return await self._store.do(Store.due, self._quiet(), dated=int(self._wall()))

    def _may_leave(self, due: Mapping[str, int], now: float) -> dict[str, float]:
        """When the next message to each chat may leave."""
        turns = {chat: max(at, self._lanes[chat].ready_at(now)) for chat, at in due.items()}
        for way, waiting in Counter(self._ways[chat] for chat, at in turns.items() if at <= now).items():
            way.crowded(waiting)
        return {chat: max(at, self._ways[chat].ready_at(now)) for chat, at in turns.items()}

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception() is None:
            self._tasks.discard(task)
        else:
            self._ending = True  # `run` raises it
        self.wake()

    # One delivery

    async def _deliver(self, claimed: Claimed, lane: Lane) -> None:
        parts = self._channels[claimed.message.chat].parts(claimed.message.body)
        more = claimed.part + 1 < len(parts)
        body = parts[min(claimed.part, len(parts) - 1)]
        try:
            external_id = await self._send(replace(claimed.message, body=body), claimed)
        except DeliveryError as error:
            lane.end(self._clock.now())
            await self._after(error, claimed)
        else:
            lane.end(self._clock.now())
            await self._write(Store.delivered, claimed.id, int(self._clock.now()), external_id, more=more)
            await self._note_answer(claimed.message.chat)

    async def _send(self, message: Message, claimed: Claimed) -> str:
        """One part, and once more in plain text if its form is refused. Raises `DeliveryError`."""
        label = self._label(message, claimed)
        envelope = await self._envelope(claimed) if self._envelope else PLAIN
        try:
            return await ask(self._channels[message.chat], message, label, envelope)
        except BodyRefused as error:
            refused = error
        first_id = await self._send_plain(message, label, envelope)
        if message.chat not in self._shown_plain:
            self._shown_plain.add(message.chat)
            told = notices.shown_plain(message, str(refused), self._others(message.chat), int(self._clock.now()))
            await self._write(Store.commit, [], told)
        return first_id

    def _label(self, message: Message, claimed: Claimed) -> str | None:
        """What is to be known of a part before it is read."""
        repeat = notices.REPEAT if claimed.maybe_sent else None
        age = late(message, int(self._wall())) if claimed.part == 0 else None
        return "\n".join(filter(None, (repeat, age))) or None

    async def _send_plain(self, message: Message, label: str | None, envelope: Envelope) -> str:
        """All pieces under one claim, so a failure after the first piece makes the fate of the whole unknown."""
        first, *rest = self._channels[message.chat].parts(message.body, plain=True)
        first_id = await ask(self._channels[message.chat], replace(message, body=first), label, envelope)
        for piece in rest:
            await self._clock.sleep_until(self._clock.now() + self._limits.chat.period)
            try:
                await ask(self._channels[message.chat], replace(message, body=piece), label)
            except DeliveryError as error:
                raise FateUnknown(f"only a part arrived: {error}") from None
        return first_id

    async def _after(self, error: DeliveryError, claimed: Claimed) -> None:
        """Does what the outcome asks for: the table on top."""
        now, chat, why = self._clock.now(), claimed.message.chat, str(error)
        _log.warning("notify.failed", chat=chat, message=claimed.id, kind=type(error).__name__, error=why)
        if isinstance(error, FateUnknown) or (isinstance(error, NotSent) and error.retry_after is None):
            self._ways[chat].failed(chat, now)
        else:
            await self._note_answer(chat)
        match error:
            case ChannelDown():
                await self._write(Store.not_sent, claimed.id, int(now), why)
                self._give_up(why)
            case ChatRefused():
                others = [] if notices.is_notice(claimed.message) else self._others(chat)
                told = notices.chat_lost(claimed.message, why, others, int(now), self._channels[chat].pace)
                await self._write(Store.dead, claimed.id, why, int(now), disable=True, notices=told)
            case BodyRefused():
                chats = [] if notices.is_notice(claimed.message) else sorted(self._served)
                told = notices.body_lost(claimed.message, why, chats, int(now))
                await self._write(Store.dead, claimed.id, why, int(now), notices=told)
            case ChatMoved(address=address):
                await self._write(Store.chat_moved, chat, address)
                self._channels[chat].move(address)
                again = now if claimed.attempt == 1 else now + _UNSENT.after(claimed.attempt)
                await self._write(Store.not_sent, claimed.id, ceil(again), why)
            case NotSent(retry_after=float() | int() as seconds):
                self._lanes[chat].hold(now + seconds)
                await self._write(Store.not_sent, claimed.id, ceil(now + seconds), why)
            case NotSent():
                await self._write(Store.not_sent, claimed.id, ceil(now + _UNSENT.after(claimed.attempt)), why)
            case _:
                await self._write(Store.uncertain, claimed.id, ceil(now + _UNKNOWN.after(claimed.attempt)), why)

    async def _note_answer(self, chat: str) -> None:
        """The service answers: those who only waited for that wait no longer."""
        now = self._clock.now()
        way = self._ways[chat]
        if way.answered(chat, now):
            same = [name for name, lane in self._lanes.items() if self._ways[name] is way and not lane.held(now)]
            await self._write(Store.hurry, same)

    def _give_up(self, why: str) -> None:
        if not self._ending:
            self._ending = True
            _log.critical("notify.channel_down", error=why)
            self._on_fatal(why)

    def _others(self, chat: str) -> list[str]:
        return sorted(self._served - {chat})

    async def _write(self, work: Callable[Concatenate[Store, P], Any], *args: P.args, **kwargs: P.kwargs) -> None:
        """Writes an outcome down, and keeps trying: unwritten, it would be sent again."""
        while True:
            try:
                await self._store.do(work, *args, **kwargs)
            except StoreFailed as error:
                _log.error("outbox.not_written", error=str(error))
                await self._clock.sleep_until(self._clock.now() + _STORE_RETRY)
            else:
                return
