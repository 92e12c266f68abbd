"""Digests in the database, and the numbers of a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tests.store.samples import lose_chat, message, point
from watcher.alerts.message import Level, Message, Section, Text
from watcher.store import Store, StoreFailed
from watcher.store.digests import DAY, FAR, LastDay, digest_days, healths_a_day_ago, keep_digest, last_day
from watcher.store.history import keep_points

MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)
NOW = 2_000_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "watcher.db")
    yield opened
    opened.close()


def told(rule: str, severity: Level, *, opens: bool = False, at: int = NOW - 60, chat: str = "a") -> Message:
    section = Section(
        rule=rule, subject=f"s{at}", severity=severity, level=severity, body=Text("x"), at=at, since=at, opens=opens
    )
    return Message.of(chat, [section], at)


def test_it_keeps_one_day_for_each_chat_over_a_restart(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "watcher.db")
    for chat, day in (("a", MONDAY), ("b", MONDAY), ("a", TUESDAY)):
        keep_digest(store, message("how it stands", chat=chat), day)
    store.close()
    store = Store.open(tmp_path / "watcher.db")

    assert digest_days(store) == {"a": TUESDAY, "b": MONDAY}
    assert store.backlog().pending == 3
    store.close()


@pytest.mark.parametrize("table", ["outbox", "digest"])
def test_it_keeps_neither_the_message_nor_its_day_when_one_of_them_cannot_be_written(store: Store, table: str) -> None:
    store._connection.exec_driver_sql(
        f"CREATE TEMP TRIGGER no BEFORE INSERT ON {table} BEGIN SELECT RAISE(FAIL, 'x'); END"
    )
    store._connection.commit()
    with pytest.raises(StoreFailed):
        keep_digest(store, message("how it stands"), MONDAY)

    assert (digest_days(store), store.backlog().pending) == ({}, 0)


def test_it_counts_what_a_chat_was_told_in_a_day(store: Store) -> None:
    store.commit(
        (),
        [
            told("health", Level.CRITICAL, opens=True, at=NOW - 5),
            told("health", Level.CRITICAL, opens=True, at=NOW - DAY + 1),
            told("drop", Level.WARN, opens=True, at=NOW - 7),
            told("health", Level.WARN, at=NOW - 8),  # a reminder
            told("event@12", Level.CRITICAL, at=NOW - 9),
            told("event@13", Level.OK, at=NOW - 10),  # a position was opened
            told("stale", Level.OK, at=NOW - 11),
            told("health", Level.CRITICAL, opens=True, at=NOW - DAY),  # too long ago
            told("health", Level.CRITICAL, opens=True, at=NOW - 12, chat="b"),
            told("digest", Level.OK, at=NOW - 13),
            message("no alert", created_at=NOW),
        ],
    )

    assert last_day(store, "a", NOW) == LastDay(raised={Level.CRITICAL: 3, Level.WARN: 1}, ended=1)
    assert last_day(store, "c", NOW) == LastDay()


def test_it_counts_what_was_lost_in_a_day_whomever_it_was_for(store: Store) -> None:
    lose_chat(store, "b", "blocked")  # at second 0

    assert (last_day(store, "a", DAY - 1).lost, last_day(store, "a", DAY).lost) == (1, 0)


def test_it_knows_the_health_of_a_day_ago_and_takes_no_older_one_for_it(store: Store) -> None:
    points = [("a", NOW - DAY, "1.5"), ("a", NOW - 60, "1.2"), ("b", NOW - DAY - FAR, "1.6"), ("b", NOW - 60, "1.3")]
    points += [("c", NOW - DAY - FAR - 1, "1.7"), ("d", NOW - DAY + 1, "1.8"), ("e", NOW - DAY, "Infinity")]
    keep_points(store, [point(name, at, health) for name, at, health in points])

    assert healths_a_day_ago(store, ["a", "b", "c", "d", "e", "f"], NOW) == {
        "a": Decimal("1.5"),
        "b": Decimal("1.6"),
        "e": Decimal("Infinity"),
    }
