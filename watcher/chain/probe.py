"""One endpoint examined by itself: whom it serves, how far it is, how quick, and what it can do.

For a person who wants to know, not for the watch: nothing found here decides how an endpoint is used. Each question is
asked once, and one that brings no answer leaves its own line unknown, never the others.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

import aiohttp

from watcher.chain.carrier import Carrier
from watcher.chain.endpoint import IN_FLIGHT
from watcher.chain.errors import BatchTooLarge, BlockUnavailable, ExecutionFailed, RequestRefused, TimedOut
from watcher.chain.hexadecimal import CHAIN_IDS_BELOW, block_header, data_bytes, quantity
from watcher.chain.multicall import CURRENT_BLOCK_TIMESTAMP, WORD
from watcher.chain.report import wire_of
from watcher.chain.spec import ChainSpec, EndpointSpec
from watcher.chain.stream import Stream
from watcher.chain.transport import Transport
from watcher.chain.wire import Timeouts
from watcher.chain.wires import wire_to
from watcher.domain.errors import EndpointError, NotDecodable
from watcher.domain.source import Block

WITHIN: Final = 12.0
"""Seconds for all the questions to one endpoint; what is not answered by then is not known."""
TIMEOUTS: Final = Timeouts(connect=4.0, total=6.0)
DEPTHS: Final = (128, 10_000)
"""Blocks below the head at which state is asked for: what every full node keeps, and what only an archive does."""
_HEADERS: Final = 3  # asked one after the other, for the usual time to an answer
_CALLS: Final = (500, 250, 125, 60, 30, 8)
"""How many calls one batch holds at most, as they are packed, and what to try after a refusal."""

_TIME: Final = f"0x{CURRENT_BLOCK_TIMESTAMP.hex()}"
_RETURN_GAS: Final = "0x5a60005260206000f3"  # GAS, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What one endpoint showed. None is always "not known"; times are seconds.

    `problem`: why nothing can be known of it. `known_block`: has the block that only our chain has. `latency`: the time
    that a header usually takes. `ahead`: by how much its HTTP clock is ahead of ours, to a second. `by_hash`: takes a
    block by its hash (EIP-1898). `carriers`: in which ways many calls come through as one. `gas`: what one call may
    spend. `calls`: the largest batch that came through, of at most 500. `state`: whether state is there, by how many
    blocks ago. `subscribes`: tells of new heads, where it is a connection that can. `unsure`: what kept a question from
    its answer.
    """

    endpoint: str
    wire: str
    problem: str = ""
    chain_id: int | None = None
    known_block: bool | None = None
    head: Block | None = None
    latency: float | None = None
    ahead: float | None = None
    by_hash: bool | None = None
    carriers: Mapping[Carrier, bool] = field(default_factory=dict)
    gas: int | None = None
    calls: int | None = None
    state: Mapping[int, bool] = field(default_factory=dict)
    subscribes: bool | None = None
    unsure: str = ""


async def probe(
    chain: ChainSpec,
    endpoint: EndpointSpec,
    session: aiohttp.ClientSession,
    *,
    within: float = WITHIN,
    timeouts: Timeouts = TIMEOUTS,
    clock: Callable[[], float] = time.monotonic,
    wall_clock: Callable[[], float] = time.time,
) -> Probe:
    """Ask it everything, in `within` seconds at most. Raises nothing that an endpoint can cause."""
    wire = wire_to(endpoint, session, timeouts=timeouts, clock=clock, wall_clock=wall_clock)
    examination = _Examination(chain, wire, clock)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await examination.run()
    finally:
        await wire.close()
    found = examination.found
    if not found:
        found["problem"] = f"no answer within {within:g} s"
    return Probe(endpoint=endpoint.name, wire=wire_of(endpoint), **found)


class _Examination:
    """`found` holds the fields of the `Probe` as far as they are known."""

    def __init__(self, chain: ChainSpec, wire: Stream | Transport, clock: Callable[[], float]) -> None:
        self.found: dict[str, Any] = {}
        self._chain = chain
        self._wire = wire
        self._clock = clock
        self._in_flight = asyncio.Semaphore(IN_FLIGHT)

    async def run(self) -> None:
        try:
            self.found["chain_id"] = quantity(await self._ask("eth_chainId"), "the chain id", below=CHAIN_IDS_BELOW)
            if self.found["chain_id"] != self._chain.id:
                return  # whatever it can do, it is of no use to us
            head = await self._head()
        except (EndpointError, ExecutionFailed, NotDecodable) as problem:
            self.found["problem"] = _told(problem)
            return
        if isinstance(self._wire, Transport):
            self.found["ahead"] = self._wire.ahead
        questions = [self._knows_block(), self._pins(head), self._carries(head), self._spends(head)]
        questions += [self._keeps_state(head, depth) for depth in DEPTHS]
        if isinstance(self._wire, Stream):
            questions.append(self._subscribes(self._wire))
        self.found |= {"state": {}, "carriers": {}}
        await asyncio.gather(*map(self._tried, questions))

    async def _tried(self, question: Coroutine[Any, Any, None]) -> None:
        try:
            await question
        except (EndpointError, ExecutionFailed, NotDecodable) as problem:
            self.found.setdefault("unsure", _told(problem))

    async def _ask(self, method: str, *params: Any) -> Any:
        async with self._in_flight:
            await self._wire.turn()
            return await self._wire.ask(method, list(params))

    async def _head(self) -> Block:
        """The newest block; asked for more than once, for the usual time of an answer."""
        times = []
        for _ in range(_HEADERS):
            began = self._clock()
            head = block_header(await self._ask("eth_getBlockByNumber", "latest", False), self._chain.name)
            times.append(self._clock() - began)
            self.found |= {"head": head, "latency": median(times)}
        return head

    async def _knows_block(self) -> None:
        known = self._chain.known
        if known is not None:
            result = await self._ask("eth_getBlockByNumber", hex(known.number), False)
            self.found["known_block"] = None if result is None else known.is_(block_header(result, self._chain.name))

    async def _pins(self, head: Block) -> None:
        at = {"blockHash": head.hash, "requireCanonical": True}
        try:
            await self._ask("eth_call", {"to": self._chain.multicall3, "data": _TIME}, at)
        except RequestRefused:
            self.found["by_hash"] = False
        else:
            self.found["by_hash"] = True

    async def _carries(self, head: Block) -> None:
        """In which ways calls come through together, and how many through the first of them."""
        for carrier in Carrier:
            self.found["carriers"][carrier] = await self._comes_through(carrier, 1, head)
        first = next((carrier for carrier, comes in self.found["carriers"].items() if comes), None)
        if first is None:
            return
        for count in _CALLS:
            with suppress(BatchTooLarge, TimedOut):
                if await self._comes_through(first, count, head):
                    self.found["calls"] = count
                    return

    async def _comes_through(self, carrier: Carrier, count: int, head: Block) -> bool:
        """Whether so many calls come back whole, from our chain and that block."""
        transaction, rest = carrier.params(self._chain, [(self._chain.multicall3, CURRENT_BLOCK_TIMESTAMP)] * count)
        try:
            raw = data_bytes(await self._ask("eth_call", transaction, hex(head.number), *rest), "the result")
            said = carrier.opened(raw, count)
        except (RequestRefused, ExecutionFailed, NotDecodable):
            return False
        return (said.time, said.chain) == (head.timestamp, self._chain.id)

    async def _spends(self, head: Block) -> None:
        with suppress(RequestRefused, ExecutionFailed):
            raw = data_bytes(await self._ask("eth_call", {"data": _RETURN_GAS}, hex(head.number)), "the result")
            self.found["gas"] = int.from_bytes(raw, "big") if len(raw) == WORD else None

    async def _keeps_state(self, head: Block, depth: int) -> None:
        if head.number < depth:
            return
        try:
            await self._ask("eth_getBalance", self._chain.multicall3, hex(head.number - depth))
        except BlockUnavailable:
            self.found["state"][depth] = False
        else:
            self.found["state"][depth] = True

    async def _subscribes(self, stream: Stream) -> None:
        connection = await stream.connect(notices=True)
        try:
            await connection.ask("eth_subscribe", ["newHeads"], within=stream.timeouts.total)
        except (RequestRefused, ExecutionFailed):
            self.found["subscribes"] = False
        else:
            self.found["subscribes"] = True
        finally:
            await connection.close()


def _told(problem: EndpointError | ExecutionFailed | NotDecodable) -> str:
    return str(problem) if isinstance(problem, NotDecodable) else problem.problem
