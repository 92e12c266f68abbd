"""The dead-man ping: a service outside is told that all is well, and warns its people once it hears nothing.

A watcher's worst failure is silence, and from within a silent program nobody can say so. The ping goes out only while
every part has made progress within its time: each chain's watch has looked and decided, the sender's loop has turned,
and what waits in the outbox has moved. Progress is a value that changes; when it did is told by a clock of our own, so
that no step of the wall clock, and no sleep of the machine, looks like life or like death.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import aiohttp
import structlog

from watcher.config import Deadman
from watcher.store import Backlog

LOOK_EVERY: Final = 10
"""Seconds between two looks at the parts."""
LOOK_WITHIN: Final = 60.0
"""Seconds, besides its interval, in which a chain's watch has to come round: its reads, over all endpoints, and what is
decided and stored after them."""
TURN_WITHIN: Final = 60.0
"""Seconds in which the sender's loop has to turn; it does so every ten when idle."""
DELIVER_WITHIN: Final = 600.0
"""Seconds in which something of what waits has to be delivered, or given up: no back-off takes as long."""

_ANSWER_WITHIN: Final = 10.0

_log = structlog.get_logger("watcher.deadman")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What has to make progress `within` so many seconds. `progress` is None while there is nothing to say."""

    name: str
    progress: Hashable | None
    within: float


@dataclass(frozen=True, slots=True)
class Seen:
    """The progress of a part when it last changed, and when that was, by a clock that only goes forward."""

    progress: Hashable
    at: float


def observed(seen: Mapping[str, Seen], parts: Iterable[Part], now: float) -> dict[str, Seen]:
    """What is known of the parts after another look. A part that is no more is forgotten."""
    known = {}
    for part in parts:
        before = seen.get(part.name)
        if part.progress is not None and (before is None or before.progress != part.progress):
            known[part.name] = Seen(part.progress, now)
        elif before is not None:
            known[part.name] = before
    return known


def stalled(seen: Mapping[str, Seen], parts: Iterable[Part], now: float) -> tuple[str, ...]:
    """The parts that made no progress within their time, or none yet."""
    return tuple(part.name for part in parts if part.name not in seen or now - seen[part.name].at > part.within)


def parts_of(
    chains: Mapping[str, float], sender: float, backlog: Backlog | None, *, interval: float, now: float
) -> list[Part]:
    """The parts of a daemon: when each chain's watch and the sender came round last, and what waits in the outbox.

    A chain's 0 means not yet; no `backlog` that the database did not answer. What waits on purpose does not count (the
    end of a mute, or of quiet hours), nor does what waits for a chat that is disabled: the other chats were told.
    """
    parts = [
        Part(name=f"watch {name}", progress=at or None, within=interval + LOOK_WITHIN) for name, at in chains.items()
    ]
    parts.append(Part(name="sender", progress=sender, within=TURN_WITHIN))
    moves: Hashable | None = None
    if backlog is not None:
        moves = (backlog.moving, backlog.oldest, backlog.dead) if backlog.moving else ("empty", now)
    parts.append(Part(name="outbox", progress=moves, within=DELIVER_WITHIN))
    return parts


class Heartbeat:
    """`look()` every `LOOK_EVERY` seconds; it pings when a ping is due and deserved."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[str, Seen] = {}
        self._pinged_at: float | None = None
        self._withheld: tuple[str, ...] = ()
        self._problems: set[str] = set()  # of the pings since the last that arrived

    async def look(self, parts: Sequence[Part], deadman: Deadman) -> None:
        """One look. A ping that failed is tried again at the next look; why is logged once in an outage, without
        its URL."""
        now = self._clock()
        self._seen = observed(self._seen, parts, now)
        if self._held_back(stalled(self._seen, parts, now)):
            return
        if self._pinged_at is not None and now - self._pinged_at < deadman.every:
            return
        problem = await ping(deadman)
        if not problem:
            self._pinged_at = now
            self._problems.clear()
        elif problem not in self._problems:
            self._problems.add(problem)
            _log.warning("deadman.not_fed", host=deadman.host, problem=problem)

    def _held_back(self, parts: tuple[str, ...]) -> bool:
        if parts != self._withheld:
            if parts:
                _log.warning("deadman.withheld", parts=parts)
            else:
                _log.info("deadman.fed_again")
            self._withheld = parts
        return bool(parts)


async def ping(deadman: Deadman) -> str:
    """One GET; returns what is wrong with it, without the URL, and nothing where the answer is 2xx."""
    timeout = aiohttp.ClientTimeout(total=_ANSWER_WITHIN)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(deadman.url.reveal(), allow_redirects=False) as answer,
        ):
            return "" if 200 <= answer.status < 300 else f"it answered {answer.status}"
    except TimeoutError:
        return f"no answer in {_ANSWER_WITHIN:.0f} s"
    except aiohttp.ClientError as error:
        return f"no answer: {type(error).__name__}"
