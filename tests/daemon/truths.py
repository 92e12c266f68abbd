"""A chain whose every block is known, looked at through whatever endpoints, and what must be true of every look.

A look ends in one of three ways: it has seen, and then everything that it says equals what the contract told of that
block when it was mined; or it has not, for less than `BLIND_WITHIN`; or the chain is BLIND. What is to be told is
worked out from the contract's own health factors; the daemon's policy is not asked.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any, Final

from tests.chain.proxy import Proxy
from tests.daemon.inside import Inside
from tests.daemon.killing import NAMES, OK, SHORT, level_after
from tests.daemon.scene import HEAD_AGE, Place
from tests.daemon.world import WAD
from tests.worlds.aave import MAX
from tests.worlds.chain import Header, named
from watcher.domain.position import Check

CONFIRMATIONS: Final = 2
BLIND_WITHIN: Final = 60
"""Seconds without a good look until it has to be said."""

_PRICES: Final = range(60, 161)
"""In per cent of the first one."""
_STEP, _MOVES, _LEAP, _LIQUIDATED = 6, 0.6, 0.04, 0.05
_CLOSED_FOR: Final = 4
"""Looks for which a door that a fault has closed stays closed, at most."""
SETTLES: Final = 20
"""Looks without faults at the end: rests that were asked for have to pass, and good news to be confirmed."""
_EVENT: Final = re.compile(r"^(LOOKS LIQUIDATED|NOT \w+ AFTER ALL) · (\w+) · ", re.MULTILINE)
_HEADLINE: Final = re.compile(rf"^({'|'.join(NAMES)})(?:, was ({'|'.join(NAMES)}))? · (\w+) · ", re.MULTILINE)

Numbers = tuple[int, int, int]
"""Collateral, debt and health factor, as the contract tells them."""


@dataclass(slots=True, kw_only=True)
class Figures:
    """What a run came to. Looks are `seen`, `unseen` or `blind`; `behind` of those seen are not of the newest block."""

    looks: int = 0
    seen: int = 0
    behind: int = 0
    unseen: int = 0
    blind: int = 0
    blindnesses: int = 0
    disagreements: int = 0
    reorgs: int = 0
    """Believed in, of which there never was one."""
    worse: int = 0
    better: int = 0
    liquidations: int = 0
    liquidations_told: int = 0
    requests: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    kib_at_start: int = 0
    kib_at_end: int = 0
    objects_at_start: int = 0
    objects_at_end: int = 0
    files: tuple[int, int] = (0, 0)
    """Descriptors before and after."""
    tasks: tuple[int, int] = (0, 0)


@dataclass(slots=True)
class Soak:
    """A daemon under way. `await look()` mines a block, has it looked at, and fails where anything is not as it has
    to be."""

    place: Place
    daemon: Inside
    proxies: Sequence[Proxy]
    log: list[Any]
    random: Random
    figures: Figures = field(default_factory=Figures)
    truths: dict[str, dict[str, Numbers]] = field(default_factory=dict)
    """What the contract told of each block, by its hash."""
    believed: list[Header] = field(default_factory=list)
    """The blocks that were seen."""
    levels: dict[str, int] = field(default_factory=dict)
    _price: int = 100
    _first_price: int = 0
    _seen_at: float = 0.0
    _blind: bool = False
    _closed: dict[str, int] = field(default_factory=dict)
    _liquidated: dict[str, int] = field(default_factory=dict)
    """The block of it, by label, until it has been seen."""

    @property
    def head(self) -> Header:
        return self.place.market.world.chain.head()

    def starts(self) -> None:
        """Takes what the first look has told for the beginning."""
        self._first_price = self.place.market.world.answer("WETH")
        self._note(self.head.number)
        self.levels = self._stored()
        self._seen_at = self.daemon.clock.now
        for label, numbers in self.truths[self.head.hash].items():
            assert self.levels[label] == level_after(OK, _factor(numbers))

    async def look(self, *, still: bool = False) -> None:
        """One block and one look at it; `still` leaves the prices alone."""
        await self._open_doors()
        self._mine(still=still)
        self.log.clear()
        told = await self.daemon.look(after=self.head.timestamp + self.random.randint(1, 8) - self.daemon.clock.now)
        self.figures.looks += 1
        bugs = [event for event in self.log if event["log_level"] in ("error", "critical")]
        assert not bugs, bugs
        if problem := self.daemon.watch.unseen.problem:
            self._judge_unseen(problem, told)
        else:
            self._judge_seen(told)
        for proxy in self.proxies:  # what they keep of every request would be the heaviest of all
            self.figures.requests += len(proxy.asked)
            proxy.asked.clear()
            proxy.struck.clear()

    async def settle(self) -> None:
        """With sound endpoints and prices that stand, everything comes to be as it is."""
        for proxy in self.proxies:
            proxy.is_well()
            self._closed.update(dict.fromkeys(self._closed, 0))
        for _ in range(SETTLES):
            await self.look(still=True)
        assert not self._blind
        truth = self.truths[self.head.hash]
        for label, level in self.levels.items():
            assert level == level_after(level, _factor(truth[label])), (label, level, truth[label])

    # What happens to the chain, and to the doors that a fault has closed

    def _mine(self, *, still: bool) -> None:
        world = self.place.market.world
        if still or self.random.random() > _MOVES:
            world.chain.mine()
        else:
            leap = self.random.random() < _LEAP
            step = self.random.choice(_PRICES) - self._price if leap else self.random.randint(-_STEP, _STEP)
            self._price = min(max(self._price + step, _PRICES[0]), _PRICES[-1])
            world.set_price("WETH", self._first_price * self._price // 100)
        self._note(self.head.number)
        if not still and self.random.random() < _LIQUIDATED:
            self._liquidate()
        elsewhere = self.place.elsewhere.world.chain
        elsewhere.mine(timestamp=max(self.head.timestamp, elsewhere.head().timestamp + 1))

    def _liquidate(self) -> None:
        """Somebody who can be liquidated is, as far as the protocol lets: that takes two blocks."""
        world, before = self.place.market.world, self.head
        for label, numbers in self.truths[before.hash].items():
            if numbers[0] and _factor(numbers) < 1:
                collateral, debt = ("USDC", "WETH") if label in SHORT else ("WETH", "USDC")
                user = self.place.market.accounts[label]
                outcome = world.liquidate(named("liquidator"), user, collateral=collateral, debt=debt)
                assert outcome.succeeded, outcome
                for number in range(before.number + 1, self.head.number + 1):
                    self._note(number)
                self._liquidated[label] = self.head.number
                self.figures.liquidations += 1
                return

    def _note(self, number: int) -> None:
        """What the contract says of everybody at a block."""
        market = self.place.market
        header = market.world.chain.rpc.request("eth_getBlockByNumber", hex(number), False)
        told = {label: market.world.account_data(user, number) for label, user in market.accounts.items()}
        self.truths[header["hash"]] = {label: (one[0], one[1], one[5]) for label, one in told.items()}

    async def _open_doors(self) -> None:
        for proxy in self.proxies:
            if proxy.listens:
                continue
            left = self._closed.setdefault(proxy.name, self.random.randrange(_CLOSED_FOR))
            self._closed[proxy.name] = left - 1
            if left <= 0:
                del self._closed[proxy.name]
                await proxy.open_door()

    # What has to be true after a look

    def _judge_unseen(self, problem: str, told: Sequence[str]) -> None:
        """Nothing is said of any position, and before long the chain is said to be blind."""
        assert self._stored() == self.levels
        assert not [text for text in told if _HEADLINE.search(text) or _EVENT.search(text)], told
        self.figures.disagreements += "do not agree" in problem
        was_blind, self._blind = self._blind, self._blind_now()
        assert [text.split(" · ")[0] for text in told] == ["BLIND"] * (self._blind and not was_blind), told
        self.figures.blindnesses += self._blind and not was_blind
        if self._blind:
            self.figures.blind += 1
        else:
            assert self.daemon.clock.now - self._seen_at < BLIND_WITHIN, problem
            self.figures.unseen += 1

    def _judge_seen(self, told: Sequence[str]) -> None:
        """Everything is as the contract said, no worsening is kept back, and nothing better told than is so."""
        seen = self.daemon.watch.last
        assert seen is not None
        truth = self.truths[seen.block.hash]
        here = {position.id.wallet.lower(): position for position in seen.positions}
        assert not seen.unreadable
        assert len(here) == len(truth)
        for label, numbers in truth.items():
            position = here[self.place.market.accounts[label].lower()]
            health = position.health.backing if position.health.required else MAX
            assert (position.collateral, position.debt, health) == numbers
            assert position.check is Check.VERIFIED
        assert self.daemon.clock.now - seen.block.timestamp <= HEAD_AGE
        self.figures.seen += 1
        self.figures.behind += seen.block.hash != self.head.hash
        self._seen_at = self.daemon.clock.now
        self.believed.append(Header(seen.block.number, seen.block.hash, seen.block.timestamp))
        self._judge_levels(told, truth)
        self._judge_events(told)
        was_blind, self._blind = self._blind, self._blind_now()
        assert not self._blind
        again = [text for text in told if text.startswith("SEEING AGAIN · Local")]
        assert len(again) == was_blind, told

    def _judge_levels(self, told: Sequence[str], truth: Mapping[str, Numbers]) -> None:
        before, self.levels = self.levels, self._stored()
        headlines = [found for text in told for found in _HEADLINE.findall(text)]
        due = []
        for label, level in self.levels.items():
            was, factor = before[label], _factor(truth[label])
            assert level >= level_after(was, factor), f"{label}: told {NAMES[level]} at {factor}"
            if level > was:
                assert level == level_after(was, factor)
                self.figures.worse += 1
            if level < was:
                assert self._was_confirmed(label, was, level)
                self.figures.better += 1
            if level != was:
                due.append((NAMES[level], NAMES[was] if was else "", label))
        assert sorted(headlines) == sorted(due), told

    def _judge_events(self, told: Sequence[str]) -> None:
        """A liquidation is told once, and nothing that never happened. One that is seen late may pass for a change."""
        found = [event for text in told for event in _EVENT.findall(text)]
        seen = self.believed[-1].number
        due = {label: number for label, number in self._liquidated.items() if number <= seen}
        self._liquidated = {label: number for label, number in self._liquidated.items() if number > seen}
        at_once = {("LOOKS LIQUIDATED", label) for label, number in due.items() if number == seen}
        assert len(set(found)) == len(found), told
        assert at_once <= set(found) <= {("LOOKS LIQUIDATED", label) for label in due}, told
        self.figures.liquidations_told += len(found)

    def _was_confirmed(self, label: str, was: int, level: int) -> bool:
        """Whether a block that was seen, and is confirmed by now, is as good as that."""
        deep = [one for one in self.believed if one.number + CONFIRMATIONS <= self.believed[-1].number]
        return any(level_after(was, _factor(self.truths[one.hash][label])) <= level for one in deep[-64:])

    def _stored(self) -> dict[str, int]:
        by_wallet = {subject.split("/")[1]: level for subject, level in self._conditions("health")}
        return {label: by_wallet.get(address, OK) for label, address in self.place.market.accounts.items()}

    def _blind_now(self) -> bool:
        return any(level for _, level in self._conditions("blind"))

    def _conditions(self, rule: str) -> list[tuple[str, int]]:
        with closing(sqlite3.connect(f"file:{self.daemon.state}?mode=ro", uri=True)) as database:
            return database.execute("SELECT subject, level FROM condition WHERE rule = ?", [rule]).fetchall()


def _factor(numbers: Numbers) -> Decimal:
    return Decimal(numbers[2]) / WAD
