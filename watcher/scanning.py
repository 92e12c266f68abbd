"""The search through a chain's logs, in the background: one request at a time, a few a minute, and no look waits.

What is found is stored in one with the blocks that it was found in: a crash loses both, and they are searched again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from watcher.chain import Chain
from watcher.domain.errors import EndpointError, NotDecodable
from watcher.domain.searched import Searched
from watcher.searches import Place, Searches
from watcher.store import StoreFailed, StoreThread
from watcher.store.searched import keep_searches
from watcher.watch import ChainWatch

PER_MINUTE: Final = 30
"""Requests to one chain's endpoints; a few more while it is found out how many blocks an endpoint gives at once."""
IDLE: Final = 5.0
"""Seconds after which it is asked again whether there is something to search for."""

_log = structlog.get_logger("watcher.scanning")


@dataclass(slots=True)
class Scan:
    """The searches of one chain, carried on through its endpoints. `keep` stores what came of them."""

    chain: Chain
    searches: Searches
    keep: Callable[[Mapping[Place, Searched]], Awaitable[None]]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    _troubled: bool = False

    async def run(self) -> None:
        """For ever."""
        while True:
            await self.sleep(60 / PER_MINUTE if await self.step() else IDLE)

    async def step(self) -> bool:
        """One request, if there is anything to search for, and its result stored; whether there was."""
        task = self.searches.next(self.clock())
        if task is not None:
            try:
                self.searches.took(task, await self.chain.logs(task.search, task.first, task.last))
            except (EndpointError, NotDecodable) as failure:
                self.searches.failed(task, str(failure), self.clock())
                _log.warning("search.failed", chain=self.chain.spec.name, last=task.last, problem=str(failure))
        await self._save()
        return task is not None

    async def _save(self) -> None:
        """What cannot be stored now is stored with the next that can."""
        unsaved = self.searches.to_save()
        if not unsaved:
            return
        try:
            await self.keep(unsaved)
        except StoreFailed as problem:
            if not self._troubled:
                _log.error("search.not_stored", problem=str(problem))
            self._troubled = True
            return
        self._troubled = False
        self.searches.saved(unsaved)


class Scans:
    """The scans of all chains, each in a task of its own."""

    def __init__(self, store: StoreThread, *, ended: Callable[[asyncio.Task[None]], None]) -> None:
        """`ended` is told of every task that ended."""
        self._store = store
        self._ended = ended
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, watches: Mapping[str, ChainWatch]) -> None:
        """Searches for everybody who is looked for by these."""
        for name, watch in watches.items():
            scan = Scan(watch.chain, watch.searches, self._keep)
            task = asyncio.create_task(scan.run(), name=f"search {name}")
            task.add_done_callback(self._ended)
            self._tasks.append(task)

    async def stop(self) -> None:
        """Ends them; what was under way is asked for again when they start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _keep(self, found: Mapping[Place, Searched]) -> None:
        await self._store.do(keep_searches, found)
