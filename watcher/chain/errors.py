"""What can go wrong between us and an endpoint, as far as the reader acts on the difference."""

# ruff: noqa: N818 - they are named for what happened, and caught by those names
from __future__ import annotations

from collections.abc import Sequence

from watcher.domain.errors import EndpointError, WatcherError


class BatchTooLarge(EndpointError):
    """More than the endpoint does in one request: fewer calls at a time may work.

    `out_of_gas` tells that the node did execute and the gas ended, which is a fact about the calls; without it the
    limit is the endpoint's own, in bytes or in time.
    """

    def __init__(
        self, endpoint: str, problem: str, *, out_of_gas: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(endpoint, problem, retry_after=retry_after)
        self.out_of_gas = out_of_gas


class BlockUnavailable(EndpointError):
    """The endpoint does not have the block, or no longer its state. Another one may."""


class AnswerTooLong(EndpointError):
    """An answer of more than we take. Asked for less, the endpoint may be as good as any."""


class LimitExceeded(EndpointError):
    """Error -32005: too many requests, or too much in one; endpoints use it for either."""


class TimedOut(EndpointError):
    """Connected, but no complete answer in the time that we give. Nobody home, or too much asked."""


class RequestRefused(EndpointError):
    """The endpoint does not understand the request, such as a block named by its hash (EIP-1898)."""


class ExecutionFailed(WatcherError):
    """The node ran the call, and this is its word about it: no fault of the endpoint's."""

    def __init__(self, endpoint: str, code: int, problem: str, data: bytes) -> None:
        super().__init__(f"{endpoint}: {problem}")
        self.code = code
        self.problem = problem
        self.data = data


class Disagreement(EndpointError):
    """Two endpoints say different things of one block: one of them is wrong, and nothing tells which."""

    def __init__(self, one: str, other: str, difference: str) -> None:
        super().__init__(f"{one} and {other}", f"do not agree: {difference}")


class NoEndpoint(EndpointError):
    """Every endpoint of a chain failed; `failures` says how each did."""

    def __init__(self, chain: str, failures: Sequence[EndpointError]) -> None:
        told = "; ".join(dict.fromkeys(map(str, failures))) or "none is configured"
        waits = [failure.retry_after for failure in failures if failure.retry_after is not None]
        super().__init__(chain, f"no endpoint answered ({told})", retry_after=min(waits, default=None))
        self.failures = tuple(failures)
