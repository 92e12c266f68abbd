"""What a command or a button may change, and what it needs for that: handed in, so that the bot itself owns nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from watcher.alerts.incident import Member
from watcher.alerts.message import Text
from watcher.bot.proposals import Proposals
from watcher.bot.view import Found, View
from watcher.buttons import Seal
from watcher.handling import Handling
from watcher.panel import Panel
from watcher.wallets import Change, Edit


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A delivered alert, by its number in the outbox: where it is shown, and what it told of."""

    id: int
    chat: str
    message: str
    members: Sequence[Member]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """`alert` finds one by its number. `edit` tries a change of the wallets file, and writes nothing. `chart` draws a
    position over so many seconds for a chat: a PNG, and a caption for it. `last_day` is a view with what the last day
    brought. `refresh` has the message of an alert, by its
    number, show who takes care of it. They raise `StoreFailed` and `ConfigError`.
    """

    handling: Handling
    alert: Callable[[int], Awaitable[Alert | None]]
    edit: Callable[[Change], Awaitable[Edit]]
    chart: Callable[[str, Found, int], Awaitable[tuple[bytes, Text]]]
    last_day: Callable[[View], Awaitable[View]]
    proposals: Proposals
    seal: Seal
    panel: Panel
    refresh: Callable[[int], Coroutine[Any, Any, None]]
