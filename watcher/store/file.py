"""The database file: one owner, nobody else's eyes, and a schema that this program knows."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from watcher.domain.errors import ConfigError
from watcher.store.schema import MIGRATIONS, VERSION

_BUSY_MS: Final = 5_000
_OWNER_ONLY: Final = 0o600


class Lock:
    """One daemon per database, for as long as this object is open. The kernel drops it with the process."""

    def __init__(self, database: Path) -> None:
        """Raises `ConfigError` when another process holds it."""
        path = database.with_name(database.name + ".lock")
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _OWNER_ONLY), "r+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = self._file.read(20)
            self._file.close()
            raise ConfigError(
                f"{database} is in use by another watcher (process {holder or 'unknown'}): "
                "stop that one first, or give this one a database of its own"
            ) from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def close(self) -> None:
        # The file stays: were it unlinked, a third process could lock a new one beside a second that waits on this.
        self._file.close()


def writer(path: Path) -> Connection:
    """The connection that writes, to a database brought to the present version. Raises `ConfigError`."""
    engine = _engine(path, "rwc")

    @event.listens_for(engine, "connect")
    def _durable(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # a commit is on the disk when it returns: alerts depend on it

    @event.listens_for(engine, "begin")
    def _reserve(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return _opened(engine, path, migrate=True)


def reader(path: Path) -> Connection:
    """A connection that cannot write, also while a daemon does. Raises `ConfigError`."""
    if not path.exists():
        raise ConfigError(f"{path} does not exist: there is no state to show until `watcher run` has made it")
    return _opened(_engine(path, "ro"), path, migrate=False)


def created(path: Path) -> None:
    """Makes the file, empty, and its directory, readable by their owner only. SQLite gives its -wal the same mode."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _OWNER_ONLY)
        try:
            os.fchmod(descriptor, _OWNER_ONLY)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}: the state must be a file that this user can write") from None


def _engine(path: Path, mode: str) -> Engine:
    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            f"file:{quote(str(path.absolute()))}?mode={mode}",
            uri=True,
            isolation_level=None,  # transactions are begun by SQLAlchemy's "begin" event, not guessed by the driver
            check_same_thread=False,  # one thread at a time, but not always the one that opened it
            timeout=_BUSY_MS / 1000,
        )

    engine = create_engine("sqlite+pysqlite://", creator=connect, poolclass=StaticPool)

    @event.listens_for(engine, "connect")
    def _careful(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA foreign_keys = ON")

    return engine


def _opened(engine: Engine, path: Path, *, migrate: bool) -> Connection:
    connection: Connection | None = None
    try:
        connection = engine.connect()
        with connection.begin():
            _check_and_migrate(connection, path, migrate=migrate)
    except DBAPIError as error:
        _abandon(connection, engine)
        raise ConfigError(f"{path}: {error.orig}: this database cannot be opened; move it away or restore it") from None
    except ConfigError:
        _abandon(connection, engine)
        raise
    return connection


def _abandon(connection: Connection | None, engine: Engine) -> None:
    if connection is not None:
        connection.close()
    engine.dispose()


def _check_and_migrate(connection: Connection, path: Path, *, migrate: bool) -> None:
    found = _version(connection, path)
    if found > VERSION:
        raise ConfigError(
            f"{path} was written by a newer watcher (schema {found}, this one knows up to {VERSION}): "
            "run the newer version, or restore the database from before the upgrade"
        )
    if found == VERSION:
        return
    if not migrate:
        raise ConfigError(f"{path} has the older schema {found}: start `watcher run` once to bring it to {VERSION}")
    for step in MIGRATIONS[found:]:
        for statement in step:
            connection.exec_driver_sql(statement)
    connection.execute(
        text("INSERT INTO meta VALUES ('version', :v) ON CONFLICT (key) DO UPDATE SET value = :v"), {"v": str(VERSION)}
    )


def _version(connection: Connection, path: Path) -> int:
    """The schema's version; 0 for an empty file."""
    names = {row[0] for row in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))}
    if not names:
        return 0
    value = None
    if "meta" in names:
        value = connection.execute(text("SELECT value FROM meta WHERE key = 'version'")).scalar()
    if value is None or not str(value).isdigit():
        raise ConfigError(f"{path} is a database of something else: give the watcher a file of its own")
    return int(value)
