"""A proxy on loopback that counts what passes: the requests as a provider would bill them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import aiohttp
import orjson
from aiohttp import web


@dataclass(slots=True)
class CountingProxy:
    """`async with CountingProxy(node_url) as proxy:` and then `proxy.url`. Answers pass through unchanged."""

    target: str
    methods: Counter[str] = field(default_factory=Counter)
    """HTTP requests by JSON-RPC method."""
    bytes_up: int = 0
    bytes_down: int = 0
    url: str = ""
    _runner: web.AppRunner | None = None
    _session: aiohttp.ClientSession | None = None

    @property
    def requests(self) -> int:
        """HTTP requests since the last `reset`."""
        return self.methods.total()

    def reset(self) -> None:
        self.methods.clear()
        self.bytes_up = self.bytes_down = 0

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post("/", self._pass_on)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def _pass_on(self, request: web.Request) -> web.Response:
        assert self._session is not None
        body = await request.read()
        self.methods[orjson.loads(body)["method"]] += 1
        async with self._session.post(self.target, data=body, headers={"Content-Type": "application/json"}) as answer:
            passed = await answer.read()
            self.bytes_up += len(body)
            self.bytes_down += len(passed)
            return web.Response(body=passed, status=answer.status, content_type="application/json")
