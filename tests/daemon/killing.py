"""Prices that move, a daemon that is killed in the middle of it, and what its chats should have been told.

What should have been told is worked out here a second time, from the contract's own health factors: the daemon's
policy is not asked. A step moves the price of ether; it is over once the database shows the levels that it leads to.
Blocks are mined until then, so that good news has the several good reads that it needs.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Self

from tests.bot_api import BotApi
from tests.daemon.process import Watcher, start
from tests.daemon.waiting import PATIENCE, eventually
from tests.daemon.world import TOKEN, Market, configure
from watcher.notify.notices import REPEAT

CHATS = {"a": 5, "b": 6, "c": 7}
LONG = {"thin": "1.15", "fair": "1.35", "good": "1.6", "fine": "1.9"}
SHORT = {"bear": "1.2", "cub": "1.55"}
OK, WARNING, CRITICAL, LIQUIDATABLE = range(4)
NAMES = ("OK", "WARNING", "CRITICAL", "LIQUIDATABLE")
LIMITS = ((Decimal(1), LIQUIDATABLE), (Decimal("1.10"), CRITICAL), (Decimal("1.30"), WARNING))
CLEAR = Decimal("1.02")
PRICES = range(60, 161, 3)
"""In per cent of the first one."""
MARGIN = Decimal("0.004")
"""No price is chosen that leaves a health so near a limit that interest could carry it across."""

_LATENCY = 0.25
_MOVE_WHILE_DOWN, _KILL_AT_START = 0.35, 0.25
_BLOCK = re.compile(r"^block ([\d,]+), ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Owed:
    """One change of level: every chat must hear of it, in a notice with this headline about a block of its step."""

    label: str
    before: int
    after: int
    blocks: range

    @property
    def headline(self) -> str:
        was = f", was {NAMES[self.before]}" if self.before else ""
        return f"{NAMES[self.after]}{was} · {self.label} · Aave v3 Local"


@dataclass(slots=True, kw_only=True)
class Figures:
    """What a run came to. `in_flight` counts the kills that cut a send off."""

    kills: int = 0
    in_flight: int = 0
    changes: int = 0
    notices: int = 0
    lost: int = 0
    unexpected: int = 0
    repeats: int = 0
    unlabelled: int = 0
    most_copies: int = 0
    integrity: str = ""

    def __add__(self, other: Self) -> Figures:
        ours, theirs = asdict(self), asdict(other)
        total = {name: ours[name] + theirs[name] for name in ours if isinstance(ours[name], int)}
        total["most_copies"] = max(self.most_copies, other.most_copies)
        return Figures(**total, integrity=theirs["integrity"])

    @property
    def clean(self) -> bool:
        return (self.lost, self.unexpected, self.unlabelled, self.integrity) == (0, 0, 0, "ok")


def level_after(level: int, factor: Decimal) -> int:
    """The level of a health factor, seen by somebody who remembers `level`."""
    fired, held = _level(factor), _level(factor / CLEAR)
    return fired if fired > level else min(level, held)


def _level(factor: Decimal) -> int:
    return next((level for limit, level in LIMITS if factor < limit), OK)


@dataclass(slots=True)
class KillRun:
    """Made on a fresh market; then `await run(kills)`."""

    folder: Path
    market: Market
    api: BotApi
    dice: Random
    good_reads: int
    levels: dict[str, int] = field(default_factory=dict)
    owed: list[Owed] = field(default_factory=list)
    figures: Figures = field(default_factory=Figures)
    _price: int = 100

    async def run(self, kills: int) -> Figures:
        config = self._set_up()
        watcher = await start(config)
        try:
            await self._settled(watcher)
            while self.figures.kills < kills:
                for _ in range(self.dice.randint(0, 1)):
                    self._step()
                    await self._settled(watcher)
                self._step()
                await asyncio.sleep(self.dice.uniform(0.0, 1.8))  # any moment: of a look, a commit, a send
                await self._kill(watcher)
                if self.dice.random() < _MOVE_WHILE_DOWN:
                    self._forget_what_was_not_seen()
                    self._step()
                watcher = await start(config)
                if self.dice.random() < _KILL_AT_START and self.figures.kills < kills:
                    await asyncio.sleep(self.dice.uniform(0.3, 1.5))
                    await self._kill(watcher)
                    watcher = await start(config)
                await self._settled(watcher)
            await self._drained()
            assert await watcher.end() == 0
        finally:
            await watcher.kill()
        return self._judged()

    def _set_up(self) -> Path:
        for label, health in LONG.items():
            self.market.borrower(label, health)
        for label, health in SHORT.items():
            self.market.borrower(label, health, collateral="USDC", debt="WETH")
        self.levels = {label: level_after(OK, self.market.health(label)) for label in self.market.accounts}
        self._owe(dict.fromkeys(self.levels, OK), self.market.world.chain.head().number)
        return configure(
            self.folder, self.market, api=self.api.base_url, chats=CHATS, rules=f"good_reads = {self.good_reads}"
        )

    # The script

    def _step(self) -> None:
        """Moves the price so that at least one level changes."""
        world = self.market.world
        health = {label: self.market.health(label) for label in self.levels}
        candidates = [price for price in PRICES if price != self._price]
        self.dice.shuffle(candidates)
        price = next(price for price in candidates if self._is_news(health, Decimal(price) / self._price))
        first = world.answer("WETH") * 100 // self._price
        self._price = price
        world.set_price("WETH", first * price // 100)
        before = dict(self.levels)
        self.levels = {label: level_after(before[label], self.market.health(label)) for label in before}
        self._owe(before, world.chain.head().number)

    def _is_news(self, health: dict[str, Decimal], move: Decimal) -> bool:
        moved = {label: now * move if label in LONG else now / move for label, now in health.items()}
        edges = [limit * scale for limit, _ in LIMITS for scale in (1, CLEAR)]
        if any(abs(factor / edge - 1) < MARGIN for factor in moved.values() for edge in edges):
            return False
        return any(level_after(self.levels[label], factor) != self.levels[label] for label, factor in moved.items())

    def _owe(self, before: dict[str, int], block: int) -> None:
        self.owed = [_until(one, block) for one in self.owed]
        self.owed += [
            Owed(label, before[label], level, range(block, 1 << 62))
            for label, level in self.levels.items()
            if level != before[label]
        ]

    async def _settled(self, watcher: Watcher) -> None:
        """The step is over when the database says so."""
        try:
            async with asyncio.timeout(PATIENCE):
                while self._stored() != self.levels:
                    await asyncio.sleep(0.25)
                    self.market.world.chain.mine()
        except TimeoutError:
            told = f"stored {self._stored()}, expected {self.levels}"
            raise AssertionError(f"{told}\n{watcher.text}") from None

    async def _kill(self, watcher: Watcher) -> None:
        await watcher.kill()
        self.figures.kills += 1
        self.figures.in_flight += bool(self._ask("SELECT count(*) FROM outbox WHERE in_flight = 1")[0][0])

    def _forget_what_was_not_seen(self) -> None:
        """A level that nobody had looked at when the price moved on was never reached."""
        stored, last = self._stored(), self.market.world.chain.head().number
        unseen = {label for label, level in self.levels.items() if stored[label] != level}
        self.owed = [one for one in self.owed if one.label not in unseen or last not in one.blocks]
        self.levels |= {label: stored[label] for label in unseen}

    async def _drained(self) -> None:
        waiting = "SELECT count(*) FROM outbox WHERE fate = 'pending'"
        await eventually(lambda: self._ask(waiting) == [(0,)], within=60)

    # The judgement

    def _judged(self) -> Figures:
        """Every change against every notice that arrived."""
        figures, arrived = self.figures, Counter[tuple[int, Owed | None, bool]]()
        for message in self.api.accepted:
            labelled = message.text.startswith(REPEAT)
            for notice in message.text.removeprefix(REPEAT + "\n").split("\n\n"):
                arrived[message.chat, self._meant(notice), labelled] += 1
        expected = [(chat, one) for chat in CHATS.values() for one in self.owed]
        copies = [(arrived[chat, one, False], arrived[chat, one, True]) for chat, one in expected]
        figures.changes, figures.notices = len(self.owed), sum(arrived.values())
        figures.lost = sum(plain + labelled == 0 for plain, labelled in copies)
        figures.unlabelled = sum(max(plain - 1, 0) for plain, _ in copies)
        figures.repeats = sum(plain + labelled - 1 for plain, labelled in copies if plain + labelled)
        figures.most_copies = max(plain + labelled for plain, labelled in copies)
        figures.unexpected = sum(count for (_, one, _), count in arrived.items() if one is None)
        figures.integrity = self._ask("PRAGMA integrity_check")[0][0]
        assert self._episodes() == Counter(one.label for one in self.owed if one.before == OK)
        return figures

    def _meant(self, notice: str) -> Owed | None:
        """The change that a notice tells."""
        headline, block = notice.splitlines()[0], _BLOCK.search(notice)
        number = int(block[1].replace(",", "")) if block else -1
        return next((one for one in self.owed if one.headline == headline and number in one.blocks), None)

    def _stored(self) -> dict[str, int]:
        """The levels in the database, by label."""
        return {label: found[0] for label, found in self._conditions().items()}

    def _episodes(self) -> dict[str, int]:
        return {label: found[1] for label, found in self._conditions().items() if found[1]}

    def _conditions(self) -> dict[str, tuple[int, int]]:
        rows = self._ask("SELECT subject, level, episode FROM condition WHERE rule = 'health'")
        by_wallet = {subject.split("/")[1]: (level, episode) for subject, level, episode in rows}
        return {label: by_wallet.get(address, (OK, 0)) for label, address in self.market.accounts.items()}

    def _ask(self, query: str) -> list[tuple[Any, ...]]:
        path = self.folder / "watcher.db"
        try:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
                return connection.execute(query).fetchall()
        except sqlite3.OperationalError:
            if path.exists() and path.stat().st_size:
                raise
            return []  # the daemon has not made it yet


def _until(one: Owed, block: int) -> Owed:
    """A step's blocks end where the next one begins."""
    return Owed(one.label, one.before, one.after, range(one.blocks.start, min(one.blocks.stop, block)))


async def killed(folder: Path, market: Market, *, kills: int, seed: int, good_reads: int = 2) -> Figures:
    """One whole run on a fresh market."""
    dice = Random(seed)
    async with BotApi(TOKEN, chats=CHATS.values(), latency=lambda: dice.uniform(0.0, _LATENCY)) as api:
        return await KillRun(folder, market, api, Random(seed), good_reads).run(kills)
