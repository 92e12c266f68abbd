"""Acknowledgements in the database: one for each condition at most, the newest word about it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, and_, bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert as upsert

from watcher.alerts.ack import Acknowledgement
from watcher.alerts.message import Level
from watcher.alerts.record import Key, Record, Rule
from watcher.store.database import Database
from watcher.store.schema import ack

_NONE: Final = -1
"""No episode."""


def acknowledgements(database: Database) -> dict[Key, Acknowledgement]:
    """Every word that is kept, also those that have run out."""
    with database.transaction() as connection:
        found = [ack_from(row) for row in connection.execute(select(ack)).mappings()]
    return {one.key: one for one in found}


def keep_acks(database: Database, acks: Iterable[Acknowledgement]) -> None:
    """Keeps all of them or none; each in place of an earlier word about its condition."""
    if rows := [ack_row(one) for one in acks]:
        added = upsert(ack)
        changed = {name: added.excluded[name] for name in rows[0] if name not in ("rule", "subject")}
        with database.transaction() as connection:
            connection.execute(added.on_conflict_do_update(index_elements=["rule", "subject"], set_=changed), rows)


def drop_acks(database: Database, acks: Iterable[Acknowledgement]) -> None:
    """Forgets these words; a newer one about the same condition stays."""
    with database.transaction() as connection:
        for one in acks:
            connection.execute(
                delete(ack).where(
                    ack.c.rule == one.key.rule.value,
                    ack.c.subject == one.key.subject,
                    ack.c.episode == one.episode,
                    ack.c.at == one.at,
                )
            )


def drop_ended(connection: Connection, records: Iterable[Record]) -> None:
    """Forgets what was said of episodes that are over."""
    rows = [
        {"a": record.key.rule.value, "b": record.key.subject, "c": record.episode if record.level else _NONE}
        for record in records
    ]
    if rows:
        same = and_(ack.c.rule == bindparam("a"), ack.c.subject == bindparam("b"))
        connection.execute(delete(ack).where(same, ack.c.episode != bindparam("c")), rows)


def ack_row(one: Acknowledgement) -> dict[str, Any]:
    """The row of an acknowledgement, all columns: times in Unix seconds, enumerations by value."""
    return {
        "rule": one.key.rule.value,
        "subject": one.key.subject,
        "episode": one.episode,
        "level": int(one.level),
        "until": one.until,
        "snooze": int(one.snooze),
        "by": one.by,
        "at": one.at,
    }


def ack_from(row: RowMapping) -> Acknowledgement:
    """The acknowledgement of a row; the inverse of `ack_row`."""
    return Acknowledgement(
        key=Key(Rule(row["rule"]), row["subject"]),
        episode=row["episode"],
        level=Level(row["level"]),
        until=row["until"],
        snooze=bool(row["snooze"]),
        by=row["by"],
        at=row["at"],
    )
