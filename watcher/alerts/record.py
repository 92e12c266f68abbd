"""What the policy remembers about each condition between evaluations, and so what the database keeps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from watcher.alerts.message import Level
from watcher.domain.source import Address


class Rule(StrEnum):
    """The conditions we watch, and `EVENT`: what has happened, told once, that nothing is remembered of."""

    HEALTH = "health"
    DISTANCE = "distance"
    DROP = "drop"
    EVENT = "event"
    STALE = "stale"
    SUSPECT = "suspect"
    UNKNOWN_AGE = "unknown_age"
    SEQUENCER = "sequencer"
    UNREADABLE = "unreadable"
    BLIND = "blind"


OF_POSITIONS: Final = frozenset({Rule.HEALTH, Rule.UNREADABLE, Rule.DISTANCE, Rule.DROP, Rule.UNKNOWN_AGE})
"""The rules whose subject is a position."""

SHARED_PRICES: Final = frozenset({Rule.STALE, Rule.SUSPECT})
"""The rules whose subject is a price that several positions may share: `chain:source`, and the check where it has a
rule of its own for each."""


@dataclass(frozen=True, slots=True)
class Key:
    """One condition: a rule about a subject (a position, a feed, a chain)."""

    rule: Rule
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Where one condition stands.

    `episode` counts the departures from OK: it names an alert from its first message to its all-clear.
    `since` is when this level was entered, `spoken_at` when a message about it was last written (Unix seconds),
    `fired_block` the block whose snapshot raised it, `calm` how many confirmed good reads in a row have been seen.
    `told` are the positions that have been told of, where several share the condition.
    """

    key: Key
    level: Level = Level.OK
    episode: int = 0
    since: int = 0
    spoken_at: int = 0
    fired_block: int = 0
    calm: int = 0
    told: tuple[str, ...] = ()

    @property
    def wallets(self) -> tuple[Address, ...]:
        """Whose positions have been told of."""
        return tuple(dict.fromkeys(wallet_of(name) for name in self.told))


def wallet_of(position: str) -> Address:
    """The wallet in a position's name."""
    return Address(position.split("/")[1])
