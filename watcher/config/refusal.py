"""Refusals: every problem of a file, told together, each in one line with the value and what would be right.

A form is a flat frozen dataclass whose fields carry a `Right`: how to read a TOML value, and the words for what it
should have been. pydantic fills the form and finds what is missing or unknown; the words are ours.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import fields
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from typing import Any, TypeVar, cast, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, core_schema

from watcher.domain.errors import ConfigError

T = TypeVar("T")

PRIVATE_KEY = re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F]{64}(?![0-9a-fA-F])")
BOT_TOKEN = re.compile(r"\b\d{6,}:[A-Za-z0-9_-]{30,}")

WHERE_REFERENCES = (
    "in telegram.token, in the secrets of webhooks and in the URLs and header values of what is asked or told;"
    " write the value itself"
)

MOST_PROBLEMS = 50
"""Lines told at once; a file with more is broken in one way, many times."""

_LONGEST_VALUE = 60
_SHORTEST_PART, _MOST_MEANT = 3, 3
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]{1,60}")


class Form:
    """Base of all forms: a key that no field has is a mistake."""

    __slots__ = ()
    __pydantic_config__ = ConfigDict(extra="forbid")


class Right:
    """What is right for a field, in words, and how to read it.

    `read` gives the value, or None where it is not what the words say, or raises `ValueError` with better words.
    """

    def __init__(self, words: str, read: Callable[[Any], Any], *, by_reference: bool = False) -> None:
        self.words = words
        self._read = read
        self._by_reference = by_reference

    def __call__(self, value: object) -> Any:
        """Read one TOML value; raises `ValueError` whose text is for the user."""
        if isinstance(value, str) and "${" in value and not self._by_reference:
            raise ValueError(f"{shown(value)} refers to a secret; that is read only {WHERE_REFERENCES}")
        got = self._read(value)
        if got is None:
            raise ValueError(f"{shown(value)} is not {self.words}")
        return got

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self)


class Problems:
    """The problems of one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: dict[str, None] = {}

    def beside(self, file: str) -> Problems:
        """The problems of another file, which are told together with these."""
        other = Problems(file)
        other._found = self._found
        return other

    def add(self, where: str, what: str) -> None:
        """Note a problem at a place such as `wallets[2].address` (counted from 1); an empty place is the whole file."""
        self._found[": ".join(part for part in (self.file, where, what) if part)] = None

    def fill(self, form: type[T], table: object, where: str = "") -> T | None:
        """The table as its form, or None with every problem of it noted."""
        if not isinstance(table, Mapping):
            self.add(where, f"{shown(table)} is not a table of keys; write [{where}] on a line, and keys below it")
            return None
        try:
            return _filled(form, table)
        except ValidationError as refused:
            for error in refused.errors(include_url=False):
                key = str(error["loc"][0]) if error["loc"] else ""
                self.add(inside(where, key), _explained(form, key, error))
        return None

    def fill_what_fits(self, form: type[T], table: object, where: str = "") -> T:
        """As `fill`, for a form whose every key may be left out: what is wrong is noted, and read as left out."""
        filled = self.fill(form, table, where)
        if filled is not None:
            return filled
        probe = Problems(self.file)
        items = table.items() if isinstance(table, Mapping) else ()
        return _filled(form, {key: value for key, value in items if probe.fill(form, {key: value}) is not None})

    def settle(self) -> None:
        """Raise what was found as one `ConfigError`, if anything was."""
        lines = list(self._found)
        if len(lines) > MOST_PROBLEMS:
            lines[MOST_PROBLEMS:] = [f"{self.file}: and {len(lines) - MOST_PROBLEMS} more"]
        if lines:
            raise ConfigError(scrubbed("\n".join(lines)))


def inside(where: str, key: str) -> str:
    """The place of a key within a place, with unusual keys quoted."""
    return f"{where}.{shown_key(key)}" if where else shown_key(key)


def shown_key(key: str) -> str:
    """A key as it would be written in TOML."""
    return key if _BARE_KEY.fullmatch(key) else shown(key)


def shown(value: object) -> str:
    """A value as it would be written in TOML, on one line and of bearable length."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    if isinstance(value, int | Decimal):
        return _shortened(hex(value) if isinstance(value, int) and abs(value) > 10**40 else str(value))
    return _shortened(scrubbed(json.dumps(str(value), ensure_ascii=not str(value).isprintable())))


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def scrubbed(text: str) -> str:
    """The text without anything that looks like a private key or a bot token."""
    return BOT_TOKEN.sub("…", PRIVATE_KEY.sub("…", text))


def unknown(name: str, known: Collection[str], what: str) -> str:
    """That a name is not known, with the known ones that may be meant, or else all.

    Where the known names come as a mapping, its values are their titles, by which they may be meant as well.
    """
    near = get_close_matches(name, list(known), n=1, cutoff=0.6) or _holding(name, known)
    if near:
        return f"{shown(name)} is not a known {what}; did you mean {' or '.join(map(shown, near))}?"
    return f"{shown(name)} is not a known {what}; known: {', '.join(known) or 'none'}"


def _holding(part: str, known: Collection[str]) -> list[str]:
    """The first few known names that hold this part in themselves or in their title, however it is spelled."""
    titles = known if isinstance(known, Mapping) else {}
    sought = _letters(part)
    if len(sought) < _SHORTEST_PART:
        return []
    holding = [name for name in known if sought in _letters(name) or sought in _letters(str(titles.get(name, "")))]
    return holding[:_MOST_MEANT]


def _letters(text: str) -> str:
    return "".join(each for each in text.casefold() if each.isalnum())


def repeated(names: Iterable[T]) -> list[tuple[int, T]]:
    """Every name that came before, with its position counted from 1."""
    seen: set[T] = set()
    again = []
    for index, name in enumerate(names, 1):
        if name in seen:
            again.append((index, name))
        seen.add(name)
    return again


def _filled(form: type[T], table: Mapping[str, Any]) -> T:
    adapter: TypeAdapter[T] = _adapter(cast(Hashable, form))  # mypy does not take a `type[T]` for hashable
    return adapter.validate_python(dict(table))


@cache
def _adapter(form: Any) -> TypeAdapter[Any]:
    return TypeAdapter(form)


def _explained(form: Any, key: str, error: ErrorDetails) -> str:
    match error["type"]:
        case "value_error":
            return str(error["ctx"]["error"])
        case "unexpected_keyword_argument":
            return unknown(key, [field.name for field in fields(form)], "key")
        case "missing":
            (right,) = get_type_hints(form, include_extras=True)[key].__metadata__
            return f"missing; write {right.words}"
        case _:
            return error["msg"]
