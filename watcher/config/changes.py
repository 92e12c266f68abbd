"""Whether the files of a configuration have changed: looked at every few seconds, told once they have settled.

Looking costs three `stat` calls, needs no library, and sees what a notification may miss: network and bind mounts,
links that are turned over, editors that save by renaming. A file that is still being written differs from one look to
the next, and so waits; one that was saved with the same text is no change.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from watcher.config.named import NamedFiles, named_files
from watcher.domain.errors import ConfigError

LOOK_EVERY = 2
"""Seconds between two looks; a change is told at the second look that sees the same."""

_Marks = Mapping[Path, tuple[int, int, int] | None]


class FileChanges:
    """watcher.toml and the files that it names. Make it before they are read for the first time."""

    def __init__(self, path: Path, environ: Mapping[str, str] = os.environ) -> None:
        self._path = path
        self._environ = environ
        self._named = NamedFiles(None, None)
        self._seen: _Marks = {}
        self._marks: _Marks = {}
        self._texts = b""
        self.note()

    def note(self) -> None:
        """Takes the files as they are for known: they are about to be read."""
        self._name()
        self._seen = self._marks = self._look()
        self._texts = self._digest()

    def settled(self) -> bool:
        """One look. Whether there is a change that has not been told yet and is complete, as far as one can see."""
        now, before = self._look(), self._seen
        self._seen = now
        if now != before or now == self._marks:
            return False
        known = self._texts
        self.note()
        return self._texts != known

    def _name(self) -> None:
        try:
            self._named = named_files(self._path, self._environ)
        except ConfigError:
            return  # not valid now: what it named before may be where it is mended

    def _files(self) -> list[Path]:
        return [path for path in (self._path, self._named.wallets, self._named.protocols) if path is not None]

    def _look(self) -> _Marks:
        return {path: _mark(path) for path in self._files()}

    def _digest(self) -> bytes:
        whole = hashlib.sha256()
        for path in self._files():
            text = _content(path)
            whole.update(f"{path}\0{'missing' if text is None else len(text)}\0".encode("utf-8", "surrogateescape"))
            whole.update(text or b"")
        return whole.digest()


def _mark(path: Path) -> tuple[int, int, int] | None:
    try:
        facts = os.stat(path)
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_size, facts.st_ino


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes() if path.is_file() else None
    except OSError:
        return None
