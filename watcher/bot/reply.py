"""What is said back: a text, and where they help buttons or a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from watcher.alerts.message import Text
from watcher.buttons import Keyboard


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """`photo` is a PNG, with `body` as its caption. `sent` is told the message's id as soon as it has one."""

    body: Text
    keyboard: Keyboard = ()
    photo: bytes | None = None
    sent: Callable[[str], None] | None = None
