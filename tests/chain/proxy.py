"""A JSON-RPC endpoint that passes everything on to a real node, and goes wrong when told to.

    async with Proxy(anvil.url) as proxy:
        proxy.meets(html)                                   # every request, from now on
        proxy.meets(html, method="eth_call", nth=3)         # the third of that method, counted from now
        proxy.meets(html, odds=0.2, dice=Random(7))         # every fifth or so, the same ones each time
        proxy.is_well()

How it can go wrong is in `modes`: each a function from one exchange to what is answered instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson
from aiohttp import web

from watcher.chain.spec import EndpointSpec

ANY = "*"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, about to be answered."""

    proxy: Proxy
    request: web.Request
    body: dict[str, Any]

    @property
    def method(self) -> str:
        return str(self.body["method"])

    @property
    def params(self) -> list[Any]:
        asked: list[Any] = self.body["params"]
        return asked

    async def honest(self, *, of: str = "", params: list[Any] | None = None) -> dict[str, Any]:
        """What the node says; another node's word with `of`, its word to another question with `params`."""
        body = self.body if params is None else {**self.body, "params": params}
        return await self.proxy.passed_on(body, of or self.proxy.upstream)

    def says(self, **members: Any) -> web.Response:
        """A JSON-RPC object; `jsonrpc` and `id` are right unless given."""
        return as_json({"jsonrpc": "2.0", "id": self.body["id"], **members})

    async def begun(self, **headers: str) -> web.StreamResponse:
        """The status line and headers of an answer, sent."""
        response = web.StreamResponse(headers={"Content-Type": "application/json", **headers})
        await response.prepare(self.request)
        return response

    def hung_up(self) -> web.Response:
        """The connection, gone without a word."""
        if self.request.transport is not None:
            self.request.transport.abort()
        return web.Response()


Mode = Callable[[Exchange], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Fault:
    """A mode, and which requests meet it."""

    mode: Mode
    method: str
    nth: int | None
    odds: float
    dice: Random
    _met: int = 0

    def strikes(self, method: str) -> bool:
        if self.method not in (ANY, method):
            return False
        self._met += 1
        return self.nth in (None, self._met) and (self.odds >= 1 or self.dice.random() < self.odds)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that arrived: what was asked, and what it carried on the outside."""

    method: str
    params: list[Any]
    path: str
    headers: Mapping[str, str]


@dataclass(slots=True)
class Proxy:
    """In front of the node at `upstream`. `asked` keeps what arrived, `struck` the methods of what went wrong."""

    upstream: str
    name: str = "proxy"
    path: str = "/"
    """With the query; a place for keys."""
    asked: list[Asked] = field(default_factory=list)
    struck: list[str] = field(default_factory=list)
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    """Set at the end: what hangs may stop."""
    _faults: list[Fault] = field(default_factory=list)
    _runner: web.AppRunner | None = None
    _session: aiohttp.ClientSession | None = None
    _site: web.TCPSite | None = None
    _port: int = 0

    # How it goes wrong

    def meets(
        self, mode: Mode, *, method: str = ANY, nth: int | None = None, odds: float = 1.0, dice: Random | None = None
    ) -> None:
        """Adds a fault; of several that strike one request, the one added first does."""
        self._faults.append(Fault(mode, method, nth, odds, dice or Random(0)))

    def is_well(self) -> None:
        """Ends every fault. One that closed the door is ended by `open_door`."""
        self._faults.clear()

    async def close_door(self) -> None:
        """Nobody listens any more; connections that stand are left to whoever holds them."""
        if self._site is not None:
            site, self._site = self._site, None
            await site.stop()

    async def open_door(self) -> None:
        """Listens, on the port of before."""
        assert self._runner is not None
        self._site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await self._site.start()
        self._port = self._site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]

    # What it is to others

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}{self.path}"

    @property
    def endpoint(self) -> EndpointSpec:
        return EndpointSpec(name=self.name, url=self.url)

    @property
    def listed_as(self) -> str:
        """The name that a configuration gives its URL."""
        return f"127.0.0.1:{self._port}"

    @property
    def listens(self) -> bool:
        """Whether the door is open."""
        return self._site is not None

    @property
    def connections(self) -> int:
        """Open now."""
        assert self._runner is not None
        return len(self._runner.server.connections) if self._runner.server is not None else 0

    def count(self, method: str = ANY) -> int:
        """How often a method was asked."""
        return sum(method in (ANY, asked.method) for asked in self.asked)

    # The server

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        app = web.Application(client_max_size=32 * 2**20)
        app.router.add_post("/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2, handler_cancellation=True)
        await self._runner.setup()
        await self.open_door()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._runner is not None
        assert self._session is not None
        self.closing.set()
        await self._runner.cleanup()
        await self._session.close()

    async def passed_on(self, body: dict[str, Any], upstream: str) -> dict[str, Any]:
        """The answer of a node."""
        assert self._session is not None
        async with self._session.post(upstream, json=body) as response:
            answer: dict[str, Any] = await response.json(content_type=None)
            return answer

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if not (raw := await request.read()):
            return web.Response(status=400)  # whoever asked is gone again
        body = orjson.loads(raw)
        self.asked.append(Asked(body["method"], body["params"], request.path_qs, request.headers))
        exchange = Exchange(self, request, body)
        for fault in self._faults:
            if fault.strikes(exchange.method):
                self.struck.append(exchange.method)
                return await self._wrong(exchange, fault.mode)
        return as_json(await exchange.honest())

    async def _wrong(self, exchange: Exchange, mode: Mode) -> web.StreamResponse:
        try:
            return await mode(exchange)
        except ConnectionResetError:  # whoever asked has had enough, as they should
            return web.Response()


def as_json(answer: object) -> web.Response:
    return web.Response(body=orjson.dumps(answer), content_type="application/json")
