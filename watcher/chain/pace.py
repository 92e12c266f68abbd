"""Requests per second, kept to before they are sent: better never to meet a limit than to honour it afterwards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

_AT_ONCE: Final = 4
"""One part in so many of the rate may come at once."""


class Pace:
    """A token bucket. A quarter of `rate` may come at once; no second, wherever it begins, sees more than `rate`.

    `rate`: whole requests per second; None for no limit. `clock` in seconds, `sleep` waits so many of them.
    """

    def __init__(
        self,
        rate: int | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._most = max(1, (rate or 0) // _AT_ONCE)
        self._per_second = None if rate is None else rate - self._most + 1  # what a full bucket adds to a second
        self._clock = clock
        self._sleep = sleep
        self._left = float(self._most)
        self._counted_at = clock()
        self._queue = asyncio.Lock()

    async def turn(self) -> None:
        """Returns when another request may be sent; those who wait go in the order in which they came."""
        if self._per_second is None:
            return
        async with self._queue:
            while (wait := self._wait(self._per_second)) > 0:
                await self._sleep(wait)
            self._left -= 1

    def _wait(self, per_second: int) -> float:
        """Seconds until there is a token."""
        now = self._clock()
        self._left = min(float(self._most), self._left + max(0.0, now - self._counted_at) * per_second)
        self._counted_at = now
        return (1 - self._left) / per_second if self._left < 1 - _ROUNDING else 0.0


_ROUNDING: Final = 1e-9
