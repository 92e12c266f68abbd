"""Incidents: what one message announced together, and which of it still stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from watcher.alerts.message import Level, Section, Text
from watcher.alerts.record import Key, Record, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A condition as an incident's message told of it. `left`: a newer message to the chat told that it got worse."""

    key: Key
    episode: int
    level: Level
    left: bool = False

    def stands(self, record: Record | None) -> bool:
        """Whether this episode goes on, and here is where it is told."""
        return not self.left and record is not None and bool(record.level) and record.episode == self.episode


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A delivered message that began alerts, by its number in the outbox. Times in Unix seconds.

    `external_id` is what the other side calls it, `body` what it shows now: empty where that is not known. `sections`
    are all of what it said at first, `repeated` that it may have arrived twice. Once `ended_at` it is edited no more.
    """

    id: int
    chat: str
    external_id: str
    members: tuple[Member, ...]
    body: Text
    opened_at: int
    edited_at: int
    ended_at: int | None = None
    sections: tuple[Section, ...] = ()
    repeated: bool = False


def opened_by(sections: Sequence[Section]) -> tuple[Member, ...]:
    """The members of the incident that a message begins: the alerts that it tells of first, or that got worse."""
    return _members(section for section in sections if section.opens and section.level)


def concerns(sections: Sequence[Section]) -> tuple[Member, ...]:
    """What the buttons of a message are about: all that it raises or reminds of."""
    return _members(section for section in sections if section.episode and section.severity)


def _members(sections: Iterable[Section]) -> tuple[Member, ...]:
    found = {Key(Rule(section.rule), section.subject): section for section in sections}
    return tuple(Member(key=key, episode=section.episode, level=section.level) for key, section in found.items())
