"""Which calls travel together: pure functions from requests to batches, one `eth_call` each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from watcher.chain.multicall import answer_size, calldata_size
from watcher.reads.call import Bundle, Call, Request, Returned

Carried: TypeAlias = Call[Any] | Bundle
"""What an `eth_call` carries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one batch may hold. `gas` is a sum of the calls' guesses, `calldata` and `answer` in bytes.

    400 KB is below every request limit that we know of, once in hex (Chainstack: 1 MB). The answer is kept below the
    100,000 bytes that Bor refuses to exceed, with room for strings and lists that are longer than guessed.
    """

    gas: int
    calls: int = 500
    calldata: int = 400_000
    answer: int = 90_000


@dataclass(frozen=True, slots=True)
class Batch:
    """Requests that share an `eth_call`. A bundle is always alone in its batch."""

    requests: tuple[Carried, ...]

    @property
    def calls(self) -> tuple[Call[Any], ...]:
        """The sub-calls, in the order of the envelope."""
        return tuple(call for request in self.requests for call in calls_of(request))

    @property
    def gas(self) -> int:
        """Guessed."""
        return sum(request.gas for request in self.requests)

    def halves(self) -> tuple[Batch, Batch] | None:
        """Two smaller batches, or None where there is nothing to divide."""
        middle = len(self.requests) // 2
        return (Batch(self.requests[:middle]), Batch(self.requests[middle:])) if middle else None

    def deal(self, results: Sequence[Returned]) -> dict[Request, tuple[Returned, ...]]:
        """Each request with its own part of the results."""
        dealt: dict[Request, tuple[Returned, ...]] = {}
        start = 0
        for request in self.requests:
            end = start + len(calls_of(request))
            dealt[request] = tuple(results[start:end])
            start = end
        return dealt


def calls_of(request: Carried) -> tuple[Call[Any], ...]:
    """The calls of a request, in order."""
    return request.calls if isinstance(request, Bundle) else (request,)


def pack(requests: Iterable[Carried], limits: Limits, alone: Collection[Request] = ()) -> list[Batch]:
    """As few batches as the limits allow, keeping the order.

    Bundles, isolated calls and those in `alone` get a batch each. A call that is over a limit by itself is sent all
    the same: the node will say.
    """
    batches: list[Batch] = []
    open_batch: list[Carried] = []
    gas = calldata = answer = 0
    for request in requests:
        if isinstance(request, Bundle) or request.isolated or request in alone:
            batches.append(Batch((request,)))
            continue
        size, told = calldata_size(len(request.data)), answer_size(len(request.outputs))
        full = len(open_batch) >= limits.calls or gas + request.gas > limits.gas
        long = calldata + size > limits.calldata or answer + told > limits.answer
        if open_batch and (full or long):
            batches.append(Batch(tuple(open_batch)))
            open_batch, gas, calldata, answer = [], 0, 0, 0
        open_batch.append(request)
        gas += request.gas
        calldata += size
        answer += told
    return [*batches, Batch(tuple(open_batch))] if open_batch else batches
