"""Whether the sequencer of a rollup, which alone orders its transactions in ordinary times, is at work."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

GRACE: Final = 3600
"""Seconds after its return within which prices are not relied on yet: as Chainlink's documentation has consumers wait
(smartcontractkit/documentation @ 59e5cde7, l2-sequencer-feeds.mdx, GRACE_PERIOD_TIME)."""


class Running(StrEnum):
    """What is known of it. UNKNOWN is never taken for UP."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequencer:
    """What an uptime feed says: since when (Unix seconds) it is up or down, or the `problem` by which it is unknown."""

    state: Running
    since: int = 0
    problem: str = ""

    @property
    def down(self) -> bool:
        return self.state is Running.DOWN

    def settling(self, now: int) -> bool:
        """Whether it is up so lately that prices may jump yet. `now`: the time of the block that was read."""
        return self.state is Running.UP and now - self.since <= GRACE
