"""When a send may start beside others on the same way to the other side. Pure: time comes in.

Two things speak against starting all at once. Each send that is on its way when the process is killed may be read twice
after it, so a send waits for the answer to the one before it, and a kill makes one copy at most. It does not wait for
ever: the more chats wait for their turn, the sooner it goes beside the other, and a kill may then make more copies. And
to a side that does not answer at all, one send is enough to learn when it does again: every further one may be a copy.
"""

from __future__ import annotations

from math import inf
from typing import Final

from watcher.notify.pacing import Backoff

ROUND: Final = 2.5
"""Seconds in which each of up to thirty waiting chats gets its turn, however late the answers."""
LONGEST, SHORTEST = 0.5, 0.08
"""Seconds that a send waits for the answer to the one before it: at most, and at least where very many wait."""
_PROBES: Final = Backoff(4.0)
_LONG: Final = 5.0  # seconds: a shorter darkness has made nobody wait


class Way:
    """What the sends to one service have met."""

    def __init__(self) -> None:
        self._running = 0
        self._waiting = 0
        self._began = -inf
        self._failures = 0
        self._dark_since = 0.0
        self._failed_at = 0.0
        self._failed: set[str] = set()

    def start(self, now: float) -> None:
        self._running += 1
        self._began = now

    def end(self) -> None:
        self._running -= 1

    def crowded(self, waiting: int) -> None:
        """So many chats have their turn now, but for the sends that are on their way.

        While one is, it counts how many waited at most: the last ones are not to wait longer for being few.
        """
        self._waiting = max(waiting, self._waiting) if self._running else waiting

    def ready_at(self, now: float) -> float:
        """`now` if a send may start, else when; infinity while that depends on what still runs."""
        if self._failures:
            after = self._failed_at + _PROBES.after(self._failures - 1) if self._failures > 1 else now
            return inf if self._running else max(now, after)
        return max(now, self._began + patience(self._waiting)) if self._running else now

    def failed(self, chat: str, now: float) -> None:
        """No answer, or none that helps, to a send to this chat."""
        if not self._failures:
            self._dark_since = now
        self._failures += 1
        self._failed_at = now
        self._failed.add(chat)

    def answered(self, chat: str, now: float) -> bool:
        """The other side is there. Whether that is news: others have been waiting for it, and need wait no longer."""
        news = bool(self._failed - {chat}) and now - self._dark_since >= _LONG
        self._failures = 0
        self._failed.clear()
        return news


def patience(waiting: int) -> float:
    """Seconds that a send waits for the answer to the one before it, while so many chats wait for their turn."""
    return min(LONGEST, max(SHORTEST, ROUND / max(waiting, 1)))
