"""How long it takes from a price to the message about it: a hundred positions, the real daemon, a Bot API that answers.

A step moves the price of ether so that some positions get worse; the time of each of them runs from before the
transaction with the new price is sent to the moment at which the Bot API takes the first message that says so. Between
the steps passes a random part of the interval at which the daemon looks, so that the price comes at any time of it.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random

from tests.bot_api import BotApi
from tests.bot_api_rules import Accepted
from tests.daemon.killing import NAMES, OK, level_after
from tests.daemon.process import running
from tests.daemon.waiting import eventually
from tests.daemon.world import TOKEN, WAD, Market, configure

INTERVAL = 2
"""Seconds between two looks of the daemon."""
ANSWER = 0.2
"""Seconds in which the Bot API answers at the latest."""
_PRICES = range(55, 131)
"""In per cent of the first one."""


@dataclass(slots=True)
class Stage:
    """The positions by label, with the level that they are at, and the price now in per cent of the first one."""

    market: Market
    state: Path
    api: BotApi
    dice: Random
    chats: Mapping[str, int]
    levels: dict[str, int] = field(default_factory=dict)
    price: int = 100

    async def stepped(self) -> list[float]:
        """Moves the price, and waits until all is told; returns the seconds that each worsening took."""
        before, first = dict(self.levels), len(self.api.accepted)
        price = self.dice.choice([price for price in _PRICES if price != self.price])
        began = time.monotonic()
        await asyncio.to_thread(self._set, price)
        self.levels = await asyncio.to_thread(self._levels_after, before)
        worse = [label for label, level in self.levels.items() if level > before[label]]
        await eventually(lambda: all(self._told(label, first) for label in worse), within=60)
        times = [told.time - began for label in worse if (told := self._told(label, first))]
        await self._settled()
        return times

    def _set(self, price: int) -> None:
        first = self.market.world.answer("WETH") * 100 // self.price
        self.market.world.set_price("WETH", first * price // 100)
        self.price = price

    def _levels_after(self, before: Mapping[str, int]) -> dict[str, int]:
        data = self.market.world.accounts_data([self.market.accounts[label] for label in before])
        factors = [Decimal(one[5]) / WAD for one in data]
        return {
            label: level_after(level, factor) for (label, level), factor in zip(before.items(), factors, strict=True)
        }

    def _told(self, label: str, first: int) -> Accepted | None:
        """The first message that says how bad it is by now, of those from `first` on."""
        line = re.compile(rf"^{NAMES[self.levels[label]]}(, was \w+)? · {label} · ", re.MULTILINE)
        chat = self.chats[label]
        return next((one for one in self.api.accepted[first:] if one.chat == chat and line.search(one.text)), None)

    async def _settled(self) -> None:
        """Until the daemon has seen it all, good news too; good news needs more blocks."""
        async with asyncio.timeout(60):
            while await asyncio.to_thread(self._stored) != self.levels:
                await asyncio.to_thread(self.market.world.chain.mine)
                await asyncio.sleep(0.2)

    def _stored(self) -> dict[str, int]:
        with closing(sqlite3.connect(f"file:{self.state}?mode=ro", uri=True)) as database:
            rows = database.execute("SELECT subject, level FROM condition WHERE rule = 'health'").fetchall()
        by_wallet = {subject.split("/")[1]: level for subject, level in rows}
        return {label: by_wallet.get(self.market.accounts[label], OK) for label in self.levels}


async def reacted(folder: Path, market: Market, *, wallets: int, chats: int, steps: int, seed: int) -> list[float]:
    """The seconds of every worsening, in so many steps of the price; each wallet is told to one of the chats."""
    dice = Random(seed)
    labels = [f"w{number:03}" for number in range(wallets)]
    for label in labels:
        market.borrower(label, f"{dice.uniform(1.06, 2.2):.4f}")
    numbers = {f"c{number}": number + 1 for number in range(chats)}
    told = {label: f"c{number % chats}" for number, label in enumerate(labels)}
    async with BotApi(
        TOKEN, chats=numbers.values(), latency=lambda: dice.uniform(0.0, ANSWER / 2), clock=time.monotonic
    ) as api:
        stage = Stage(market, folder / "watcher.db", api, dice, {label: numbers[told[label]] for label in labels})
        stage.levels = stage._levels_after(dict.fromkeys(labels, OK))
        config = configure(
            folder,
            market,
            api=api.base_url,
            chats=numbers,
            told=told,
            interval=f"{INTERVAL}s",
            rules="good_reads = 1",
        )
        async with running(config) as watcher:
            await watcher.until("snapshot.taken")
            times = []
            for _ in range(steps):
                await asyncio.sleep(dice.uniform(0.0, INTERVAL))
                times += await stage.stepped()
            assert await watcher.end() == 0
    return times
