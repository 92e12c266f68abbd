"""Digests in the database: which day each chat's last one was of, and what there is to tell of the day before."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.dialects.sqlite import insert as upsert

from watcher.alerts.message import Level, Message, Section
from watcher.alerts.record import Rule
from watcher.store.history import latest_before
from watcher.store.rows import Fate, message_from
from watcher.store.schema import digest, outbox
from watcher.store.store import Store, enqueue

DAY: Final = 86_400
FAR: Final = 2 * 3600
"""Seconds by which a point may be older than a day and still tell what was a day ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastDay:
    """A day's alerts in numbers. `raised` by level, where any was, and `ended` are what one chat was told; `lost` are
    the messages to whatever chat that nothing will deliver any more."""

    raised: Mapping[Level, int] = field(default_factory=dict)
    ended: int = 0
    lost: int = 0


def digest_days(store: Store) -> dict[str, date]:
    """By chat, the day of the last digest that was written for it."""
    with store.transaction() as connection:
        rows = connection.execute(select(digest)).mappings().all()
    return {row["chat"]: date.fromisoformat(row["day"]) for row in rows}


def keep_digest(store: Store, message: Message, day: date) -> None:
    """A digest, and that it is the one of its day: in one transaction. Raises `StoreFailed`."""
    kept = upsert(digest).values(chat=message.chat, day=day.isoformat())
    with store.transaction() as connection:
        connection.execute(kept.on_conflict_do_update(index_elements=["chat"], set_={"day": kept.excluded.day}))
        enqueue(connection, [message])


def last_day(store: Store, chat: str, now: int) -> LastDay:
    """What a chat was told within a day, and how much was lost."""
    since = now - DAY
    told = select(outbox).where(outbox.c.chat == chat, outbox.c.created_at > since, outbox.c.sections != "[]")
    gone = select(func.count()).where(outbox.c.fate == Fate.DEAD.value, outbox.c.settled_at > since)
    with store.transaction() as connection:
        sections = [one for row in connection.execute(told).mappings() for one in message_from(row).sections]
        lost = connection.execute(gone).scalar_one()
    levels = [_raised(one) for one in sections]
    raised = {level: levels.count(level) for level in sorted(Level, reverse=True) if level and level in levels}
    return LastDay(raised=raised, ended=sum(map(_ended, sections)), lost=lost)


def healths_a_day_ago(store: Store, positions: Collection[str], now: int) -> dict[str, Decimal]:
    """By position, what its health was; those that nothing is known of are left out."""
    found = {name: latest_before(store, name, now - DAY + 1) for name in positions}
    return {name: point.health for name, point in found.items() if point and point.at >= now - DAY - FAR}


def _raised(section: Section) -> Level:
    """The level of the alert that began or got worse with a section, or of what happened; OK for any other news."""
    return section.severity if section.opens or section.rule.startswith(f"{Rule.EVENT}@") else Level.OK


def _ended(section: Section) -> bool:
    return section.rule in tuple(Rule) and not section.level and not section.opens
