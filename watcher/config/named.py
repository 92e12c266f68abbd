"""Which other files a watcher.toml names; asked before, and even where, it is not valid."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from watcher.config.files import parse, read_text
from watcher.config.secrets import References


@dataclass(frozen=True, slots=True)
class NamedFiles:
    """Paths as they are opened; None where the key is left out, or holds no path."""

    wallets: Path | None
    protocols: Path | None


def named_files(path: Path, environ: Mapping[str, str] = os.environ) -> NamedFiles:
    """Raises `ConfigError` where watcher.toml cannot be read, or is no TOML."""
    references = References(path.parent, environ)
    raw = parse(read_text(path, str(path)), str(path))

    def named(key: str) -> Path | None:
        value = raw.get(key)
        fit = isinstance(value, str) and value and "\0" not in value
        return references.path(value).absolute() if fit and isinstance(value, str) else None

    return NamedFiles(wallets=named("wallets_file"), protocols=named("protocols_file"))
