"""Time for the worker, which asks for nothing but this; tests give it one of their own."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Protocol


class Clock(Protocol):
    """Unix seconds that never go back."""

    def now(self) -> float:
        """Unix seconds, with their fraction."""
        ...

    async def sleep_until(self, moment: float) -> None:
        """Returns at that Unix second, or at once where it is past."""
        ...

    async def wait(self, event: asyncio.Event, until: float) -> None:
        """Returns when the event is set, or at that Unix second, whichever is first."""
        ...


class SystemClock:
    """The wall clock at the start, carried on by the monotonic one: a step of the wall clock cannot stall a retry."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """Unix seconds as this process counts them: off the wall clock by however much that was set since."""
        return self._offset + time.monotonic()

    async def sleep_until(self, moment: float) -> None:
        """As in `Clock`."""
        await asyncio.sleep(max(0.0, moment - self.now()))

    async def wait(self, event: asyncio.Event, until: float) -> None:
        """As in `Clock`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, until - self.now())):
                await event.wait()
