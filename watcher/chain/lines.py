"""Open connections on which both sides may speak at any time: a WebSocket, and the socket of a node on this machine."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from contextlib import suppress
from typing import Final, Protocol
from urllib.parse import urlsplit

import aiohttp

from watcher.chain.answer import MAX_ANSWER, MAX_PARTS, TOO_LONG
from watcher.chain.framing import Framer, Unframed
from watcher.chain.refusals import sort_status
from watcher.chain.spec import EndpointSpec
from watcher.chain.transport import in_words, retry_after_seconds
from watcher.chain.wire import Timeouts
from watcher.domain.errors import EndpointError

CLOSED: Final = "the connection was closed before an answer"

_PING_EVERY: Final = 30.0  # seconds; half of that without a pong, and the connection is taken for dead
_FAREWELL: Final = 0.2  # seconds that the other side is given to say goodbye too
_CHUNK: Final = 64 * 1024
_SWITCHING: Final = 101


class Line(Protocol):
    """Whole messages, out and in. Everything that goes wrong is an `EndpointError` fit to show."""

    async def send(self, message: bytes) -> None:
        """Send one message."""

    async def receive(self) -> bytes | None:
        """The next message, of at most `MAX_ANSWER` bytes; None where the other side closed."""

    async def close(self) -> None:
        """Close it, whatever state it is in. Raises nothing."""


def is_stream(endpoint: EndpointSpec) -> bool:
    """Whether an endpoint is reached by a connection that stays open, and so can tell of heads by itself."""
    return urlsplit(endpoint.url).scheme in ("ws", "wss") or ipc_path(endpoint.url) is not None


def ipc_path(url: str) -> str | None:
    """The path of the socket, where the URL is one of `ipc:` or the path itself."""
    path = url.removeprefix("ipc://")
    return path if path.startswith("/") else None


async def dial(endpoint: EndpointSpec, timeouts: Timeouts) -> Line:
    """Open the kind of line that the endpoint's URL asks for. Raises `EndpointError`."""
    path = ipc_path(endpoint.url)
    try:
        async with asyncio.timeout(timeouts.connect) as limit:
            return await (_dial_websocket(endpoint) if path is None else _dial_ipc(endpoint.name, path))
    except (aiohttp.ClientError, OSError, ValueError) as problem:
        late = isinstance(problem, TimeoutError) and limit.expired()
        failure = f"no connection within {timeouts.connect:g} s" if late else in_words(problem)
    raise EndpointError(endpoint.name, failure)  # out here, because aiohttp's error holds the URL


class WebSocketLine:
    """A WebSocket, with an HTTP session of its own, so that nothing is shared and nothing left behind."""

    def __init__(
        self, name: str, session: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse[bool]
    ) -> None:
        self._name = name
        self._session = session
        self._socket = socket

    async def send(self, message: bytes) -> None:
        try:
            await self._socket.send_frame(message, aiohttp.WSMsgType.TEXT)
        except (aiohttp.ClientError, OSError):
            closed = True
        else:
            closed = False
        if closed:
            raise EndpointError(self._name, CLOSED)

    async def receive(self) -> bytes | None:
        message = await self._socket.receive()
        if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            return bytes(message.data)
        if message.type is aiohttp.WSMsgType.ERROR:
            raise EndpointError(self._name, _broken(message.data))
        return None

    async def close(self) -> None:
        with suppress(TimeoutError):  # aiohttp's own limit begins anew with every message that comes instead
            async with asyncio.timeout(_FAREWELL):
                await self._socket.close()
        await self._session.close()


def _broken(problem: object) -> str:
    too_long = isinstance(problem, aiohttp.WebSocketError) and problem.code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
    return TOO_LONG if too_long else "a message that is not WebSocket as we know it"


class _NotSwitchedError(aiohttp.ClientError):
    """The server answered the request for a WebSocket as if it were any other."""

    def __init__(self, status: int, retry_after: float | None) -> None:
        super().__init__(status)
        self.status = status
        self.retry_after = retry_after


async def _must_switch(sent: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Let through nothing but the switch to a WebSocket: aiohttp would follow a redirect, headers and all."""
    response = await handler(sent)
    if response.status != _SWITCHING:
        response.close()
        raise _NotSwitchedError(response.status, retry_after_seconds(response.headers.get("Retry-After"), time.time()))
    return response


async def _dial_websocket(endpoint: EndpointSpec) -> Line:
    session = aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        timeout=aiohttp.ClientTimeout(total=None),  # which would go on counting after the handshake
        middlewares=(_must_switch,),
    )
    refused: EndpointError | None = None
    try:
        socket = await session.ws_connect(
            endpoint.url,
            headers=endpoint.headers,
            timeout=aiohttp.ClientWSTimeout(ws_close=_FAREWELL),
            heartbeat=_PING_EVERY,
            compress=0,
            max_msg_size=MAX_ANSWER,
            decode_text=False,
        )
    except _NotSwitchedError as answered:
        refused = _not_switched(endpoint.name, answered)
    except BaseException:
        await session.close()
        raise
    if refused:
        await session.close()
        raise refused
    return WebSocketLine(endpoint.name, session, socket)


def _not_switched(name: str, answered: _NotSwitchedError) -> EndpointError:
    if answered.status == 200:
        return EndpointError(name, "answers, but not by WebSocket; is this the address of its WebSocket?")
    told = sort_status(name, answered.status, retry_after=answered.retry_after)
    return EndpointError(
        name, told.problem, retry_after=told.retry_after
    )  # nothing was asked yet that could be too much


class IpcLine:
    """The Unix socket of a node on this machine: JSON texts, one after the other."""

    def __init__(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._name = name
        self._reader = reader
        self._writer = writer
        self._framer = Framer(MAX_ANSWER, MAX_PARTS)
        self._whole: deque[bytes] = deque()

    async def send(self, message: bytes) -> None:
        try:
            self._writer.write(message + b"\n")
            await self._writer.drain()
        except OSError as problem:
            raise EndpointError(self._name, CLOSED) from problem

    async def receive(self) -> bytes | None:
        try:
            while not self._whole:
                data = await self._reader.read(_CHUNK)
                if not data:
                    return None
                self._framer.feed(data, self._whole.append)
        except OSError:
            return None
        except Unframed as problem:
            raise EndpointError(self._name, str(problem)) from problem
        return self._whole.popleft()

    async def close(self) -> None:
        self._writer.transport.abort()
        with suppress(OSError):
            await self._writer.wait_closed()


async def _dial_ipc(name: str, path: str) -> Line:
    try:
        reader, writer = await asyncio.open_unix_connection(path)
    except TimeoutError:
        raise
    except OSError as problem:
        why = os.strerror(problem.errno).lower() if problem.errno else "not a path that a socket can have"
    else:
        return IpcLine(name, reader, writer)
    raise EndpointError(name, f"no connection: {why}")  # out here, because the system's error holds the path
