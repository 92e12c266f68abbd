"""Vigils in the database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from watcher.alerts.escalation import Vigil
from watcher.alerts.message import Level, Message, Section, Text
from watcher.alerts.record import Key, Rule
from watcher.store import Store, StoreFailed

ONE, OTHER = Key(Rule.HEALTH, "m_1/0x1"), Key(Rule.BLIND, "base")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "watcher.db")
    yield opened
    opened.close()


def told(chat: str, text: str, *, key: Key = ONE, severity: Level = Level.CRITICAL) -> Message:
    section = Section(
        rule=key.rule, subject=key.subject, severity=severity, level=severity, body=Text(text), at=1, since=1
    )
    return Message.of(chat, [section], 1)


def test_it_keeps_vigils_over_a_restart(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "watcher.db")
    vigils = {ONE: Vigil(key=ONE, episode=2, since=5), OTHER: Vigil(key=OTHER, episode=1, since=7, told=True)}
    store.keep_vigils(vigils.values(), (), ())
    store.close()
    store = Store.open(tmp_path / "watcher.db")

    assert store.vigils() == vigils
    store.close()


def test_it_replaces_and_ends_them(store: Store) -> None:
    store.keep_vigils([Vigil(key=ONE, episode=2, since=5), Vigil(key=OTHER, episode=1, since=7)], (), ())
    again = Vigil(key=ONE, episode=3, since=9, told=True)
    store.keep_vigils([again], [OTHER], ())

    assert store.vigils() == {ONE: again}


def test_it_keeps_neither_vigil_nor_message_when_one_of_them_cannot_be_written(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store._connection.exec_driver_sql(
        "CREATE TEMP TRIGGER no BEFORE INSERT ON outbox BEGIN SELECT RAISE(FAIL, 'x'); END"
    )
    store._connection.commit()
    with pytest.raises(StoreFailed):
        store.keep_vigils([Vigil(key=ONE, episode=2, since=5, told=True)], (), [told("a", "x")])

    assert store.vigils() == {}


def test_it_finds_the_newest_warning_about_a_condition(store: Store) -> None:
    store.commit((), [told("a", "old"), told("a", "another rule", key=Key(Rule.UNREADABLE, ONE.subject))])
    store.commit((), [told("b", "new"), told("[escalation]", "ours")])
    store.commit((), [told("c", "good news", severity=Level.OK), told("c", "alike", key=Key(Rule.HEALTH, "mx1/0x1"))])
    found = store.last_warning(ONE, besides="[escalation]")

    assert found is not None
    assert found.body.text == "new"
    assert store.last_warning(OTHER, besides="[escalation]") is None
