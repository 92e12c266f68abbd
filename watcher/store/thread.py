"""A store's own thread, so that a commit's few milliseconds of disk never hold up the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Concatenate, ParamSpec, TypeVar

from watcher.store.store import Store

P = ParamSpec("P")
T = TypeVar("T")


class StoreThread:
    """`await thread.do(Store.claim, now, chats)`: the same methods, in the order asked, one at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")

    async def do(self, work: Callable[Concatenate[Store, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs one method of the store there. A cancelled caller does not undo it: what was begun is finished."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, lambda: work(self._store, *args, **kwargs))

    async def close(self) -> None:
        """Finishes what was asked, then closes the store."""
        await self.do(Store.close)
        self._executor.shutdown()
