"""A daemon with two endpoints that can go wrong, in front of one node with a real market."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eth_utils.crypto import keccak
from structlog.testing import capture_logs

from tests.chain.modes import bomb, modes
from tests.chain.proxy import ANY, Mode, Proxy
from tests.daemon.inside import NEVER, Clock, Inside, inside
from tests.daemon.waiting import eventually
from tests.daemon.world import Market, configure, market
from watcher.chain import ChainSpec
from watcher.config import load
from watcher.snapshot import Snapshot

BETWEEN = 12
"""Seconds from one look to the next."""
HEAD_AGE = 60
OLD = 300
_OTHER_CHAIN = 10
_LATEST_ANSWER, _ROUND, _ANSWERS = 1, 3, 4  # storage of MockV3Aggregator


@dataclass(frozen=True, slots=True)
class Place:
    """A market with one borrower, a block of it from five minutes ago, and the other ones that it is mistaken for."""

    market: Market
    old: int
    elsewhere: Market
    """The same contracts at the same addresses on a chain of another id, with other numbers."""

    @property
    def modes(self) -> dict[str, Mode]:
        return modes(old=self.old, elsewhere=self.elsewhere.world.url)


@contextmanager
def standing() -> Iterator[Place]:
    bomb()  # made now, so that no test waits for it
    with market() as here, market() as elsewhere:
        for each in (here, elsewhere):
            each.borrower("weak", "1.15")
        elsewhere.move("WETH", 300)
        old = here.world.chain.head().number
        for each in (here, elsewhere):
            each.world.pass_time(OLD)
            each.world.touch_feeds()
        elsewhere.world.chain.rpc.request("anvil_setChainId", _OTHER_CHAIN)
        yield Place(here, old, elsewhere)


@dataclass(frozen=True, slots=True)
class Scene:
    """A running daemon, and its endpoints in the order in which it asks them."""

    daemon: Inside
    proxies: tuple[Proxy, Proxy]
    log: Sequence[Mapping[str, Any]] = ()

    @property
    def first(self) -> Proxy:
        return self.proxies[0]

    @property
    def second(self) -> Proxy:
        return self.proxies[1]

    @property
    def seen(self) -> Snapshot:
        """The newest snapshot."""
        last = self.daemon.watch.last
        assert last is not None
        return last

    @property
    def bugs(self) -> list[Mapping[str, Any]]:
        """Errors of ours, as the log has them."""
        return [event for event in self.log if event["log_level"] in ("error", "critical")]

    def assert_true(self, place: Place) -> None:
        """The newest snapshot is of the newest block, and says what the contract does."""
        assert self.seen.block.hash == place.market.world.chain.head().hash
        [position] = self.seen.positions
        collateral, debt, *_, health = place.market.world.account_data(place.market.accounts["weak"])
        assert (position.collateral, position.debt, position.health.backing) == (collateral, debt, health)


@asynccontextmanager
async def staged(
    place: Place,
    folder: Path,
    *faults: Mode,
    method: str = ANY,
    max_age: int = HEAD_AGE,
    more: Callable[[ChainSpec], ChainSpec] = lambda spec: spec,
) -> AsyncIterator[Scene]:
    """The daemon, its endpoints with these faults from the start, and its chain with `more` said of it.

    What happens to the market is undone; of tasks and connections nothing may be left.
    """
    before = asyncio.all_tasks()
    async with AsyncExitStack() as stack:
        log = stack.enter_context(capture_logs())
        stack.enter_context(place.market.world.chain.undone())
        url = place.market.world.url
        first, second = [await stack.enter_async_context(Proxy(url)) for _ in range(2)]
        for proxy, mode in zip((first, second), faults, strict=False):
            proxy.meets(mode, method=method)
        urls = [first.url, second.url]
        config = configure(folder, place.market, endpoints=urls, interval=NEVER, max_age=max_age)
        settings = load(config)
        settings = replace(settings, chains={"local": more(settings.chains["local"])})
        async with inside(settings, Clock(place.market.now + 10)) as daemon:
            yield Scene(daemon, (first, second), log)
        await eventually(lambda: not first.connections and not second.connections)
    assert asyncio.all_tasks() == before


def another_price(place: Place, symbol: str, per_cent: int) -> dict[str, Any]:
    """Overrides of `eth_call` under which a feed has another answer, for everyone that asks."""
    world = place.market.world
    aggregator, answer = world.tokens[symbol].aggregator, world.answer(symbol) * per_cent // 100
    round_ = int(world.chain.rpc.request("eth_getStorageAt", aggregator, hex(_ROUND), "latest"), 16)
    slot = keccak(round_.to_bytes(32, "big") + _ANSWERS.to_bytes(32, "big"))
    word = f"0x{answer:064x}"
    return {aggregator: {"stateDiff": {f"0x{_LATEST_ANSWER:064x}": word, f"0x{slot.hex()}": word}}}
