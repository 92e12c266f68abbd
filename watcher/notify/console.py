"""Messages on a terminal: for running without Telegram, and for showing what Telegram got."""

from __future__ import annotations

import unicodedata
from typing import Final

from rich.console import Console
from rich.style import Style as Look
from rich.text import Text as Printed

from watcher.alerts.message import Level, Message, Span, Style, Text
from watcher.notify.channel import PLAIN, Envelope, Pace

_LEVELS: Final = {Level.OK: "green", Level.WARN: "yellow", Level.CRITICAL: "red", Level.LIQUIDATABLE: "bold red"}
_LOOKS: Final = {Style.BOLD: Look(bold=True), Style.CODE: Look(color="cyan"), Style.ITALIC: Look(italic=True)}
_REPLACEMENT: Final = "\ufffd"


class ConsoleChannel:
    """Prints whatever is sent to one chat. See `channel.Channel`."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console()
        self._count = 0

    @property
    def pace(self) -> Pace:
        return Pace.FREE

    def move(self, address: str) -> None:
        """A terminal stays where it is."""

    def parts(self, body: Text, *, plain: bool = False) -> tuple[Text, ...]:
        return (Text(body.text) if plain else body,)

    async def send(self, message: Message, *, label: str | None, envelope: Envelope = PLAIN) -> str:
        heading = Printed(f"── {message.severity.name} to {message.chat} ", style=_LEVELS[message.severity])
        parts = [heading, *([Printed(label, style="italic")] if label else []), printed(message.body)]
        self._console.print(Printed("\n").join(parts), end="\n\n", soft_wrap=True)
        self._count += 1
        return str(self._count)


def printed(text: Text) -> Printed:
    """The text for a terminal. Control characters, which could drive it, are replaced."""
    result = Printed(_harmless(text.text))
    for span in text.spans:
        look = Look(link=span.url, underline=True) if span.style is Style.LINK else _LOOKS[span.style]
        result.stylize(look, *_code_points(text.text, span))
    return result


def _harmless(text: str) -> str:
    return "".join(c if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf") else _REPLACEMENT for c in text)


def _code_points(text: str, span: Span) -> tuple[int, int]:
    """A span's first and last place in Python's characters, from UTF-16 units."""
    encoded = text.encode("utf-16-le")
    first = len(encoded[: 2 * span.offset].decode("utf-16-le"))
    return first, first + len(encoded[2 * span.offset :][: 2 * span.length].decode("utf-16-le"))
