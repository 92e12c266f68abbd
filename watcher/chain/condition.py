"""How an endpoint has been doing, and in which order to ask endpoints. Pure: time comes in, as monotonic seconds.

An endpoint is put behind the others, and still asked when they fail, for any of these, the gravest first:

  broken    several calls in a row failed, or other requests: it rests 5, 10, … 300 s before it counts as sound again
  behind    its newest block is older, or lower, than what is known elsewhere
  failed    a request failed within the last minute
  slow      it answers much later than the quickest does

Among equals the user's order stands. Only its own `Retry-After` keeps an endpoint from being asked at all.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median
from typing import Final, TypeVar

from watcher.domain.source import Block

FAILED_LATELY: Final = 60.0
"""Seconds for which a failure puts an endpoint behind the others."""
BEHIND_FOR: Final = 60.0
"""Seconds for which an endpoint that was behind is not believed to have caught up, unless it shows it."""
LONGEST_REST: Final = 600.0
"""Seconds. `Retry-After` is a wish, and a hostile one must not silence an endpoint for ever."""
BREAKS_AT: Final = 3
"""Failures in a row."""
_RESTS: Final = (5.0, 300.0)
_REMEMBERED: Final = 200
_SLOW: Final = (1.0, 4.0)  # seconds, and times the quickest: both, so that no one is punished for milliseconds

T = TypeVar("T")


class Asked(StrEnum):
    """Kinds of requests that fail on their own: many an endpoint tells its head and can run no call."""

    HEAD = "head"
    CALL = "call"

    @classmethod
    def by(cls, method: str) -> Asked:
        return cls.CALL if method in ("eth_call", "eth_getStorageAt") else cls.HEAD


@dataclass(slots=True)
class _Row:
    """Failures in a row, and when the last was."""

    failures: int
    at: float

    def broken(self, now: float) -> bool:
        beyond = self.failures - BREAKS_AT
        first, longest = _RESTS
        return beyond >= 0 and now - self.at < min(longest, first * (1 << min(beyond, 20)))


@dataclass(slots=True)
class Condition:
    """What is known of one endpoint. Times are monotonic seconds."""

    answered: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    """Failures by kind."""
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    """Seconds of the last answers."""
    head: Block | None = None
    """The newest block that it has shown."""
    head_at: float = 0.0
    failed_at: float | None = None
    last_problem: str = ""
    _rows: dict[Asked, _Row] = field(default_factory=dict)
    _behind_at: float | None = None
    _rests_until: float = 0.0

    def answer(self, seconds: float, asked: Asked = Asked.HEAD) -> None:
        """It answered; of what failed before, only the same kind is known to work again."""
        self.answered += 1
        self.latencies.append(seconds)
        self._rows.pop(asked, None)

    def failure(
        self, kind: str, problem: str, now: float, retry_after: float | None = None, asked: Asked = Asked.HEAD
    ) -> None:
        """A request that failed, or an answer that cannot be right."""
        self.errors[kind] += 1
        self.failed_at, self.last_problem = now, problem
        before = self._rows.get(asked)
        self._rows[asked] = _Row(before.failures + 1 if before else 1, now)
        if retry_after is not None:
            self._rests_until = max(self._rests_until, now + min(retry_after, LONGEST_REST))

    def shows(self, head: Block, now: float) -> None:
        """Its newest block."""
        self.head, self.head_at = head, now
        self._behind_at = None

    def is_behind(self, now: float) -> None:
        """It was found to be behind what is known elsewhere."""
        self._behind_at = now

    def rest(self, now: float) -> float:
        """Seconds that it asked us to wait and that are left; 0 if it may be asked."""
        return max(0.0, self._rests_until - now)

    @property
    def latency(self) -> float | None:
        """The usual time to an answer, in seconds; None before the first."""
        return median(self.latencies) if self.latencies else None

    def broken(self, now: float) -> bool:
        """Whether too much in a row has failed, too short a time ago."""
        return any(row.broken(now) for row in self._rows.values())

    def failed_lately(self, now: float) -> bool:
        return self.failed_at is not None and now - self.failed_at < FAILED_LATELY

    def behind(self, now: float) -> bool:
        return self._behind_at is not None and now - self._behind_at < BEHIND_FOR


def ranked(items: Sequence[tuple[T, Condition]], now: float) -> list[T]:
    """The order in which to ask: see the top. Of those that failed, the one that did so longest ago comes first."""
    quickest = min((c.latency for _, c in items if c.latency is not None), default=0.0)

    def place(entry: tuple[T, Condition]) -> tuple[object, ...]:
        condition = entry[1]
        failed = condition.failed_lately(now)
        return (
            condition.rest(now) > 0,
            condition.broken(now),
            condition.behind(now),
            failed,
            (condition.failed_at or 0.0) if failed else 0.0,
            _slow(condition.latency, quickest),
        )

    return [item for item, _ in sorted(items, key=place)]


def _slow(latency: float | None, quickest: float) -> bool:
    least, times = _SLOW
    return latency is not None and latency > least and latency > times * quickest


def newest(conditions: Iterable[Condition], now: float, within: float, *, until: float) -> Block | None:
    """The highest block that any of them has shown within so many seconds, of those dated `until` then (Unix)."""
    heads = [
        one.head
        for one in conditions
        if one.head is not None and now - one.head_at <= within and one.head.timestamp <= until
    ]
    return max(heads, key=lambda block: block.number, default=None)
