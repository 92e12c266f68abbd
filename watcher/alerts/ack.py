"""That somebody has seen an alert, and takes care of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from watcher.alerts.message import Level
from watcher.alerts.record import Key, Record

KEPT: Final = 86_400
"""Seconds for which a word that has run out is remembered: the wait for the second way to people begins at its end."""


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
        return self._is_about(record) and now < self.until

    def wakes(self, record: Record, now: int) -> bool:
        """Whether what stands was to be told again by now, and has not been."""
        return self.snooze and self._is_about(record) and record.spoken_at < self.until <= now

    def ran_out(self, record: Record, now: int) -> bool:
        """Whether what stands was covered once, and is no more."""
        return self._is_about(record) and self.until <= now

    def is_of_the_past(self, record: Record) -> bool:
        """Whether the episode that was seen is over."""
        return record.level is Level.OK or record.episode != self.episode

    def is_spent(self, record: Record | None, now: int) -> bool:
        """Whether it can have no effect any more on what is said of the condition."""
        if record is None or self.is_of_the_past(record):
            return True
        return self.until + KEPT <= now and not self.wakes(record, now)

    def _is_about(self, record: Record) -> bool:
        return self.episode == record.episode and Level.OK < record.level <= self.level
