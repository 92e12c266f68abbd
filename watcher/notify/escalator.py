"""Telling the second way to people what nobody acknowledged: when, is decided in `alerts.escalation`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import structlog

from watcher.alerts import figures
from watcher.alerts.ack import Acknowledgement
from watcher.alerts.escalation import keep_watch
from watcher.alerts.message import Level, Message, Section, Text, bold
from watcher.alerts.record import Key, Record
from watcher.config import Settings
from watcher.config.scope import Scope
from watcher.store import Store, StoreFailed, StoreThread

ESCALATION: Final = "[escalation]"
"""The chat that the second way is in the outbox; no chat can have this name."""
LOOK_EVERY: Final = 15
"""Seconds between two looks at what stands."""

_log = structlog.get_logger("watcher.notify")


class Escalator:
    """`look()` at regular intervals. One, for all chains."""

    def __init__(
        self,
        store: StoreThread,
        *,
        records: Callable[[], Mapping[Key, Record]],
        now: Callable[[], float],
        spoke: Callable[[], None],
        acks: Callable[[], Iterable[Acknowledgement]] = lambda: (),
    ) -> None:
        """`records` and `acks` give what stands and what was seen; `spoke` is called once messages are stored."""
        self._store = store
        self._records = records
        self._acks = acks
        self._now = now
        self._spoke = spoke

    async def look(self, settings: Settings) -> None:
        """Tells what has stood too long. Does nothing where there is no second way, or the database refuses."""
        if settings.escalation is None:
            return
        now = int(self._now())
        scope = Scope.of(settings)
        records = [record for record in self._records().values() if scope.concerns(record.key)]
        try:
            vigils = await self._store.do(Store.vigils)
            step = keep_watch(vigils, records, self._acks(), now, settings.escalation.after)
            if not (step.kept or step.ended):
                return
            since = {vigil.key: vigil.since for vigil in (*vigils.values(), *step.kept)}
            sections = [await self._due(record, since[record.key], now) for record in step.due]
            sections += [_over(record, since[record.key], now) for record in step.over]
            messages = [Message.of(ESCALATION, [section], now) for section in sections]
            await self._store.do(Store.keep_vigils, step.kept, step.ended, messages)
        except StoreFailed as problem:
            _log.error("state.not_written", problem=str(problem))
            return
        for record in step.due:
            _log.warning("alert.escalated", rule=record.key.rule, subject=record.key.subject, episode=record.episode)
        if messages:
            self._spoke()

    async def _due(self, record: Record, since: int, now: int) -> Section:
        """What was written last, under a headline of its own: the chats and this way must not contradict each other."""
        last = await self._store.do(Store.last_warning, record.key, besides=ESCALATION)
        body = bold(f"NOT ACKNOWLEDGED for {figures.duration(now - since)}: {record.level.word}")
        if last is None:
            body += f"\n{_named(record.key)}"
        else:
            body += f"\nAs it was {figures.duration(max(now - last.at, 0))} ago:\n" + Text(last.body.text)
        return _section(record, record.level, body, now)


def _over(record: Record, since: int, now: int) -> Section:
    body = bold("OVER") + f" after {figures.duration(now - since)}: {_named(record.key)}"
    return _section(record, Level.OK, body, now)


def _section(record: Record, severity: Level, body: Text, now: int) -> Section:
    key = record.key
    return Section(
        rule=key.rule.value, subject=key.subject, severity=severity, level=record.level, body=body, at=now, since=now
    )


def _named(key: Key) -> str:
    return f"{key.rule.value} of {key.subject}"
