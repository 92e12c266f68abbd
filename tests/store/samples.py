"""Small records and messages to put into a store."""

from __future__ import annotations

from decimal import Decimal

from watcher.alerts.message import Level, Message, Text
from watcher.alerts.record import Key, Record, Rule
from watcher.store import Store
from watcher.store.history import Point


def record(subject: str, level: Level) -> Record:
    key = Key(Rule.HEALTH, subject)
    return Record(key=key, level=level, episode=3, since=10, spoken_at=11, fired_block=12, calm=1)


def message(
    body: str | Text,
    *,
    chat: str = "a",
    severity: Level = Level.WARN,
    about: tuple[str, ...] = ("position:1",),
    created_at: int = 0,
) -> Message:
    text = Text(body) if isinstance(body, str) else body
    return Message(chat=chat, severity=severity, body=text, about=about, created_at=created_at)


def point(position: str, at: int, health: str) -> Point:
    """One that only its health tells from others."""
    return Point(
        position=position,
        at=at,
        block=1,
        health=Decimal(health),
        collateral=Decimal(1),
        debt=Decimal(1),
        numeraire="USD",
        legs=(),
    )


def lose_chat(store: Store, name: str, why: str) -> None:
    """As a chat that refuses a message is lost."""
    store.commit([], [message("refused", chat=name)])
    refused = store.claim(0, [name])
    assert refused is not None
    store.dead(refused.id, why, 0, disable=True)
