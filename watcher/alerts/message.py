"""Messages as text plus spans, so that no user's or contract's string can ever be read as markup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Final, Self

from watcher.alerts import figures
from watcher.domain.source import Address

SOON: Final = 60
"""Seconds within which news is not called old."""


class Level(IntEnum):
    """How bad it is. The order is the order of sending."""

    OK = 0
    WARN = 1
    CRITICAL = 2
    LIQUIDATABLE = 3

    @property
    def word(self) -> str:
        """How a message calls it."""
        return "WARNING" if self is Level.WARN else self.name


class Style(StrEnum):
    """The entity types of the Telegram Bot API that we use."""

    BOLD = "bold"
    CODE = "code"
    ITALIC = "italic"
    LINK = "text_link"


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units, in which Telegram counts offsets and limits."""
    return len(text.encode("utf-16-le")) // 2


@dataclass(frozen=True, slots=True)
class Span:
    """A styled stretch of text; `offset` and `length` in UTF-16 code units."""

    style: Style
    offset: int
    length: int
    url: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text and its spans. Build it with `+`: `bold("WARN") + " health " + code("1.08")`."""

    text: str = ""
    spans: tuple[Span, ...] = ()

    def __add__(self, other: Text | str) -> Text:
        tail = Text(other) if isinstance(other, str) else other
        shift = utf16_length(self.text)
        moved = tuple(replace(span, offset=span.offset + shift) for span in tail.spans)
        return Text(self.text + tail.text, self.spans + moved)

    def __radd__(self, other: str) -> Text:
        return Text(other) + self

    def __str__(self) -> str:
        return self.text


def bold(text: str) -> Text:
    return _styled(Style.BOLD, text)


def code(text: str) -> Text:
    return _styled(Style.CODE, text)


def italic(text: str) -> Text:
    return _styled(Style.ITALIC, text)


def link(text: str, url: str) -> Text:
    return _styled(Style.LINK, text, url)


def _styled(style: Style, text: str, url: str = "") -> Text:
    return Text(text, (Span(style, 0, utf16_length(text), url),) if text else ())


def joined(parts: list[Text], separator: str = "\n") -> Text:
    """Texts in a row with a separator between them."""
    whole = Text()
    for index, part in enumerate(parts):
        whole = whole + (separator if index else "") + part
    return whole


def first_line(text: Text) -> Text:
    """The text up to its first line break, with the spans that lie within."""
    line = text.text.partition("\n")[0]
    end = utf16_length(line)
    return Text(line, tuple(span for span in text.spans if span.offset + span.length <= end))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a position stands that a section is about, for programs. `second` and `edge` are its health at the second
    source and at the worst edge of its feeds' deviation, where they are known; `price`: "suspect", "stale"."""

    position: str
    health: Decimal
    second: Decimal | None = None
    edge: Decimal | None = None
    price: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What a message says of one condition. `rule` and `subject` name the condition, `level` is where it stands.

    `severity` is how urgent the news is: good news is OK whatever level is left. `at` is when it was written, `since`
    when the oldest warning was that it stands for, and `worst` the worst of these: other than `at` and OK only after
    a fold. A `brief` section is a line among others. Times are Unix seconds. `episode` is the record's; `opens`: it
    tells of an alert for the first time, or of one that got worse, so that an incident begins with its message.
    `health` is the factor of the position that it is about, if it has one.
    `wallets` are whom it concerns; `weight`, the worse of where it stands and where it stood, is what a mute goes by.
    `positions` are those that were read, the first of them where there are many.
    """

    rule: str
    subject: str
    severity: Level
    level: Level
    body: Text
    at: int
    since: int
    worst: Level = Level.OK
    brief: bool = False
    episode: int = 0
    opens: bool = False
    health: Decimal | None = None
    wallets: tuple[Address, ...] = ()
    weight: Level = Level.OK
    positions: tuple[Standing, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to one chat. `about` names the subjects it speaks of; `created_at` is in Unix seconds.

    `sections` are what it can be taken apart into, if at all: see `fold`. A mute holds it until `held_until` (Unix
    seconds, possibly past); 0: none ever did.
    """

    chat: str
    severity: Level
    body: Text
    about: tuple[str, ...]
    created_at: int
    sections: tuple[Section, ...] = ()
    held_until: int = 0

    @classmethod
    def of(cls, chat: str, sections: Sequence[Section], created_at: int, *, held_until: int = 0) -> Self:
        """The sections as one message, in their order. Raises ValueError on none."""
        return cls(
            chat=chat,
            severity=max(section.severity for section in sections),
            body=_told(sections, created_at),
            about=tuple(dict.fromkeys(section.subject for section in sections)),
            created_at=created_at,
            sections=tuple(sections),
            held_until=held_until,
        )

    @property
    def since(self) -> int:
        """When the oldest news in it was written."""
        return min((section.since for section in self.sections), default=self.created_at)


def _told(sections: Sequence[Section], now: int) -> Text:
    """Those in full one by one, then the brief ones in a line each. What is the same of two conditions is said once."""
    first = {(section.subject, section.body): section for section in reversed(sections)}
    said = [section for section in sections if first[section.subject, section.body] is section]
    parts = [_shown(section, now) for section in said if not section.brief]
    brief = [_shown(section, now) for section in said if section.brief]
    if brief:
        parts.append(joined([Text(f"and {len(brief)} more:" if parts else f"{len(brief)} in brief:"), *brief]))
    return joined(parts, "\n\n")


def _shown(section: Section, now: int) -> Text:
    """A section, with what it stands for besides itself."""
    past, mark = _past(section, now), " · " if section.brief else "\n"
    return section.body + mark + italic(past) if past else section.body


def _past(section: Section, now: int) -> str:
    raised = f"first raised {figures.duration(section.at - section.since)} earlier"
    if section.worst > section.level:
        return f"It was {section.worst.word} before, {raised}."
    if section.worst and section.at - section.since > SOON:
        return f"{raised[0].upper()}{raised[1:]}."
    return f"As it was {figures.duration(now - section.at)} before this." if now - section.at > SOON else ""
