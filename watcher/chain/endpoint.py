"""One endpoint as we have come to know it: admitted or not, resting or not, and what it can do."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from watcher.chain.carrier import Carrier
from watcher.chain.condition import Asked, Condition
from watcher.chain.errors import BatchTooLarge, BlockUnavailable, ExecutionFailed, RequestRefused, TimedOut
from watcher.chain.hexadecimal import CHAIN_IDS_BELOW, block_header, quantity
from watcher.chain.span import Span
from watcher.chain.spec import ChainSpec, EndpointSpec, KnownBlock
from watcher.chain.wire import Wire
from watcher.domain.errors import EndpointError, NotDecodable
from watcher.domain.source import Block
from watcher.reads.call import Request

ADMITTED_FOR = 180.0
"""Seconds until the chain id is asked for again: a load balancer may come to point elsewhere."""

LEARNED_FOR = 1800.0
"""Seconds until limits are found out anew: a node may have had a bad hour, or been upgraded since."""

IN_FLIGHT = 4
"""Requests at a time. Public endpoints count bursts."""


@dataclass(slots=True)
class Learned:
    """What an endpoint turned out to take and to do."""

    since: float
    gas: int | None = None
    """The largest batch that worked while a larger one did not, in guessed gas."""
    pins_by_hash: bool = True
    """Understands a block named by its hash (EIP-1898)."""
    carrier: Carrier = Carrier.MULTICALL3
    """How calls reach their targets here."""
    alone: set[Request] = field(default_factory=set)
    """Ran out of gas with nobody else in the batch: kept apart, for the sake of the others."""
    silent: set[Request] = field(default_factory=set)
    """Failed without a word among a few as well as among many: no neighbour took their gas."""

    span: Span = field(default_factory=Span)
    """How many blocks of logs it gives at once."""

    def at_most(self, gas: int) -> None:
        """Pack batches no larger than this from now on."""
        self.gas = gas if self.gas is None else min(self.gas, gas)


class Endpoint:
    """An endpoint of one chain. Nothing but the chain id is asked of it before that has been right."""

    def __init__(
        self, chain: ChainSpec, spec: EndpointSpec, wire: Wire, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.spec = spec
        self.condition = Condition()
        self.usual: deque[float] = deque(maxlen=20)
        """Seconds that whole attempts took."""
        self.seen: KnownBlock | None = None
        """A block that was confirmed elsewhere: what does not have it is not of our chain, or far behind."""
        self._chain = chain
        self._wire = wire
        self._clock = clock
        self._admitted_at: float | None = None
        self._admitting = asyncio.Lock()
        self._in_flight = asyncio.Semaphore(IN_FLIGHT)
        self.aside = Condition()
        """How it has been doing with what is asked beside the looks, which is nobody else's concern."""
        self.reaches = -1
        """A block that it has shown when it was asked for logs."""
        self._aside_in_flight = asyncio.Semaphore(1)
        self._learned = Learned(clock())

    @property
    def requests(self) -> int:
        """Requests sent so far."""
        return self._wire.requests

    @property
    def learned(self) -> Learned:
        """What we know of its limits, forgotten after `LEARNED_FOR`."""
        if self._clock() - self._learned.since > LEARNED_FOR:
            self._learned = Learned(self._clock())
        return self._learned

    async def ask(self, method: str, params: list[Any]) -> Any:
        """The `result` from an endpoint known to be of our chain. Raises as `Wire.ask` does."""
        await self._admit()
        return await self._ask(method, params)

    async def ask_aside(self, method: str, params: list[Any]) -> Any:
        """As `ask`, of what is in no hurry: one at a time, in no look's place, and no look's order of endpoints is
        changed by how it goes. Whoever was asked to wait waits with this too."""
        await self._admit()
        async with self._aside_in_flight:
            self._must_not_rest(self.condition)
            return await self._sent(method, params, self.aside)

    async def chain_id(self) -> int:
        """The chain that the endpoint says it serves, right or wrong."""
        answered = await self._ask("eth_chainId", [])
        try:
            return quantity(answered, "the chain id", below=CHAIN_IDS_BELOW)
        except NotDecodable as problem:
            raise self.fault(str(problem)) from problem

    def fault(self, problem: str) -> EndpointError:
        """The error for an answer that cannot be right; remembers that there was one.

        Its head is no measure for others after that.
        """
        self.condition.head = None
        return self._remember(EndpointError(self.spec.name, problem), "wrong answer")

    def fault_aside(self, problem: str) -> EndpointError:
        """The error for an answer to what was asked aside that cannot be right."""
        failure = EndpointError(self.spec.name, problem)
        self.aside.failure("wrong answer", problem, self._clock())
        return failure

    def behind(self, problem: str) -> EndpointError:
        """The error for a head that is behind what is known; others come first until it has caught up."""
        self.condition.is_behind(self._clock())
        return EndpointError(self.spec.name, problem)

    def late(self) -> None:
        """Another that was asked after it was done before it: others come first for a while."""
        self.condition.failure("late", "another endpoint, asked later, was done earlier", self._clock())

    def shows(self, head: Block) -> None:
        """Its newest block, found to be believable."""
        self.condition.shows(head, self._clock())

    async def _admit(self) -> None:
        async with self._admitting:
            if self._admitted_at is not None and self._clock() - self._admitted_at < ADMITTED_FOR:
                return
            answered = await self.chain_id()
            if answered != self._chain.id:
                raise self.fault(
                    f"serves chain {answered}, not {self._chain.id} ({self._chain.title}); not used. Check its URL"
                )
            for block in filter(None, (self._chain.known, self.seen)):
                await self._must_have(block)
            self._admitted_at = self._clock()

    async def _must_have(self, block: KnownBlock) -> None:
        """Another block in its place is another chain. One that it cannot show proves nothing: nodes forget."""
        result = await self._ask("eth_getBlockByNumber", [hex(block.number), False])
        if result is None:
            return
        try:
            found = block_header(result, self._chain.name)
        except NotDecodable as problem:
            raise self.fault(f"eth_getBlockByNumber: {problem}") from problem
        if not block.is_(found):
            raise self.fault(
                f"is not on our chain {self._chain.title}: its block {found.number} is {found.hash[:10]}…, where"
                f" {block.number} has to be {block.hash[:10]}…; not used. Check its URL"
            )

    async def _ask(self, method: str, params: list[Any]) -> Any:
        async with self._in_flight:
            return await self._sent(method, params, self.condition)

    async def _sent(self, method: str, params: list[Any], condition: Condition) -> Any:
        """Asks, and remembers in `condition` how that went."""
        self._must_not_rest(condition)
        await self._wire.turn()
        began, asked = self._clock(), Asked.by(method)
        try:
            result = await self._wire.ask(method, params)
        except (BatchTooLarge, RequestRefused) as refusal:
            condition.answer(self._clock() - began, asked)
            if refusal.retry_after is not None:
                self._remember(refusal, "limited", asked, condition)
            raise  # these say how to ask, not that it fails
        except EndpointError as failure:
            self._remember(failure, _kind(failure), asked, condition)
            raise
        except ExecutionFailed:
            condition.answer(self._clock() - began, asked)
            raise
        condition.answer(self._clock() - began, asked)
        return result

    def _must_not_rest(self, condition: Condition) -> None:
        if (left := condition.rest(self._clock())) > 0:
            raise EndpointError(self.spec.name, f"asked us to wait; {left:.0f} s of that are left", retry_after=left)

    def _remember(
        self, failure: EndpointError, kind: str, asked: Asked = Asked.HEAD, condition: Condition | None = None
    ) -> EndpointError:
        (condition or self.condition).failure(kind, failure.problem, self._clock(), failure.retry_after, asked)
        if condition is not self.aside:
            self._admitted_at = None
        return failure


def _kind(failure: EndpointError) -> str:
    """The kind of a failure, as it is counted."""
    match failure:
        case TimedOut():
            return "timeout"
        case BlockUnavailable():
            return "no block"
    return "limited" if failure.retry_after is not None or "limits our requests" in failure.problem else "error"
