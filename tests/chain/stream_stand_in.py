"""An endpoint on loopback that stays connected: over a WebSocket, or over a Unix socket as nodes have one.

It answers as `RpcStandIn` does until told otherwise: `faults[method]` says instead whatever it likes, as messages or as
bytes on the wire.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, Self

import orjson
from aiohttp import WSMsgType, web

from tests.chain.rpc_stand_in import HEADER_KEY, PASSWORD, PATH_KEY, QUERY_KEY, RpcStandIn
from watcher.chain.spec import EndpointSpec

Kind = Literal["ws", "ipc"]
KINDS: tuple[Kind, ...] = ("ws", "ipc")


class Peer(Protocol):
    """The other side of one connection, as a fault sees it."""

    async def say(self, message: bytes) -> None:
        """One message."""

    async def raw(self, data: bytes) -> None:
        """Bytes on the wire, whatever they mean there."""

    async def end(self) -> None:
        """Hang up, without a goodbye."""


Fault = Callable[[Peer, dict[str, Any]], Awaitable[None]]


@dataclass(slots=True)
class WebSocketPeer:
    socket: web.WebSocketResponse
    transport: asyncio.Transport

    async def say(self, message: bytes) -> None:
        await self.socket.send_frame(message, WSMsgType.TEXT)

    async def raw(self, data: bytes) -> None:
        self.transport.write(data)

    async def end(self) -> None:
        self.transport.close()


@dataclass(slots=True)
class SocketPeer:
    writer: asyncio.StreamWriter

    async def say(self, message: bytes) -> None:
        await self.raw(message + b"\n")

    async def raw(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def end(self) -> None:
        self.writer.close()


@dataclass(slots=True)
class StreamStandIn:
    """`async with StreamStandIn("ws", folder) as node:` and then `node.endpoint`."""

    kind: Kind
    folder: Path
    name: str = "alpha"
    node: RpcStandIn = field(default_factory=RpcStandIn)
    faults: dict[str, Fault] = field(default_factory=dict)
    handshake: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None
    """Instead of switching to a WebSocket."""
    asked: list[str] = field(default_factory=list)
    """Methods, in the order in which they came."""
    headers: list[dict[str, str]] = field(default_factory=list)
    """Of each handshake."""
    peers: list[Peer] = field(default_factory=list)
    """One for each connection."""
    port: int = 0
    _runner: web.AppRunner | None = None
    _server: asyncio.Server | None = None
    _serving: set[asyncio.Task[Any]] = field(default_factory=set)

    @property
    def path(self) -> str:
        return str(self.folder / f"{self.name}.ipc")

    @property
    def url(self) -> str:
        """With a key wherever an operator might put one."""
        if self.kind == "ipc":
            return f"ipc://{self.path}"
        return f"ws://watcher:{PASSWORD}@127.0.0.1:{self.port}/v2/{PATH_KEY}?apikey={QUERY_KEY}"

    @property
    def endpoint(self) -> EndpointSpec:
        headers = {} if self.kind == "ipc" else {"X-Api-Key": HEADER_KEY}
        return EndpointSpec(name=self.name, url=self.url, headers=headers)

    async def __aenter__(self) -> Self:
        if self.kind == "ipc":
            self._server = await asyncio.start_unix_server(self._serve_socket, self.path)
            return self
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve_websocket)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for peer in self.peers:
            await peer.end()
        if self._server is not None:
            self._server.close()
            for task in list(self._serving):
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve_websocket(self, request: web.Request) -> web.StreamResponse:
        self.headers.append(dict(request.headers))
        if self.handshake is not None:
            return await self.handshake(request)
        socket = web.WebSocketResponse(compress=False, timeout=0.05)
        await socket.prepare(request)
        assert isinstance(request.transport, asyncio.Transport)
        peer = WebSocketPeer(socket, request.transport)
        self.peers.append(peer)
        async for message in socket:
            if not await self._answered(peer, message.data):
                break
        return socket

    async def _serve_socket(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        peer = SocketPeer(writer)
        self.peers.append(peer)
        try:
            while (line := await reader.readline()) and await self._answered(peer, line):
                pass
        except (OSError, asyncio.CancelledError):
            pass  # hung up on, as it may be
        finally:
            writer.close()

    async def _answered(self, peer: Peer, text: bytes | str) -> bool:
        body = orjson.loads(text)
        self.asked.append(body["method"])
        fault = self.faults.get(body["method"])
        try:
            await (fault(peer, body) if fault else peer.say(self.honest(body)))
        except OSError:
            return False
        return True

    def honest(self, body: dict[str, Any]) -> bytes:
        """The right answer."""
        answer = self.node.honest(body).body
        assert isinstance(answer, bytes)
        return answer


# Faults: what to do instead.


def says(*messages: bytes) -> Fault:
    """These messages. `{id}` in them becomes the id of the request."""

    async def answer(peer: Peer, body: dict[str, Any]) -> None:
        for message in messages:
            await peer.say(message.replace(b"{id}", str(body["id"]).encode()))

    return answer


def members(**given: Any) -> Fault:
    """A JSON-RPC object of these members; `id` and `jsonrpc` are right unless given."""

    async def answer(peer: Peer, body: dict[str, Any]) -> None:
        await peer.say(orjson.dumps({"jsonrpc": "2.0", "id": body["id"], **given}))

    return answer


def writes(*pieces: bytes, hang_up: bool = False) -> Fault:
    """These bytes as they are."""

    async def answer(peer: Peer, body: dict[str, Any]) -> None:
        for piece in pieces:
            await peer.raw(piece)
        if hang_up:
            await peer.end()

    return answer


async def silence(peer: Peer, body: dict[str, Any]) -> None:
    """Nothing."""


async def hang_up(peer: Peer, body: dict[str, Any]) -> None:
    await peer.end()


def frame(payload: bytes, *, first: int = 0x81, announced: int | None = None) -> bytes:
    """A WebSocket frame: by default a whole text. RFC 6455 section 5.2."""
    length = len(payload) if announced is None else announced
    if length < 126:
        return bytes([first, length]) + payload
    if length < 1 << 16:
        return bytes([first, 126]) + length.to_bytes(2, "big") + payload
    return bytes([first, 127]) + length.to_bytes(8, "big") + payload
