"""The worker that keeps the messages of incidents true: one message per incident, edited as it moves.

A message is edited at most once a minute, and once more upon each press of a button; only if its text is another one;
and only when nothing else waits for its chat. Nothing is queued: what cannot leave now is written anew at the next
look. Of a message in several parts the first is edited; where not all has room in it, to how all stands in sum. Of a
reminder only the buttons change, and it gets the words of who takes care.
What comes of an edit:

  done                   kept, so that a restart knows what is shown; the last one of an incident takes the buttons away
  NotSent                at the next look
  FateUnknown            nothing is known of what is shown, so the next minute's text is sent whatever it says
  BodyRefused            counts as shown: the same text is not tried again
  MessageGone, refused   the message is edited no more
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from math import ceil, inf
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from watcher.alerts import living
from watcher.alerts.ack import Acknowledgement
from watcher.alerts.incident import Incident, Member, concerns
from watcher.alerts.living import Care, Now
from watcher.alerts.message import Text, italic, joined
from watcher.alerts.outlook import Advice
from watcher.alerts.policy import Notice
from watcher.alerts.record import Key, Record
from watcher.alerts.sighting import Sighting
from watcher.alerts.summing import summed
from watcher.alerts.words import Telling
from watcher.buttons import Keyboard
from watcher.config import Chat, Settings
from watcher.config.scope import is_told
from watcher.domain.errors import DeliveryError
from watcher.notify import notices
from watcher.notify.channel import BodyRefused, ChatRefused, FateUnknown, MessageGone, RichChannel
from watcher.notify.clock import Clock, SystemClock
from watcher.notify.sender import Sender
from watcher.panel import Panel
from watcher.store import StoreFailed, StoreThread
from watcher.store.incidents import Told, end, incident_of, open_incidents, show, told

EVERY: Final = 60.0
"""Seconds between two edits of a message."""
_SOON: Final = 20 * 3600  # seconds within which a time of day needs no date
_IN_FULL: Final = (6, 3, 1, 0)  # alerts told in full in a sum: as many as there is room for

_log = structlog.get_logger("watcher.notify")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the newest look at a chain saw, or that it saw nothing: then `sightings` say so, and `now` when that was.

    `covers`: whether a condition is one of this chain's. `telling` works out what the words need for these notices: off
    the event loop, for it may be seconds of arithmetic. `told_to` is a notice as a chat may see it.
    """

    chain: str
    now: int
    sightings: Mapping[Key, Sighting]
    covers: Callable[[Key], bool]
    telling: Callable[[Iterable[Notice]], Telling]
    told_to: Callable[[str, Notice], Notice]


@dataclass(frozen=True, slots=True)
class _Written:
    body: Text
    over: bool
    handled: bool


class Living:
    """`start()` and `stop()` it; `seen()` after each look, `refresh()` after a press."""

    def __init__(
        self,
        store: StoreThread,
        sender: Sender,
        *,
        settings: Callable[[], Settings],
        records: Callable[[], Mapping[Key, Record]],
        acks: Callable[[], Mapping[Key, Acknowledgement]] = dict,
        panel: Callable[[], Panel | None] = lambda: None,
        clock: Clock | None = None,
    ) -> None:
        """`records` give how all stands, `acks` the acknowledgements that count now; `clock` is the sender's."""
        self._store = store
        self._sender = sender
        self._settings = settings
        self._records = records
        self._acks = acks
        self._panel = panel
        self._clock = clock or SystemClock()
        self._looks: dict[str, Look] = {}
        self._tried: dict[int, float] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def seen(self, look: Look) -> None:
        """A look at a chain is over."""
        self._looks[look.chain] = look
        self._news.set()

    def forget_looks(self) -> None:
        """The settings are others now: nothing is known until they have been looked with."""
        self._looks.clear()

    def start(self, ended: Callable[[asyncio.Task[None]], None]) -> None:
        """Edits after every look from now on; `ended` is told of the task that does."""
        self._task = asyncio.create_task(self._run(), name="living messages")
        self._task.add_done_callback(ended)

    async def stop(self) -> None:
        """Breaks off the edits that are on their way: whether they arrived changes nothing."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self.renew()
            except StoreFailed as problem:
                _log.error("incidents.unreadable", problem=str(problem))

    async def renew(self) -> None:
        """Edits whatever is to be edited now. Raises `StoreFailed`."""
        incidents = await self._store.do(open_incidents)
        self._tried = {one.id: self._tried[one.id] for one in incidents if one.id in self._tried}
        chats: dict[str, list[Incident]] = {}
        for incident in sorted(incidents, key=self._edited_at):  # where not all get a turn, all get one in time
            if self._clock.now() - self._edited_at(incident) >= EVERY:
                chats.setdefault(incident.chat, []).append(incident)
        await asyncio.gather(*(self._renew_in(chat, of_chat) for chat, of_chat in chats.items()))

    def _edited_at(self, incident: Incident) -> float:
        """When its text or, while somebody chooses among them, its buttons were changed last."""
        pressed = self._sender.pressed_at(incident.chat, incident.external_id)
        return max(incident.edited_at, self._tried.get(incident.id, -inf), pressed)

    async def refresh(self, message_id: int) -> None:
        """Shows at once what somebody has said of a message, by its number in the outbox. Raises `StoreFailed`."""
        incident = await self._store.do(incident_of, message_id)
        if incident is not None and incident.ended_at is None:
            await self._renew_in(incident.chat, [incident], asked=True)
            return
        found = await self._store.do(told, message_id)
        if found is not None and (channel := self._sender.rich(found.message.chat)) is not None:
            await self._annotate(found, channel)

    async def _renew_in(self, chat: str, incidents: Iterable[Incident], *, asked: bool = False) -> None:
        """One chat's, one after the other; what has no turn now leaves none to the others."""
        async with self._turns[chat]:
            for incident in incidents:
                try:
                    if not await self._renewed(incident, asked):
                        return
                except StoreFailed:
                    raise
                except Exception:  # noqa: BLE001 - a fault in an edit is logged, and must not end the alerts
                    self._tried[incident.id] = self._clock.now()
                    _log.exception("incident.bug", chat=chat, message=incident.id)

    async def _renewed(self, incident: Incident, asked: bool) -> bool:
        """Edits one message if there is anything new to show; returns whether its chat may have another turn."""
        channel = self._sender.rich(incident.chat)
        if channel is None:
            if self._care(incident.chat, self._known(incident.members)).is_over(incident):
                await self._store.do(end, incident.id, ceil(self._clock.now()))
            return True
        written = await self._written(incident, channel)
        if written is None or written.body == incident.body:
            return True
        self._tried[incident.id] = self._clock.now()
        try:
            keyboard = self._keyboard(incident, written)
            await self._sender.edit(incident.chat, incident.external_id, written.body, keyboard, asked=asked)
        except DeliveryError as error:
            return await self._after(error, incident, written)
        await self._shown(incident, written.body)
        if written.over:
            await self._store.do(end, incident.id, ceil(self._clock.now()))
        return True

    async def _after(self, error: DeliveryError, incident: Incident, written: _Written) -> bool:
        """Does what the outcome asks for: the table on top."""
        _log.info("incident.not_edited", chat=incident.chat, kind=type(error).__name__, error=str(error))
        match error:
            case MessageGone() | ChatRefused():
                await self._store.do(end, incident.id, ceil(self._clock.now()))
            case BodyRefused():
                await self._shown(incident, written.body)
            case FateUnknown():
                await self._shown(incident, Text())
            case _:
                self._tried.pop(incident.id, None)
                return False
        return True

    async def _shown(self, incident: Incident, body: Text) -> None:
        now = self._clock.now()
        self._tried[incident.id] = now
        await self._store.do(show, incident.id, body, ceil(now))

    # What to show

    async def _written(self, incident: Incident, channel: RichChannel) -> _Written | None:
        """What the message is to say; None where no look has seen what stands, or it does not fit into one message."""
        records = self._known(incident.members)
        care = self._care(incident.chat, records)
        standing = [records[member.key] for member in incident.members if care.stands(member)]
        looks = [look for look in self._looks.values() if any(look.covers(record.key) for record in standing)]
        if not self._looks or any(not any(look.covers(record.key) for look in looks) for record in standing):
            return None
        written = await asyncio.to_thread(self._texts, incident, care, looks or list(self._looks.values())[:1])
        body = next((body for body in written if len(channel.parts(body)) == 1), None)
        if body is None:
            return None
        return _Written(body, not standing, care.handled(incident.members))

    def _texts(self, incident: Incident, care: Care, looks: list[Look]) -> list[Text]:
        """In full, in brief, and in sum."""
        seen: dict[Key, Notice] = {}
        advice: dict[str, Advice] = {}
        for look in looks:
            here = {
                member.key: look.told_to(incident.chat, living.noticed(care.records[member.key], sighting))
                for member in incident.members
                if care.stands(member) and (sighting := look.sightings.get(member.key)) is not None
            }
            telling = look.telling(here.values())
            seen |= here
            advice |= telling.advice
        now = Now(
            now=care.now,
            records=care.records,
            acks=care.acks,
            clock=care.clock,
            person=care.person,
            told=care.told,
            notices=seen,
            telling=replace(telling, advice=advice),
        )
        label = italic(notices.REPEAT) + "\n" if incident.repeated else Text()
        whole = [living.recomposed(incident, now, brief=brief) for brief in (False, True)]
        return [label + text for text in (*whole, *(summed(incident, now, in_full=count) for count in _IN_FULL))]

    def _keyboard(self, incident: Incident, written: _Written) -> Keyboard:
        panel = self._panel()
        if panel is None or written.over:
            return ()
        keys = [member.key for member in concerns(incident.sections)]
        return panel.alert(incident.chat, incident.id, keys, handled=written.handled)

    async def _annotate(self, found: Told, channel: RichChannel) -> None:
        """A message that is not written anew gets other buttons, and the words that were given where there is room."""
        chat = found.message.chat
        care = self._care(chat, self._known(found.members))
        words = living.seen_by(found.members, care)
        whole = joined([found.message.body, *words], "\n\n")
        body = whole if len(channel.parts(whole)) == 1 else None
        panel, handled = self._panel(), care.handled(found.members)
        keys = [member.key for member in found.members]
        keyboard = panel.alert(chat, found.id, keys, handled=handled) if panel else ()
        try:
            await self._sender.edit(chat, found.external_id, body, keyboard, asked=True)
        except DeliveryError as error:
            _log.info("incident.not_edited", chat=chat, kind=type(error).__name__, error=str(error))

    def _known(self, members: Iterable[Member]) -> dict[Key, Record]:
        """How these stand, for a thread that is not the event loop's."""
        records = self._records()
        return {member.key: records[member.key] for member in members if member.key in records}

    def _care(self, chat: str, records: Mapping[Key, Record]) -> Care:
        settings, now = self._settings(), self._now()
        where = settings.chats.get(chat)
        speakers = where.speakers if where is not None else ()
        return Care(
            now=now,
            records=records,
            acks=self._acks(),
            clock=lambda moment: _time_of_day(moment, now, where),
            person=lambda user: "" if speakers == (user,) else str(user),  # it may be one of another chat
            told=partial(is_told, settings, chat),
        )

    def _now(self) -> int:
        """By the clock that looks are dated with."""
        return max((look.now for look in self._looks.values()), default=int(self._clock.now()))


def _time_of_day(moment: int, now: int, chat: Chat | None) -> str:
    """A moment as the people of a chat read it."""
    zone = ZoneInfo(chat.zone) if chat else UTC
    day = "" if abs(moment - now) < _SOON else "%a "
    return datetime.fromtimestamp(moment, zone).strftime(f"{day}%H:%M %Z")
