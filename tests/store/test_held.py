"""What mutes hold in the outbox, and what people said to have seen, as the database keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.store.samples import lose_chat, record
from watcher.alerts.ack import Acknowledgement
from watcher.alerts.fold import late
from watcher.alerts.message import Level, Message, Section, Text
from watcher.alerts.mute import Mute
from watcher.domain.source import Address
from watcher.store import Store
from watcher.store.acks import acknowledgements, drop_acks, keep_acks
from watcher.store.mutes import drop_mutes, keep_mute, mutes

OK, WARN, CRITICAL = Level.OK, Level.WARN, Level.CRITICAL
MAIN, FUND = (Address(f"0x{number:040x}") for number in (1, 2))
NOW, HOUR = 10_000, 3600
ENDS = NOW + 8 * HOUR
ALL = Mute(chat="a", wallet=None, level=WARN, until=ENDS, by=7, at=NOW)
ON_MAIN = replace(ALL, wallet=MAIN)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "watcher.db")
    yield opened
    opened.close()


def news(subject: str, level: Level, *, at: int = NOW, wallet: Address = MAIN, end: Level | None = None) -> Section:
    """Of a level, or of the `end` of one."""
    return Section(
        rule="health",
        subject=subject,
        severity=level,
        level=level,
        body=Text(f"{level.word} {subject}"),
        at=at,
        since=at,
        wallets=(wallet,),
        weight=end or level,
    )


def put(store: Store, *sections: Section, held: int = 0, chat: str = "a") -> None:
    store.commit([], [Message.of(chat, sections, sections[0].at, held_until=held)])


def drained(store: Store, now: int) -> list[str]:
    texts = []
    while (got := store.claim(now)) is not None:
        texts.append(got.message.body.text)
        store.delivered(got.id, now, "1")
    return texts


# --- Holding ----------------------------------------------------------------------------------------------------------


def test_it_holds_a_message_until_its_mute_ends_and_then_says_so(store: Store) -> None:
    keep_mute(store, ALL, NOW)
    put(store, news("x", WARN), held=ENDS)
    assert (store.claim(ENDS - 1), store.due(dated=ENDS - 1)) == (None, {})
    assert store.due(dated=ENDS) == {"a": 0}
    got = store.claim(ENDS)
    assert got is not None
    assert late(got.message, ENDS) == "Raised 8 h ago, held by a mute."


def test_a_clock_of_its_own_tells_until_when_it_is_held(store: Store) -> None:
    keep_mute(store, ALL, NOW)
    put(store, news("x", WARN), held=ENDS)
    assert store.claim(ENDS, dated=ENDS - 1) is None
    assert store.claim(0, dated=ENDS) is not None


def test_what_is_held_stands_before_nothing(store: Store) -> None:
    keep_mute(store, replace(ALL, level=CRITICAL), NOW)
    put(store, news("x", CRITICAL), held=ENDS)
    put(store, news("y", WARN, wallet=FUND))
    assert store.due(dated=NOW) == {"a": 0}
    assert drained(store, NOW) == ["WARNING y"]
    assert drained(store, ENDS) == ["CRITICAL x"]


def test_it_folds_what_is_held_into_the_newest_that_is_held(store: Store) -> None:
    keep_mute(store, ALL, NOW)
    put(store, news("x", WARN), held=ENDS)
    put(store, news("x", OK, at=NOW + 2 * HOUR, end=WARN), held=ENDS)
    assert drained(store, ENDS - 1) == []
    assert drained(store, ENDS) == ["OK x\nIt was WARNING before, first raised 2 h earlier."]


def test_what_is_told_at_once_takes_over_what_was_held_of_the_same_and_leaves_the_rest(store: Store) -> None:
    keep_mute(store, ALL, NOW)
    put(store, news("x", WARN), news("y", WARN), held=ENDS)
    put(store, news("x", CRITICAL, at=NOW + HOUR))
    assert drained(store, NOW + HOUR) == ["CRITICAL x\nFirst raised 1 h earlier."]
    assert drained(store, ENDS) == ["WARNING y"]


def test_what_waits_to_be_told_is_not_held_for_the_sake_of_what_comes_after(store: Store) -> None:
    put(store, news("x", CRITICAL))
    keep_mute(store, replace(ALL, level=CRITICAL), NOW)
    put(store, news("x", OK, at=NOW + HOUR, end=CRITICAL), held=ENDS)
    assert drained(store, NOW + HOUR) == ["OK x\nIt was CRITICAL before, first raised 1 h earlier."]


# --- Ending a mute, or changing it ------------------------------------------------------------------------------------


def test_the_end_of_a_mute_frees_what_it_held_at_once(store: Store) -> None:
    keep_mute(store, ALL, NOW)
    put(store, news("x", WARN), held=ENDS)
    drop_mutes(store, [ALL], NOW + HOUR)
    assert mutes(store) == ()
    got = store.claim(NOW + HOUR)
    assert got is not None
    assert late(got.message, NOW + HOUR) == "Raised 1 h ago, held by a mute."


def test_the_end_of_a_mute_frees_nothing_that_another_holds(store: Store) -> None:
    for one in (ON_MAIN, replace(ALL, wallet=FUND), replace(ALL, chat="b")):
        keep_mute(store, one, NOW)
    put(store, news("x", WARN), news("y", WARN, wallet=FUND), held=ENDS)
    put(store, news("x", WARN), held=ENDS, chat="b")
    drop_mutes(store, [ON_MAIN], NOW + HOUR)
    assert drained(store, NOW + HOUR) == ["WARNING x"]
    assert sorted(drained(store, ENDS)) == ["WARNING x", "WARNING y"]


def test_a_longer_mute_holds_longer_what_is_held_and_a_lower_one_frees_what_is_worse(store: Store) -> None:
    keep_mute(store, replace(ALL, level=CRITICAL), NOW)
    put(store, news("x", WARN), news("y", CRITICAL), held=ENDS)
    keep_mute(store, replace(ALL, until=ENDS + HOUR), NOW + HOUR)
    assert mutes(store) == (replace(ALL, until=ENDS + HOUR),)
    assert drained(store, ENDS) == ["CRITICAL y"]
    assert drained(store, ENDS + HOUR) == ["WARNING x"]


def test_a_mute_leaves_alone_what_waits_already(store: Store) -> None:
    put(store, news("x", WARN))
    keep_mute(store, ALL, NOW)
    assert drained(store, NOW) == ["WARNING x"]


def test_it_holds_nothing_for_a_mute_that_ended_while_the_message_was_written(store: Store) -> None:
    keep_mute(store, ON_MAIN, NOW)
    drop_mutes(store, [ON_MAIN], NOW)
    put(store, news("x", WARN), held=ENDS)
    assert drained(store, NOW) == ["WARNING x"]


def test_a_mute_that_was_replaced_meanwhile_is_not_dropped(store: Store) -> None:
    newer = replace(ALL, until=ENDS + HOUR)
    keep_mute(store, newer, NOW)
    drop_mutes(store, [ALL], NOW)
    assert mutes(store) == (newer,)


# --- What waits on purpose --------------------------------------------------------------------------------------------


def test_it_does_not_count_what_waits_on_purpose_as_stuck(store: Store) -> None:
    lose_chat(store, "lost", "blocked")
    keep_mute(store, ALL, NOW)
    put(store, news("x", WARN, at=NOW), held=ENDS)
    put(store, news("lost", WARN, at=NOW), chat="lost")
    for level, at in ((WARN, NOW + 1), (CRITICAL, NOW + 2)):
        put(store, news(level.word, level, at=at), chat="b")
    awake, asleep = store.backlog(dated=NOW), store.backlog(["b"], dated=NOW)
    assert (awake.pending, awake.refused, awake.held, awake.moving, awake.oldest) == (4, 1, 1, 2, NOW + 1)
    assert (asleep.pending, asleep.refused, asleep.held, asleep.moving, asleep.oldest) == (4, 1, 2, 1, NOW + 2)
    assert store.backlog(dated=ENDS).moving == 3


# --- What people said to have seen ------------------------------------------------------------------------------------


def seen(subject: str, *, episode: int = 3, at: int = NOW) -> Acknowledgement:
    key = record(subject, WARN).key
    return Acknowledgement(key=key, episode=episode, level=WARN, until=ENDS, snooze=True, by=7, at=at)


def test_it_keeps_the_newest_word_about_a_condition_and_mutes_over_a_restart(store: Store, tmp_path: Path) -> None:
    newer = replace(seen("x", at=NOW + 1), level=CRITICAL, snooze=False)
    keep_acks(store, [seen("x"), seen("y")])
    keep_acks(store, [newer])
    for one in (ALL, ON_MAIN):
        keep_mute(store, one, NOW)
    store.close()
    again = Store.open(tmp_path / "watcher.db")
    assert acknowledgements(again) == {newer.key: newer, seen("y").key: seen("y")}
    assert set(mutes(again)) == {ALL, ON_MAIN}
    again.close()


def test_a_word_goes_in_the_commit_that_ends_its_episode_and_no_sooner(store: Store) -> None:
    keep_acks(store, [seen("x"), seen("y"), seen("z")])
    standing = record("x", WARN)
    store.commit([standing, record("y", OK), replace(record("z", WARN), episode=4)], [])
    assert set(acknowledgements(store)) == {standing.key}


def test_it_drops_a_word_but_not_a_newer_one(store: Store) -> None:
    keep_acks(store, [seen("x", at=NOW + 1), seen("y")])
    drop_acks(store, [seen("x"), seen("y")])
    assert set(acknowledgements(store)) == {seen("x").key}
