"""What the policy remembers, in memory as in the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from watcher.alerts.ack import Acknowledgement
from watcher.alerts.mute import Mute
from watcher.alerts.record import Key, Record


@dataclass(slots=True)
class Memory:
    """Where every condition stands, what people said to have seen, and what chats do not want to hear.

    Changed only after a commit.
    """

    records: dict[Key, Record]
    acks: dict[Key, Acknowledgement] = field(default_factory=dict)
    mutes: tuple[Mute, ...] = ()

    def standing(self, concerns: Callable[[Key], bool]) -> list[Key]:
        return [key for key, record in self.records.items() if record.level and concerns(key)]

    def spent(self, now: int) -> list[Acknowledgement]:
        """The acknowledgements that can have no effect any more."""
        return [ack for ack in self.acks.values() if ack.is_spent(self.records.get(ack.key), now)]

    def remember(self, records: Iterable[Record]) -> None:
        """What was decided. An acknowledgement goes with its episode."""
        for record in records:
            self.records[record.key] = record
            ack = self.acks.get(record.key)
            if ack is not None and ack.is_of_the_past(record):
                del self.acks[record.key]
