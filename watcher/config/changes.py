"""Whether the files of a configuration have changed: looked at every few seconds, told once they have settled.

Looking costs a `stat` call for each file, needs no library, and sees what a notification may miss: network and bind
mounts, links that are turned over, editors that save by renaming. A file that is still being written differs from one
look to the next, and so waits; one that was saved with the same text is no change, but one that others may read now,
or no more, is: a secret is taken or refused by that.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from watcher.config.files import LARGEST_FILE
from watcher.config.named import NamedFiles, named_by_world, named_files
from watcher.domain.errors import ConfigError

LOOK_EVERY = 2
"""Seconds between two looks; a change is told at the second look that sees the same."""

_Mark = tuple[int, ...]
_Marks = Mapping[Path, _Mark | None]


class FileChanges:
    """watcher.toml and whatever is read because of it. Make it before that is read for the first time."""

    def __init__(self, path: Path, environ: Mapping[str, str] = os.environ) -> None:
        self._path = path
        self._environ = environ
        self._named = NamedFiles(None, None)
        self._of_world: tuple[Path, ...] = ()
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
        """A file that is not valid now keeps what it named before: that may be where it is mended."""
        with suppress(ConfigError):
            self._named = named_files(self._path, self._environ)
        with suppress(ConfigError):
            world = self._named.protocols
            self._of_world = named_by_world(world, self._environ) if world else ()

    def _files(self) -> list[Path]:
        named = self._named
        paths = (self._path, named.wallets, named.protocols, *named.secrets, *self._of_world)
        return list(dict.fromkeys(path for path in paths if path is not None))

    def _look(self) -> _Marks:
        return {path: _mark(path) for path in self._files()}

    def _digest(self) -> bytes:
        whole = hashlib.sha256()
        for path in self._files():
            text = _content(path)
            facts = f"{path}\0{_guard(path)}\0{'missing' if text is None else len(text)}\0"
            whole.update(facts.encode("utf-8", "surrogateescape"))
            whole.update(text or b"")
        return whole.digest()


def _mark(path: Path) -> _Mark | None:
    try:
        facts = os.stat(path)
    except (OSError, ValueError):  # ValueError: what is no path at all
        return None
    return facts.st_mtime_ns, facts.st_size, facts.st_ino, facts.st_mode, facts.st_uid


def _guard(path: Path) -> _Mark | None:
    """Whose it is, and who else may use it."""
    try:
        facts = os.stat(path)
    except (OSError, ValueError):
        return None
    return stat.S_IMODE(facts.st_mode), facts.st_uid


def _content(path: Path) -> bytes | None:
    """As much of it as is ever read."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return file.read(LARGEST_FILE + 1)
    except OSError:
        return None
