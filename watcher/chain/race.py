"""Attempts at several endpoints, one beside the other where one is late: the first that is whole wins."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

from watcher.chain.endpoint import Endpoint
from watcher.chain.errors import Disagreement, NoEndpoint
from watcher.domain.errors import EndpointError

T = TypeVar("T")


class Race(Generic[T]):
    """One attempt per endpoint, in the order given. Nothing of one attempt gets into another."""

    def __init__(
        self,
        chain: str,
        attempt: Callable[[Endpoint], Awaitable[T]],
        endpoints: Sequence[Endpoint],
        *,
        patience: Callable[[Endpoint], float],
    ) -> None:
        """`patience`: seconds after which an attempt is late, and another begins beside it."""
        self._chain = chain
        self._attempt = attempt
        self._waiting = list(endpoints)
        self._patience = patience
        self._running: dict[asyncio.Task[T], Endpoint] = {}
        self._late_at = 0.0
        self._share = 0.0
        self._failures: list[EndpointError] = []

    async def won(self, within: float) -> T:
        """The first result. Raises `NoEndpoint` where all failed or time ran out, which tells how.

        Raises `Disagreement` too, and whatever an attempt raises that is no fault of an endpoint's.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        self._share = within / max(1, len(self._waiting))
        try:
            while (self._waiting or self._running) and loop.time() < deadline:
                if self._waiting and (not self._running or loop.time() >= self._late_at):
                    self._start(loop.time())
                until = min(deadline, self._late_at) if self._waiting else deadline
                done, _ = await asyncio.wait(
                    self._running, timeout=max(0.0, until - loop.time()), return_when=asyncio.FIRST_COMPLETED
                )
                for task in sorted(done, key=list(self._running).index):
                    earlier = list(self._running)[: list(self._running).index(task)]
                    del self._running[task]
                    if not self._failed(task):
                        for late in earlier:
                            self._running[late].late()
                        return task.result()
            self._out_of_time(within)
        finally:
            await _stopped(list(self._running))
        raise NoEndpoint(self._chain, self._failures)

    def _start(self, now: float) -> None:
        endpoint = self._waiting.pop(0)
        task = asyncio.ensure_future(_awaited(self._attempt(endpoint)))
        self._running[task] = endpoint
        self._late_at = now + min(self._patience(endpoint), self._share)  # so that every one gets its chance

    def _failed(self, task: asyncio.Task[T]) -> bool:
        problem = task.exception()
        if isinstance(problem, EndpointError) and not isinstance(problem, Disagreement):
            self._failures.append(problem)
            return True
        return False  # its result is asked for, which raises the rest

    def _out_of_time(self, within: float) -> None:
        self._failures += [one.fault(f"not done within the {within:g} s for all") for one in self._running.values()]
        self._failures += [EndpointError(one.spec.name, "not asked, for lack of time") for one in self._waiting]


async def _awaited(attempt: Awaitable[T]) -> T:
    return await attempt


async def _stopped(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
