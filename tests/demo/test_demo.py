"""The demo as its user runs it: a process of its own, ending well, ending badly, and ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from tests.bot_api import BotApi
from tests.bot_api_rules import Fault
from tests.demo.files import Telegram
from tests.demo.mail import CHAT_VARIABLE, TOKEN_VARIABLE, Overheard, real_telegram
from watcher.alerts.message import Level, Message, Text, bold
from watcher.domain.errors import ConfigError, DeliveryError
from watcher.notify.telegram import TelegramBot

ROOT: Final = Path(__file__).parents[2]
MARK: Final = "WATCHER_DEMO_TEST"
ENDS_WITHIN: Final = 60.0

HEADLINES: Final = [
    "WARNING · treasury · Aave v3 local",
    "CRITICAL, was WARNING · treasury · Aave v3 local",
    "OK, was CRITICAL · treasury · Aave v3 local",
    "STALE PRICE · BTC∕USD · Local chain",
    "PRICE ALIVE · BTC∕USD · Local chain",
    "BLIND · Local chain",
    "SEEING AGAIN · Local chain",
]


@dataclass(frozen=True, slots=True)
class Run:
    """A demo under way. `scratch` is where it may leave temporary files, and should not."""

    process: subprocess.Popen[str]
    scratch: Path
    mark: str

    def left_behind(self) -> list[str]:
        """Files, and on Linux processes, that are still there: children inherit the mark in the environment."""
        files = [path.name for path in self.scratch.iterdir()]
        return files + [pid.name for pid in Path("/proc").glob("[0-9]*") if self.mark in _environment(pid)]

    def finish(self) -> str:
        output, _ = self.process.communicate(timeout=ENDS_WITHIN)
        return output


class Runs:
    """Starts demos, and ends those that a failed test leaves running."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._started: list[subprocess.Popen[str]] = []

    def start(self, **environ: str) -> Run:
        mark = f"{MARK}={uuid.uuid4().hex}"
        clean = {key: value for key, value in os.environ.items() if key not in (TOKEN_VARIABLE, CHAT_VARIABLE)}
        name, value = mark.split("=")
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "tests.demo", "--fast"],
            cwd=ROOT,
            env={**clean, name: value, "TMPDIR": str(self._scratch), "COLUMNS": "80", "NO_COLOR": "1", **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._started.append(process)
        return Run(process, self._scratch, mark)

    def end(self) -> None:
        for process in self._started:
            process.terminate()
            process.communicate(timeout=ENDS_WITHIN)


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    runs = Runs(scratch)
    yield runs
    runs.end()


def test_it_tells_the_whole_story_in_order_and_leaves_nothing(runs: Runs) -> None:
    run = runs.start()

    output = run.finish()

    assert run.process.returncode == 0, output
    assert _headlines(output) == HEADLINES
    assert "Nothing has been known of its positions for 72 s." in output
    assert "It could not be watched for 84 s." in output
    assert "7 messages" in output
    assert run.left_behind() == []


def test_it_ends_at_ctrl_c_and_leaves_nothing(runs: Runs) -> None:
    run = runs.start()
    assert run.process.stdout is not None
    while "ETH/USD 3,500" not in (line := run.process.stdout.readline()):
        assert line, "it ended before the first price moved"

    os.killpg(run.process.pid, signal.SIGINT)  # as a terminal does: anvil gets it too
    output = run.finish()

    assert run.process.returncode == 128 + signal.SIGINT, output
    assert "Stopped. Nothing is left running." in output
    assert "Traceback" not in output
    assert run.left_behind() == []


def test_it_fails_in_words_and_keeps_the_log_that_it_names(runs: Runs) -> None:
    run = runs.start(**{TOKEN_VARIABLE: "1:token"})

    output = run.finish()

    assert run.process.returncode == 1
    assert "The demo failed: WATCHER_TELEGRAM_CHAT is not set" in output
    assert "Traceback" not in output
    [log] = run.left_behind()
    assert log in output.replace("\n", "").replace(" ", "")


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        ({CHAT_VARIABLE: "5"}, f"{TOKEN_VARIABLE} is not set"),
        ({TOKEN_VARIABLE: "1:token"}, f"{CHAT_VARIABLE} is not set"),
        ({TOKEN_VARIABLE: "1:token", CHAT_VARIABLE: "@me"}, "is no chat id"),
    ],
)
def test_it_refuses_half_of_a_real_telegram(environ: dict[str, str], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        real_telegram(environ)


def test_it_uses_the_real_telegram_only_where_both_are_named() -> None:
    assert real_telegram({}) is None
    told = real_telegram({TOKEN_VARIABLE: "1:token", CHAT_VARIABLE: "-100"})
    assert told == Telegram(token=f"${{env:{TOKEN_VARIABLE}}}", chat=-100, api="")


async def test_it_prints_what_the_real_telegram_was_sent_and_only_that() -> None:
    heard: list[Text] = []
    message = Message(chat="me", severity=Level.WARN, body=bold("WARNING"), about=(), created_at=0)
    async with BotApi(chats=[5], flood=False) as api, TelegramBot(api.token, base_url=api.base_url) as bot:
        channel = Overheard(bot.chat("5"), heard.append)
        api.fail_next(Fault.DROPPED)
        with pytest.raises(DeliveryError):
            await channel.send(message, label=None)
        assert heard == []

        await channel.send(message, label="A repeat")

    assert [str(text) for text in heard] == [accepted.text for accepted in api.accepted] == ["A repeat\nWARNING"]


def _headlines(output: str) -> list[str]:
    """The first line of every panel."""
    lines = output.splitlines()
    return [below.strip(" │") for line, below in pairwise(lines) if "╭─ Telegram" in line]


def _environment(process: Path) -> str:
    try:
        return (process / "environ").read_bytes().decode(errors="replace")
    except OSError:  # it has ended, or belongs to somebody else
        return ""
