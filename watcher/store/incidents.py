"""Incidents in the database: what is shown where, which message an answer answers, and what a button is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, exists, select, update

from watcher.alerts.incident import Incident, Member, concerns
from watcher.alerts.message import Level, Message, Section, Text
from watcher.alerts.record import Key, Rule
from watcher.store.database import Database
from watcher.store.rows import message_from, sections_from, text_columns, text_from
from watcher.store.schema import incident, member, outbox

__all__ = ["Incident", "Member", "Told", "anchor", "end", "incident_of", "open_incidents", "show", "told"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A message that was delivered, by its number in the outbox, and the conditions that its buttons are about.

    `external_id` is what the other side calls its first part.
    """

    id: int
    external_id: str
    message: Message
    members: tuple[Member, ...]


def open_incidents(database: Database) -> list[Incident]:
    """Those whose messages may still be edited, the oldest first."""
    with database.transaction() as connection:
        return _incidents(connection, _query().where(incident.c.ended_at.is_(None)))


def incident_of(database: Database, message_id: int) -> Incident | None:
    """The incident that a message of the outbox began, also when it has ended; None where it began none."""
    with database.transaction() as connection:
        found = _incidents(connection, _query().where(incident.c.id == message_id))
    return found[0] if found else None


def told(database: Database, message_id: int) -> Told | None:
    """A message of the outbox whose first part has arrived; None where there is none, or it is forgotten."""
    query = select(outbox).where(outbox.c.id == message_id, outbox.c.external_id.is_not(None))
    with database.transaction() as connection:
        row = connection.execute(query).mappings().one_or_none()
        began = _members(connection, [message_id])[message_id]
    if row is None:
        return None
    message = message_from(row)
    left = {member.key for member in began if member.left}
    members = tuple(replace(member, left=member.key in left) for member in concerns(message.sections))
    return Told(id=row["id"], external_id=row["external_id"], message=message, members=members)


def anchor(database: Database, chat: str, sections: Sequence[Section]) -> str | None:
    """The first message to a chat about the first of these episodes that it was told of; None where it was of none."""
    with database.transaction() as connection:
        for section in sections:
            about = member.c.rule == section.rule, member.c.subject == section.subject
            query = (
                select(incident.c.external_id)
                .join(member, member.c.incident == incident.c.id)
                .where(incident.c.chat == chat, *about, member.c.episode == section.episode)
            )
            found: str | None = connection.execute(query.order_by(incident.c.id).limit(1)).scalar()
            if found is not None:
                return found
    return None


def show(database: Database, message_id: int, body: Text, now: int) -> None:
    """The message shows this now; nothing, where that is not known."""
    _change(database, message_id, edited_at=now, **text_columns(body))


def end(database: Database, message_id: int, now: int) -> None:
    """The message is edited no more."""
    _change(database, message_id, ended_at=now)


def _change(database: Database, message_id: int, **values: object) -> None:
    with database.transaction() as connection:
        connection.execute(update(incident).where(incident.c.id == message_id).values(**values))


def _query() -> Select[Any]:
    """Incidents, each with what it said at first."""
    said = outbox.c.sections, outbox.c.maybe_sent
    return select(incident, *said).join(outbox, outbox.c.id == incident.c.id).order_by(incident.c.id)


def _incidents(connection: Connection, query: Select[Any]) -> list[Incident]:
    rows = connection.execute(query).mappings().all()
    members = _members(connection, [row["id"] for row in rows])
    return [_incident(row, members[row["id"]]) for row in rows]


def _members(connection: Connection, incidents: list[int]) -> dict[int, list[Member]]:
    """The members of these, and whether a later incident of the same chat has each too."""
    newer, later = member.alias(), incident.alias()
    told_again = (
        exists()
        .where(newer.c.rule == member.c.rule, newer.c.subject == member.c.subject)
        .where(newer.c.episode == member.c.episode, newer.c.incident > member.c.incident)
        .where(later.c.id == newer.c.incident, later.c.chat == incident.c.chat)
    )
    query = (
        select(member, told_again.label("left"))
        .join(incident, incident.c.id == member.c.incident)
        .where(member.c.incident.in_(incidents))
    )
    found: dict[int, list[Member]] = {each: [] for each in incidents}
    for row in connection.execute(query).mappings():
        key = Key(Rule(row["rule"]), row["subject"])
        one = Member(key=key, episode=row["episode"], level=Level(row["level"]), left=bool(row["left"]))
        found[row["incident"]].append(one)
    return found


def _incident(row: RowMapping, members: list[Member]) -> Incident:
    """The members in the order in which they were told."""
    sections = sections_from(row)
    places = {(section.rule, section.subject): place for place, section in enumerate(sections)}
    members.sort(key=lambda one: places[one.key.rule, one.key.subject])
    return Incident(
        id=row["id"],
        chat=row["chat"],
        external_id=row["external_id"],
        members=tuple(members),
        body=text_from(row),
        opened_at=row["opened_at"],
        edited_at=row["edited_at"],
        ended_at=row["ended_at"],
        sections=sections,
        repeated=bool(row["maybe_sent"]),
    )
