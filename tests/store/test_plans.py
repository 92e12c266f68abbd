"""What is asked at every look and every press reads what it needs, however much has been told already."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from tests.store.samples import message
from watcher.store import Store
from watcher.store.digests import last_day
from watcher.store.incidents import anchor, open_incidents, told


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "watcher.db")
    yield opened
    opened.close()


ASKED: dict[str, Callable[[Store], Any]] = {
    "due": Store.due,
    "claim": lambda store: store.claim(1, ["a"]),
    "commit": lambda store: store.commit([], [message("x")]),
    "backlog": partial(Store.backlog, quiet=["a"]),
    "a start": Store._own_up_to_claims,
    "last day": lambda store: last_day(store, "a", 90_000),
    "incidents": open_incidents,
    "a press": lambda store: told(store, 1),
    "an answer": lambda store: anchor(store, "a", message("x").sections),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_it_reads_no_table_of_what_was_told_from_end_to_end(store: Store, ask: Callable[[Store], Any]) -> None:
    whole: list[str] = []

    def explain(_: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            plan = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            whole.extend(step for *_, step in plan if step in ("SCAN outbox", "SCAN incident", "SCAN member"))

    event.listen(store._connection.engine, "before_cursor_execute", explain)
    ask(store)
    assert whole == []
