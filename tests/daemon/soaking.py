"""Hours of a chain's time with endpoints of which every fifth request goes wrong; `truths` says what must be true.

    python -m tests.daemon.soaking "three endpoints" 600

The clocks of the daemon and of its endpoints' ranking are the blocks'. Nothing waits for real but what hangs, which
gets short timeouts.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Final
from unittest.mock import patch

from aiohttp import web
from structlog.testing import capture_logs

from tests.chain.modes import false_value, lagging, modes
from tests.chain.proxy import Exchange, Mode, Proxy
from tests.daemon.inside import NEVER, Clock, inside
from tests.daemon.killing import LONG, SHORT
from tests.daemon.scene import HEAD_AGE, Place, another_price, standing
from tests.daemon.truths import CONFIRMATIONS, Figures, Soak
from tests.daemon.waiting import eventually
from tests.daemon.world import configure
from watcher.chain import Chain, Timeouts
from watcher.config import Settings, load

ODDS: Final = 0.2
"""Of each request to go wrong."""
WARM: Final = 100
"""Looks after which memory is weighed for the first time: by then every fault has been met, and every cache is full."""

_FARTHEST_BACK: Final = 25
_TIMEOUTS: Final = Timeouts(connect=0.5, total=0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """How many endpoints there are, and how many of them have to agree; then one of them may also lie plausibly."""

    endpoints: int
    agreement: int = 1
    seed: int


PARTS: Final[Mapping[str, Part]] = {
    "two endpoints": Part(endpoints=2, seed=1),
    "three endpoints": Part(endpoints=3, seed=2),
    "agreement of two among three": Part(endpoints=3, agreement=2, seed=3),
}


@dataclass(frozen=True, slots=True)
class Weight:
    """What the process holds, once it has been tidied up and what is free has been given back to the system."""

    kib: int
    objects: int

    @classmethod
    def now(cls) -> Weight:
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        status = Path("/proc/self/status").read_text(encoding="ascii")
        [kib] = re.findall(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
        return cls(int(kib), len(gc.get_objects()))


@dataclass(slots=True)
class Dice:
    """The faults of one proxy: which, and which requests meet them."""

    random: Random
    modes: Mapping[str, Mode]
    met: Counter[str] = field(default_factory=Counter)

    async def mode(self, met: Exchange) -> web.StreamResponse:
        """Any of them."""
        name = self.random.choice(sorted(self.modes))
        self.met[name] += 1
        return await self.modes[name](met)


async def soaked(folder: Path, place: Place, part: Part, *, looks: int) -> Figures:
    """A whole run. Raises AssertionError where a look ends in anything but the truth or an honest BLIND, or where
    anything is left over."""
    random = Random(part.seed)
    for label, health in {**LONG, **SHORT}.items():
        kinds = {"collateral": "USDC", "debt": "WETH"} if label in SHORT else {}
        for each in (place.market, place.elsewhere):
            each.borrower(label, health, **kinds)
    place.elsewhere.move("WETH", 70)
    files, tasks = _files(), len(asyncio.all_tasks())
    async with _staged(folder, place, part, random) as (soak, dice):
        start = Weight.now()
        for number in range(looks):
            if number == WARM:
                start = Weight.now()
            await soak.look()
        end = Weight.now()
        await soak.settle()
        soak.figures.reorgs = soak.daemon.watch.reorgs
    await eventually(lambda: _files() <= files)
    figures = soak.figures
    figures.faults = dict(sum((one.met for one in dice), Counter()))
    figures.kib_at_start, figures.objects_at_start = start.kib, start.objects
    figures.kib_at_end, figures.objects_at_end = end.kib, end.objects
    figures.files, figures.tasks = (files, _files()), (tasks, len(asyncio.all_tasks()))
    return figures


@asynccontextmanager
async def _staged(folder: Path, place: Place, part: Part, random: Random) -> AsyncIterator[tuple[Soak, list[Dice]]]:
    async with AsyncExitStack() as stack:
        log = stack.enter_context(capture_logs())
        url = place.market.world.url
        proxies = [await stack.enter_async_context(Proxy(url, f"proxy {n}")) for n in range(part.endpoints)]
        clock = Clock(place.market.now + 5)
        stack.enter_context(patch("watcher.watching.Chain", partial(Chain, clock=clock, timeouts=_TIMEOUTS)))
        settings = _settings(folder, place, proxies, part.agreement)
        daemon = await stack.enter_async_context(inside(settings, clock))
        soak = Soak(place, daemon, proxies, log, random)
        soak.starts()
        dice = [Dice(Random(part.seed * 10 + n), _modes(place, random, part)) for n in range(part.endpoints)]
        for proxy, each in zip(proxies, dice, strict=True):
            proxy.meets(each.mode, odds=ODDS, dice=each.random)
        yield soak, dice


def _settings(folder: Path, place: Place, proxies: Sequence[Proxy], agreement: int) -> Settings:
    urls = [proxy.url for proxy in proxies]
    settings = load(
        configure(folder, place.market, endpoints=urls, interval=NEVER, max_age=HEAD_AGE, confirmations=CONFIRMATIONS)
    )
    return replace(settings, chains={"local": replace(settings.chains["local"], agreement=agreement)})


def _modes(place: Place, random: Random, part: Part) -> dict[str, Mode]:
    """All of them; a lag is of any depth, and a lie never the same, so that no two can agree on it."""

    async def behind(met: Exchange) -> web.StreamResponse:
        head = place.market.world.chain.head().number
        return await lagging(head - random.randint(1, _FARTHEST_BACK))(met)

    async def lie(met: Exchange) -> web.StreamResponse:
        return await false_value(another_price(place, "WETH", random.randint(10_001, 20_000)))(met)

    found = {**modes(old=0, elsewhere=place.elsewhere.world.url), "lagging head": behind}
    return {**found, "false value": lie} if part.agreement > 1 else found


def _files() -> int:
    return len(os.listdir("/proc/self/fd"))


def main(name: str, looks: int) -> None:
    """Runs a part and prints its figures as JSON."""
    with tempfile.TemporaryDirectory() as folder, standing() as place:
        figures = asyncio.run(soaked(Path(folder), place, PARTS[name], looks=looks))
    print(json.dumps(asdict(figures)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
