"""A WebSocket in front of a real node, whose announcements of heads go astray."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import WSMsgType, web

Announcing = Callable[[str], Sequence[str] | None]
"""From one announcement to what is sent in its place; None hangs up."""

_ANNOUNCED = '"eth_subscription"'


def truly(said: str) -> Sequence[str]:
    return (said,)


def silent(_: str) -> Sequence[str]:
    return ()


def hanging_up(_: str) -> None:
    return None


def again_and_again(said: str) -> Sequence[str]:
    return (said,) * 20


def nonsense(_: str) -> Sequence[str]:
    return ('{"jsonrpc":"2.0","method":"eth_subscription","params":7}', '{"jsonrpc":"2.0","method":[]}')


@dataclass(slots=True)
class WsProxy:
    """`async with WsProxy(anvil.url, silent) as proxy:` and then `proxy.url`. Requests and answers pass as they are."""

    upstream: str
    announcing: Announcing = truly
    subscribed: int = 0
    announced: int = 0
    """By the node."""
    _runner: web.AppRunner | None = None
    _session: aiohttp.ClientSession | None = None

    @property
    def url(self) -> str:
        assert self._runner is not None
        return f"ws://127.0.0.1:{self._runner.addresses[0][1]}/"

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        app = web.Application()
        app.router.add_get("/", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._runner is not None
        assert self._session is not None
        await self._runner.cleanup()
        await self._session.close()

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        assert self._session is not None
        here = web.WebSocketResponse()
        await here.prepare(request)
        async with self._session.ws_connect(self.upstream) as node:
            ways = [asyncio.create_task(self._asked(here, node)), asyncio.create_task(self._told(node, here))]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        await here.close()
        return here

    async def _asked(self, here: web.WebSocketResponse, node: aiohttp.ClientWebSocketResponse) -> None:
        async for message in here:
            if message.type is WSMsgType.TEXT:
                self.subscribed += "eth_subscribe" in message.data
                await node.send_str(message.data)
            elif message.type is WSMsgType.BINARY:
                self.subscribed += b"eth_subscribe" in message.data
                await node.send_str(message.data.decode())

    async def _told(self, node: aiohttp.ClientWebSocketResponse, here: web.WebSocketResponse) -> None:
        async for message in node:
            if message.type is not WSMsgType.TEXT:
                continue
            said: Sequence[str] | None = (message.data,)
            if _ANNOUNCED in message.data:
                self.announced += 1
                said = self.announcing(message.data)
            if said is None:
                return
            for each in said:
                await here.send_str(each)
