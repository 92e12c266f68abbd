"""Work beside everything else, of which none is worth waiting for at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine


class Background:
    """`begin()` what nobody waits for, and `drop()` what is left of it."""

    def __init__(self, ended: Callable[[asyncio.Task[None]], None]) -> None:
        """`ended` is told of every piece of work that ended."""
        self._ended = ended
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Coroutine[None, None, None]) -> None:
        """Does it beside everything else."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(self._ended)

    async def drop(self) -> None:
        """Breaks off what goes on."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def settled(self) -> None:
        """Returns when nothing goes on."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))
