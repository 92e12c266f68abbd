"""That somebody has seen an alert, and takes care of it."""

from __future__ import annotations

from dataclasses import dataclass

from watcher.alerts.message import Level
from watcher.alerts.record import Key, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """Somebody has seen an episode of a condition at this level.

    It counts `until` then (Unix seconds), for that level and those below it, in that episode only. With `snooze` it is
    to be told again at that moment if it still stands. `by` is the Telegram user, `at` when it was said.
    """

    key: Key
    episode: int
    level: Level
    until: int
    snooze: bool = False
    by: int = 0
    at: int = 0

    def covers(self, record: Record, now: int) -> bool:
        """Whether what stands is no worse than what was seen, and the word still holds."""
        return self.episode == record.episode and record.level <= self.level and now < self.until
