"""Cutting a text that is too long for one message, with its spans. Pure."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Final

from watcher.alerts.message import Span, Text

_WIDTH: Final = 2  # bytes of a UTF-16 code unit
_JOINER: Final = "\u200d"
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Mn", "Me", "Zl", "Zp", "Zs"})
_BLANK_LETTERS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # fillers: not spaces to Unicode, empty to a reader


def split(text: Text, limit: int) -> tuple[Text, ...]:
    """The text in parts of at most `limit` UTF-16 units, cut after a line, else after a word, else between characters.

    Put together they are the text again, without the parts in which there was nothing to see. Empty for such a text.
    """
    encoded = text.text.encode("utf-16-le", "surrogatepass")
    parts, start, end = [], 0, len(encoded) // _WIDTH
    while start < end:
        taken = _cut(encoded, start, min(end, start + limit), end)
        part = _part(text, encoded, start, taken)
        if visible(part.text):
            parts.append(part)
        start = taken
    return tuple(parts)


def head(text: Text, limit: int) -> tuple[Text, Text]:
    """The first part of at most `limit` UTF-16 units, cut as `split` does, and all that follows it."""
    encoded = text.text.encode("utf-16-le", "surrogatepass")
    end = len(encoded) // _WIDTH
    stop = _cut(encoded, 0, min(end, limit), end)
    return _part(text, encoded, 0, stop), _part(text, encoded, stop, end)


def visible(text: str) -> bool:
    """Whether there is anything to see. Telegram refuses a message in which there is not."""
    return any(unicodedata.category(c) not in _INVISIBLE and c not in _BLANK_LETTERS for c in text)


def _part(text: Text, encoded: bytes, start: int, stop: int) -> Text:
    part = encoded[start * _WIDTH : stop * _WIDTH].decode("utf-16-le", "surrogatepass")
    return Text(part, _clipped(text.spans, start, stop))


def _cut(encoded: bytes, start: int, stop: int, end: int) -> int:
    """Where the part from `start` ends, in units: after `start`, and not after `stop`."""
    if stop == end:
        return end
    window = encoded[start * _WIDTH : stop * _WIDTH].decode("utf-16-le", "ignore")  # drops the half of a pair
    following = encoded[stop * _WIDTH :][:4].decode("utf-16-le", "ignore")[:1]
    length = window.rfind("\n") + 1 or _after_word(window) or _whole_characters(window, following)
    return start + len(window[:length].encode("utf-16-le")) // _WIDTH


def _after_word(window: str) -> int:
    """After the last space, if that does not leave most of the part empty."""
    place = window.rfind(" ") + 1
    return place if place > len(window) // 2 else 0


def _whole_characters(window: str, following: str) -> int:
    """Before a character that leans on what precedes it (an accent, a joined emoji), if there is one close by."""
    text = window + following
    for place in range(len(window), len(window) // 2, -1):
        after = text[place : place + 1]
        if text[place - 1] != _JOINER and not (after and _leans(after)):
            return place
    return len(window)


def _leans(character: str) -> bool:
    skin_tone = "\U0001f3fb" <= character <= "\U0001f3ff"
    return character == _JOINER or skin_tone or unicodedata.category(character) in ("Mn", "Me", "Mc")


def _clipped(spans: tuple[Span, ...], start: int, stop: int) -> tuple[Span, ...]:
    """The spans as they lie within a part."""
    within = []
    for span in spans:
        first, last = max(span.offset, start), min(span.offset + span.length, stop)
        if first < last:
            within.append(replace(span, offset=first - start, length=last - first))
    return tuple(within)
