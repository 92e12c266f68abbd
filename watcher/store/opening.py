"""What a delivery, or a change of a chat, does to incidents: within the transaction of the one who says so."""

from __future__ import annotations

from sqlalchemy import Connection, RowMapping, delete, insert, select

from watcher.alerts.incident import opened_by
from watcher.store.rows import message_from
from watcher.store.schema import incident, member, outbox


def open_incident(connection: Connection, row: RowMapping, now: int) -> None:
    """Begins the incident of a message whose first part has just arrived, if it began any alert."""
    message = message_from(row)
    if not any(section.opens for section in message.sections):
        return
    values = {"id": row["id"], "chat": row["chat"], "external_id": row["external_id"], "text": row["text"]}
    times = {"opened_at": now, "edited_at": now, "ended_at": None}
    connection.execute(insert(incident).values(**values, spans=row["spans"], **times))
    members = [
        {"incident": row["id"], "rule": one.key.rule.value, "subject": one.key.subject}
        | {"episode": one.episode, "level": int(one.level)}
        for one in opened_by(message.sections)
    ]
    connection.execute(insert(member), members)


def forget_incidents_of(connection: Connection, chats: list[str]) -> None:
    """These chats are at another address: there, the messages' ids are other messages'."""
    gone = select(incident.c.id).where(incident.c.chat.in_(chats))
    connection.execute(delete(member).where(member.c.incident.in_(gone)))
    connection.execute(delete(incident).where(incident.c.chat.in_(chats)))


def forget_incidents_without_message(connection: Connection) -> None:
    """An incident lives as long as its message does in the outbox."""
    kept = select(outbox.c.id)
    connection.execute(delete(member).where(member.c.incident.not_in(kept)))
    connection.execute(delete(incident).where(incident.c.id.not_in(kept)))
