"""Incidents begin with the delivery of a message, and know what of it was told again elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from watcher.alerts.message import Level, Message, Section, Text, bold
from watcher.alerts.record import Key, Rule
from watcher.store import Store
from watcher.store.incidents import Incident, anchor, end, incident_of, open_incidents, show, told


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "watcher.db")
    yield opened
    opened.close()


def section(subject: str = "a", level: Level = Level.WARN, *, opens: bool = True, episode: int = 1) -> Section:
    return Section(
        rule=Rule.HEALTH,
        subject=subject,
        severity=level,
        level=level,
        body=bold(level.word) + f" {subject}",
        at=10,
        since=10,
        episode=episode,
        opens=opens,
        health=Decimal("1.0832"),
    )


def deliver(store: Store, *sections: Section, chat: str = "me", external_id: str = "77", more: bool = False) -> int:
    store.commit([], [Message.of(chat, sections, 10)])
    claimed = store.claim(10, [chat])
    assert claimed is not None
    store.delivered(claimed.id, 12, external_id, more=more)
    if more:
        again = store.claim(12, [chat])
        assert again is not None
        store.delivered(again.id, 13, "78")
    return claimed.id


def members(incident: Incident) -> list[tuple[str, Level, bool]]:
    return [(one.key.subject, one.level, one.left) for one in incident.members]


def test_it_begins_an_incident_with_what_a_delivered_message_opened(store: Store) -> None:
    told_of = section("a"), section("b", Level.CRITICAL), section("c", opens=False), section("d", Level.OK)
    number = deliver(store, *told_of)
    [found] = open_incidents(store)
    assert (found.id, found.chat, found.external_id) == (number, "me", "77")
    assert (found.opened_at, found.edited_at, found.ended_at, found.repeated) == (12, 12, None, False)
    assert members(found) == [("a", Level.WARN, False), ("b", Level.CRITICAL, False)]
    assert found.members[1].key == Key(Rule.HEALTH, "b")
    assert found.body == Message.of("me", told_of, 10).body
    assert found.sections == told_of


def test_it_begins_none_with_a_reminder_or_before_anything_arrived(store: Store) -> None:
    deliver(store, section(opens=False))
    store.commit([], [Message.of("me", [section("b")], 10)])
    store.claim(10)
    assert open_incidents(store) == []


def test_it_begins_with_the_first_of_several_parts(store: Store) -> None:
    deliver(store, section(), more=True)
    [found] = open_incidents(store)
    assert (found.external_id, members(found)) == ("77", [("a", Level.WARN, False)])


def test_it_knows_that_a_message_may_have_arrived_twice(store: Store) -> None:
    store.commit([], [Message.of("me", [section()], 10)])
    first = store.claim(10)
    assert first is not None
    store.uncertain(first.id, 11, "no answer")
    assert store.claim(11) is not None
    store.delivered(first.id, 12, "78")
    assert [incident.repeated for incident in open_incidents(store)] == [True]


def test_it_moves_one_of_three_members_to_the_incident_that_tells_it_got_worse(store: Store) -> None:
    deliver(store, section("a"), section("b"), section("c"))
    deliver(store, section("b", Level.CRITICAL), external_id="78")
    deliver(store, section("c", Level.CRITICAL), chat="other", external_id="1")
    first, second, other = open_incidents(store)
    assert members(first) == [("a", Level.WARN, False), ("b", Level.WARN, True), ("c", Level.WARN, False)]
    assert members(second) == [("b", Level.CRITICAL, False)]
    assert members(other) == [("c", Level.CRITICAL, False)]


def test_it_keeps_a_member_whose_later_episode_is_told_elsewhere(store: Store) -> None:
    deliver(store, section("a"))
    deliver(store, section("a", episode=2), external_id="78")
    assert [members(one) for one in open_incidents(store)] == [[("a", Level.WARN, False)]] * 2


def test_it_answers_the_first_message_of_the_most_severe_episode_that_goes_on(store: Store) -> None:
    deliver(store, section("a"), external_id="70")
    deliver(store, section("b"), external_id="71")
    deliver(store, section("b", Level.CRITICAL), external_id="72")
    assert anchor(store, "me", [section("new"), section("b"), section("a")]) == "71"
    assert anchor(store, "me", [section("b", episode=2)]) is None
    assert anchor(store, "other", [section("b")]) is None
    resolved = replace(section("a"), level=Level.OK, severity=Level.OK, opens=False)
    assert anchor(store, "me", [resolved]) == "70"


def test_it_remembers_what_is_shown_and_that_it_ended_over_a_restart(store: Store, tmp_path: Path) -> None:
    shown, ended = deliver(store, section("a")), deliver(store, section("b"))
    show(store, shown, bold("↘") + " 1.07", 72)
    end(store, ended, 80)
    store.close()
    again = Store.open(tmp_path / "watcher.db")
    [left] = open_incidents(again)
    over = incident_of(again, ended)
    again.close()
    assert (left.id, left.body, left.edited_at) == (shown, bold("↘") + " 1.07", 72)
    assert over is not None
    assert over.ended_at == 80


@pytest.mark.parametrize("moved", [True, False], ids=["supergroup", "configured"])
def test_it_forgets_the_incidents_of_a_chat_whose_messages_have_other_ids_now(store: Store, moved: bool) -> None:
    store.register({"me": "5", "other": "6"})
    deliver(store, section("a"))
    deliver(store, section("a"), chat="other")
    if moved:
        store.chat_moved("me", "-100")
    else:
        store.register({"me": "7", "other": "6"})
    assert [one.chat for one in open_incidents(store)] == ["other"]
    assert anchor(store, "me", [section("a")]) is None


def test_it_keeps_what_is_still_edited_and_forgets_the_rest_with_its_message(store: Store) -> None:
    stands, over = deliver(store, section("a")), deliver(store, section("b"))
    end(store, over, 20)
    assert store.forget(1000) == 1
    assert [one.id for one in open_incidents(store)] == [stands]
    assert incident_of(store, over) is None
    assert anchor(store, "me", [section("b")]) is None


def test_it_tells_what_a_message_was_about_whose_button_is_pressed(store: Store) -> None:
    reminder = deliver(store, section("a", opens=False), section("b", Level.OK, opens=False), external_id="90")
    found = told(store, reminder)
    assert found is not None
    assert (found.external_id, found.message.chat) == ("90", "me")
    assert [(one.key.subject, one.level, one.episode) for one in found.members] == [("a", Level.WARN, 1)]
    store.commit([], [Message.of("me", [section("c")], 10)])
    assert told(store, reminder + 1) is None
    assert told(store, 999) is None


def test_it_keeps_a_text_with_nothing_known_in_it(store: Store) -> None:
    number = deliver(store, section("a"))
    show(store, number, Text(), 72)
    assert [one.body for one in open_incidents(store)] == [Text()]
