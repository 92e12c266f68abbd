"""What the reader sees, and the time to read it."""

from __future__ import annotations

import asyncio
from typing import Final

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.syntax import Syntax
from rich.text import Text as Printed

from watcher.alerts.message import Text
from watcher.notify.console import printed

_INDENT: Final = 3
_BUBBLE: Final = 72  # columns; messages are read on telephones
_SECONDS: Final = 1.5
_SECONDS_PER_LINE: Final = 0.45


class Screen:
    """A terminal, a pipe or a file. `fast` leaves out the pauses, which are for readers only."""

    def __init__(self, console: Console, *, fast: bool) -> None:
        self.console = console
        self._fast = fast
        self._steps = 0

    @property
    def width(self) -> int:
        """Columns beside the margin."""
        return self.console.width - _INDENT

    def title(self, text: str) -> None:
        self.console.print(Printed(text, style="bold"))

    def step(self, text: str) -> None:
        """Announce what happens now."""
        self._steps += 1
        self.gap()
        self.console.print(Rule(Printed(f"{self._steps} · {text}", style="bold cyan"), align="left", style="cyan"))

    def gap(self) -> None:
        self.console.print()

    def say(self, text: str, style: str = "") -> None:
        self.show(Printed(text, style=style))

    def show(self, what: RenderableType) -> None:
        self.console.print(Padding(what, (0, 0, 0, _INDENT), expand=False))

    def toml(self, text: str) -> None:
        self.show(Syntax(text.rstrip(), "toml", theme="ansi_dark", background_color="default", word_wrap=True))

    def message(self, text: Text, chat: str, look: str) -> None:
        """A message as its chat shows it."""
        width = min(self.width, _BUBBLE)
        title = Printed(f"Telegram, to {chat}")
        self.show(
            Panel(printed(text), box=box.ROUNDED, title=title, title_align="left", border_style=look, width=width)
        )

    async def read(self, lines: int) -> None:
        """Wait as long as it takes to read so many lines."""
        if not self._fast:
            await asyncio.sleep(_SECONDS + lines * _SECONDS_PER_LINE)
