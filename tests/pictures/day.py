"""A day and a half of a real market, watched by the real daemon, and what its chat accepted meanwhile.

Time is the chain's, moved by hand: the same day leads to the same messages whenever it is run.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, Final
from unittest.mock import patch
from zoneinfo import ZoneInfo

from tests.bot_api import BotApi
from tests.bot_api_rules import Accepted
from tests.daemon.inside import Clock
from tests.daemon.talking import UNPACED
from tests.daemon.waiting import eventually
from tests.demo import files
from tests.demo.stage import TREASURY, ether_prices, open_positions
from tests.pictures.shot import Shot
from tests.worlds.aave import AaveWorld
from tests.worlds.aave_v30 import AaveV30World
from tests.worlds.cache import open_world
from tests.worlds.chain import SECONDS_PER_BLOCK
from watcher.config import load
from watcher.daemon import Daemon
from watcher.notify import sender
from watcher.notify.pacing import Limits

ZONE: Final = ZoneInfo("Europe/Berlin")
BEGINS: Final = datetime(2025, 6, 15, 22, tzinfo=ZONE)

_CHAT: Final = 1001
_STEP: Final = 30
"""Minutes between two looks. The watcher is told that it looks so seldom, and calls nothing in between unknown."""
_LATENCY: Final = 2
"""Seconds by which the clock is ahead of the newest block."""

_HOUR: Final = 60
_ETHER: Final = {
    0 * _HOUR: 3540,
    6 * _HOUR: 3570,
    10 * _HOUR: 3450,
    16 * _HOUR: 3390,
    18 * _HOUR: 3240,
    20 * _HOUR: 3080,
    24 * _HOUR: 3010,
    27 * _HOUR: 2780,
    28 * _HOUR: 2500,
    29 * _HOUR: 2560,
    34 * _HOUR: 2640,
    35 * _HOUR: 2640,
}
"""Dollars, by the minutes since the day began; between them the price moves evenly, but for a few dollars of noise."""
_NOISE: Final = 12
_OTHERS: Final = ("WBTC", "USDC", "DAI", "USDT")

_FIRST_DIGEST, _SEEN, _CRITICAL, _SILENT, _ENDS = (hours * _HOUR for hours in (10, 21, 28, 32, 34))


async def spend(folder: Path) -> list[Shot]:
    """The whole day, in seconds; returns what was worth a picture, in order. Raises TimeoutError if it went amiss."""
    with open_world(AaveV30World) as world:
        open_positions(world)
        clock = Clock(0)
        async with _Camera(chats=[_CHAT], flood=False, clock=clock) as api:
            day = _Day(world, clock, api)
            await day.pass_until(0)
            async with _running(_configured(folder, world, api), clock) as daemon:
                day.daemon = daemon
                return await day.spend()


class _Camera(BotApi):
    """The stand-in, which keeps the photos themselves too, by the number of their message."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.photos: dict[int, bytes] = {}

    async def _on_sendphoto(self, params: dict[str, str]) -> Any:
        sent = await super()._on_sendphoto(params)
        self.photos[sent["message_id"]] = params["photo"].encode("latin-1")
        return sent


class _Day:
    """What happens, in minutes since the day began. `daemon` looks whenever something did."""

    def __init__(self, world: AaveWorld, clock: Clock, api: _Camera) -> None:
        self.daemon: Daemon | None = None
        self._world = world
        self._clock = clock
        self._api = api
        self._noise = Random(1)
        self._minutes = 0
        self._looks = 0
        self._silent = ""

    async def spend(self) -> list[Shot]:
        await self._wander_until(_FIRST_DIGEST)
        await self._digest()
        await self._wander_until(_SEEN)
        warned = self._found("WARNING · treasury")
        warning = self._shot("warning", warned)
        acknowledged = self._shot("acknowledged", await self._acknowledged(warned), edited=True)

        await self._wander_until(_CRITICAL)
        alert = self._found("CRITICAL, was WARNING · treasury")
        critical = self._shot("critical", alert)
        await self.pass_until(_CRITICAL + 3)
        details = self._shot("details", await self._answer(alert, "Details"))
        chart = self._shot("chart", await self._answer(alert, "Chart"))

        repaid = re.search(r"repay ([0-9.]+) USDC", alert.text)
        assert repaid, alert.text
        self._world.repay(TREASURY, "USDC", int(Decimal(repaid[1]) * 10**6))
        for minutes in (9, 10, 11):
            await self.pass_until(_CRITICAL + minutes)
        resolved = self._shot("resolved", self._found("OK, was CRITICAL · treasury"))

        await self._wander_until(_SILENT)
        self._silent = "WBTC"
        await self._wander_until(_ENDS - _STEP)
        stale = self._shot("stale", self._found("STALE PRICE"))
        await self._wander_until(_ENDS)
        await self._digest()
        digest = self._shot("digest", self._api.accepted[-1])

        self._world.set_price("WBTC", self._world.answer("WBTC") * 3 // 4)
        await self.pass_until(_ENDS + 1)
        suspect = self._shot("suspect", self._found("SUSPECT PRICE"))
        return [warning, acknowledged, critical, details, chart, resolved, stale, digest, suspect]

    # What people do

    async def _acknowledged(self, alert: Accepted) -> Accepted:
        """The message once somebody has said that they have seen it."""
        await self._press(alert, "Acknowledge")
        await eventually(lambda: any("Acknowledged" in edit.text for edit in self._api.edits))
        return self._api.edits[-1]

    async def _answer(self, alert: Accepted, button: str) -> Accepted:
        said = len(self._api.accepted)
        await self._press(alert, button)
        await eventually(lambda: len(self._api.accepted) > said)
        return self._api.accepted[-1]

    async def _press(self, alert: Accepted, button: str) -> None:
        rows = alert.markup["inline_keyboard"]
        [data] = [one["callback_data"] for row in rows for one in row if one["text"] == button]
        query = self._api.updates.press(_CHAT, _CHAT, alert.message_id, data)
        await eventually(lambda: any(one["callback_query_id"] == query for one in self._api.updates.answered))

    # What the chat shows

    def _found(self, beginning: str) -> Accepted:
        found = [one for one in self._api.accepted if one.text.startswith(beginning)]
        assert len(found) == 1, f"{len(found)} messages begin with “{beginning}”"
        return found[0]

    def _shot(self, name: str, message: Accepted, *, edited: bool = False) -> Shot:
        answered = self._api.shown(_CHAT, message.reply_to) if message.reply_to else None
        rows = (message.markup or {}).get("inline_keyboard", [])
        sent = next(one.time for one in self._api.accepted if one.message_id == message.message_id)
        return Shot(
            name=name,
            time=f"{datetime.fromtimestamp(sent, ZONE):%H:%M}",
            text=message.text,
            entities=message.entities,
            edited=edited,
            answers=answered.text.partition("\n")[0] if answered else "",
            buttons=tuple(tuple(button["text"] for button in row) for row in rows),
            photo=self._api.photos.get(message.message_id, b""),
        )

    # How time passes

    async def pass_until(self, minutes: int) -> None:
        """One look, then. What follows ether has new prices, and of the others each confirms its own in its turn."""
        world, now = self._world, int(BEGINS.timestamp()) + 60 * minutes
        world.pass_time(now - world.chain.head().timestamp - SECONDS_PER_BLOCK)
        world.set_prices(self._prices(minutes) | self._confirmed())
        self._clock.now = world.chain.head().timestamp + _LATENCY
        self._minutes = minutes
        if self.daemon is not None:
            await self.daemon.watches[files.CHAIN].tick()
            await self._delivered()

    async def _wander_until(self, minutes: int) -> None:
        while self._minutes < minutes:
            await self.pass_until(min(self._minutes + _STEP, minutes))

    def _prices(self, minutes: int) -> dict[str, int]:
        """Of what follows ether."""
        (since, before), (until, after) = next(pair for pair in pairwise(_ETHER.items()) if minutes <= pair[1][0])
        noise = 0 if minutes in _ETHER else self._noise.randint(-_NOISE, _NOISE)
        return ether_prices(before + (after - before) * (minutes - since) // (until - since) + noise)

    def _confirmed(self) -> dict[str, int]:
        """The same again from every other of the other feeds, but not from one that is silent."""
        self._looks += 1
        mine = [symbol for symbol in _OTHERS[self._looks % 2 :: 2] if symbol != self._silent]
        return {symbol: self._world.answer(symbol) + self._wobble(symbol) for symbol in mine}

    def _wobble(self, symbol: str) -> int:
        """A few dollars of bitcoin: no market's price stands still all day."""
        return (self._looks % 5 - 2) * 10**8 if symbol == "WBTC" else 0

    async def _digest(self) -> None:
        """What the scheduler does every half minute."""
        assert self.daemon is not None
        await self.daemon._chores.digest()
        await self._delivered()

    async def _delivered(self) -> None:
        assert self.daemon is not None
        state = self.daemon._settings.state
        await eventually(lambda: _waiting(state) == 0)


def _waiting(state: Path) -> int:
    with closing(sqlite3.connect(f"file:{state}?mode=ro", uri=True)) as connection:
        [count] = connection.execute("SELECT count(*) FROM outbox WHERE fate = 'pending'").fetchone()
    return int(count)


def _configured(folder: Path, world: AaveWorld, api: BotApi) -> Path:
    """The demo's configuration, with a chat that may act and gets a digest."""
    token = files.write_token(folder, api.token)
    telegram = files.Telegram(token=token, chat=_CHAT, api=api.base_url.removesuffix("/bot"))
    path = files.write(folder, world, world.url, telegram)
    chat = f'id = {_CHAT}\nrole = "act"\ndigest = "08:00"\nzone = "{ZONE.key}"\n'
    text = path.read_text("utf-8").replace(f"id = {_CHAT}\n", chat)
    path.write_text(text.replace('interval = "1s"', f'interval = "{_STEP}m"'), "utf-8")
    return path


@asynccontextmanager
async def _running(path: Path, clock: Clock) -> AsyncIterator[Daemon]:
    daemon = Daemon(load(path), now=clock)
    with patch.object(sender, "Limits", lambda: Limits(chat=UNPACED, group=UNPACED)):  # its day is our few seconds
        task = asyncio.create_task(daemon.run(), name="daemon")
        await eventually(lambda: task.done() or any(watch.progressed_at for watch in daemon.watches.values()))
    try:
        yield daemon
    finally:
        daemon.stop()
        await task
