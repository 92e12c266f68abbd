"""The way from the watcher to the node, which the demo can block, or hold while it changes the world."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, Self

import aiohttp
import orjson
from aiohttp import web

_TURNS: Final = 20
_TURN_SECONDS: Final = 0.001


class Gate:
    """A loopback HTTP server in front of a node. `requests` are the JSON-RPC requests so far, in order."""

    def __init__(self, node: str) -> None:
        self.requests: list[dict[str, Any]] = []
        self._node = node
        self._port = 0
        self._free = asyncio.Event()
        self._free.set()
        self._passing = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._runner: web.ServerRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
        if self._session is not None:
            await self._session.close()

    async def open(self) -> None:
        """Listen, at the same port as before."""
        self._runner = web.ServerRunner(web.Server(self._pass_on, access_log=None), shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Cut every connection and refuse new ones, as an endpoint that is down does."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Nothing passes meanwhile, and who asks waits: no look sees a world half changed.

        An answer on its way arrives first. Otherwise a block read before an hour passes would be judged after it, and
        called an hour old. Asker, gate and answer share this event loop, so a few turns of it are enough for that.
        """
        self._free.clear()
        try:
            await self._quiet.wait()
            for _ in range(_TURNS):
                await asyncio.sleep(_TURN_SECONDS)
            yield
        finally:
            self._free.set()

    async def _pass_on(self, request: web.BaseRequest) -> web.Response:
        assert self._session is not None
        body = await request.read()
        self.requests.append(orjson.loads(body))
        await self._free.wait()
        self._passing += 1
        self._quiet.clear()
        try:
            headers = {"Content-Type": "application/json"}
            async with self._session.post(self._node, data=body, headers=headers) as answer:
                return web.Response(body=await answer.read(), status=answer.status, content_type="application/json")
        except aiohttp.ClientError as problem:
            return web.Response(status=502, text=str(problem))
        finally:
            self._passing -= 1
            if not self._passing:
                self._quiet.set()
