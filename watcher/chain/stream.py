"""JSON-RPC over a connection that stays open, and is opened again when it was lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

from watcher.chain.connection import Connection
from watcher.chain.lines import dial
from watcher.chain.pace import Pace
from watcher.chain.spec import EndpointSpec
from watcher.chain.wire import Timeouts
from watcher.domain.errors import EndpointError

RESTS: Final = (0.5, 15.0)
"""Seconds: after two connections in a row that gave no answer, doubled with each more, up to the second."""


class Stream:
    """A `Wire` over a WebSocket or an IPC socket: one connection, many requests on their way at once."""

    def __init__(
        self,
        endpoint: EndpointSpec,
        *,
        timeouts: Timeouts | None = None,
        clock: Callable[[], float] = time.monotonic,
        pace: Pace | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.requests = 0
        self.timeouts = timeouts or Timeouts()
        self._clock = clock
        self._pace = pace or Pace(endpoint.rate)
        self._connection: Connection | None = None
        self._opening = asyncio.Lock()
        self._in_vain = 0
        self._not_before = 0.0
        self._problem = ""
        self._closed = False

    async def turn(self) -> None:
        await self._pace.turn()

    async def ask(self, method: str, params: list[Any]) -> Any:
        began = self._clock()
        connection = await self._connected()
        self.requests += 1
        return await connection.ask(method, params, within=self.timeouts.total, spent=self._clock() - began)

    async def connect(self, *, notices: bool = False) -> Connection:
        """A connection of the caller's own, which shares nothing with that of the requests. Raises `EndpointError`."""
        return Connection(self.endpoint, await dial(self.endpoint, self.timeouts), notices=notices)

    async def close(self) -> None:
        """Close the connection, for good."""
        self._closed = True
        async with self._opening:
            if self._connection is not None:
                await self._connection.close()
                self._connection = None

    async def _connected(self) -> Connection:
        async with self._opening:
            if self._connection is not None and self._connection.problem is None:
                return self._connection
            if self._connection is not None:
                lost, self._connection = self._connection, None
                self._lost(lost.problem or "", in_vain=not lost.answered)
                await lost.close()
            if self._closed:
                raise EndpointError(self.endpoint.name, "not asked: we are closing")
            if (left := self._not_before - self._clock()) > 0:
                raise EndpointError(self.endpoint.name, f"{self._problem}; the next try is in {left:.1f} s")
            try:
                self._connection = await self.connect()
            except EndpointError as failure:
                self._lost(failure.problem, in_vain=True)
                raise
            return self._connection

    def _lost(self, problem: str, *, in_vain: bool) -> None:
        """Once is nothing: servers restart, and balancers let go of what is idle."""
        self._problem = problem
        self._in_vain = self._in_vain + 1 if in_vain else 0
        if self._in_vain > 1:
            first, longest = RESTS
            self._not_before = self._clock() + min(longest, first * 2 ** min(self._in_vain - 2, 10))
