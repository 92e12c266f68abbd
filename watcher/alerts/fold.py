"""Folding: what was not delivered yet gives way to newer news of the same subject, so that nobody reads old news first.

Of two messages to one chat that both wait, the newer one takes over every subject that they share:

  the same condition    the newer section stands for both; it tells when the first was written, and the worst in between
  another condition     (a health, and a price of the same position) moves over as it is: one subject, one message

What is left of the older message, if anything, stays in its place. Nothing is lost: a warning that ended before it
could be told becomes part of the all-clear. An all-clear never covers what still stands. Of two that mutes
hold, the newer is free when the first of them is: what is told at once is not held for the sake of what is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from watcher.alerts import figures
from watcher.alerts.message import SOON, Level, Message, Section


def fold(older: Message, newer: Message) -> tuple[Message | None, Message]:
    """What is left of the older message, and the newer one with what it takes over. Both wait for one chat."""
    subjects = {section.subject for section in newer.sections}
    taken = [section for section in older.sections if section.subject in subjects]
    if not taken:
        return older, newer
    left = [section for section in older.sections if section.subject not in subjects]
    rest = Message.of(older.chat, left, older.created_at, held_until=older.held_until) if left else None
    free = min(older.held_until, newer.held_until)
    return rest, Message.of(newer.chat, _merged(taken, newer.sections), newer.created_at, held_until=free)


def late(message: Message, now: int) -> str | None:
    """What a message says of its own age, if it has one worth telling."""
    age = now - message.since
    if age <= SOON:
        return None
    news = message.severity or max((section.worst for section in message.sections), default=Level.OK)
    why = "held by a mute" if message.held_until else "delivered late"
    return f"{'Raised' if news else 'Written'} {figures.duration(age)} ago, {why}."


def _merged(taken: Sequence[Section], newer: Sequence[Section]) -> list[Section]:
    known = {(section.rule, section.subject): section for section in taken}
    merged = []
    for section in newer:
        before = known.pop((section.rule, section.subject), None)
        merged.append(section if before is None else _standing_for(before, section))
    return sorted([*merged, *known.values()], key=lambda section: (-section.severity, section.brief))


def _standing_for(before: Section, now: Section) -> Section:
    """The newer section, with the warnings of the older in its past. What it says of easing may be the first news."""
    worst = max(before.worst, before.level)
    if not worst:
        return now
    return replace(
        now,
        severity=max(now.severity, now.level),
        since=before.since,
        worst=max(worst, now.worst),
        opens=bool(now.level) and (now.opens or before.opens),
        weight=max(now.weight, before.weight),
    )
