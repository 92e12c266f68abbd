"""A chain that takes blocks back, and what the daemon says of it held against what was canonical when it said so.

Prices move on both sides of a fork, so that alerts fire on one and would end on the other. Levels are worked out here
from what the contract says of each account in each block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Final

from tests.daemon.inside import NEVER, Clock, Inside, inside
from tests.daemon.world import Market, configure
from watcher.config import Settings, load

LABELS: Final = ("weak", "thin")
_PRICES: Final = (84, 95, 100, 130)
"""Per cent of the first price. `weak`: liquidatable, critical, a warning, well; `thin`: a warning twice, well twice."""
_WELL: Final = _PRICES[-1]
_STEPS: Final = 14
_LEVELS: Final = ("OK", "WARNING", "CRITICAL", "LIQUIDATABLE")


@dataclass(frozen=True, slots=True)
class Mined:
    """A block, and how bad it is in it for each account: an index of `_LEVELS`."""

    number: int
    hash: str
    levels: dict[str, int]


@dataclass(frozen=True, slots=True)
class Told:
    """The last word on an account, and the newest block when it was said."""

    level: int = 0
    number: int = 0


@dataclass(slots=True)
class Outcome:
    """What was seen, counted; and each thing that was wrong, in words."""

    looks: int = 0
    reorgs: int = 0
    noticed: int = 0
    raised: int = 0
    eased: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Forks:
    """The node, under our hand."""

    market: Market
    price: int
    canonical: list[Mined] = field(default_factory=list)
    _nonce: int = 0

    def mine(self, per_cent: int) -> None:
        """A block with a price; no two blocks are the same, on whatever fork."""
        self._nonce += 1
        self.market.world.set_price("WETH", self.price * per_cent // 100 + self._nonce)
        head = self.market.world.chain.head()
        levels = {label: _level(self.market.health(label)) for label in LABELS}
        self.canonical.append(Mined(head.number, head.hash, levels))

    def take_back(self, depth: int) -> None:
        self.market.world.chain.rpc.request("anvil_rollback", depth)
        del self.canonical[-depth:]

    @property
    def head(self) -> Mined:
        return self.canonical[-1]


@dataclass(slots=True)
class Judge:
    """Hears what the daemon says after each look, and knows the chain better than it."""

    forks: Forks
    confirmations: int
    good_reads: int
    outcome: Outcome
    looked: set[str] = field(default_factory=set)
    told: dict[str, Told] = field(default_factory=lambda: dict.fromkeys(LABELS, Told()))
    _relied_on: list[Mined] = field(default_factory=list)

    def hears(self, texts: list[str], seen: str) -> None:
        """What one look said, and the hash of the block that it saw last."""
        self.outcome.looks += 1
        head = self.forks.head
        if seen == head.hash:
            self.looked.add(seen)
        for label, level in _headlines(texts):
            before = self.told[label]
            if level > before.level:
                self.outcome.raised += 1
                self._check(level == head.levels[label], f"{label} raised to {_LEVELS[level]} and is not")
            else:
                self.outcome.eased += 1
                self._eased(label, before, level)
            self.told[label] = Told(level, head.number)
        for label, said in self.told.items():
            if seen == head.hash:
                self._check(said.level >= head.levels[label], f"{label} is worse than was told: a missed fire")

    def _eased(self, label: str, before: Told, level: int) -> None:
        """An alert may ease after so many good blocks that were looked at, are canonical, and are buried."""
        buried = self.forks.head.number - self.confirmations
        evidence = [
            block
            for block in self.forks.canonical
            if before.number < block.number <= buried
            and block.hash in self.looked
            and block.levels[label] < before.level
        ]
        what = f"{label} eased from {_LEVELS[before.level]} to {_LEVELS[level]}"
        self._check(len(evidence) >= self.good_reads, f"{what} on {len(evidence)} good blocks: falsely")
        self._check(bool(evidence) and evidence[-1].levels[label] <= level, f"{what}, and the last was worse")
        self._check(self.forks.head.levels[label] <= level, f"{what}, and it is worse")
        self._relied_on += evidence[-self.good_reads :]

    def ends(self, depth: int) -> None:
        """All is well by then. What alerts ended by, where it lay deep enough, is still there."""
        for label, said in self.told.items():
            self._check(said.level == 0, f"{label} is well, and {_LEVELS[said.level]} is what was said last")
        if self.confirmations >= depth:
            kept = {block.hash for block in self.forks.canonical}
            self._check(all(block.hash in kept for block in self._relied_on), "eased on what was taken back later")

    def _check(self, right: bool, otherwise: str) -> None:
        if not right:
            self.outcome.wrong.append(f"block {self.forks.head.number}: {otherwise}")


class Course:
    """One run after another over one market: `await course.run(depth, seed, folder)`."""

    def __init__(self, market: Market, folder: Path) -> None:
        for label, health in (("weak", "1.15"), ("thin", "1.35")):
            market.borrower(label, health)
        self._market = market
        self._price = market.world.answer("WETH")
        self._clock = Clock(market.now + 10)
        self._settings = load(configure(folder, market, interval=NEVER, rules="liquidated = false"))

    async def run(self, depth: int, seed: int, folder: Path) -> Outcome:
        """Reorganisations of one depth, with everything else by chance."""
        rng, outcome = Random(f"{depth}/{seed}"), Outcome()
        forks = Forks(self._market, self._price)
        judge = Judge(forks, rng.choice((1, 2, 4, 7)), rng.choice((1, 2, 3)), outcome)
        for _ in range(depth):
            forks.mine(_WELL)
        async with inside(self._with(judge, folder / f"{depth}-{seed}.db"), self._now()) as daemon:
            judge.hears(daemon.inbox.texts, _seen(daemon))
            surely = rng.randrange(_STEPS)
            for step, per_cent in enumerate(_prices(rng)):
                if step == surely or rng.random() < 0.25:
                    outcome.reorgs += 1
                    await self._reorganise(forks, depth, rng, daemon, judge)
                else:
                    forks.mine(per_cent)
                if rng.random() < 0.8:
                    await self._look(daemon, judge)
            for _ in range(judge.confirmations + judge.good_reads + 8):
                forks.mine(_WELL)
                await self._look(daemon, judge)
            outcome.noticed = daemon.watch.reorgs
        judge.ends(depth)
        return outcome

    async def _reorganise(self, forks: Forks, depth: int, rng: Random, daemon: Inside, judge: Judge) -> None:
        """As many blocks as are taken back come in their place, or more; now and then it is seen half done."""
        forks.take_back(depth)
        half_done = rng.randrange(depth) if rng.random() < 0.3 else None
        for done, per_cent in zip(range(depth + rng.randrange(3)), _prices(rng, many=99), strict=False):
            if done == half_done and forks.canonical:
                await self._look(daemon, judge)
            forks.mine(per_cent)

    async def _look(self, daemon: Inside, judge: Judge) -> None:
        self._now()
        texts = await daemon.look()
        judge.hears(texts, _seen(daemon))

    def _now(self) -> Clock:
        self._clock.now = max(self._clock.now, self._market.now + 10)
        return self._clock

    def _with(self, judge: Judge, state: Path) -> Settings:
        chain = replace(self._settings.chains["local"], confirmations=judge.confirmations)
        wallets = [
            replace(wallet, rules=replace(wallet.rules, good_reads=judge.good_reads))
            for wallet in self._settings.wallets
        ]
        return replace(
            self._settings, chains=MappingProxyType({"local": chain}), wallets=tuple(wallets), state=state, history=0
        )


def _level(health: Decimal) -> int:
    return sum(health < limit for limit in (Decimal(1), Decimal("1.1"), Decimal("1.3")))


def _prices(rng: Random, many: int = _STEPS) -> Iterator[int]:
    """They stay where they are for a while: otherwise nothing would ever be well for long enough."""
    now = rng.choice(_PRICES)
    for _ in range(many):
        yield now
        if rng.random() < 0.4:
            now = rng.choice(_PRICES)


def _headlines(texts: list[str]) -> list[tuple[str, int]]:
    """Whom each notice is about, and the level that it tells."""
    found = []
    for text in texts:
        for notice in text.split("\n\n"):
            said, label, *_ = notice.splitlines()[0].split(" · ")
            found.append((label, _LEVELS.index(said.partition(",")[0])))
    return found


def _seen(daemon: Inside) -> str:
    assert daemon.watch.last is not None
    return daemon.watch.last.block.hash
