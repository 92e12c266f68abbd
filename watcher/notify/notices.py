"""What the other chats are told when a chat, or a message to it, is refused for good."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from watcher.alerts.message import Level, Message, Text, bold, code
from watcher.notify.channel import Pace

REPEAT: Final = "May be a repeat: it is unknown whether an earlier attempt arrived."

_PREFIX: Final = "chat:"


def is_notice(message: Message) -> bool:
    """Whether it is one of ours: a notice that cannot be delivered begets no notice."""
    return any(subject.startswith(_PREFIX) for subject in message.about)


def chat_lost(lost: Message, why: str, others: Iterable[str], now: int, pace: Pace) -> list[Message]:
    """To each of the others: which chat gets nothing any more, why, and what to do. Only Telegram has limits."""
    chat = pace is not Pace.FREE
    mend = "Unblock the bot or invite it again, or correct the chat's id" if chat else "Mend it, or correct its URL"
    body = bold(f"Alerts no longer reach {'the chat ' if chat else ''}{lost.chat}") + "\n"
    body += Text(f"The refusal: {why}\nNothing is sent there until this is mended. ")
    body += Text(f"{mend} in the configuration; then reload: ") + code("systemctl reload watcher")
    return _to(others, max(lost.severity, Level.CRITICAL), body, lost.chat, now)


def body_lost(lost: Message, why: str, chats: Iterable[str], now: int) -> list[Message]:
    """To each chat: that one message was refused for its text, and where to look instead."""
    body = bold(f"A message to the chat {lost.chat} could not be shown") + "\n"
    body += Text(f"The refusal: {why}\nSee the positions themselves: ") + code("watcher check")
    return _to(chats, max(lost.severity, Level.WARN), body, lost.chat, now)


def shown_plain(sent: Message, why: str, chats: Iterable[str], now: int) -> list[Message]:
    """To each chat: that messages of one chat go out without styles."""
    body = bold(f"Messages to the chat {sent.chat} go out as plain text") + "\n"
    body += Text(f"Their form was refused: {why}\nNothing was lost. Please report it with this text.")
    return _to(chats, Level.WARN, body, sent.chat, now)


def _to(chats: Iterable[str], severity: Level, body: Text, about: str, now: int) -> list[Message]:
    return [
        Message(chat=chat, severity=severity, body=body, about=(_PREFIX + about,), created_at=now) for chat in chats
    ]
