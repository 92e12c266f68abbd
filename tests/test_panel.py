"""Which buttons a message has."""

from __future__ import annotations

import pytest

from watcher.alerts.record import Key, Rule
from watcher.buttons import Action, Keyboard, Pressed, Seal
from watcher.config import Chat, Role
from watcher.panel import Panel

SEAL = Seal(b"key")
CHATS = {
    "me": Chat(name="me", id=5, role=Role.ACT),
    "reader": Chat(name="reader", id=6, role=Role.READ),
    "channel": Chat(name="channel", id=-7, role=Role.ACT),
    "team": Chat(name="team", id=-8, users=(5,), role=Role.ACT),
}
HEALTH, STALE = Key(Rule.HEALTH, "aave/0xa/0xa"), Key(Rule.STALE, "local:0xf")
PANEL = Panel(SEAL, CHATS.get, charts=True)


def labels(keyboard: Keyboard) -> list[list[str]]:
    return [[button.label for button in row] for row in keyboard]


def test_it_lets_whoever_may_act_acknowledge_snooze_and_look() -> None:
    keyboard = PANEL.alert("me", 7, [HEALTH])
    assert labels(keyboard) == [["Acknowledge", "Until worse"], ["Snooze 1 h", "Snooze 8 h"], ["Details", "Chart"]]
    pressed = [SEAL.opened(button.data, "me") for row in keyboard for button in row]
    assert pressed == [
        Pressed(Action.ACK, 7),
        Pressed(Action.UNTIL_WORSE, 7),
        Pressed(Action.SNOOZE, 7, "3600"),
        Pressed(Action.SNOOZE, 7, "28800"),
        Pressed(Action.DETAILS, 7),
        Pressed(Action.CHART, 7, "86400"),
    ]


def test_it_shows_fewer_once_somebody_takes_care_and_a_way_to_be_told_again() -> None:
    assert labels(PANEL.alert("me", 7, [HEALTH], handled=True)) == [["Tell me again in 1 h"], ["Details", "Chart"]]


def test_it_shows_no_button_that_its_readers_may_not_press() -> None:
    assert labels(PANEL.alert("reader", 7, [HEALTH])) == [["Details", "Chart"]]
    assert PANEL.alert("channel", 7, [HEALTH]) == ()
    assert PANEL.alert("console", 7, [HEALTH]) == ()


def test_it_offers_details_of_positions_only_and_charts_where_they_can_be_drawn() -> None:
    assert len(PANEL.alert("me", 7, [STALE])) == 2
    assert PANEL.alert("reader", 7, [STALE]) == ()
    assert labels(Panel(SEAL, CHATS.get).alert("reader", 7, [HEALTH, STALE])) == [["Details"]]


@pytest.mark.parametrize("members", [2, 200])
def test_it_asks_whom_to_acknowledge_where_there_are_several(members: int) -> None:
    keyboard = PANEL.alert("team", 7, [Key(Rule.HEALTH, str(n)) for n in range(members)])
    assert keyboard[0][0].label == "Acknowledge…"
    assert SEAL.opened(keyboard[0][0].data, "team") == Pressed(Action.CHOOSE, 7)
    first, *ones, back = PANEL.choosing("team", 7, [f"wallet {n}" for n in range(members)])
    assert (first[0].label, SEAL.opened(first[0].data, "team")) == (f"All {members}", Pressed(Action.ACK, 7))
    assert (ones[1][0].label, SEAL.opened(ones[1][0].data, "team")) == ("wallet 1", Pressed(Action.ACK_ONE, 7, "1"))
    assert SEAL.opened(back[0].data, "team") == Pressed(Action.BACK, 7)
    assert len(ones) == min(members, 20)
