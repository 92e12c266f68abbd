"""The text of a message in lines of styled words, as wide as a bubble."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from watcher.alerts.message import Style

PLAIN: Final = ""


@dataclass(frozen=True, slots=True)
class Run:
    """Characters that look alike. `style` is the type of an entity, or `PLAIN`."""

    text: str
    style: str


Line = tuple[Run, ...]
Width = Callable[[Run], float]


def runs(text: str, entities: Iterable[Mapping[str, Any]]) -> list[Run]:
    """The text in runs. Offsets and lengths are UTF-16 units, as Telegram counts."""
    spans = [(entity["offset"], entity["offset"] + entity["length"], str(Style(entity["type"]))) for entity in entities]
    styled, offset = [], 0
    for character in text:
        style = next((style for start, end, style in spans if start <= offset < end), PLAIN)
        styled.append((character, style))
        offset += len(character.encode("utf-16-le")) // 2
    return [
        Run("".join(character for character, _ in alike), style)
        for style, alike in groupby(styled, key=lambda one: one[1])
    ]


def wrapped(whole: Sequence[Run], width: Width, widest: float) -> list[Line]:
    """In lines no wider than that, broken between words; a word is never broken."""
    lines: list[Line] = []
    for paragraph in _split(whole, "\n"):
        line: Line = ()
        for word in _words(paragraph):
            if line and sum(map(width, (*line, *word))) > widest:
                lines.append(line)
                line = _unspaced(word)
            else:
                line = (*line, *word)
        lines.append(line)
    return lines


def _split(whole: Sequence[Run], mark: str) -> list[Line]:
    """The runs between the marks."""
    parts: list[list[Run]] = [[]]
    for run in whole:
        first, *rest = run.text.split(mark)
        parts[-1].append(Run(first, run.style))
        parts += [[Run(piece, run.style)] for piece in rest]
    return [tuple(run for run in part if run.text) for part in parts]


def _words(line: Line) -> list[Line]:
    """Words, each with the space before it; one may be of several styles."""
    words: list[list[Run]] = [[]]
    for run in line:
        first, *rest = run.text.split(" ")
        words[-1].append(Run(first, run.style))
        words += [[Run(f" {piece}", run.style)] for piece in rest]
    return [tuple(run for run in word if run.text) for word in words if any(run.text for run in word)]


def _unspaced(word: Line) -> Line:
    """As at the start of a line."""
    return (Run(word[0].text.lstrip(" "), word[0].style), *word[1:])
