"""A chain through its endpoints: pin a block at one of them, read there, and go to the next when it fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self, TypeVar

import aiohttp

from watcher.chain.endpoint import Endpoint
from watcher.chain.errors import NoEndpoint
from watcher.chain.pinned import Pinned, read_block
from watcher.chain.spec import ChainSpec, EndpointSpec
from watcher.chain.transport import Timeouts, Transport, open_session
from watcher.domain.errors import ConfigError, EndpointError
from watcher.domain.source import Address

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
            transport = Transport(spec, session, timeouts=self._timeouts, wall_clock=self._wall_clock)
            self._endpoints[spec.name] = Endpoint(self.spec, spec, transport, self._clock)

    async def close(self) -> None:
        """Close the connections, if they are ours."""
        if self._owned is not None:
            await self._owned.close()
            self._owned = None

    @property
    def endpoints(self) -> tuple[EndpointSpec, ...]:
        """In the order in which to try them: as configured, those that failed lately last, the longest ago first."""
        ordered = sorted(self._endpoints.values(), key=lambda one: (one.failed_lately, _when(one)))
        return tuple(endpoint.spec for endpoint in ordered)

    @property
    def requests(self) -> dict[str, int]:
        """HTTP requests sent so far, by endpoint name."""
        return {name: endpoint.requests for name, endpoint in self._endpoints.items()}

    async def pin(self, endpoint: EndpointSpec) -> Pinned:
        """The latest block of one endpoint, to read at. Raises `EndpointError`."""
        asked = self._endpoints[endpoint.name]
        block = await read_block(asked, self.spec)
        if block is None:
            raise asked.fault("has no latest block")
        return Pinned(self.spec, asked, block)

    async def first(self, work: Callable[[Pinned], Awaitable[T]], *, within: float = 30.0) -> T:
        """Do `work` at one endpoint, whole; where it fails, start again from a new pin at the next.

        Nothing of a failed attempt is kept. Of the seconds `within`, each attempt may use its share of what is left,
        so that one endpoint that hangs does not take the time of the others. Raises `NoEndpoint`, which tells every
        failure; any error of `work` that is not an `EndpointError` ends it.
        """

        async def attempt(endpoint: Endpoint) -> T:
            return await work(await self.pin(endpoint.spec))

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

    async def chain_id(self, endpoint: EndpointSpec) -> int:
        """The chain that an endpoint says it serves, right or wrong."""
        return await self._endpoints[endpoint.name].chain_id()

    async def _first(self, attempt: Callable[[Endpoint], Awaitable[T]], within: float) -> T:
        deadline = self._clock() + within
        failures: list[EndpointError] = []
        waiting = [self._endpoints[spec.name] for spec in self.endpoints]
        while waiting:
            share = max(0.0, deadline - self._clock()) / len(waiting)
            endpoint = waiting.pop(0)
            try:
                async with asyncio.timeout(share) as limit:
                    return await attempt(endpoint)
            except EndpointError as failure:
                failures.append(failure)
            except TimeoutError:
                if not limit.expired():
                    raise
                failures.append(endpoint.fault(f"not done within its {share:.1f} s"))
        raise NoEndpoint(self.spec.name, failures)


def _when(endpoint: Endpoint) -> float:
    """Orders those that failed lately; for the others the order of the configuration stands."""
    return endpoint.failed_at or 0.0 if endpoint.failed_lately else 0.0
