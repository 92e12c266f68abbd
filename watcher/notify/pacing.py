"""When the next message may leave, so that the other side never has to refuse one. Pure: time comes in.

A rate counts a message from its start until `period` after its *end*. The other side counts it at some moment between
these two, so ours are never closer together there than they are here, however long a request was on its way.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from math import inf

from watcher.notify.channel import Pace


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `limit` messages in any `period` seconds."""

    limit: int
    period: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Telegram's, as its Bot FAQ gives them (core.telegram.org/bots/faq, "My bot is hitting limits")."""

    overall: Rate = Rate(30, 1.0)
    chat: Rate = Rate(1, 1.0)
    group: Rate = Rate(20, 60.0)


class Share(Enum):
    """The part of a rate, one in so many, that may be used up before a message: the rest is for what matters more."""

    ALERT = 1
    ANSWER = 2
    EDIT = 4

    def of(self, limit: int) -> int:
        return -(-limit // self.value)


class Window:
    """One rate, and what it has seen."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._running = 0
        self._ended: deque[float] = deque()

    def start(self) -> None:
        self._running += 1

    def end(self, now: float) -> None:
        self._running -= 1
        self._ended.append(now)

    def ready_at(self, now: float, share: Share = Share.ALERT) -> float:
        """`now` if there is room within this share, else when there will be; infinity while that depends on what still
        runs."""
        while self._ended and self._ended[0] + self._rate.period <= now:
            self._ended.popleft()
        excess = self._running + len(self._ended) - share.of(self._rate.limit)
        if excess < 0:
            return now
        return next(islice(self._ended, excess, None), inf) + self._rate.period


class Lane:
    """One chat: its rates, what the other side asked it to wait for, and whether a message is on its way."""

    def __init__(self, pace: Pace, limits: Limits, overall: Window) -> None:
        self.pace = pace
        self._windows = [overall, Window(limits.chat)] if pace is not Pace.FREE else []
        if pace is Pace.GROUP:
            self._windows.append(Window(limits.group))
        self._held_until = 0.0
        self._busy = False

    def start(self) -> None:
        self._busy = True
        for window in self._windows:
            window.start()

    def end(self, now: float) -> None:
        self._busy = False
        for window in self._windows:
            window.end(now)

    def hold(self, until: float) -> None:
        """Sends nothing before then."""
        self._held_until = max(self._held_until, until)

    def held(self, now: float) -> bool:
        """Whether the other side asked it to wait, and still does."""
        return self._held_until > now

    def ready_at(self, now: float, share: Share = Share.ALERT) -> float:
        if self._busy:
            return inf
        return max([now, self._held_until, *(window.ready_at(now, share) for window in self._windows)])


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits of 1, 2, 4, … seconds after the first, second, third try, at most `longest`."""

    longest: float

    def after(self, attempt: int) -> float:
        doubled = 1 << min(attempt - 1, 30)
        return min(self.longest, doubled)
