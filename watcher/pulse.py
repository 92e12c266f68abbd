"""What makes a watch look: its own rhythm, word of a new block, or somebody who wants it now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf
from typing import Protocol


class Timer(Protocol):
    """A call that is to come, unless cancelled."""

    def cancel(self) -> None: ...


class Timers(Protocol):
    """A clock that only goes forward, and calls that come by it: an event loop."""

    def time(self) -> float: ...
    def call_later(self, delay: float, callback: Callable[[], None], /) -> Timer: ...


class Pulse:
    """`await pulse.wait()` before each look. Whatever comes while a look is under way is followed by another look, one
    for all of it: looks neither overlap nor pile up, and no word of a block is lost.
    """

    def __init__(self, least: float, timers: Timers | None = None) -> None:
        """`least`: seconds from the beginning of a look to the next that a mere hint may bring about."""
        self._least = least
        self._own_timers = timers
        self._due = asyncio.Event()
        self._began = -inf
        self._later: Timer | None = None

    def set(self) -> None:
        """Look now."""
        self._due.set()

    def hint(self) -> None:
        """There may be something new: look, as soon as the last look is long enough ago."""
        left = self._began + self._least - self._timers.time()
        if left <= 0:
            self.set()
        elif self._later is None:
            self._later = self._timers.call_later(left, self.set)

    async def wait(self) -> None:
        """Returns when it is time to look."""
        await self._due.wait()
        self._due.clear()
        self.close()  # what was hinted before this look is seen by it
        self._began = self._timers.time()

    def close(self) -> None:
        """Forget what was hinted."""
        if self._later is not None:
            self._later.cancel()
            self._later = None

    @property
    def _timers(self) -> Timers:
        return self._own_timers or asyncio.get_running_loop()
