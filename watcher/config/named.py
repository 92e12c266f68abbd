"""Which other files a configuration names; asked before, and even where, it is not valid."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watcher.config.files import parse, read_text
from watcher.config.secrets import References


@dataclass(frozen=True, slots=True)
class NamedFiles:
    """Paths as they are opened; None where the key is left out, or holds no path. `secrets` are those of references."""

    wallets: Path | None
    protocols: Path | None
    secrets: tuple[Path, ...] = ()


def named_files(path: Path, environ: Mapping[str, str] = os.environ) -> NamedFiles:
    """What a watcher.toml names. Raises `ConfigError` where it cannot be read, or is no TOML."""
    references, raw = _read(path, environ)
    return NamedFiles(
        wallets=_file(raw, "wallets_file", references),
        protocols=_file(raw, "protocols_file", references),
        secrets=_secrets(raw, references),
    )


def named_by_world(path: Path, environ: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """What a protocols file names: its list of feeds, and secrets. Raises `ConfigError` as `named_files` does."""
    references, raw = _read(path, environ)
    feeds = _file(raw, "feeds_file", references)
    return (*([feeds] if feeds else []), *_secrets(raw, references))


def _read(path: Path, environ: Mapping[str, str]) -> tuple[References, dict[str, Any]]:
    return References(path.parent, environ), parse(read_text(path, str(path)), str(path))


def _file(raw: Mapping[str, Any], key: str, references: References) -> Path | None:
    value = raw.get(key)
    fit = isinstance(value, str) and value and "\0" not in value
    return references.path(value).absolute() if fit and isinstance(value, str) else None


def _secrets(raw: Mapping[str, Any], references: References) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(path for text in _texts(raw) for path in references.files(text)))


def _texts(value: object) -> Iterator[str]:
    """Every text in a TOML value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(each)
