"""The database looked at from outside, beside a running daemon or without one: is it whole, how large, what waits."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from watcher.store.rows import Backlog
from watcher.store.schema import VERSION
from watcher.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A database that can be read. Sizes in bytes; `log` is what its write-ahead log takes beside it.

    `damage` is what SQLite's integrity check found first, empty where it is whole. `disabled`: why nothing is sent to a
    chat or webhook, by its name.
    """

    schema: int
    sqlite: str
    damage: str
    size: int
    log: int
    backlog: Backlog
    disabled: Mapping[str, str]


def examine(path: Path, quiet: Collection[str], now: int) -> Examined:
    """Reads the whole file. `quiet` are the chats in whose quiet hours it is `now`.

    Raises `ConfigError`, and `StoreFailed` where it cannot be read to its end.
    """
    store = Store.read_only(path)
    try:
        return Examined(
            schema=VERSION,
            sqlite=sqlite3.sqlite_version,
            damage=_damage(store),
            size=path.stat().st_size,
            log=_size(path.with_name(path.name + "-wal")),
            backlog=store.backlog(quiet, dated=now),
            disabled={name: state.disabled for name, state in store.chats().items() if state.disabled},
        )
    finally:
        store.close()


def running(path: Path) -> int | None:
    """The process that last locked the database, if there still is one; the lock itself is left alone."""
    try:
        process = int(path.with_name(path.name + ".lock").read_text())
        os.kill(process, 0)
    except (OSError, ValueError) as problem:
        return process if isinstance(problem, PermissionError) else None
    return process


def _damage(store: Store) -> str:
    with store.transaction() as connection:
        first = str(connection.execute(text("PRAGMA integrity_check(1)")).scalar())
    return "" if first == "ok" else first


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
