"""When a watch looks: by a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from watcher.pulse import Pulse


@dataclass(eq=False)
class Call:
    at: float
    back: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class Timers:
    """Seconds, moved by hand."""

    now: float = 1000.0
    calls: list[Call] = field(default_factory=list)

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], None], /) -> Call:
        self.calls.append(Call(self.now + delay, callback))
        return self.calls[-1]

    def go(self, seconds: float) -> None:
        self.now += seconds
        for call in [call for call in self.calls if call.at <= self.now]:
            self.calls.remove(call)
            if not call.cancelled:
                call.back()

    @property
    def waiting(self) -> int:
        return sum(not call.cancelled for call in self.calls)


async def looks(pulse: Pulse) -> bool:
    """Whether it is time to look; then the look has begun."""
    try:
        async with asyncio.timeout(0):
            await pulse.wait()
    except TimeoutError:
        return False
    return True


async def test_it_looks_at_once_when_a_block_is_heard_of() -> None:
    pulse = Pulse(2, Timers())
    assert not await looks(pulse)
    pulse.hint()
    assert await looks(pulse)
    assert not await looks(pulse)


async def test_it_looks_no_more_often_than_it_may_however_many_blocks_there_are() -> None:
    timers = Timers()
    pulse, begun = Pulse(2, timers), []
    for _ in range(200):
        pulse.hint()
        if await looks(pulse):
            begun.append(timers.now)
        timers.go(0.25)
    assert len(begun) == 25
    assert {late - early for early, late in pairwise(begun)} == {2.0}
    assert timers.waiting <= 1


async def test_it_looks_again_after_a_look_during_which_a_block_was_heard_of() -> None:
    timers = Timers()
    pulse = Pulse(2, timers)
    pulse.hint()
    assert await looks(pulse)
    timers.go(0.5)
    pulse.hint()
    timers.go(30)  # that look takes long
    assert await looks(pulse)
    timers.go(30)
    for _ in range(10):
        pulse.hint()  # each a block, all while one look is under way
    assert await looks(pulse)
    assert not await looks(pulse)


async def test_it_does_not_look_a_second_time_for_what_the_look_has_seen() -> None:
    timers = Timers()
    pulse = Pulse(2, timers)
    pulse.set()
    assert await looks(pulse)
    timers.go(1)
    pulse.hint()
    pulse.set()  # somebody wants it at once
    assert await looks(pulse)
    assert timers.waiting == 0
    timers.go(10)
    assert not await looks(pulse)


async def test_it_leaves_nothing_behind() -> None:
    timers = Timers()
    pulse = Pulse(2, timers)
    pulse.set()
    assert await looks(pulse)
    pulse.hint()
    pulse.close()
    timers.go(10)
    assert not await looks(pulse)
