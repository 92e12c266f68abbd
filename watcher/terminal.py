"""What the commands say: on standard output, whatever reads it and whatever it can show."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table


def say(text: str) -> None:
    """To standard output. A reader that went away (`| head`) is no error of ours, and changes no exit code."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def be_printable() -> None:
    """Where a terminal's encoding has no "−" or "✓", a question mark is better than no output."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def json_text(document: object) -> str:
    """A document for machines."""
    import json

    # ASCII only: whatever a token calls itself, no control character reaches a terminal or a log.
    return json.dumps(document, indent=2) + "\n"


def rendered(parts: Callable[[int], Iterable[RenderableType]]) -> str:
    """What a table is made of for a terminal so many characters wide, as text."""
    from rich.console import Console

    console = Console(markup=False, highlight=False, emoji=False)
    with console.capture() as captured:
        for part in parts(console.width):
            console.print(part)
    return captured.get()


def ruled_table() -> Table:
    """A table with a rule below its headings, and an empty line between rows: no other lines."""
    from rich import box
    from rich.table import Table

    return Table(
        box=box.SIMPLE_HEAD,
        leading=1,
        show_edge=False,
        padding=(0, 1, 0, 0),
        collapse_padding=True,
        header_style="bold",
    )
