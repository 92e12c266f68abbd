"""Vigils in the database: since when something has been critical, and whether the second way to people was told."""

from __future__ import annotations

import json
from collections.abc import Iterable

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert as upsert

from watcher.alerts.escalation import Vigil
from watcher.alerts.message import Message, Section
from watcher.alerts.record import Key, Rule
from watcher.store.rows import message_from
from watcher.store.schema import outbox, vigil


def stored_vigils(connection: Connection) -> dict[Key, Vigil]:
    found = {}
    for row in connection.execute(select(vigil)).mappings():
        key = Key(Rule(row["rule"]), row["subject"])
        found[key] = Vigil(key=key, episode=row["episode"], since=row["since"], told=bool(row["told"]))
    return found


def store_vigils(connection: Connection, kept: Iterable[Vigil], ended: Iterable[Key]) -> None:
    rows = [
        {"rule": one.key.rule.value, "subject": one.key.subject}
        | {"episode": one.episode, "since": one.since, "told": int(one.told)}
        for one in kept
    ]
    if rows:
        added = upsert(vigil)
        changed = {name: added.excluded[name] for name in ("episode", "since", "told")}
        connection.execute(added.on_conflict_do_update(index_elements=["rule", "subject"], set_=changed), rows)
    for key in ended:
        connection.execute(delete(vigil).where(vigil.c.rule == key.rule.value, vigil.c.subject == key.subject))


def last_warning(connection: Connection, key: Key, besides: str) -> Section | None:
    """The newest warning about a condition that was written to any chat but one; None where it is forgotten."""
    about = f"%{_escaped(json.dumps(key.subject))}%"
    mentioning = select(outbox).where(outbox.c.chat != besides, outbox.c.about.like(about, escape="\\"))
    for row in connection.execute(mentioning.order_by(outbox.c.id.desc())).mappings():
        message: Message = message_from(row)
        for section in message.sections:
            if (section.rule, section.subject) == (key.rule.value, key.subject) and section.severity:
                return section
    return None


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
