"""The database file: whose it is, who may read it, and which versions are let in."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from tests.store.samples import message, record
from watcher.alerts.message import Level, bold
from watcher.domain.errors import ConfigError
from watcher.domain.source import Block
from watcher.store import Store, StoreFailed
from watcher.store.prices import PricesKept, tracks_kept
from watcher.store.schema import MIGRATIONS, VERSION, metadata


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "watcher.db"


def set_version(path: Path, value: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'version'", (value,))


def test_it_lets_nobody_else_read_the_files(path: Path) -> None:
    store = Store.open(path)
    store.commit([record("a", Level.WARN)], [])
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == [path.name, f"{path.name}-shm", f"{path.name}-wal", f"{path.name}.lock"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    store.close()


def test_it_closes_a_file_that_others_could_read(path: Path) -> None:
    path.touch(mode=0o644)
    Store.open(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_makes_the_directory_for_its_owner_only(tmp_path: Path) -> None:
    Store.open(tmp_path / "state" / "watcher.db").close()
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_it_refuses_a_second_daemon_and_names_the_first(path: Path) -> None:
    script = (
        "import sys, pathlib; from watcher.store import Store;"
        "s = Store.open(pathlib.Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with first:
        assert first.stdout is not None
        assert first.stdout.readline() == "open\n"
        with pytest.raises(ConfigError, match=rf"in use by another watcher \(process {first.pid}\)"):
            Store.open(path)
        first.kill()
    Store.open(path).close()  # the lock goes with the process, however it ends


def test_it_gives_the_lock_back_when_opening_fails(path: Path) -> None:
    Store.open(path).close()
    set_version(path, "99")
    for _ in range(2):
        with pytest.raises(ConfigError, match="newer watcher"):
            Store.open(path)


def test_it_refuses_a_database_of_a_newer_version(path: Path) -> None:
    Store.open(path).close()
    set_version(path, str(VERSION + 1))
    known = rf"newer watcher \(schema {VERSION + 1}, this one knows up to {VERSION}\)"
    with pytest.raises(ConfigError, match=known):
        Store.open(path)
    with pytest.raises(ConfigError, match="newer watcher"):
        Store.read_only(path)


def test_it_refuses_a_database_of_something_else(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE cookies (x)")
    with pytest.raises(ConfigError, match="a database of something else"):
        Store.open(path)


def test_it_refuses_a_version_that_is_not_a_number(path: Path) -> None:
    Store.open(path).close()
    set_version(path, "one")
    with pytest.raises(ConfigError, match="a database of something else"):
        Store.open(path)


def test_it_refuses_a_file_that_is_no_database(path: Path) -> None:
    path.write_bytes(b"[telegram]\nchat = 5\n" * 100)
    with pytest.raises(ConfigError, match="not a database"):
        Store.open(path)


def test_it_refuses_a_path_that_cannot_be_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Is a directory"):
        Store.open(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="must be a file that this user can write"):
        Store.open(tmp_path / "file" / "watcher.db")


def test_it_migrates_to_exactly_the_tables_that_the_queries_expect(path: Path) -> None:
    Store.open(path).close()
    engine = create_engine(f"sqlite:///{path}")
    found = inspect(engine)
    names = set(found.get_table_names()) - {"sqlite_sequence"}
    assert names == set(metadata.tables)
    for name, table in metadata.tables.items():
        columns = [(c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(name)]
        assert columns == [(c.name, str(c.type), c.nullable) for c in table.columns]
        assert found.get_pk_constraint(name)["constrained_columns"] == [c.name for c in table.primary_key]
    engine.dispose()


def test_it_brings_a_database_of_the_first_version_forward_with_all_that_waits(path: Path) -> None:
    with closing(sqlite3.connect(path)) as old, old:
        for statement in MIGRATIONS[0]:
            old.execute(statement)
        old.execute("INSERT INTO meta VALUES ('version', '1')")
        old.execute("INSERT INTO condition VALUES ('health', 'a', 2, 3, 10, 11, 12, 1)")
        old.execute(
            "INSERT INTO outbox VALUES (7, 'a', 2, 'CRITICAL', '[[\"bold\", 0, 8, \"\"]]', '[\"position:1\"]', 5,"
            " 'pending', 0, 1, 1, 0, 0, NULL, NULL, NULL)"
        )
    store = Store.open(path)
    assert list(store.records().values()) == [record("a", Level.CRITICAL)]
    got = store.claim(0)
    store.close()
    assert got is not None
    assert got.message == message(bold("CRITICAL"), severity=Level.CRITICAL, created_at=5)
    assert (got.id, got.maybe_sent) == (7, True)


@pytest.mark.parametrize("version", range(1, VERSION))
def test_it_brings_a_database_of_every_earlier_version_forward(path: Path, version: int) -> None:
    with closing(sqlite3.connect(path)) as old, old:
        for statement in (statement for step in MIGRATIONS[:version] for statement in step):
            old.execute(statement)
        old.execute("INSERT INTO meta VALUES ('version', ?)", (str(version),))
        told = {"told": "'[\"m/1\"]'"} if version >= 4 else {}
        names = ", ".join(["rule, subject, level, episode, since, spoken_at, fired_block, calm", *told])
        old.execute(f"INSERT INTO condition ({names}) VALUES ({', '.join(['?'] * 8 + [*told.values()])})", ROW)
    store = Store.open(path)
    [kept] = store.records().values()
    assert replace(kept, told=()) == record("a", Level.CRITICAL)
    assert kept.told == (("m/1",) if version >= 4 else ())
    at = Block(chain="base", number=7, hash="0x07", timestamp=700)
    store.commit([], [], (), PricesKept(tracks={("base", "a"): "1"}, at={"base": at}))
    assert tracks_kept(store)["base"].texts == {"a": "1"}
    store.close()


ROW = ("health", "a", 2, 3, 10, 11, 12, 1)


def test_it_leaves_the_data_alone_when_it_is_opened_again(path: Path) -> None:
    store = Store.open(path)
    store.commit([record("a", Level.WARN)], [message("x")])
    store.close()
    again = Store.open(path)
    assert (len(again.records()), again.backlog().pending) == (1, 1)
    again.close()


def test_it_reads_beside_a_running_daemon_but_cannot_write(path: Path) -> None:
    daemon = Store.open(path)
    daemon.commit([record("a", Level.WARN)], [message("x")])
    status = Store.read_only(path)
    assert status.backlog().pending == 1
    with pytest.raises(StoreFailed, match="readonly"):
        status.commit([record("a", Level.OK)], [])
    daemon.commit([], [message("y")])
    assert status.backlog().pending == 2
    status.close()
    daemon.close()


def test_it_reads_what_a_stopped_daemon_left(path: Path) -> None:
    daemon = Store.open(path)
    daemon.commit([record("a", Level.WARN)], [])
    daemon.close()
    status = Store.read_only(path)
    assert len(status.records()) == 1
    status.close()


def test_it_says_that_there_is_no_state_yet(path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        Store.read_only(path)
    assert not path.exists()


def test_it_has_room_for_odd_characters_in_its_path(tmp_path: Path) -> None:
    odd = tmp_path / "a?b#c %41.db"
    Store.open(odd).close()
    assert odd.stat().st_size > 0
