"""How each endpoint has been doing, frozen: for the chat, `watcher doctor`, and whoever counts.

A report is made when somebody asks; nothing here is kept, and nothing in it is a secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from watcher.chain.carrier import Carrier
from watcher.chain.condition import Condition
from watcher.chain.endpoint import Endpoint
from watcher.chain.spec import EndpointSpec
from watcher.domain.source import Block

_WIRES: Final = {"https": "http", "http": "http", "wss": "ws", "ws": "ws"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointReport:
    """One endpoint since the start. Times are in seconds.

    `wire`: "http", "ws" or "ipc". `requests` counts what was sent, `answered` what came back, `errors` what did
    not, by kind. `p50` and `p99` are times to the last answers. `head` is the newest block that it has shown, and
    `head_age` the age of that by the wall clock. `lag`: how much later than the quickest it shows blocks; they are not
    asked at one moment, so less than a block's time says nothing. `resting`: what is left of a wait that it asked for.
    `broken`: too much in a row has failed. `behind`: its head was found too old, or too low. `failed_lately`: within a
    minute. `pins_by_hash`: takes a block by its hash (EIP-1898), and `carrier`: how calls come through together, as far
    as is known. `problem` is the last there was.
    """

    name: str
    wire: str
    requests: int = 0
    answered: int = 0
    errors: Mapping[str, int]
    p50: float | None = None
    p99: float | None = None
    head: Block | None = None
    head_age: float | None = None
    lag: float | None = None
    resting: float = 0.0
    broken: bool = False
    behind: bool = False
    failed_lately: bool = False
    pins_by_hash: bool = True
    carrier: Carrier = Carrier.MULTICALL3
    problem: str = ""
    problem_age: float | None = None

    @property
    def trouble(self) -> str:
        """Why others are asked before it, in words; empty where nothing speaks against it."""
        if self.resting > 0:
            return f"asked us to wait, {self.resting:.0f} s of that are left; {self.problem}"
        if self.broken:
            return f"failed several times in a row; {self.problem}"
        if self.behind:
            return "its newest block is behind"
        return self.problem if self.failed_lately else ""


def wire_of(spec: EndpointSpec) -> str:
    """What carries our requests there: "http", "ws" or "ipc"."""
    return _WIRES.get(spec.url.partition("://")[0].lower(), "ipc")


def reports_of(endpoints: Sequence[Endpoint], now: float, wall: float) -> tuple[EndpointReport, ...]:
    """In the order given. `now` is monotonic seconds, `wall` Unix seconds."""
    leads = [lead for one in endpoints if (lead := _lead(one.condition)) is not None]
    return tuple(_report(one, max(leads, default=0.0), now, wall) for one in endpoints)


def _lead(condition: Condition) -> float | None:
    """The time of its newest block, less the moment when it showed that: the greater, the better informed it is."""
    return None if condition.head is None else condition.head.timestamp - condition.head_at


def _report(endpoint: Endpoint, best: float, now: float, wall: float) -> EndpointReport:
    condition, head, lead = endpoint.condition, endpoint.condition.head, _lead(endpoint.condition)
    return EndpointReport(
        name=endpoint.spec.name,
        wire=wire_of(endpoint.spec),
        requests=endpoint.requests,
        answered=condition.answered,
        errors=dict(condition.errors),
        p50=_percentile(condition, 50),
        p99=_percentile(condition, 99),
        head=head,
        head_age=None if head is None else wall - head.timestamp,
        lag=None if lead is None else best - lead,
        resting=condition.rest(now),
        broken=condition.broken(now),
        behind=condition.behind(now),
        failed_lately=condition.failed_lately(now),
        pins_by_hash=endpoint.learned.pins_by_hash,
        carrier=endpoint.learned.carrier,
        problem=condition.last_problem,
        problem_age=None if condition.failed_at is None else now - condition.failed_at,
    )


def _percentile(condition: Condition, per_cent: int) -> float | None:
    """By the nearest rank: a time that some answer did take."""
    times = sorted(condition.latencies)
    return times[-(-per_cent * len(times) // 100) - 1] if times else None
