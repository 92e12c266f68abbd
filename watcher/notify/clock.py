"""Time for the worker, which asks for nothing but this; tests give it one of their own."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Protocol


class Clock(Protocol):
    """Unix seconds that never go back."""

    def now(self) -> float: ...

    async def sleep_until(self, moment: float) -> None: ...

    async def wait(self, event: asyncio.Event, until: float) -> None:
        """Returns when the event is set, or then."""
        ...


class SystemClock:
    """The wall clock at the start, carried on by the monotonic one: a step of the wall clock cannot stall a retry."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        return self._offset + time.monotonic()

    async def sleep_until(self, moment: float) -> None:
        await asyncio.sleep(max(0.0, moment - self.now()))

    async def wait(self, event: asyncio.Event, until: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, until - self.now())):
                await event.wait()
