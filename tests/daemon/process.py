"""The daemon as a process of its own, as systemd would start it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.daemon.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
BY_COMMAND = ("-m", "watcher", "run", "--config")


@dataclass(slots=True)
class Watcher:
    """A running daemon and what it says on standard error, line by line."""

    process: asyncio.subprocess.Process
    lines: list[str] = field(default_factory=list)
    _said: asyncio.Condition = field(default_factory=asyncio.Condition)
    _reading: asyncio.Task[None] | None = None

    async def until(self, event: str, *, times: int = 1) -> dict[str, Any]:
        """Waits for a log event; returns it."""
        return await self.until_there(lambda: self._nth(event, times), event)

    async def until_there(self, found: Callable[[], dict[str, Any] | None], what: str) -> dict[str, Any]:
        try:
            async with asyncio.timeout(PATIENCE), self._said:
                while (event := found()) is None:
                    await self._said.wait()
                return event
        except TimeoutError:
            raise AssertionError(f"no {what} in {PATIENCE:.0f} s:\n" + "\n".join(self.lines)) from None

    @property
    def events(self) -> list[dict[str, Any]]:
        """The log as JSON. Fails on a line that is not."""
        return [json.loads(line) for line in self.lines]

    def said(self, event: str) -> list[dict[str, Any]]:
        return [one for one in self.events if one["event"] == event]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def exit_code(self, within: float = PATIENCE) -> int:
        async with asyncio.timeout(within):
            code = await self.process.wait()
        if self._reading is not None:
            await self._reading
        return code

    async def end(self) -> int:
        """SIGTERM, and its exit code."""
        self.signal(signal.SIGTERM)
        return await self.exit_code()

    async def kill(self) -> None:
        """SIGKILL, whether it still lives or not."""
        if self.process.returncode is None:
            self.process.kill()
        await self.exit_code()

    def listen(self, stream: asyncio.StreamReader) -> None:
        self._reading = asyncio.create_task(self._listen(stream))

    async def _listen(self, stream: asyncio.StreamReader) -> None:
        while line := await stream.readline():
            async with self._said:
                self.lines.append(line.decode().rstrip("\n"))
                self._said.notify_all()

    def _nth(self, event: str, times: int) -> dict[str, Any] | None:
        found = self.said(event)
        return found[times - 1] if len(found) >= times else None


async def start(config: Path, *, command: tuple[str, ...] = BY_COMMAND) -> Watcher:
    """Starts it; whoever starts it ends it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        str(config),
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        limit=1024 * 1024,
    )
    watcher = Watcher(process)
    assert process.stderr is not None
    watcher.listen(process.stderr)
    return watcher


@asynccontextmanager
async def running(config: Path, *, command: tuple[str, ...] = BY_COMMAND) -> AsyncIterator[Watcher]:
    """A daemon that is gone afterwards, however the test ends."""
    watcher = await start(config, command=command)
    try:
        yield watcher
    finally:
        await watcher.kill()


def scripted(before: str) -> tuple[str, ...]:
    """A command that runs the daemon after some Python of the test's own."""
    after = "import sys; from pathlib import Path; from watcher.daemon import run; sys.exit(run(Path(sys.argv[1])))"
    return ("-c", f"{before}\n{after}")
