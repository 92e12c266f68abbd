"""Folding in the outbox: of all that waits for a chat, each subject is in one message, the newest to speak of it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, update

from watcher.alerts.fold import fold
from watcher.alerts.message import Message
from watcher.store.rows import Fate, message_columns, message_from
from watcher.store.schema import outbox


@dataclass(slots=True)
class _Waiting:
    """A row that may still be changed: nothing of it is on its way, and no part of it has arrived."""

    id: int
    message: Message | None
    maybe_sent: bool
    changed: bool = False


def fold_waiting(connection: Connection, chat: str) -> None:
    """Folds what waits for this chat. A message that is on its way stays as it is until its fate is known."""
    rows = _waiting(connection, chat)
    holder: dict[str, _Waiting] = {}
    for row in rows:
        assert row.message is not None  # every row is folded into later ones only
        for older in {id(found): found for s in row.message.about if (found := holder.get(s)) is not None}.values():
            _fold(older, row)
        holder |= dict.fromkeys(row.message.about, row)
    for row in rows:
        if row.message is None:
            connection.execute(delete(outbox).where(outbox.c.id == row.id))
        elif row.changed:
            values = message_columns(row.message) | {"maybe_sent": int(row.maybe_sent)}
            connection.execute(update(outbox).where(outbox.c.id == row.id).values(**values))


def _waiting(connection: Connection, chat: str) -> list[_Waiting]:
    untouched = select(outbox).where(
        outbox.c.chat == chat,
        outbox.c.fate == Fate.PENDING.value,
        outbox.c.in_flight == 0,
        outbox.c.part == 0,
        outbox.c.sections != "[]",
    )
    rows = connection.execute(untouched.order_by(outbox.c.id)).mappings()
    return [_Waiting(row["id"], message_from(row), bool(row["maybe_sent"])) for row in rows]


def _fold(older: _Waiting, newer: _Waiting) -> None:
    assert older.message is not None
    assert newer.message is not None
    said = {(section.rule, section.subject) for section in newer.message.sections}
    older.message, newer.message = fold(older.message, newer.message)
    moved = {(section.rule, section.subject) for section in newer.message.sections} - said
    newer.maybe_sent |= older.maybe_sent and bool(moved)  # what only moved may have been read before
    older.changed = newer.changed = True
