"""Buttons under messages, and the seal by which a press of one is known to be of ours.

Whoever can write to the bot can send it any callback data. So every button carries a code over the chat that it was
made for, what it does, and the message that it belongs to. Without the bot's token nobody can make one, and one chat's
does nothing in another.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

LONGEST: Final = 64
"""Bytes of callback data (core.telegram.org/bots/api#inlinekeyboardbutton)."""

_PURPOSE: Final = b"position-watcher: buttons, version 1"
_SHOWN: Final = 12  # bytes of the code: 2 ** 96 guesses, against an adversary who gets one answer a second
_DATA: Final = re.compile(
    r"(?P<code>[\w-]{16})(?P<action>[a-z])(?P<ref>0|[1-9]\d{0,19})(?::(?P<arg>[!-~]+))?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Button:
    """What people read, and what comes back when they press."""

    label: str
    data: str


Keyboard = tuple[tuple[Button, ...], ...]
"""Rows of buttons; empty: none."""


class Action(StrEnum):
    """What a button does. The letters are in messages that were sent: they keep their meaning."""

    ACK = "a"
    """Acknowledge all that the message tells of."""
    ACK_ONE = "o"
    """Acknowledge one of it; arg: which, by its place among the members."""
    CHOOSE = "m"
    """Show whom to acknowledge: all, or one."""
    SNOOZE = "s"
    """Be told again later; arg: seconds."""
    UNTIL_WORSE = "w"
    """Hear nothing of it until it gets worse."""
    DETAILS = "d"
    CHART = "c"
    """arg: seconds that it goes back."""
    BACK = "b"
    CONFIRM = "y"
    CANCEL = "n"


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button of ours that somebody pressed. `ref`: the outbox id of the alert, or the number of a proposal."""

    action: Action
    ref: int
    arg: str = ""


class Seal:
    """Makes callback data, and knows its own again."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def of_bot(cls, token: str) -> Self:
        """The seal that goes with a bot: it needs no storing, and ends with the token."""
        return cls(hmac.new(token.encode(), _PURPOSE, hashlib.sha256).digest())

    def __repr__(self) -> str:
        return "Seal()"

    def sealed(self, action: Action, chat: str, ref: int, arg: str = "") -> str:
        """Callback data for a chat by its configured name: at most 64 bytes of ASCII.

        `arg` is of visible ASCII characters. Raises ValueError on any other, and where it does not fit.
        """
        data = f"{self._code(action, chat, ref, arg)}{action}{ref}{f':{arg}' if arg else ''}"
        if len(data) > LONGEST or not _DATA.fullmatch(data):
            raise ValueError(f"no button can carry {action.name} {ref} {arg!r}")
        return data

    def opened(self, data: str, chat: str) -> Pressed | None:
        """What a button says that was pressed in this chat; None where it is none of ours, or another chat's."""
        found = _DATA.fullmatch(data) if len(data) <= LONGEST else None
        if found is None or found["action"] not in tuple(Action):
            return None
        pressed = Pressed(Action(found["action"]), int(found["ref"]), found["arg"] or "")
        code = self._code(pressed.action, chat, pressed.ref, pressed.arg)
        return pressed if hmac.compare_digest(code, found["code"]) else None

    def _code(self, action: Action, chat: str, ref: int, arg: str) -> str:
        said = json.dumps([chat, action.value, ref, arg]).encode()
        digest = hmac.new(self._key, said, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest[:_SHOWN]).decode()
