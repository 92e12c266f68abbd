"""Mutes in the database, and what they hold of the outbox.

Whatever changes a chat's mutes changes in the same transaction until when its messages are held, so the two never
contradict each other. What is not held is left alone: a mute is about news to come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, true, update
from sqlalchemy.dialects.sqlite import insert as upsert

from watcher.alerts.message import Level, Message
from watcher.alerts.mute import Mute, apart
from watcher.domain.source import Address
from watcher.store.database import Database
from watcher.store.folding import fold_waiting
from watcher.store.rows import Fate, message_columns, message_from, message_row
from watcher.store.schema import mute, outbox


def mutes(database: Database) -> tuple[Mute, ...]:
    """Every mute that is kept, also those that have run out."""
    with database.transaction() as connection:
        return tuple(_mutes(connection, true()))


def keep_mute(database: Database, kept: Mute, now: int) -> None:
    """Keeps a mute, in place of an earlier one of the same chat and wallet. What that one held, this one may free."""
    row = {"chat": kept.chat, "wallet": kept.wallet or "", "level": int(kept.level)}
    row |= {"until": kept.until, "by": kept.by, "at": kept.at}
    added = upsert(mute).values(row)
    changed = {name: added.excluded[name] for name in ("level", "until", "by", "at")}
    with database.transaction() as connection:
        connection.execute(added.on_conflict_do_update(index_elements=["chat", "wallet"], set_=changed))
        _hold_anew(connection, kept.chat, now)


def drop_mutes(database: Database, dropped: Iterable[Mute], now: int) -> None:
    """Forgets these mutes, unless they were replaced. What they held, and no other does, may leave at once."""
    with database.transaction() as connection:
        for chat in dict.fromkeys(_deleted(connection, dropped)):
            _hold_anew(connection, chat, now)


def _deleted(connection: Connection, dropped: Iterable[Mute]) -> Iterator[str]:
    for one in dropped:
        same = and_(mute.c.chat == one.chat, mute.c.wallet == (one.wallet or ""), mute.c.until == one.until)
        connection.execute(delete(mute).where(same))
        yield one.chat


def rightly_held(connection: Connection, messages: Iterable[Message]) -> list[Message]:
    """The messages, with what is to be held taken apart by the mutes as they are now."""
    found: list[Message] = []
    for message in messages:
        own = _mutes(connection, mute.c.chat == message.chat) if message.held_until else []
        found += apart(message, own, message.created_at) if message.held_until else [message]
    return found


def _hold_anew(connection: Connection, chat: str, now: int) -> None:
    own = _mutes(connection, mute.c.chat == chat)
    waiting = and_(
        outbox.c.chat == chat,
        outbox.c.fate == Fate.PENDING.value,
        outbox.c.in_flight == 0,
        outbox.c.part == 0,
        outbox.c.held_until > now,
    )
    for row in connection.execute(select(outbox).where(waiting).order_by(outbox.c.id)).mappings().all():
        first, *others = apart(message_from(row), own, now)
        connection.execute(update(outbox).where(outbox.c.id == row["id"]).values(**message_columns(first)))
        for other in others:
            connection.execute(insert(outbox).values(message_row(other)))
    fold_waiting(connection, chat)


def _mutes(connection: Connection, which: ColumnElement[bool]) -> Sequence[Mute]:
    return [
        Mute(
            chat=row["chat"],
            wallet=Address(row["wallet"]) if row["wallet"] else None,
            level=Level(row["level"]),
            until=row["until"],
            by=row["by"],
            at=row["at"],
        )
        for row in connection.execute(select(mute).where(which)).mappings()
    ]
