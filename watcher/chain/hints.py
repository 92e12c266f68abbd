"""New heads as an endpoint announces them: a reason to look now and not a moment later, and never more than that.

What an announcement says is not believed. One that never comes, comes twice, comes from a block that is gone or says
nonsense costs at most a look that finds nothing new: the watch looks at regular intervals anyway.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from watcher.chain.connection import Connection
from watcher.chain.errors import ExecutionFailed
from watcher.chain.stream import Stream
from watcher.domain.errors import EndpointError

RESTS: Final = (1.0, 300.0)
"""Seconds until an endpoint is asked again for its heads; the first after it told of one, then doubled each time."""
MOST_A_SECOND: Final = 50
"""Announcements. The quickest chains have ten blocks a second."""

_HASH: Final = re.compile(r"0x[0-9a-fA-F]{64}")


class Hints:
    """Subscribed to the heads of one endpoint, on a connection of its own, for as long as `run` runs."""

    def __init__(
        self,
        stream: Stream,
        on_head: Callable[[], None],
        *,
        silence: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """`silence`: seconds without a new head after which the subscription is taken for dead."""
        self.heads = 0
        self.problem = ""
        """Why the last subscription ended, or never began."""
        self._stream = stream
        self._on_head = on_head
        self._silence = silence
        self._clock = clock
        self._sleep = sleep
        self._second, self._told = clock(), 0

    async def run(self) -> None:
        """Subscribe, listen, and begin again whenever that ends. Raises nothing."""
        first, longest = RESTS
        rest = first
        while True:
            before = self.heads
            try:
                await self._subscribed()
            except (EndpointError, ExecutionFailed) as failure:
                self.problem = failure.problem
            rest = first if self.heads > before else min(longest, rest * 2)
            await self._sleep(rest)

    async def _subscribed(self) -> None:
        await self._stream.turn()
        connection = await self._stream.connect(notices=True)
        try:
            self._stream.requests += 1
            subscription = await connection.ask("eth_subscribe", ["newHeads"], within=self._stream.timeouts.total)
            await self._listen(connection, subscription)
        finally:
            await connection.close()

    async def _listen(self, connection: Connection, subscription: object) -> None:
        last = ""
        while True:
            try:
                async with asyncio.timeout(self._silence):
                    last = await self._new_head(connection, subscription, last)
            except TimeoutError:
                raise EndpointError(self._stream.endpoint.name, f"no new head for {self._silence:g} s") from None
            self.heads += 1
            self._on_head()

    async def _new_head(self, connection: Connection, subscription: object, last: str) -> str:
        """The hash of the next head that is not the last one again."""
        while True:
            head = _announced(await connection.notice(), subscription)
            self._bear_with()
            if head is not None and head != last:
                return head

    def _bear_with(self) -> None:
        """Raises `EndpointError` where announcements come so fast that they are no news."""
        now = self._clock()
        if now - self._second >= 1:
            self._second, self._told = now, 0
        self._told += 1
        if self._told > MOST_A_SECOND:
            raise EndpointError(self._stream.endpoint.name, "more announcements than any chain has heads")


def _announced(said: dict[str, Any], subscription: object) -> str | None:
    """The hash of the head that a notification tells of; None where it is no such thing, or not of our subscription."""
    params = said.get("params")
    if not isinstance(params, dict) or params.get("subscription") != subscription:
        return None
    head = params.get("result")
    found = head.get("hash") if isinstance(head, dict) else None
    return found if isinstance(found, str) and _HASH.fullmatch(found) else None
