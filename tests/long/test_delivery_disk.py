"""B2. What is committed is on the disk, and a torn log gives a database that is whole and as it once was."""

from __future__ import annotations

import random
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.long.measured import write_promise, write_section
from tests.store.samples import message, record
from watcher.alerts.message import Level
from watcher.store import Store

COMMITS, TORN = 100, 200
SECTOR = 512

_WORK = """
import sys, pathlib
from tests.store.samples import message, record
from watcher.alerts.message import Level
from watcher.store import Store
store = Store.open(pathlib.Path(sys.argv[1]))
print("begin", flush=True)
for number in range(int(sys.argv[2])):
    store.commit([record(str(number), Level.WARN)], [message(f"alert {number}")])
print("end", flush=True)
"""

pytestmark = pytest.mark.long


def test_it_syncs_every_alert_to_the_disk_as_the_kernel_sees_it(tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed; `synchronous = FULL` is checked in tests/store")
    trace = tmp_path / "trace"
    done = subprocess.run(
        [
            *(strace, "-f", "-e", "trace=fsync,fdatasync,write", "-o", str(trace)),
            *(sys.executable, "-c", _WORK, str(tmp_path / "w.db"), str(COMMITS)),
        ],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    if "Operation not permitted" in done.stderr:
        pytest.skip("strace may not trace here")
    assert done.returncode == 0, done.stderr
    during = trace.read_text().split('"begin')[1].split('"end')[0]
    syncs = len(re.findall(r"\b(?:fsync|fdatasync)\(\d+\)\s+= 0", during))
    assert syncs >= COMMITS
    write_section(
        "delivery-syncs",
        "Alerts on the disk",
        "System calls of a process that commits alerts, as strace counts them between its first and its last.",
        {"commits": COMMITS, "fsync and fdatasync calls": syncs},
    )


def test_it_is_whole_and_as_it_once_was_after_any_tear_of_its_log(tmp_path: Path) -> None:
    path, dice = tmp_path / "w.db", random.Random(2)
    store = Store.open(path)
    for number in range(40):
        store.commit([record(str(number), Level.WARN)], [message(f"alert {number}")])
    sizes = {"w.db": path.read_bytes(), "w.db-wal": (path.parent / "w.db-wal").read_bytes()}
    store.close()
    lengths = []
    for number in range(TORN):
        torn = tmp_path / f"torn{number}" / "w.db"
        torn.parent.mkdir()
        torn.write_bytes(sizes["w.db"])
        torn.with_name("w.db-wal").write_bytes(_torn(sizes["w.db-wal"], dice, cut=number % 2 == 0))
        lengths.append(_prefix(torn))
    assert 0 < min(lengths) + 1 <= max(lengths) <= 40
    assert len(set(lengths)) > 10  # the tears do reach all over the log
    write_promise("B2", f"{TORN} torn logs: {TORN} whole, {TORN} as they once were", "tests/long/test_delivery_disk.py")
    write_section(
        "delivery-torn",
        "Torn logs",
        "A database of 40 commits, its write-ahead log cut at a random byte or with a random sector of it overwritten,"
        " opened by the store. Whole: SQLite's integrity check. As it once was: the first n commits, state and message"
        " of each, and nothing of any later one.",
        {"torn logs": TORN, "whole": TORN, "as they once were": TORN, "different n": len(set(lengths))},
    )


def _torn(log: bytes, dice: random.Random, *, cut: bool) -> bytes:
    place = dice.randrange(len(log))
    if cut:
        return log[:place]
    filler = bytes(SECTOR) if dice.random() < 0.5 else dice.randbytes(SECTOR)
    return (log[:place] + filler + log[place + SECTOR :])[: len(log)]


def _prefix(path: Path) -> int:
    """How many commits the database has, all of them the first ones."""
    store = Store.open(path)
    records = {int(key.subject) for key in store.records()}
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        alerts = [row[0] for row in connection.execute("SELECT text FROM outbox ORDER BY id")]
    assert records == set(range(len(records)))
    assert alerts == [f"alert {number}" for number in range(len(records))]
    return len(records)
