"""The outbox's laws, conditions and chats."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.samples import lose_chat, message, record
from watcher.alerts.message import Level, bold, link
from watcher.alerts.record import Key, Rule
from watcher.store import Claimed, Store, StoreFailed, StoreThread
from watcher.store import store as store_module


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "watcher.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = Store.open(path)
    yield opened
    opened.close()


def claimed(store: Store, now: int = 0, chats: set[str] | None = None) -> Claimed:
    got = store.claim(now, chats)
    assert got is not None
    return got


def text_of(store: Store, now: int = 0) -> str:
    got = claimed(store, now)
    store.delivered(got.id, now, "1")
    return str(got.message.body)


def test_it_remembers_conditions_and_replaces_them_by_key(store: Store, path: Path) -> None:
    store.commit([record("a", Level.WARN), record("b", Level.OK)], [])
    store.commit([record("a", Level.CRITICAL)], [])
    store.close()
    again = Store.open(path)
    remembered = again.records()
    again.close()
    assert remembered == {
        Key(Rule.HEALTH, "a"): record("a", Level.CRITICAL),
        Key(Rule.HEALTH, "b"): record("b", Level.OK),
    }


def test_it_gives_a_message_back_as_it_was_written(store: Store) -> None:
    body = bold("WARN") + " 🦊 עברית " + link("Aave", "https://aave.com/x")
    written = message(body, severity=Level.WARN, about=("position:1", "feed:2"), created_at=77)
    store.commit([], [written])
    assert claimed(store).message == written


def test_it_stores_text_that_has_no_utf8(store: Store) -> None:
    store.commit([record("a", Level.WARN)], [message("a\ud800b")])
    assert text_of(store) == "a?b"


def test_it_keeps_neither_state_nor_message_when_the_transaction_fails(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(store_module, "enqueue", broken)
    with pytest.raises(sqlite3.OperationalError):
        store.commit([record("a", Level.WARN)], [message("x")])
    assert store.records() == {}
    assert store.backlog().pending == 0


def test_it_says_that_the_state_volume_is_full_and_keeps_nothing(store: Store) -> None:
    driver = store._connection.connection.driver_connection
    assert driver is not None
    driver.execute("PRAGMA max_page_count = 1")  # SQLite then answers as it does on a full disk
    with pytest.raises(StoreFailed, match="full"):
        store.commit([record(str(n), Level.WARN) for n in range(2_000)], [message("x" * 9_000)])
    assert store.records() == {}


def test_it_sends_the_most_severe_first_and_then_the_oldest(store: Store) -> None:
    levels = [Level.WARN, Level.CRITICAL, Level.OK, Level.LIQUIDATABLE, Level.CRITICAL]
    store.commit([], [message(f"{number}", severity=level) for number, level in enumerate(levels)])
    assert [text_of(store) for _ in levels] == ["3", "1", "4", "0", "2"]
    assert store.claim(0) is None


def test_it_has_one_message_of_a_chat_in_flight_at_most(store: Store) -> None:
    store.commit([], [message("1"), message("other", chat="b")])
    first = claimed(store)
    store.commit([], [message("2", severity=Level.LIQUIDATABLE)])
    assert claimed(store).message.chat == "b"
    assert store.claim(0) is None
    assert store.due() == {}
    store.delivered(first.id, 0, "1")
    assert store.due() == {"a": 0}


def test_it_holds_back_what_comes_after_a_message_that_waits_for_a_retry(store: Store) -> None:
    store.commit([], [message("first"), message("second")])
    store.not_sent(claimed(store).id, 60, "flood")
    assert store.claim(59) is None
    assert store.due() == {"a": 60}
    assert text_of(store, 60) == "first"


def test_it_does_not_hold_back_what_is_more_severe_than_the_waiting_message(store: Store) -> None:
    store.commit([], [message("first", severity=Level.WARN)])
    store.uncertain(claimed(store).id, 60, "502")
    store.commit([], [message("worse", severity=Level.CRITICAL)])
    assert text_of(store) == "worse"


def test_it_claims_only_for_the_chats_that_are_ready(store: Store) -> None:
    store.commit([], [message("1", severity=Level.CRITICAL), message("2", chat="b")])
    assert claimed(store, 0, {"b"}).message.chat == "b"
    assert store.claim(0, {"b"}) is None
    assert store.claim(0, set()) is None


def test_it_labels_after_an_unknown_fate_and_not_after_a_known_one(store: Store) -> None:
    store.commit([], [message("x")])
    first = claimed(store)
    store.not_sent(first.id, 0, "refused")
    second = claimed(store)
    store.uncertain(second.id, 0, "502")
    third = claimed(store)
    store.not_sent(third.id, 0, "refused")
    fourth = claimed(store)
    assert [c.maybe_sent for c in (first, second, third, fourth)] == [False, False, True, True]
    assert [c.attempt for c in (first, second, third, fourth)] == [1, 2, 3, 4]


def test_it_puts_the_claim_on_the_disk_before_it_returns(store: Store, path: Path) -> None:
    store.commit([], [message("x")])
    claimed(store)
    with sqlite3.connect(path) as other:  # as after a crash: another connection sees what was committed
        assert other.execute("SELECT attempt, in_flight FROM outbox").fetchall() == [(1, 1)]
    other.close()


def test_it_takes_a_claim_of_a_crashed_process_for_maybe_sent(store: Store, path: Path) -> None:
    store.commit([], [message("x")])
    claimed(store)
    store.close()  # nothing was said of the claim
    again = Store.open(path)
    got = claimed(again)
    assert (got.maybe_sent, got.attempt) == (True, 2)
    again.close()


def test_it_delivers_a_long_message_part_by_part_in_its_place(store: Store) -> None:
    store.commit([], [message("long"), message("next")])
    first = claimed(store)
    store.uncertain(first.id, 0, "502")
    store.delivered(claimed(store).id, 5, "m1", more=True)
    second = claimed(store)
    assert (second.id, second.part, second.attempt, second.maybe_sent) == (first.id, 1, 1, False)
    store.delivered(second.id, 6, "m2")
    assert text_of(store) == "next"
    kept = store._connection.exec_driver_sql("SELECT external_id FROM outbox ORDER BY id").scalars().all()
    assert kept[0] == "m1"


def test_it_buries_a_message_disables_its_chat_and_tells_the_others_at_once(store: Store) -> None:
    store.commit([], [message("x"), message("y"), message("z", chat="b")])
    store.dead(claimed(store).id, "blocked", 9, disable=True, notices=[message("a is deaf", chat="b")])
    assert store.chats()["a"].disabled == "blocked"
    assert [text_of(store), text_of(store)] == ["z", "a is deaf"]
    assert store.claim(0) is None
    backlog = store.backlog()
    assert (backlog.pending, backlog.refused, backlog.dead) == (1, 1, 1)
    store.enable_chat("a")
    assert text_of(store) == "y"


def test_it_counts_the_backlog_from_its_oldest(store: Store) -> None:
    assert store.backlog().oldest is None
    store.commit([], [message("x", created_at=50), message("y", created_at=40)])
    assert (store.backlog().pending, store.backlog().oldest) == (2, 40)


def test_it_forgets_settled_messages_but_never_pending_ones(store: Store) -> None:
    store.commit([], [message("x"), message("y"), message("z")])
    store.delivered(claimed(store).id, 100, "1")
    store.delivered(claimed(store).id, 200, "2")
    assert store.forget(settled_before=200) == 1
    assert store.backlog().pending == 1


def test_it_gives_up_what_waits_too_long_for_a_chat_that_is_configured_no_more(store: Store) -> None:
    store.register({"a": "1", "b": "2", "c": "3"})
    store.commit([], [message("x", chat=chat, created_at=at) for chat in "abc" for at in (50, 150)])
    lose_chat(store, "c", "kicked")
    store.register({"a": "1", "c": "3"})
    store.forget(100)
    assert (store.backlog().pending, store.backlog().dead) == (5, 1), "one of b's"
    store.forget(201)
    assert store.backlog().pending == 4, "what waits for the others stays"


def test_it_follows_a_chat_that_moved_until_its_configured_address_changes(store: Store) -> None:
    assert store.register({"a": "-100"})["a"].address == "-100"
    store.chat_moved("a", "-200")
    lose_chat(store, "a", "kicked")
    known = store.register({"a": "-100"})["a"]
    assert (known.address, known.disabled) == ("-200", "kicked")
    fresh = store.register({"a": "-300"})["a"]
    assert (fresh.address, fresh.disabled) == ("-300", "")


def test_it_tells_only_of_the_chats_that_are_configured(store: Store) -> None:
    store.register({"a": "1", "b": "2"})
    assert set(store.register({"b": "2"})) == {"b"}
    assert set(store.chats()) == {"a", "b"}


def test_it_keeps_what_waits_for_a_chat_that_is_not_configured_and_takes_it_for_no_standstill(store: Store) -> None:
    store.register({"a": "1", "b": "2"})
    store.commit([], [message("x", chat="b")])
    assert store.backlog().moving == 1
    store.register({"a": "1"})
    assert (store.backlog().pending, store.backlog().moving) == (1, 0)
    store.register({"a": "1", "b": "2"})
    assert (store.backlog().moving, store.chats()["b"].disabled) == (1, "")
    assert claimed(store).message.chat == "b"


async def test_it_works_from_a_thread_of_its_own(store: Store) -> None:
    thread = StoreThread(store)
    await thread.do(Store.commit, [], [message("x")])
    got = await thread.do(Store.claim, 0, {"a"})
    assert got is not None
    await thread.do(Store.delivered, got.id, 0, "1", more=False)
    await thread.close()


def test_it_syncs_every_commit_to_the_disk(store: Store) -> None:
    full, wal = 2, "wal"
    assert store._connection.exec_driver_sql("PRAGMA synchronous").scalar() == full
    assert store._connection.exec_driver_sql("PRAGMA journal_mode").scalar() == wal
    assert store._connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
