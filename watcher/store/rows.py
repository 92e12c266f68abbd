"""What the store gives back, and how messages and records are laid out in rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import RowMapping

from watcher.alerts.message import Level, Message, Section, Span, Standing, Style, Text
from watcher.alerts.record import Key, Record, Rule
from watcher.domain.source import Address


class Fate(StrEnum):
    """What became of a message."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A message that the caller, and nobody else, may now send once.

    `part` counts the parts of it that have arrived, `attempt` the tries at the part that follows, this one included.
    `maybe_sent`: an earlier try may have arrived, so this one has to say that it may be a repeat.
    """

    id: int
    message: Message
    part: int
    attempt: int
    maybe_sent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatState:
    """What is known about a chat: where it is now, and why it gets nothing (empty while it does)."""

    name: str
    address: str
    disabled: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """The outbox in numbers.

    Of the `pending` ones, `refused` wait for a chat that is disabled or no longer configured, and `held` on purpose:
    for the end of a mute or of quiet hours. `oldest` is the creation time of the oldest of the others, in Unix seconds.
    """

    pending: int
    refused: int
    held: int
    oldest: int | None
    dead: int

    @property
    def moving(self) -> int:
        """How many should be on their way."""
        return self.pending - self.refused - self.held


def record_row(record: Record) -> dict[str, Any]:
    """The row of a condition, all columns: times in Unix seconds, enumerations by value."""
    return {
        "rule": record.key.rule.value,
        "subject": record.key.subject,
        "level": int(record.level),
        "episode": record.episode,
        "since": record.since,
        "spoken_at": record.spoken_at,
        "fired_block": record.fired_block,
        "calm": record.calm,
        "told": json.dumps(record.told),
    }


def record_from(row: RowMapping) -> Record:
    """The condition of a row; the inverse of `record_row`."""
    return Record(
        key=Key(Rule(row["rule"]), row["subject"]),
        level=Level(row["level"]),
        episode=row["episode"],
        since=row["since"],
        spoken_at=row["spoken_at"],
        fired_block=row["fired_block"],
        calm=row["calm"],
        told=tuple(json.loads(row["told"])),
    )


def message_row(message: Message) -> dict[str, Any]:
    """A new row of the outbox: pending, never tried, free to leave at once (`not_before` 0, in Unix seconds)."""
    return message_columns(message) | {
        "chat": message.chat,
        "fate": Fate.PENDING.value,
        "part": 0,
        "attempt": 0,
        "in_flight": 0,
        "maybe_sent": 0,
        "not_before": 0,
    }


def message_columns(message: Message) -> dict[str, Any]:
    """What a message says, as columns: `created_at` in Unix seconds, spans and sections as JSON."""
    return {
        **text_columns(message.body),
        "severity": int(message.severity),
        "about": json.dumps(message.about),
        "created_at": message.created_at,
        "sections": json.dumps([_plain_section(section) for section in message.sections]),
        "held_until": message.held_until,
    }


def message_from(row: RowMapping) -> Message:
    """The message of a row; the inverse of `message_row`, but for what has no UTF-8."""
    return Message(
        chat=row["chat"],
        severity=Level(row["severity"]),
        body=text_from(row),
        about=tuple(json.loads(row["about"])),
        created_at=row["created_at"],
        sections=sections_from(row),
        held_until=row["held_until"],
    )


def text_columns(body: Text) -> dict[str, str]:
    """A text as columns, its spans as JSON."""
    return {"text": _storable(body.text), "spans": json.dumps(_plain_spans(body))}


def text_from(row: RowMapping) -> Text:
    """The text of a row; the inverse of `text_columns`, but for what has no UTF-8."""
    return Text(row["text"], _spans(json.loads(row["spans"])))


def sections_from(row: RowMapping) -> tuple[Section, ...]:
    """What the message of a row can be taken apart into."""
    return tuple(_section(plain) for plain in json.loads(row["sections"]))


def _plain_section(section: Section) -> dict[str, Any]:
    return {
        "rule": section.rule,
        "subject": section.subject,
        "severity": int(section.severity),
        "level": int(section.level),
        "text": _storable(section.body.text),
        "spans": _plain_spans(section.body),
        "at": section.at,
        "since": section.since,
        "worst": int(section.worst),
        "brief": section.brief,
        "episode": section.episode,
        "opens": section.opens,
        "health": None if section.health is None else str(section.health),
        "wallets": list(section.wallets),
        "weight": int(section.weight),
        "positions": [_plain_standing(one) for one in section.positions],
    }


def _plain_standing(one: Standing) -> dict[str, Any]:
    figures = {"health": one.health, "second": one.second, "edge": one.edge}
    plain = {name: str(figure) for name, figure in figures.items() if figure is not None}
    return {"position": one.position, **plain, "price": list(one.price)}


def _section(plain: dict[str, Any]) -> Section:
    return Section(
        rule=plain["rule"],
        subject=plain["subject"],
        severity=Level(plain["severity"]),
        level=Level(plain["level"]),
        body=Text(plain["text"], _spans(plain["spans"])),
        at=plain["at"],
        since=plain["since"],
        worst=Level(plain["worst"]),
        brief=plain["brief"],
        episode=plain.get("episode", 0),  # rows of schema 3 have none
        opens=plain.get("opens", False),
        health=Decimal(plain["health"]) if plain.get("health") else None,
        wallets=tuple(map(Address, plain.get("wallets", ()))),
        weight=Level(plain.get("weight", 0)),
        positions=tuple(map(_standing, plain.get("positions", ()))),  # rows of schema 4 have none
    )


def _standing(plain: dict[str, Any]) -> Standing:
    return Standing(
        position=plain["position"],
        health=Decimal(plain["health"]),
        second=Decimal(plain["second"]) if "second" in plain else None,
        edge=Decimal(plain["edge"]) if "edge" in plain else None,
        price=tuple(plain["price"]),
    )


def _plain_spans(text: Text) -> list[list[Any]]:
    return [[span.style.value, span.offset, span.length, span.url] for span in text.spans]


def _spans(plain: list[list[Any]]) -> tuple[Span, ...]:
    return tuple(Span(Style(style), offset, length, url) for style, offset, length, url in plain)


def claimed_from(row: RowMapping) -> Claimed:
    """The claim of a row that has just been marked as in flight, its `attempt` counted already."""
    return Claimed(
        id=row["id"],
        message=message_from(row),
        part=row["part"],
        attempt=row["attempt"],
        maybe_sent=bool(row["maybe_sent"]),
    )


def _storable(text: str) -> str:
    """Lone surrogates have no UTF-8: one would fail the whole commit. The `?` for it is as long, so spans still fit."""
    return text.encode("utf-8", "replace").decode("utf-8")
