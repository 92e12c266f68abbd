"""What an endpoint that stays connected may do to us: every way ends in one clear error, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import socket
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.chain.conftest import call, spec_of
from tests.chain.rpc_stand_in import SECRETS, RpcStandIn
from tests.chain.stream_stand_in import (
    KINDS,
    Fault,
    Kind,
    Peer,
    StreamStandIn,
    frame,
    hang_up,
    members,
    says,
    silence,
    writes,
)
from tests.chain.test_hostile_answers import everything_said
from watcher.chain import Chain, Timeouts
from watcher.chain.answer import MAX_ANSWER
from watcher.domain.errors import EndpointError

CALL = "eth_call"
PATIENCE, NO_PATIENCE = Timeouts(connect=1, total=3), Timeouts(connect=1, total=0.15)
HEAD_OF = b'{"jsonrpc":"2.0","id":{id},"result":"0x'
ANOTHER = "an answer with the id of another request"
UNASKED = "a message that nobody asked for"
NOT_JSON = "that is not JSON"
CLOSED = "the connection was closed before an answer"
LATE = "no complete answer within 0.15 s"
NOTICE = b'{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0x1","result":{}}}'
LEAKY = "no such project: " + " ".join(SECRETS)


def sockets() -> int:
    """Sockets that this process has open."""
    found = 0
    for one in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # the listing's own
            found += os.readlink(f"/proc/self/fd/{one}").startswith("socket:")
    return found


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    kind: Kind = request.param
    return kind


@pytest.fixture
async def stream(kind: Kind, tmp_path: Path) -> AsyncIterator[StreamStandIn]:
    """A stand-in; when it is gone, so has to be every socket and task that the test made."""
    before = sockets()
    async with StreamStandIn(kind, tmp_path) as stream:
        yield stream
    for _ in range(3):  # transports close a turn of the loop later
        await asyncio.sleep(0)
    assert [task for task in asyncio.all_tasks() if task.get_name().startswith(("read ", "heads "))] == []
    assert sockets() == before


@pytest.fixture
async def chain(stream: StreamStandIn) -> AsyncIterator[Chain]:
    async with Chain(spec_of(stream.endpoint), timeouts=PATIENCE) as chain:
        yield chain


async def read_once(chain: Chain) -> Any:
    pinned = await chain.pin(chain.endpoints[0])
    return await pinned.read([call(1)])


def assert_fit_to_show(problem: EndpointError, stream: StreamStandIn) -> None:
    assert str(problem).startswith("alpha: ")
    told = " ".join(everything_said(problem))
    hidden = (*SECRETS, stream.url, "127.0.0.1", stream.path, str(stream.folder), "ws://", "ipc://")
    assert [secret for secret in hidden if secret.lower() in told.lower()] == []
    assert len(str(problem)) < 400


async def assert_refused(stream: StreamStandIn, fault: Fault, words: str) -> None:
    """Refused in time, and right again as soon as the endpoint is."""
    stream.faults[CALL] = fault
    patience = NO_PATIENCE if words == LATE else PATIENCE
    async with Chain(spec_of(stream.endpoint), timeouts=patience) as chain, asyncio.timeout(5):
        with pytest.raises(EndpointError) as caught:
            await read_once(chain)
        assert words in str(caught.value)
        assert_fit_to_show(caught.value, stream)
        stream.faults.clear()
        await read_once(chain)


async def flood(peer: Peer, body: dict[str, Any]) -> None:
    while True:
        await peer.say(NOTICE)
        await asyncio.sleep(0)


ROWS: list[tuple[str, Fault, str]] = [
    ("never answers", silence, LATE),
    ("wrong id", members(id=999_999, result="0x"), ANOTHER),
    ("missing id", says(b'{"jsonrpc":"2.0","result":"0x"}'), ANOTHER),
    ("id as text", says(b'{"jsonrpc":"2.0","id":"{id}","result":"0x"}'), ANOTHER),
    ("id as a fraction", says(b'{"jsonrpc":"2.0","id":{id}.0,"result":"0x"}'), ANOTHER),
    ("id of an answered request", members(id=1, result="0x"), ANOTHER),
    ("wrong version", members(jsonrpc="1.0", result="0x"), 'without "jsonrpc": "2.0"'),
    ("result and error", members(result="0x", error={"code": 1, "message": "x"}), "both a result and an error"),
    ("neither", members(), "neither a result nor an error"),
    ("error that is text", members(error="broken"), "an error without a code and a message"),
    ("error for no request", members(id=None, error={"code": -32600, "message": "bad"}), "no answer but error -32600"),
    ("batch", says(b'[{"jsonrpc":"2.0","id":{id},"result":"0x"}]'), "not one JSON-RPC object"),
    ("truncated JSON", says(b'{"jsonrpc":"2.0","id":{id},"resu'), NOT_JSON),
    ("braces that do not match", says(b'{"jsonrpc":"2.0","id":[}'), NOT_JSON),
    ("invalid UTF-8", says(b'{"jsonrpc":"2.0","id":{id},"result":"0x\xff\xfe"}'), NOT_JSON),
    ("NaN", says(b'{"jsonrpc":"2.0","id":{id},"result":NaN}'), NOT_JSON),
    ("deep nesting", says(b"[" * 100_000 + b"]" * 100_000), NOT_JSON),
    ("deeper nesting", says(b"[" * 300_000), "far more parts"),
    ("a million lists", says(b"[" + b"[]," * 1_000_000 + b"[]]"), "far more parts"),
    ("a million texts", says(b'{"a":[' + b'"",' * 1_000_000 + b'""]}'), "far more parts"),
    ("giant message", says(HEAD_OF + b"0" * MAX_ANSWER + b'"}'), f"longer than the {MAX_ANSWER} bytes"),
    ("a web page", says(b"<html>Sign in</html>"), "JSON"),
    ("hangs up", hang_up, CLOSED),
    ("a notification", says(NOTICE), UNASKED),
    ("a flood of notifications", flood, UNASKED),
    ("a question", says(b'{"jsonrpc":"2.0","id":{id},"method":"eth_sign","params":[]}'), UNASKED),
]  # fmt: skip

# A WebSocket tells messages apart by itself, a Unix socket does not: the same bytes mean different things.
WEBSOCKET: list[tuple[str, Fault, str]] = [
    ("empty", says(b""), "an empty answer"),
    ("bare text", says(b'"0x"'), "not one JSON-RPC object"),
    ("binary noise", writes(frame(bytes(range(100)), first=0x82)), NOT_JSON),
    ("half a message, then silence", writes(frame(b'{"jsonrpc"', announced=500)), LATE),
    ("half a message, then the end", writes(frame(b'{"jsonrpc"', announced=500), hang_up=True), CLOSED),
    ("half a message, then a farewell", writes(frame(b"{", first=0x01), frame(b"\x03\xe8", first=0x88)), CLOSED),
    ("a frame of 64 GiB", writes(frame(b"{", announced=64 << 30)), f"longer than the {MAX_ANSWER} bytes"),
    ("a frame of 2^63", writes(frame(b"{", announced=1 << 63)), f"longer than the {MAX_ANSWER} bytes"),
    ("a giant in pieces", writes(frame(b"[", first=0x01), *[frame(b" " * 65_000, first=0)] * 300), "longer than"),
    ("compressed", writes(frame(b"\xaa\x56\x2a\x01", first=0xC1)), "not WebSocket as we know it"),
    ("reserved bits", writes(frame(b"{}", first=0xB1)), "not WebSocket as we know it"),
    ("unknown opcode", writes(frame(b"{}", first=0x83)), "not WebSocket as we know it"),
    ("goes on with nothing", writes(frame(b"{}", first=0x80)), "not WebSocket as we know it"),
    ("a ping too long", writes(frame(b"p" * 200, first=0x89)), "not WebSocket as we know it"),
    ("noise", writes(b"HTTP/1.1 500 Oops\r\n\r\n"), "not WebSocket as we know it"),
    ("a farewell with a leak", writes(frame(b"\x03\xe8" + LEAKY.encode()[:100], first=0x88)), CLOSED),
    ("a farewell of bad UTF-8", writes(frame(b"\x03\xe8\xff\xfe", first=0x88)), "not WebSocket as we know it"),
    ("a farewell of no known code", writes(frame(b"\x00\x05", first=0x88)), "not WebSocket as we know it"),
    ("a thousand pings, then silence", writes(frame(b"", first=0x89) * 1000), LATE),
    ("pongs, then silence", writes(frame(b"", first=0x8A) * 1000), LATE),
]  # fmt: skip

IPC: list[tuple[str, Fault, str]] = [
    ("empty", says(b""), LATE),
    ("bare text", says(b'"0x"'), NOT_JSON),
    ("noise", writes(bytes(range(100))), NOT_JSON),
    ("half a message, then silence", writes(b'{"jsonrpc":"2.0",'), LATE),
    ("half a message, then the end", writes(b'{"jsonrpc":"2.0",', hang_up=True), CLOSED),
    ("half an escape, then the end", writes(b'{"jsonrpc":"\\', hang_up=True), CLOSED),
    ("a text broken by a newline", writes(b'{"jsonrpc":"2.\n0"}'), NOT_JSON),
    ("a text with a zero in it", writes(b'{"jsonrpc":"2.0\0"}'), NOT_JSON),
    ("closes more than it opens", writes(b"]}"), NOT_JSON),
    ("more than one message", says(HEAD_OF + b'"} {"jsonrpc":"2.0","id":{id},"result":"0x"}'), "no Multicall3"),
    ("a million escapes", writes(b'{"a":"' + b"\\n" * 1_000_000), "far more parts"),
    ("spaces for ever, then silence", writes(b" \n\t" * 100_000), LATE),
    ("a text without end", writes(b'{"a":"', *[b"0" * (1 << 20)] * 17), "longer than"),
    ("HTTP", writes(b"HTTP/1.1 400 Bad Request\r\n\r\n"), NOT_JSON),
]


@pytest.mark.parametrize(("fault", "words"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
async def test_it_refuses_what_no_answer_is(stream: StreamStandIn, fault: Fault, words: str) -> None:
    await assert_refused(stream, fault, words)


@pytest.mark.parametrize("kind", ["ws"])
@pytest.mark.parametrize(("fault", "words"), [row[1:] for row in WEBSOCKET], ids=[row[0] for row in WEBSOCKET])
async def test_it_refuses_what_no_websocket_says(stream: StreamStandIn, fault: Fault, words: str) -> None:
    await assert_refused(stream, fault, words)


@pytest.mark.parametrize("kind", ["ipc"])
@pytest.mark.parametrize(("fault", "words"), [row[1:] for row in IPC], ids=[row[0] for row in IPC])
async def test_it_refuses_what_no_node_writes(stream: StreamStandIn, fault: Fault, words: str) -> None:
    await assert_refused(stream, fault, words)


@pytest.mark.parametrize("number", [{}, {"id": None}], ids=["in an answer", "for no request"])
async def test_it_shows_nothing_of_what_it_was_told_in_confidence(
    stream: StreamStandIn, number: dict[str, None]
) -> None:
    secrets = [stream.path, str(stream.folder)] if stream.kind == "ipc" else [stream.url, *SECRETS]
    fault = members(**number, error={"code": -32000, "message": "no such project: " + " ".join(secrets)})
    await assert_refused(stream, fault, "error -32000: no such project: … …")


async def test_it_reads_when_nothing_is_wrong(stream: StreamStandIn, chain: Chain) -> None:
    await read_once(chain)
    await read_once(chain)
    assert len(stream.peers) == 1
    assert stream.asked == ["eth_chainId", "eth_getBlockByNumber", CALL, "eth_getBlockByNumber", CALL]
    assert chain.requests == {"alpha": 5}


async def test_it_takes_little_memory_for_a_giant(stream: StreamStandIn, chain: Chain) -> None:
    async def endless(peer: Peer, body: dict[str, Any]) -> None:
        if stream.kind == "ws":
            await peer.raw(frame(b'{"a":"', announced=64 << 20))
        piece = b"0" * 65_536
        await peer.raw(b'{"a":"')
        for _ in range(1024):
            await peer.raw(piece)
            await asyncio.sleep(0)

    stream.faults[CALL] = endless
    await chain.pin(chain.endpoints[0])
    tracemalloc.start()
    try:
        with pytest.raises(EndpointError, match="longer than the 16777216 bytes"):
            await read_once(chain)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 36 * 1024 * 1024  # the cap, and once more while its buffer grows


async def test_it_takes_the_first_of_two_answers_and_no_second(stream: StreamStandIn, chain: Chain) -> None:
    async def twice(peer: Peer, body: dict[str, Any]) -> None:
        await peer.say(stream.honest(body))
        await peer.say(stream.honest(body))

    stream.faults[CALL] = twice
    await read_once(chain)
    await asyncio.sleep(0.02)
    stream.faults.clear()
    await read_once(chain)
    assert len(stream.peers) == 2  # the connection that said it twice is not believed again


# Handshakes of a WebSocket

HANDSHAKES: list[tuple[str, int, dict[str, str], str]] = [
    ("not a WebSocket", 200, {}, "answers, but not by WebSocket; is this the address of its WebSocket?"),
    ("401", 401, {}, "HTTP 401 (not authorised): check the key"),
    ("403", 403, {}, "HTTP 403 (forbidden)"),
    ("404", 404, {}, "HTTP 404 (not found)"),
    ("429", 429, {"Retry-After": "7"}, "HTTP 429 (too many requests)"),
    ("500", 500, {}, "HTTP 500"),
    ("504", 504, {}, "HTTP 504"),
    ("101 to something else", 101, {"Upgrade": "h2c", "Connection": "Upgrade"}, "not HTTP as we know it"),
    ("101 without the key", 101, {"Upgrade": "websocket", "Connection": "Upgrade"}, "not HTTP as we know it"),
]


@pytest.mark.parametrize("kind", ["ws"])
@pytest.mark.parametrize(("status", "headers", "words"), [r[1:] for r in HANDSHAKES], ids=[r[0] for r in HANDSHAKES])
async def test_it_refuses_a_handshake_that_is_none(
    stream: StreamStandIn, chain: Chain, status: int, headers: dict[str, str], words: str
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers=headers, text=None if status == 101 else LEAKY)

    stream.handshake = answer
    with pytest.raises(EndpointError) as caught:
        await read_once(chain)
    assert words in str(caught.value)
    assert_fit_to_show(caught.value, stream)
    assert caught.value.retry_after == (7 if status == 429 else None)
    assert type(caught.value) is EndpointError


@pytest.mark.parametrize("kind", ["ws"])
async def test_it_follows_no_redirect_of_a_handshake(stream: StreamStandIn, chain: Chain) -> None:
    async with RpcStandIn("elsewhere") as elsewhere:

        async def answer(request: web.Request) -> web.StreamResponse:
            return web.Response(status=307, headers={"Location": elsewhere.url})

        stream.handshake = answer
        with pytest.raises(EndpointError, match="HTTP 307, a redirect, which we do not follow") as caught:
            await read_once(chain)
        assert elsewhere.asked == []
    assert_fit_to_show(caught.value, stream)


@pytest.mark.parametrize("kind", ["ws"])
async def test_it_sends_its_headers_and_asks_for_no_compression(stream: StreamStandIn, chain: Chain) -> None:
    await read_once(chain)
    (sent,) = stream.headers
    assert sent["X-Api-Key"] in SECRETS
    assert sent["Authorization"].startswith("Basic ")
    assert "Sec-WebSocket-Extensions" not in sent


@pytest.mark.parametrize("kind", ["ws"])
async def test_it_takes_no_proxy_from_the_environment(
    stream: StreamStandIn, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "ws_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    await read_once(chain)


# Nobody there

TIMEOUTS = Timeouts(connect=0.05, total=2)


@pytest.mark.parametrize("scheme", ["ws", "wss"])
async def test_it_tells_no_connection_from_no_answer(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:  # nobody takes up the connection
        url = f"{scheme}://127.0.0.1:{mute.getsockname()[1]}/{SECRETS[0]}"
        await assert_no_connection(url, r"no connection within 0\.05 s")


async def test_it_does_not_speak_to_an_untrusted_tls_server(tmp_path: Path) -> None:
    async with StreamStandIn("ws", tmp_path) as stream:
        await assert_no_connection(stream.url.replace("ws://", "wss://"), "TLS failed")
        assert stream.headers == []


async def test_it_says_so_when_nobody_listens(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    await assert_no_connection(f"ws://127.0.0.1:{port}/{SECRETS[0]}", "no connection: connection refused")
    await assert_no_connection(f"ipc://{tmp_path}/none.ipc", "no connection: no such file or directory")
    (tmp_path / "file.ipc").touch()
    await assert_no_connection(f"ipc://{tmp_path}/file.ipc", "no connection: connection refused")
    await assert_no_connection(f"ipc://{tmp_path}/{'x' * 200}", "no connection: not a path that a socket can have")


async def assert_no_connection(url: str, words: str) -> None:
    before = sockets()
    spec = spec_of(StreamStandIn("ipc", Path()).endpoint)
    spec = spec_of(type(spec.endpoints[0])(name="alpha", url=url))
    async with Chain(spec, timeouts=TIMEOUTS) as chain, asyncio.timeout(5):
        with pytest.raises(EndpointError, match=words) as caught:
            await read_once(chain)
    told = " ".join(everything_said(caught.value))
    assert not [secret for secret in (url, SECRETS[0], url.partition("://")[2]) if secret in told]
    await asyncio.sleep(0)
    assert sockets() == before
