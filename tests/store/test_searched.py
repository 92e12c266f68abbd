"""How far logs have been searched, kept: never a block without what was found in it, however the process ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from random import Random

from watcher.domain.searched import Searched
from watcher.domain.source import Address
from watcher.store import Store
from watcher.store.searched import keep_searches, searches_kept

ALICE = Address("0x" + "aa" * 20)
EVERY, HEAD = 7, 3_000

_SEARCHING = """
import sys, pathlib
from tests.store.test_searched import HEAD, search_on
from watcher.store import Store
store = Store.open(pathlib.Path(sys.argv[1]))
search_on(store)
print("done", flush=True)
"""


def search_on(store: Store) -> None:
    """Searches three blocks at a time, in which every seventh has a log, and keeps what came of it each time."""
    from tests.test_searches import given, log, of
    from watcher.searches import Searches

    logs = [log(block, ALICE) for block in range(0, HEAD + 1, EVERY)]
    searches = Searches(2)
    searches.recall(searches_kept(store))
    searches.want(of(ALICE), HEAD + 2, 0, 300)
    began = False
    while (task := searches.next(0)) is not None:
        searches.took(task, given(task, logs, 3))
        keep_searches(store, searches.to_save())
        if not began:
            print("begun", flush=True)
            began = True


def test_it_keeps_ranges_and_keys(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "watcher.db")
    first = {
        ("bank", ALICE): Searched(mark="m", ranges=((1, 5), (9, 12)), keys=("a", "b")),
        ("other", ALICE): Searched(),
    }
    keep_searches(store, first)
    keep_searches(store, {})
    assert searches_kept(store) == first
    later = {("bank", ALICE): Searched(mark="n", ranges=((1, 12),), keys=("a", "b", "c"), problem="of the moment")}
    keep_searches(store, later)
    store.close()
    again = Store.read_only(tmp_path / "watcher.db")
    assert searches_kept(again) == {
        ("bank", ALICE): Searched(mark="n", ranges=((1, 12),), keys=("a", "b", "c")),
        ("other", ALICE): Searched(),
    }
    again.close()


def test_it_loses_nothing_by_being_killed_in_the_middle(tmp_path: Path) -> None:
    path, dice, cut_off = tmp_path / "watcher.db", Random(3), 0
    for _ in range(12):
        command = [sys.executable, "-c", _SEARCHING, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            if line == "begun\n":
                _passes_by(path, dice.randrange(40))
                process.send_signal(signal.SIGKILL)
                cut_off += process.wait() == -signal.SIGKILL
        kept = _kept(path)
        found = {int(key, 16) for key in kept.keys}
        covered = {block for first, last in kept.ranges for block in range(first, last + 1)}
        assert {block for block in covered if block % EVERY == 0} <= found
        if cut_off == 5:
            break
    assert cut_off == 5
    store = Store.open(path)
    search_on(store)
    store.close()
    kept = _kept(path)
    assert [int(key, 16) for key in kept.keys] == list(range(0, HEAD + 1, EVERY))
    assert kept.ranges == ((0, HEAD),)


def _passes_by(path: Path, commits: int) -> None:
    """Waits until so many more ranges have been searched, by looking."""
    store = Store.read_only(path)
    begun = _blocks(store)
    while _blocks(store) < min(begun + 3 * commits, HEAD):
        pass
    store.close()


def _blocks(store: Store) -> int:
    return sum(last - first + 1 for one in searches_kept(store).values() for first, last in one.ranges)


def _kept(path: Path) -> Searched:
    store = Store.open(path)
    try:
        return searches_kept(store)[("bank", ALICE)]
    finally:
        store.close()
