"""Who may speak, and what they said or pressed. Everybody else is not there: no answer, no change, nothing in memory.

Whoever finds the bot can write to it, and a name can be anybody's; so chats and users count by number only. A command
is heard in a configured chat from a user who is listed for it, or from the one with whom a private chat is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from watcher.buttons import Pressed, Seal
from watcher.config import Chat
from watcher.store import ChatState

_LONGEST = 512
"""Characters of a command that are read; Telegram allows eight times as many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A configured chat, at the number that it has by now."""

    chat: Chat
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A text that somebody wrote where the bot can read it. `at` is in Unix seconds; `user` None is nobody's."""

    chat: int
    thread: int | None
    user: int | None
    text: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """A button that somebody pressed. `message` is the one it is under, `query` what Telegram wants answered."""

    chat: int
    user: int
    message: str
    data: str
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A command of somebody who may give it there."""

    chat: Chat
    by: int
    command: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A press by somebody who may give commands there. `pressed` is None where the button is none of this chat's."""

    chat: Chat
    by: int
    message: str
    query: str
    pressed: Pressed | None


def places(chats: Mapping[str, Chat], states: Mapping[str, ChatState]) -> tuple[Place, ...]:
    """Where commands are heard. A group that became a supergroup has another number than the configured one."""
    return tuple(
        Place(chat=chat, number=int(states[name].address) if name in states else chat.id)
        for name, chat in chats.items()
    )


def asked(heard: Heard, known: Sequence[Place], me: str) -> Asked | None:
    """The command in what was heard, if it is for us (`me` is our user name) and from somebody who may give it."""
    here = [place for place in known if place.number == heard.chat]
    chat = next((place.chat for place in here if place.chat.thread == heard.thread), here[0].chat if here else None)
    if chat is None or heard.user is None or heard.user not in chat.speakers:
        return None
    words = heard.text[:_LONGEST].split()
    private = heard.chat > 0
    if not words or not (private or words[0].startswith("/")):
        return None  # people talking to each other
    command, _, addressee = words[0].partition("@") if words[0].startswith("/") else (words[0], "", "")
    if addressee and addressee.casefold() != me.casefold():
        return None
    return Asked(chat=chat, by=heard.user, command=command.removeprefix("/"), arguments=tuple(words[1:]))


def pushed(touched: Touched, known: Sequence[Place], seal: Seal) -> Push | None:
    """The press, if it is from somebody who may give commands where the message is.

    What Telegram says of an old message names no topic, so the seal tells which of several chats of one number it is.
    """
    here = [place.chat for place in known if place.number == touched.chat and touched.user in place.chat.speakers]
    opened = ((chat, seal.opened(touched.data, chat.name)) for chat in here)
    chat, pressed = next((found for found in opened if found[1]), (here[0] if here else None, None))
    if chat is None:
        return None
    return Push(chat=chat, by=touched.user, message=touched.message, query=touched.query, pressed=pressed)
