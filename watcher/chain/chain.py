"""A chain through its endpoints: pin a block at one of them, read there, and go to the next when it fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from math import ceil
from statistics import median
from types import TracebackType
from typing import Self, TypeVar

import aiohttp

from watcher.chain.agreement import agree
from watcher.chain.condition import Condition, newest, ranked
from watcher.chain.endpoint import Endpoint
from watcher.chain.errors import NoEndpoint
from watcher.chain.hints import Hints
from watcher.chain.logs import Stretch, in_order, newest_logs
from watcher.chain.pinned import Pinned, read_block
from watcher.chain.race import Race
from watcher.chain.report import EndpointReport, reports_of
from watcher.chain.spec import ChainSpec, EndpointSpec, KnownBlock
from watcher.chain.stream import Stream
from watcher.chain.transport import open_session
from watcher.chain.wire import Timeouts, Wire
from watcher.chain.wires import wire_to
from watcher.domain.errors import ConfigError, EndpointError
from watcher.domain.source import Address, Block
from watcher.reads.logs import Search

T = TypeVar("T")


class Chain:
    """`async with Chain(spec) as chain:` and then `await chain.first(work)`, or `pin` and `read` by hand.

    A `session` that is passed in is used and left open. `clock` is monotonic, `wall_clock` in Unix seconds.
    """

    def __init__(
        self,
        spec: ChainSpec,
        session: aiohttp.ClientSession | None = None,
        *,
        timeouts: Timeouts | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        names = [endpoint.name for endpoint in spec.endpoints]
        if len(set(names)) != len(names):
            raise ConfigError(f"{spec.name}: two endpoints of one name among {', '.join(names)}; give each its own")
        self.spec = spec
        self._session = session
        self._owned: aiohttp.ClientSession | None = None
        self._timeouts = timeouts
        self._clock = clock
        self._wall_clock = wall_clock
        self._endpoints: dict[str, Endpoint] = {}
        self._wires: dict[str, Wire] = {}
        self._asides: set[asyncio.Task[None]] = set()
        self._compared_at = clock()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Make ready to ask. Asks nothing yet: a daemon starts without a network too."""
        session = self._session or self._owned
        if session is None:
            session = self._owned = open_session()
        for spec in self.spec.endpoints:
            wire = self._wires[spec.name] = wire_to(
                spec, session, timeouts=self._timeouts, clock=self._clock, wall_clock=self._wall_clock
            )
            self._endpoints[spec.name] = Endpoint(self.spec, spec, wire, self._clock)

    async def close(self) -> None:
        """Close the connections, if they are ours."""
        for task in list(self._asides):
            task.cancel()
        await asyncio.gather(*self._asides, return_exceptions=True)
        for wire in self._wires.values():
            await wire.close()
        if self._owned is not None:
            await self._owned.close()
            self._owned = None

    def on_head(self, look: Callable[[], None]) -> None:
        """Call `look` from now on whenever an endpoint that can tell of heads by itself tells of one.

        A hint and nothing else: it may never come, or for nothing. Where no endpoint can, it never does.
        """
        silence = max(_SILENCE, float(_BLOCKS_OF_SILENCE * self.spec.block_time))
        for name, wire in self._wires.items():
            if isinstance(wire, Stream):
                hints = Hints(wire, look, silence=silence)
                self._aside(hints.run(), f"heads of {name}")

    @property
    def endpoints(self) -> tuple[EndpointSpec, ...]:
        """In the order in which to try them: see `condition`."""
        return tuple(endpoint.spec for endpoint in self._ranked())

    @property
    def conditions(self) -> dict[str, Condition]:
        """How each endpoint has been doing, by its name."""
        return {name: endpoint.condition for name, endpoint in self._endpoints.items()}

    def reports(self) -> tuple[EndpointReport, ...]:
        """How each endpoint has been doing, in the order in which to try them."""
        return reports_of(self._ranked(), self._clock(), self._wall_clock())

    def confirmed(self, block: Block) -> None:
        """A block that is ours for good: endpoints that have another in its place are not believed from now on."""
        for endpoint in self._endpoints.values():
            endpoint.seen = KnownBlock(number=block.number, hash=block.hash)

    @property
    def requests(self) -> dict[str, int]:
        """Requests sent so far, by endpoint name."""
        return {name: endpoint.requests for name, endpoint in self._endpoints.items()}

    async def pin(self, endpoint: EndpointSpec) -> Pinned:
        """The latest block of one endpoint, to read at. Raises `EndpointError`, also for a head not to be believed."""
        asked = self._endpoints[endpoint.name]
        return Pinned(self.spec, asked, await self._head(asked))

    async def first(self, work: Callable[[Pinned], Awaitable[T]], *, within: float = 30.0) -> T:
        """Do `work` at one endpoint, whole; where it fails, start again from a new pin at the next.

        Where an attempt is late, another begins beside it, at another endpoint: `work` has to bear that. The first
        that is whole counts, and nothing of the others is kept. Raises `NoEndpoint`, which tells every failure, and
        `Disagreement`; any other error of `work` ends it.
        """

        async def attempt(endpoint: Endpoint) -> T:
            began = self._clock()
            pinned = await self.pin(endpoint.spec)
            done = await work(pinned)
            if self.spec.agreement > 1:
                await agree(pinned, [one for one in self._ranked() if one is not endpoint], self.spec)
            endpoint.usual.append(self._clock() - began)
            return done

        self._compare_heads()
        return await self._first(attempt, within)

    async def block_hash(self, number: int, *, within: float = 30.0) -> str | None:
        """The canonical hash at a height at the first endpoint that answers; None above its head.

        To compare with a snapshot, ask the `Pinned` that the comparison is made at: endpoints differ near the head.
        """

        async def attempt(endpoint: Endpoint) -> str | None:
            block = await read_block(endpoint, self.spec, number)
            return None if block is None else block.hash

        return await self._first(attempt, within)

    async def code_at(self, address: Address, *, within: float = 30.0) -> bytes:
        """The code that lives at an address now; empty where none does."""
        from watcher.chain.provider import read_code  # imports web3, which takes longer than all the rest of a start

        return await self._first(lambda endpoint: read_code(endpoint, address), within)

    async def logs(self, search: Search, first: int, last: int, *, within: float = 60.0) -> Stretch:
        """The logs of the newest part of a range, as much of it as an endpoint gives in one answer.

        In no hurry: endpoints are asked one after the other, and no look waits for it. `last` has to be a block that
        will not be taken back. Raises `NoEndpoint`, which tells every failure.
        """
        failures: list[EndpointError] = []
        try:
            async with asyncio.timeout(within):
                for endpoint in in_order(list(self._endpoints.values()), self._clock()):
                    try:
                        return await newest_logs(endpoint, self.spec, search, first, last)
                    except EndpointError as failure:
                        failures.append(failure)
        except TimeoutError:
            failures.append(EndpointError(self.spec.name, f"no logs within {within:g} s"))
        raise NoEndpoint(self.spec.name, failures)

    async def chain_id(self, endpoint: EndpointSpec) -> int:
        """The chain that an endpoint says it serves, right or wrong."""
        return await self._endpoints[endpoint.name].chain_id()

    async def _first(self, attempt: Callable[[Endpoint], Awaitable[T]], within: float) -> T:
        return await Race(self.spec.name, attempt, self._ranked(), patience=_patience).won(within)

    def _ranked(self) -> list[Endpoint]:
        return ranked([(one, one.condition) for one in self._endpoints.values()], self._clock())

    # Heads

    async def _head(self, endpoint: Endpoint) -> Block:
        """Its newest block, if that can be believed beside what others have shown."""
        block = await read_block(endpoint, self.spec)
        if block is None:
            raise endpoint.fault("has no latest block")
        others = [one.condition for one in self._endpoints.values() if one is not endpoint]
        known = [*others, endpoint.condition]
        best = newest(known, self._clock(), HEADS_COUNT, until=self._wall_clock() + _AHEAD)
        if best is not None and block.number > best.number + _most_blocks(best, block, self.spec):
            raise endpoint.fault(
                f"claims block {block.number:,}, {block.number - best.number:,} above any seen, in"
                f" {block.timestamp - best.timestamp:,} s"
            )
        if best is not None and _is_behind(block, best, self.spec):
            raise endpoint.behind(f"its newest block {block.number:,} is behind {best.number:,}, seen elsewhere")
        endpoint.shows(block)
        return block

    def _compare_heads(self) -> None:
        """Now and then, one of those that are not asked tells its head, so that one that is behind is found out."""
        now = self._clock()
        if len(self._endpoints) < 2 or now - self._compared_at < HEADS_EVERY:
            return
        self._compared_at = now
        other = min(self._ranked()[1:], key=lambda one: one.condition.head_at)
        if other.condition.rest(now) == 0:
            self._aside(self._told_head(other), f"head of {other.spec.name}")

    def _aside(self, work: Coroutine[None, None, None], name: str) -> None:
        """Do it beside everything else, until it is done or the chain is closed."""
        task = asyncio.create_task(work, name=name)
        self._asides.add(task)
        task.add_done_callback(self._asides.discard)

    async def _told_head(self, endpoint: Endpoint) -> None:
        with suppress(EndpointError):  # it is remembered in the endpoint's condition
            await self._head(endpoint)


HEADS_EVERY = 15.0
"""Seconds between two comparisons with the head of another endpoint."""
HEADS_COUNT = 60.0
"""Seconds for which a head that was shown is what others are measured by."""
_BLOCKS_OF_SILENCE, _SILENCE = 10, 30.0
"""Blocks, or seconds where those are longer, without a head until a subscription is taken for dead."""
_LAG = 12
"""Seconds that an endpoint may be behind another; and two blocks in any case."""
_LEAST, _LATE = 1.5, 3.0
_JUMP = 32
_JUMP_SECONDS = 60
_AHEAD = 15
"""Seconds by which a head may be ahead of our clock and still be what others are measured by."""


def tolerance(spec: ChainSpec) -> int:
    """Blocks that an endpoint may be behind another: nodes hear of a block one after the other."""
    return max(2, ceil(_LAG / spec.block_time))


def _is_behind(block: Block, best: Block, spec: ChainSpec) -> bool:
    """By its number and by its time: a number alone may be a lie of whoever showed the other."""
    return block.number < best.number - tolerance(spec) and block.timestamp < best.timestamp - _LAG


def _most_blocks(before: Block, now: Block, spec: ChainSpec) -> int:
    """How many blocks there can be between two, by their own time: four times what is usual, and a few more."""
    return int(4 * (_JUMP_SECONDS + max(0, now.timestamp - before.timestamp)) / spec.block_time) + _JUMP


def _patience(endpoint: Endpoint) -> float:
    """Seconds after which an attempt is late: three times what it usually takes."""
    return max(_LEAST, _LATE * median(endpoint.usual)) if endpoint.usual else _LEAST
