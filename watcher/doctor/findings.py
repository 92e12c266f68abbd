"""What was found, and how bad it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from watcher.chain import ChainSpec
from watcher.chain.probe import Probe
from watcher.domain.source import Block


class Grade(IntEnum):
    """The worst decides the exit code: `WRONG` loses alerts, `WARNING` may come to; a `NOTE` is only good to know."""

    WELL = 0
    NOTE = 1
    WARNING = 2
    WRONG = 3

    @property
    def sign(self) -> str:
        return "✓·!✗"[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at. `words`: how it is, and what to do where that is not well. Nothing secret is in them."""

    part: str
    grade: Grade
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointFinding:
    """One endpoint. `lag`: blocks below the highest that an endpoint of the chain showed, of those to be believed."""

    probe: Probe
    grade: Grade
    words: str
    lag: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainFinding:
    """One chain: its endpoints in the order of the configuration, and what they amount to. `best`: its newest block."""

    spec: ChainSpec
    endpoints: tuple[EndpointFinding, ...]
    grade: Grade
    words: str
    best: Block | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Everything found. `examined_at` is our wall clock when the endpoints had answered, in Unix seconds."""

    examined_at: int
    chains: tuple[ChainFinding, ...]
    findings: tuple[Finding, ...]

    @property
    def grades(self) -> Iterator[Grade]:
        """Of chains and all else. An endpoint whose chain can do without it is no more than a warning of its chain."""
        yield from (one.grade for one in self.chains)
        yield from (one.grade for one in self.findings)

    @property
    def exit_code(self) -> int:
        """0 well, 1 a warning, 2 something that loses alerts."""
        return max(0, max(self.grades, default=Grade.WELL) - Grade.NOTE)
