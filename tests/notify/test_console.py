"""Messages on a terminal."""

from __future__ import annotations

import io

from rich.console import Console

from tests.notify.support import message
from watcher.alerts.message import Level, Style, bold, code, italic, link
from watcher.notify.console import ConsoleChannel, printed


async def test_it_prints_the_level_the_chat_the_label_and_the_text() -> None:
    screen = io.StringIO()
    channel = ConsoleChannel(Console(file=screen, width=40))
    body = bold("CRITICAL") + " health 1.08 on " + code("WETH") + " " * 60 + "end"
    assert await channel.send(message(body, severity=Level.CRITICAL), label="May be a repeat") == "1"
    assert screen.getvalue() == f"── CRITICAL to a \nMay be a repeat\nCRITICAL health 1.08 on WETH{' ' * 60}end\n\n"


def test_it_puts_styles_on_the_right_characters_after_an_emoji() -> None:
    shown = printed("🦊🦊 " + bold("ab") + link("c", "https://example.org/") + italic("d"))
    assert [(span.start, span.end) for span in shown.spans] == [(3, 5), (5, 6), (6, 7)]
    assert set(Style) == {"bold", "code", "italic", "text_link"}


def test_it_lets_no_control_character_reach_the_terminal() -> None:
    assert printed(bold("a\x1b[2Jb\u202ec\nd\r")).plain == "a\ufffd[2Jb\ufffdc\nd\ufffd"


async def test_it_prints_all_in_one_part() -> None:
    body = bold("x" * 9_000)
    assert ConsoleChannel().parts(body) == (body,)
    assert ConsoleChannel().parts(body, plain=True)[0].spans == ()
