"""Messages as text plus spans, so that no user's or contract's string can ever be read as markup."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum


class Level(IntEnum):
    """How bad it is. The order is the order of sending."""

    OK = 0
    WARN = 1
    CRITICAL = 2
    LIQUIDATABLE = 3


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to one chat. `about` names the subjects it speaks of; `created_at` is in Unix seconds."""

    chat: str
    severity: Level
    body: Text
    about: tuple[str, ...]
    created_at: int
