"""Prices that move, a daemon that is killed in the middle of it, and what its chats should have been told.

What should have been told is worked out here a second time, from the contract's own health factors: the daemon's
policy is not asked. A step moves the price of ether; it is over once the database shows the levels that it leads to.
Blocks are mined until then, so that good news has the several good reads that it needs.

A change whose message still waited when the next change of the same position came may be folded into the news of that
one; then the later notice has to tell it too.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Self

from tests.bot_api import BotApi
from tests.bot_api_rules import Accepted, Fault
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
_MOVE_WHILE_DOWN, _KILL_AT_START, _FAULT = 0.35, 0.25, 0.3
_FAULTS = (Fault.DROPPED, Fault.LOST, Fault.BAD_GATEWAY)
_BLOCK = re.compile(r"^block ([\d,]+), ", re.MULTILINE)
_BEFORE = re.compile(r"^It was (\w+) before, ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Owed:
    """One change of level: every chat must hear of it, in a notice with this headline about a block of its step.

    `may_fold` are the chats that had not been told when the next change came.
    """

    label: str
    before: int
    after: int
    blocks: range
    may_fold: frozenset[str] = frozenset()

    @property
    def headline(self) -> str:
        was = f", was {NAMES[self.before]}" if self.before else ""
        return f"{NAMES[self.after]}{was} · {self.label} · Aave v3 Local"


@dataclass(frozen=True, slots=True)
class Told:
    """A notice that arrived: of which change, in which chat, how bad it says that it is or was."""

    chat: str
    change: Owed | None
    worst: int
    labelled: bool


@dataclass(slots=True, kw_only=True)
class Figures:
    """What a run came to. `in_flight` counts the kills that cut a send off, `faults` the requests that were spoilt."""

    kills: int = 0
    faults: int = 0
    in_flight: int = 0
    changes: int = 0
    notices: int = 0
    folded: int = 0
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
        """Moves the price so that at least one level changes; some of the sends that follow go wrong."""
        world = self.market.world
        for chat in CHATS.values():
            if self.dice.random() < _FAULT:
                self.api.fail_next(self.dice.choice(_FAULTS), chat=chat)
                self.figures.faults += 1
        health = {label: self.market.health(label) for label in self.levels}
        candidates = [price for price in PRICES if price != self._price]
        self.dice.shuffle(candidates)
        price = next(price for price in candidates if self._is_news(health, Decimal(price) / self._price))
        first = world.answer("WETH") * 100 // self._price
        self._price, waiting = price, self._waiting()
        world.set_price("WETH", first * price // 100)
        before = dict(self.levels)
        self.levels = {label: level_after(before[label], self.market.health(label)) for label in before}
        self._owe(before, world.chain.head().number, waiting)

    def _is_news(self, health: dict[str, Decimal], move: Decimal) -> bool:
        moved = {label: now * move if label in LONG else now / move for label, now in health.items()}
        edges = [limit * scale for limit, _ in LIMITS for scale in (1, CLEAR)]
        if any(abs(factor / edge - 1) < MARGIN for factor in moved.values() for edge in edges):
            return False
        return any(level_after(self.levels[label], factor) != self.levels[label] for label, factor in moved.items())

    def _owe(self, before: dict[str, int], block: int, waiting: Mapping[str, frozenset[str]] | None = None) -> None:
        """What changed at this block. `waiting` are the chats, by label, that older news is still on its way to."""
        changed = {label for label, level in self.levels.items() if level != before[label]}
        last = {one.label: place for place, one in enumerate(self.owed)}
        for label in changed & last.keys():
            older = self.owed[last[label]]
            self.owed[last[label]] = replace(older, may_fold=(waiting or {}).get(label, frozenset()))
        self.owed = [replace(one, blocks=range(one.blocks.start, min(one.blocks.stop, block))) for one in self.owed]
        self.owed += [
            Owed(label, before[label], level, range(block, 1 << 62))
            for label, level in self.levels.items()
            if label in changed
        ]

    def _waiting(self) -> dict[str, frozenset[str]]:
        """The chats that some news of each position has not reached for certain."""
        rows = self._ask("SELECT chat, about FROM outbox WHERE fate = 'pending'")
        return {
            label: frozenset(chat for chat, about in rows if address in about)
            for label, address in self.market.accounts.items()
        }

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
        figures, told = self.figures, [notice for message in self.api.accepted for notice in self._notices(message)]
        for chat in CHATS:
            here = [notice for notice in told if notice.chat == chat]
            for place, one in enumerate(self.owed):
                copies = [notice.labelled for notice in here if notice.change is one]
                if not copies:
                    folded = chat in one.may_fold and self._is_told_later(place, here)
                    figures.folded += folded
                    figures.lost += not folded
                figures.repeats += max(len(copies) - 1, 0)
                figures.unlabelled += max(copies.count(False) - 1, 0)
                figures.most_copies = max(figures.most_copies, len(copies))
        figures.changes, figures.notices = len(self.owed), len(told)
        figures.unexpected = sum(notice.change is None for notice in told)
        figures.integrity = self._ask("PRAGMA integrity_check")[0][0]
        assert self._episodes() == Counter(one.label for one in self.owed if one.before == OK)
        return figures

    def _is_told_later(self, place: int, here: Sequence[Told]) -> bool:
        """Whether the next notice of the same position that arrived tells this change too."""
        one = self.owed[place]
        for later in self.owed[place + 1 :]:
            notices = [notice for notice in here if notice.change is later and later.label == one.label]
            if notices:
                return all(notice.worst >= one.after for notice in notices)
        return False

    def _notices(self, message: Accepted) -> list[Told]:
        chat = next(name for name, number in CHATS.items() if number == message.chat)
        lines = message.text.split("\n")
        labelled = REPEAT in lines[:2]
        while lines[0] == REPEAT or lines[0].endswith("delivered late."):
            lines.pop(0)
        notices = "\n".join(lines).split("\n\n")
        return [Told(chat, self._meant(notice), _worst(notice), labelled) for notice in notices]

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
        except sqlite3.OperationalError as problem:
            if self.figures.kills == 0 and ("no such table" in str(problem) or not path.exists()):
                return []  # the daemon has not made it yet
            raise


def _worst(notice: str) -> int:
    """The worst level that a notice names."""
    before = _BEFORE.search(notice)
    return max(NAMES.index(re.split(r"\W", notice, maxsplit=1)[0]), NAMES.index(before[1]) if before else OK)


async def killed(folder: Path, market: Market, *, kills: int, seed: int, good_reads: int = 2) -> Figures:
    """One whole run on a fresh market."""
    dice = Random(seed)
    async with BotApi(TOKEN, chats=CHATS.values(), latency=lambda: dice.uniform(0.0, _LATENCY)) as api:
        return await KillRun(folder, market, api, Random(seed), good_reads).run(kills)
