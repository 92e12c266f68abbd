"""Who may speak, where, and what counts as a command."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from watcher.bot.access import Heard, asked, places
from watcher.bot.commands import COMMANDS
from watcher.config import Chat
from watcher.store import ChatState

CHATS = {
    "me": Chat(name="me", id=5),
    "desk": Chat(name="desk", id=-100, users=(7,)),
    "topic": Chat(name="topic", id=-200, thread=9, users=(7, 8)),
    "silent": Chat(name="silent", id=-300),
}
PLACES = places(CHATS, {})
ME = "watcher_bot"


def heard(chat: int, user: int | None, text: str, thread: int | None = None) -> Heard:
    return Heard(chat=chat, thread=thread, user=user, text=text, at=0)


def test_it_hears_those_who_are_listed_where_they_are() -> None:
    for said, chat in (
        (heard(5, 5, "/status"), "me"),
        (heard(-100, 7, "/status"), "desk"),
        (heard(-200, 8, "/status", 9), "topic"),
        (heard(-200, 8, "/status"), "topic"),
    ):
        question = asked(said, PLACES, ME)
        assert question is not None
        assert (question.chat.name, question.command, question.arguments) == (chat, "status", ())


@pytest.mark.parametrize(
    "said",
    [
        heard(6, 6, "/status"),
        heard(6, 5, "/status"),
        heard(5, 6, "/status"),
        heard(-100, 5, "/status"),
        heard(-100, None, "/status"),
        heard(-300, 7, "/status"),
        heard(100, 7, "/status"),
    ],
)
def test_it_does_not_hear_anybody_else(said: Heard) -> None:
    assert asked(said, PLACES, ME) is None


def test_it_hears_none_of_a_thousand_strangers(record_property: Callable[[str, object], None]) -> None:
    dice = random.Random(4)
    commands = [f"/{name}" for name in COMMANDS] + [
        "/start",
        "/whatif ETH -20%",
        "/positions 5",
        "status",
        "/ack@watcher_bot",
    ]
    numbers = [-300, -200, -100, 5, 6, 7, 8, 9, 100, 200, 10**12, -(10**12)]
    heard_of = 0
    for _ in range(1000):
        chat, user = dice.choice([*numbers, dice.randrange(-(10**9), 10**9)]), dice.choice(numbers)
        listed = (chat, user) in {(5, 5), (-100, 7), (-200, 7), (-200, 8)}
        if not listed:
            heard_of += asked(heard(chat, user, dice.choice(commands)), PLACES, ME) is not None
    record_property("F4", f"1,000 of them: {heard_of} heard, so nothing is done and nothing answered")
    assert heard_of == 0


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/status@watcher_bot", "status"),
        ("/status@WATCHER_bot now", "status"),
        ("/status@other_bot", None),
        ("good morning", None),
        ("  ", None),
        ("/", ""),
    ],
)
def test_it_takes_only_what_is_meant_for_it_in_a_group(text: str, command: str | None) -> None:
    question = asked(heard(-100, 7, text), PLACES, ME)
    assert (question.command if question else None) == command


def test_it_takes_any_word_for_a_command_where_nobody_else_is() -> None:
    question = asked(heard(5, 5, "Position main ETH"), PLACES, ME)
    assert question is not None
    assert (question.command, question.arguments) == ("Position", ("main", "ETH"))


def test_it_knows_a_group_by_the_number_that_it_has_by_now() -> None:
    moved = places(CHATS, {"desk": ChatState(name="desk", address="-1001", disabled="")})
    assert asked(heard(-1001, 7, "/status"), moved, ME) is not None
    assert asked(heard(-100, 7, "/status"), moved, ME) is None
