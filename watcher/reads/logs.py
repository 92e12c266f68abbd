"""Logs as they are searched for: who emits them, by which topics, and what each tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from eth_utils.crypto import keccak

from watcher.domain.source import Address

Topics = tuple[tuple[bytes, ...] | None, ...]
"""By place: the topics of which any will do; None where anything does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """One log as a node gives it. `topics` are words of 32 bytes."""

    address: Address
    topics: tuple[bytes, ...]
    data: bytes
    block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Logs that tell where an owner holds something: of these contracts, by these topics, from block `since` on.

    `key` makes of a log what `discover` is told: the name of a market, a vault, a token. Raises `NotDecodable` on a log
    that is not of the form that it must have.
    """

    emitters: tuple[Address, ...]
    topics: Topics
    since: int
    key: Callable[[Log], str] = field(compare=False)

    def __post_init__(self) -> None:
        if not self.emitters:
            raise ValueError("a search names the contracts whose logs it is about")

    @property
    def mark(self) -> str:
        """A name by which another search is told from this one: the same logs have the same."""
        topics = ("*" if any_of is None else ",".join(sorted(one.hex() for one in any_of)) for any_of in self.topics)
        parts = [",".join(sorted(self.emitters)), ";".join(topics), str(self.since)]
        return keccak(text="|".join(parts))[:16].hex()

    def matches(self, log: Log) -> bool:
        """Whether it is one of these logs, by its emitter and its topics."""
        return (
            log.address in self.emitters
            and len(log.topics) >= len(self.topics)
            and all(any_of is None or topic in any_of for any_of, topic in zip(self.topics, log.topics, strict=False))
        )


def padded(address: Address) -> bytes:
    """An address as a topic."""
    return bytes(12) + bytes.fromhex(address[2:])
