"""What the worker asks of a channel, and the only six ways in which a delivery may fail.

They are told apart by the two questions that decide what to do next: did it arrive, and can trying again help?
An edit may fail in a seventh: what it would change is not there any more.
"""

# ruff: noqa: N818 - they are named for what happened to the message; the worker's table reads like that

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol, runtime_checkable

from watcher.alerts.message import Message, Text
from watcher.buttons import Keyboard
from watcher.domain.errors import DeliveryError


class Pace(StrEnum):
    """Which limits a chat is under."""

    PRIVATE = "private"
    GROUP = "group"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Envelope:
    """What goes with a message besides its words: which it answers, by the id that `send` gave, and its buttons.

    Channels that know no such thing leave it out.
    """

    reply_to: str | None = None
    keyboard: Keyboard = ()


PLAIN: Final = Envelope()


class Channel(Protocol):
    """The way to one chat."""

    @property
    def pace(self) -> Pace:
        """Its limits."""
        ...

    def parts(self, body: Text, *, plain: bool = False) -> tuple[Text, ...]:
        """The body in parts that fit, at least one, always cut alike. `plain` leaves out every style and more room."""
        ...

    async def send(self, message: Message, *, label: str | None, envelope: Envelope = PLAIN) -> str:
        """Sends one part, once; returns the id under which the other side knows it. `label` is said before it.

        Raises one of the errors below, and no other.
        """
        ...

    def move(self, address: str) -> None:
        """Sends to this address from now on."""
        ...


@runtime_checkable
class RichChannel(Channel, Protocol):
    """A chat whose messages can be changed once they are there, and that shows pictures."""

    async def edit(self, external_id: str, body: Text | None, keyboard: Keyboard) -> None:
        """Makes a message say this, with these buttons only; without a text, only the buttons change.

        One that says it already is well as it is.

        Raises `MessageGone`, or one of the errors below; one that may have arrived, or not, `FateUnknown`.
        """
        ...

    async def photo(self, png: bytes, caption: Text, *, envelope: Envelope = PLAIN) -> str:
        """Sends a picture, once; returns its id. Raises one of the errors below."""
        ...

    def caption(self, body: Text) -> tuple[Text, Text]:
        """As much of the body as fits under a picture, and the rest."""
        ...


class NotSent(DeliveryError):
    """It did not arrive. Trying again can help: after `retry_after` seconds if the other side named a time."""

    def __init__(self, problem: str, retry_after: float | None = None) -> None:
        super().__init__(problem, permanent=False)
        self.retry_after = retry_after


class FateUnknown(DeliveryError):
    """It may have arrived: the answer is lost, or does not say."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem, permanent=False)


class ChatMoved(DeliveryError):
    """It did not arrive: the chat has another address now."""

    def __init__(self, address: str) -> None:
        super().__init__(f"the chat is now {address}", permanent=False)
        self.address = address


class BodyRefused(DeliveryError):
    """It did not arrive, and never will in this form; the chat itself is well."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem, permanent=True)


class ChatRefused(DeliveryError):
    """It did not arrive, and nothing will until somebody mends the chat: blocked, kicked, not found."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem, permanent=True)


class ChannelDown(DeliveryError):
    """It did not arrive, and nothing will to any chat of this channel until somebody mends it: the token is wrong."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem, permanent=True)


class MessageGone(DeliveryError):
    """The message that was to be changed is not there, or cannot be changed any more."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem, permanent=True)
