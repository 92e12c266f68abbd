"""Sets everything up, shows what there is, and tells the story; whatever it started ends with it."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from tests.demo import files, mail
from tests.demo.gate import Gate
from tests.demo.screen import Screen
from tests.demo.stage import Stage, open_positions
from tests.demo.story import Story
from tests.worlds.aave_v30 import AaveV30World
from watcher.alerts.message import Text
from watcher.check import as_table, look
from watcher.config import Settings, load
from watcher.daemon import Daemon

_DAEMON_ENDS: Final = 8.0
"""Seconds; it promises five."""


async def perform(screen: Screen, real: files.Telegram | None, environ: Mapping[str, str]) -> None:
    """The whole demo, told to a `real` Telegram or else to the stand-in. Raises `DemoFailed` or a `WatcherError`."""
    began = time.monotonic()
    inbox: deque[Text] = deque()
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        screen.title("Real Aave v3 contracts, prices that we move, and what you would be told.")
        screen.step("A market with three users")
        world = stack.enter_context(AaveV30World.start())
        open_positions(world)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="watcher-demo-")))
        gate = await enter(Gate(world.url))
        stage = Stage(world, gate)
        await _show_market(screen, world, time.monotonic() - began)

        telegram = await enter(mail.stand_in(folder, inbox.append)) if real is None else real
        path = files.write(folder, world, gate.url, telegram)
        settings = load(path, environ=environ)
        await _show_configuration(screen, path.read_text("utf-8"))
        await _show_positions(screen, settings, stage)

        channels = await enter(mail.overheard(settings, inbox.append)) if real else None
        daemon = Daemon(settings, now=stage.now, channels=channels)
        running = await enter(_running(daemon))
        story = Story(stage=stage, screen=screen, daemon=daemon, running=running, inbox=inbox)
        await story.tell()
    screen.step("That was all of it")
    screen.say(story.summary(time.monotonic() - began))
    _show_next(screen)


@asynccontextmanager
async def _running(daemon: Daemon) -> AsyncIterator[asyncio.Task[int]]:
    """The daemon in the background, told to stop at the end, as by SIGTERM."""
    task = asyncio.create_task(daemon.run(), name="daemon")
    try:
        yield task
    finally:
        daemon.stop()
        done, _ = await asyncio.wait([task], timeout=_DAEMON_ENDS)
        if not done:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    task.result()


async def _show_market(screen: Screen, world: AaveV30World, seconds: float) -> None:
    screen.say(
        f"A private chain at {world.url}. In {seconds:.1f} s it got Aave v3.0.2, as @aave/core-v3 on npm has it"
        " compiled, a Chainlink proxy for each price, and by real transactions these positions:"
    )
    screen.say("treasury   60 WETH and 0.5 WBTC, owing 150,000 USDC")
    screen.say("looper     100 wstETH, owing 95 WETH, in the e-mode “ETH correlated”")
    screen.say("saver      40,000 DAI, owing nothing")
    await screen.read(5)


async def _show_configuration(screen: Screen, text: str) -> None:
    screen.step("watcher.toml: what the watcher is told")
    screen.toml(text)
    await screen.read(text.count("\n") // 2)


async def _show_positions(screen: Screen, settings: Settings, stage: Stage) -> None:
    screen.step("watcher check: what it sees")
    report = await look(settings, now=stage.now)
    for part in as_table(report, screen.width):
        screen.show(part)
    screen.say(f"Exit code {report.exit_code}: all is well. From now on the daemon looks, once a second.")
    await screen.read(10)


def _show_next(screen: Screen) -> None:
    command = ".venv/bin/watcher" if Path(".venv/bin/watcher").exists() else "watcher"
    screen.gap()
    screen.say("Your own wallet on mainnet, through public endpoints, without keys or Telegram:")
    screen.say(f"    {command} check 0x…", "bold")
    screen.say("To be told, write ten lines of watcher.toml (README.md shows them), and then:")
    screen.say(f"    {command} run", "bold")
