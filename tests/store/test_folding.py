"""What waits gives way to newer news of the same subject, and nothing of it is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from watcher.alerts.fold import late
from watcher.alerts.message import Level, Message, Section, Text
from watcher.store import Claimed, Store

OK, WARN, CRITICAL = Level.OK, Level.WARN, Level.CRITICAL
MINUTE = 60


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "watcher.db")
    yield opened
    opened.close()


def news(subject: str, level: Level, at: int, *, rule: str = "health", good: bool = False) -> Section:
    severity = OK if good else level
    return Section(
        rule=rule,
        subject=subject,
        severity=severity,
        level=level,
        body=Text(f"{level.word} {subject}"),
        at=at,
        since=at,
    )


def put(store: Store, *sections: Section, chat: str = "a") -> None:
    store.commit([], [Message.of(chat, sections, sections[0].at)])


def claimed(store: Store) -> Claimed:
    got = store.claim(0)
    assert got is not None
    return got


def drained(store: Store) -> list[str]:
    texts = []
    while (got := store.claim(0)) is not None:
        texts.append(got.message.body.text)
        store.delivered(got.id, 0, "1")
    return texts


def test_it_tells_the_newest_of_a_position_once_and_what_went_before(store: Store) -> None:
    for minute, level in enumerate([WARN, CRITICAL, WARN]):
        put(store, news("x", level, minute * 20 * MINUTE, good=minute == 2))
    got = claimed(store)
    assert got.message.body.text == "WARNING x\nIt was CRITICAL before, first raised 40 min earlier."
    assert got.message.severity is WARN  # what is left of it was never told: this is no good news
    assert late(got.message, 47 * MINUTE) == "Raised 47 min ago, delivered late."
    store.delivered(got.id, 0, "1")
    assert store.backlog().pending == 0


def test_it_makes_one_message_of_a_warning_and_its_end(store: Store) -> None:
    put(store, news("x", CRITICAL, 0))
    put(store, news("x", OK, 47 * MINUTE))
    got = claimed(store).message
    assert (got.severity, got.body.text) == (OK, "OK x\nIt was CRITICAL before, first raised 47 min earlier.")
    assert late(got, 50 * MINUTE) == "Raised 50 min ago, delivered late."


def test_it_sends_what_stands_before_what_has_ended_meanwhile(store: Store) -> None:
    put(store, news("ended", CRITICAL, 0))
    put(store, news("warned", WARN, 1))
    put(store, news("standing", CRITICAL, 2))
    put(store, news("ended", OK, 3))
    assert [text.splitlines()[0] for text in drained(store)] == ["CRITICAL standing", "WARNING warned", "OK ended"]


def test_it_leaves_the_rest_of_a_message_in_its_place(store: Store) -> None:
    put(store, news("x", WARN, 0), news("y", WARN, 0), news("z", WARN, 0))
    put(store, news("other", WARN, 1))
    put(store, news("y", CRITICAL, 120))
    assert drained(store) == ["CRITICAL y\nFirst raised 2 min earlier.", "WARNING x\n\nWARNING z", "WARNING other"]


def test_it_keeps_all_conditions_of_a_position_in_one_message(store: Store) -> None:
    put(store, news("x", CRITICAL, 0))
    put(store, news("x", WARN, 180, rule="stale"))
    assert drained(store) == ["CRITICAL x\nAs it was 3 min before this.\n\nWARNING x"]


def test_it_folds_nothing_of_another_chat(store: Store) -> None:
    put(store, news("x", WARN, 0), chat="a")
    put(store, news("x", CRITICAL, 1), chat="b")
    assert sorted(drained(store)) == ["CRITICAL x", "WARNING x"]


def test_it_does_not_touch_what_is_on_its_way(store: Store) -> None:
    put(store, news("x", WARN, 0))
    first = claimed(store)
    put(store, news("x", CRITICAL, 120))
    store.delivered(first.id, 0, "1")
    assert drained(store) == ["CRITICAL x"]


@pytest.mark.parametrize("ends", ["not sent", "uncertain", "crash"])
def test_it_folds_what_comes_back_from_its_way(store: Store, tmp_path: Path, ends: str) -> None:
    put(store, news("x", WARN, 0))
    first = claimed(store)
    put(store, news("x", CRITICAL, 120))
    if ends == "crash":
        store.close()
        store = Store.open(tmp_path / "watcher.db")
    elif ends == "uncertain":
        store.uncertain(first.id, 99, "502")
    else:
        store.not_sent(first.id, 99, "refused")
    assert drained(store) == ["CRITICAL x\nFirst raised 2 min earlier."]
    store.close()


def test_it_leaves_a_message_alone_of_which_a_part_has_arrived(store: Store) -> None:
    put(store, news("x", WARN, 0), news("y", WARN, 0))
    store.delivered(claimed(store).id, 0, "1", more=True)
    put(store, news("x", CRITICAL, 1))
    assert drained(store) == ["CRITICAL x", "WARNING x\n\nWARNING y"]


def test_it_labels_what_moved_from_a_message_that_may_have_been_read(store: Store) -> None:
    put(store, news("x", CRITICAL, 0))
    store.uncertain(claimed(store).id, 0, "502")
    put(store, news("x", WARN, 1, rule="stale"))
    assert claimed(store).maybe_sent


def test_it_forgets_an_end_that_was_not_told_when_it_begins_again(store: Store) -> None:
    put(store, news("x", OK, 0))
    put(store, news("x", CRITICAL, 600))
    assert drained(store) == ["CRITICAL x"]


def test_it_says_nothing_of_an_age_that_is_none() -> None:
    fresh = Message.of("a", [news("x", WARN, 100)], 100)
    assert late(fresh, 160) is None
    assert late(fresh, 161) == "Raised 61 s ago, delivered late."
    assert late(Message.of("a", [news("x", OK, 100)], 100), 220) == "Written 2 min ago, delivered late."
