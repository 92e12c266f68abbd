"""One connection to one database: all that those need who only read and write it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from watcher.domain.errors import WatcherError


class StoreFailed(WatcherError):  # noqa: N818 - named for what happened, as the other errors are
    """The state volume refused: disk full, read-only, or failing. Nothing of the transaction was kept."""


class Database:
    """For one thread at a time."""

    def __init__(self, connection: Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All of what is done inside, on the disk at its end, or none of it. Raises `StoreFailed`."""
        try:
            with self._connection.begin():
                yield self._connection
        except DBAPIError as error:
            raise StoreFailed(f"{self._path}: {error.orig}: check the space and the mode of the state volume") from None
