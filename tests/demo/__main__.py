"""`python -m tests.demo [--fast]`: the demo as a command, which leaves nothing behind however it ends."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Coroutine, Mapping
from types import FrameType
from typing import IO, Final

import structlog
from rich.console import Console

from tests.demo.mail import real_telegram
from tests.demo.performance import perform
from tests.demo.screen import Screen
from tests.demo.story import DemoFailed
from tests.worlds.node import MissingToolError
from watcher import logs
from watcher.domain.errors import WatcherError

_FAILED: Final = 1
_ENDING_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(arguments: list[str], environ: Mapping[str, str]) -> int:
    """Returns the exit code: 0, 1 where something failed, 128 + n where signal n ended it."""
    parser = argparse.ArgumentParser(prog="python -m tests.demo", description="The watcher at work, in a minute.")
    parser.add_argument("--fast", action="store_true", help="no pauses for reading")
    screen = Screen(Console(highlight=False), fast=parser.parse_args(arguments).fast)
    descriptor, log = tempfile.mkstemp(prefix="watcher-demo-", suffix=".log")
    code = None
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            code = _performed(screen, environ, file)
    finally:
        if code != _FAILED:  # also where nobody reads us any more
            os.unlink(log)
    if code == _FAILED:
        screen.say(f"The watcher's own log: {log}")
    return code


def _performed(screen: Screen, environ: Mapping[str, str], log: IO[str]) -> int:
    with contextlib.redirect_stderr(log):
        logs.configure()
    interruption = Interruption()
    try:
        asyncio.run(interruption.ends(perform(screen, real_telegram(environ), environ)))
    except (DemoFailed, MissingToolError, WatcherError) as expected:
        problem = str(expected)
    except Exception as bug:  # noqa: BLE001 - told in a line, with its traceback in the log that the line names
        structlog.get_logger("tests.demo").exception("demo.bug")
        problem = f"{type(bug).__name__}: {bug}"
    except asyncio.CancelledError:
        problem = "it was cancelled"
    else:
        return 0
    if interruption.signal:  # whatever else it led to: a terminal's Ctrl-C ends anvil too
        screen.gap()
        screen.say("Stopped. Nothing is left running.")
        return 128 + interruption.signal
    screen.gap()
    screen.say(f"The demo failed: {problem}", "bold red")
    return _FAILED


class Interruption:
    """Ends a piece of work at the first signal, so that it cleans up; `signal` is then its number."""

    def __init__(self) -> None:
        self.signal = 0

    async def ends(self, work: Coroutine[None, None, None]) -> None:
        """Do the work, up to a signal. Ours is a handler of `signal`, which no blocking call can keep waiting."""
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None

        def end(number: int, _: FrameType | None) -> None:
            if not self.signal:
                self.signal = number
                loop.call_soon_threadsafe(task.cancel)

        before = {number: signal.signal(number, end) for number in _ENDING_SIGNALS}
        try:
            await work
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
