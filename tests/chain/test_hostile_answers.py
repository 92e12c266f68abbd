"""Every answer that is not what it should be ends in one clear error, which gives nothing away."""

from __future__ import annotations

import asyncio
import gzip
import socket
import tracemalloc
from collections.abc import Iterator

import pytest
from eth_abi.abi import encode

from tests.chain.conftest import call, spec_of
from tests.chain.rpc_stand_in import (
    SECRETS,
    Fault,
    Head,
    RpcStandIn,
    endless,
    error,
    members,
    on_wire,
    raw,
    result,
    silence,
)
from watcher.chain import BatchTooLarge, BlockUnavailable, Chain, Timeouts
from watcher.chain.answer import MAX_ANSWER
from watcher.chain.errors import LimitExceeded
from watcher.domain.errors import EndpointError

BLOCK, CALL, CHAIN_ID = "eth_getBlockByNumber", "eth_call", "eth_chainId"
HEAD = Head().as_json()
TIME = (True, Head().timestamp.to_bytes(32, "big"))
CHAIN = (True, (1).to_bytes(32, "big"))
HONEST = encode(["(bool,bytes)[]"], [[TIME, CHAIN, (True, bytes(32))]])


def results(*pairs: tuple[bool, bytes]) -> Fault:
    return result("0x" + encode(["(bool,bytes)[]"], [pairs]).hex())


def patched(word: int, value: int) -> Fault:
    """An honest envelope of three results, with one word of it overwritten."""
    data = HONEST[: 32 * word] + value.to_bytes(32, "big") + HONEST[32 * word + 32 :]
    return result("0x" + data.hex())


def short(length: int) -> Fault:
    """A result of two bytes whose padding is not zeros."""
    data = encode(["(bool,bytes)[]"], [[TIME, CHAIN, (True, b"\x01\x02")]])
    return result("0x" + data[:-length].hex() + "ff" * length)


def header(**changed: object) -> Fault:
    return result({**HEAD, **changed})


LEAKY = "no such project: " + " ".join(SECRETS)

ROWS: list[tuple[str, str, Fault, str]] = [
    # JSON-RPC shape
    ("wrong id", CALL, members(id=999_999, result="0x"), "with the id of another request"),
    ("missing id", CALL, raw('{"jsonrpc":"2.0","result":"0x"}'), "with the id of another request"),
    ("id as text", CALL, raw('{"jsonrpc":"2.0","id":"{id}","result":"0x"}'), "with the id of another request"),
    ("id as a fraction", CALL, raw('{"jsonrpc":"2.0","id":{id}.0,"result":"0x"}'), "with the id of another request"),
    ("wrong version", CALL, members(jsonrpc="1.0", result="0x"), 'without "jsonrpc": "2.0"'),
    ("result and error", CALL, members(result="0x", error={"code": 1, "message": "x"}), "both a result and an error"),
    ("neither", CALL, members(), "neither a result nor an error"),
    ("error that is text", CALL, members(error="broken"), "an error without a code and a message"),
    ("error without message", CALL, members(error={"code": -32000}), "an error without a code and a message"),
    (
        "error for no request",
        CALL,
        members(id=None, error={"code": -32600, "message": "bad"}),
        "no answer but error -32600",
    ),
    ("batch", CALL, raw('[{"jsonrpc":"2.0","id":{id},"result":"0x"}]'), "not one JSON-RPC object"),
    ("empty list", CALL, raw("[]"), "not one JSON-RPC object"),
    ("bare text", CALL, raw('"0x"'), "not one JSON-RPC object"),
    # JSON and HTTP bodies
    ("empty body", CALL, raw(b""), "an empty answer"),
    ("truncated JSON", CALL, raw('{"jsonrpc":"2.0","id":{id},"resu'), "is not JSON"),
    ("invalid UTF-8", CALL, raw(b'{"jsonrpc":"2.0","id":{id},"result":"0x\xff\xfe"}'), "is not JSON"),
    ("NaN", CALL, raw('{"jsonrpc":"2.0","id":{id},"result":NaN}'), "is not JSON"),
    ("deep nesting", CALL, raw("[" * 100_000 + "]" * 100_000), "is not JSON"),
    ("a million lists", CALL, raw("[" + "[]," * 1_000_000 + "[]]"), "far more parts"),
    ("HTML with 200", CALL, raw("<html>Sign in</html>", kind="text/html"), "a web page instead of JSON"),
    ("HTML called JSON", CALL, raw("\n <!DOCTYPE html><p>Sign in"), "a web page instead of JSON"),
    ("HTML with 502", CALL, raw("<html>Bad gateway</html>", status=502, kind="text/html"), "HTTP 502"),
    ("not gzip", CALL, raw(b"plain", Content_Encoding="gzip"), "broke off or is not encoded as it says"),
    (
        "gzip cut short",
        CALL,
        on_wire(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"jsonrpc"'),
        "broke off",
    ),
    ("closed at once", CALL, on_wire(), "closed before an answer"),
    ("not HTTP", CALL, on_wire(b"SSH-2.0-OpenSSH_9.2\r\n"), "not HTTP as we know it"),
    # HTTP status
    ("401", CALL, raw(b"", status=401), "HTTP 401 (not authorised): check the key"),
    ("403 with a leak", CALL, raw(LEAKY, status=403, kind="text/plain"), "HTTP 403 (forbidden)"),
    ("429", CALL, raw(b"", status=429, Retry_After="7"), "HTTP 429 (too many requests)"),
    ("500", CALL, raw(b"", status=500), "HTTP 500"),
    (
        "500 with an error",
        CALL,
        raw('{"error":{"code":-32603,"message":"boom"}}', status=500),
        "HTTP 500, error -32603: boom",
    ),
    ("204", CALL, raw(b"", status=204), "HTTP 204"),
    # errors inside 200
    ("limit", CALL, error(-32005, "daily request count exceeded"), "limits our requests (error -32005"),
    ("anything", CALL, error(-32000, "some internal thing"), "error -32000: some internal thing"),
    ("a revert of Multicall3", CALL, error(3, "execution reverted", data="0x"), "failed as Multicall3 never does"),
    ("a revert by its code", CALL, error(3, "no"), "failed as Multicall3 never does (error 3: no)"),
    ("a leak", CALL, error(-32000, LEAKY), "error -32000: no such project: … … … …"),
    ("control characters", CALL, error(-32000, "a\x00b\x1b[31m\u202e c\nd"), "error -32000: ab[31m c d"),
    ("no state", CALL, error(-32000, "missing trie node 00ff (path ) state 0x1 is not available"), "missing trie node"),
    ("no method", CALL, error(-32601, "the method eth_call does not exist"), "error -32601"),
    ("both forms refused", CALL, error(-32602, "invalid argument 0"), "refuses eth_call"),
    # hex
    ("truncated hex", CALL, result("0x" + HONEST.hex()[:-64]), "result 2 goes on beyond the end"),
    ("hex cut in the head", CALL, result("0x" + HONEST.hex()[:100]), "50 bytes of results, cut short"),
    ("odd hex", CALL, result("0x" + HONEST.hex()[:-1]), "an odd number of digits"),
    ("not hex", CALL, result("0x" + "zz" * 64), "characters that are not hex digits"),
    ("hex with spaces", CALL, result("0x" + "00 " * 64), "characters that are not hex digits"),
    ("no prefix", CALL, result(HONEST.hex()), "not hex data"),
    ("result null", CALL, result(None), "missing or null, not hex data"),
    ("result a number", CALL, result(7), "a bare number, not hex data"),
    (
        "empty return",
        CALL,
        result("0x"),
        "no Multicall3 at 0xcA11bde05977b3631167028862bE2a173976CA11 at block 21034551",
    ),
    # the block
    ("no block", BLOCK, result(None), "a block is missing or null"),
    ("block as text", BLOCK, result("0x1"), "a block is text of 3 characters"),
    ("number as int", BLOCK, header(number=21_034_551), "the block's number is a bare number"),
    ("number negative", BLOCK, header(number="-0x1"), "the block's number is text of 4 characters, not a hex quantity"),
    ("number with zeros", BLOCK, header(number="0x01"), "not a hex quantity"),
    ("number empty", BLOCK, header(number="0x"), "not a hex quantity"),
    ("number huge", BLOCK, header(number="0x" + "f" * 64), "the block's number is 256 bits long"),
    ("number endless", BLOCK, header(number="0x" + "f" * 100_000), "not a hex quantity"),
    ("timestamp missing", BLOCK, header(timestamp=None), "the block's timestamp is missing or null"),
    ("timestamp in ms", BLOCK, header(timestamp=hex(1_760_000_000_000_000)), "the block's timestamp is 51 bits long"),
    ("short hash", BLOCK, header(hash="0x" + "ab" * 31), "the block's hash is 31 bytes, not 32"),
    ("hash missing", BLOCK, header(hash=None), "the block's hash is missing or null"),
    # the chain id
    ("wrong chain", CHAIN_ID, result("0x89"), "serves chain 137, not 1 (Ethereum); not used"),
    ("chain id as int", CHAIN_ID, result(1), "the chain id is a bare number"),
    ("chain id null", CHAIN_ID, result(None), "the chain id is missing or null"),
    # the envelope
    ("one result short", CALL, results(TIME, CHAIN), "2 results for 3 calls"),
    ("one result more", CALL, results(TIME, CHAIN, TIME, TIME), "4 results for 3 calls"),
    ("a count beyond reason", CALL, patched(1, 2**255), "far too many results for 3 calls"),
    ("array offset", CALL, patched(0, 64), "do not begin with the offset of an array"),
    ("offset out of range", CALL, patched(4, 2**200), "result 2 is not where an encoder puts it"),
    ("two results in one place", CALL, patched(4, 96), "result 2 is not where an encoder puts it"),
    ("flag of 2", CALL, patched(13, 2), "result 2 is not a flag and its return data"),
    ("inner offset", CALL, patched(14, 96), "result 2 is not a flag and its return data"),
    ("length beyond the end", CALL, patched(15, 33), "result 2 goes on beyond the end"),
    ("length beyond reason", CALL, patched(15, 2**256 - 1), "result 2 goes on beyond the end"),
    ("bytes left over", CALL, result("0x" + HONEST.hex() + "00" * 32), "32 bytes after the last result"),
    ("dirty padding", CALL, short(3), "result 2 has a dirty padding"),
    ("no clock", CALL, results((False, b""), CHAIN, (True, bytes(32))), "does not tell the time as Multicall3 does"),
    ("no chain id", CALL, results(TIME, (True, b""), (True, bytes(32))), "does not tell the chain id as Multicall3"),
    ("another block", CALL, results((True, (5).to_bytes(32, "big")), CHAIN, (True, b"")), "answered at another block"),
    (
        "another chain",
        CALL,
        results(TIME, (True, (10).to_bytes(32, "big")), (True, b"")),
        "answered for chain 10, not 1",
    ),
]


def everything_said(problem: BaseException | None) -> Iterator[str]:
    """The text of an error and of all that hangs on it."""
    while problem is not None:
        yield f"{problem} {problem!r}"
        problem = problem.__cause__ or problem.__context__


def assert_fit_to_show(problem: EndpointError, node: RpcStandIn) -> None:
    assert str(problem).startswith("alpha: ")
    told = " ".join(everything_said(problem))
    assert "http://" not in told
    assert not [secret for secret in (*SECRETS, node.url, "127.0.0.1") if secret.lower() in told.lower()]
    assert len(str(problem)) < 400
    assert str(problem).isprintable()


async def read_once(chain: Chain) -> None:
    pinned = await chain.pin(chain.endpoints[0])
    await pinned.read([call(1)])


@pytest.mark.parametrize(("method", "fault", "words"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
async def test_it_refuses_a_malformed_answer_in_clear_words(
    node: RpcStandIn, chain: Chain, method: str, fault: Fault, words: str
) -> None:
    node.faults[method] = fault
    with pytest.raises(EndpointError) as caught:
        await read_once(chain)
    assert words in str(caught.value)
    assert_fit_to_show(caught.value, node)


async def test_it_reads_from_the_stand_in_when_nothing_is_wrong(node: RpcStandIn, chain: Chain) -> None:
    await read_once(chain)


@pytest.mark.parametrize("announced", [True, False])
async def test_it_refuses_a_64_mib_body_without_taking_it_in(node: RpcStandIn, chain: Chain, announced: bool) -> None:
    node.faults[CALL] = endless(node, 64 * 1024 * 1024, announced=announced)
    await chain.pin(chain.endpoints[0])  # so that only the answer itself is measured
    tracemalloc.start()
    try:
        with pytest.raises(EndpointError, match=r"bytes announced; we take|longer than the 16777216 bytes") as caught:
            await read_once(chain)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert_fit_to_show(caught.value, node)
    assert peak < 32 * 1024 * 1024
    assert node.sent < (MAX_ANSWER if not announced else 0) + 12 * 1024 * 1024  # the rest sits in socket buffers


async def test_it_refuses_a_gzip_bomb_without_unpacking_it(node: RpcStandIn, chain: Chain) -> None:
    bomb = gzip.compress(b'{"jsonrpc":"2.0","id":1,"result":"0x' + bytes(256 * 1024 * 1024), 1)
    assert len(bomb) < 2 * 1024 * 1024
    node.faults[CALL] = raw(bomb, Content_Encoding="gzip")
    tracemalloc.start()
    try:
        with pytest.raises(EndpointError, match="longer than the 16777216 bytes") as caught:
            await read_once(chain)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert_fit_to_show(caught.value, node)
    assert peak < 48 * 1024 * 1024


async def test_it_does_not_follow_a_redirect(node: RpcStandIn, chain: Chain) -> None:
    async with RpcStandIn("elsewhere") as elsewhere:
        node.faults[CALL] = raw(b"", status=307, Location=elsewhere.url)
        with pytest.raises(EndpointError, match="HTTP 307, a redirect, which we do not follow") as caught:
            await read_once(chain)
        assert elsewhere.asked == []
    assert_fit_to_show(caught.value, node)


async def test_it_gives_up_on_a_slow_answer(node: RpcStandIn) -> None:
    release = asyncio.Event()
    node.faults[CALL] = silence(release)
    async with Chain(spec_of(node.endpoint), timeouts=Timeouts(connect=1, total=0.05)) as chain:
        with pytest.raises(EndpointError, match=r"no complete answer within 0\.05 s") as caught:
            async with asyncio.timeout(2):
                await read_once(chain)
    release.set()
    assert_fit_to_show(caught.value, node)


async def test_it_tells_no_connection_from_no_answer(node: RpcStandIn) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:  # nobody takes up the connection and speaks TLS
        spec = spec_of(type(node.endpoint)(name="alpha", url=f"https://127.0.0.1:{mute.getsockname()[1]}/{SECRETS[0]}"))
        async with Chain(spec, timeouts=Timeouts(connect=0.05, total=2)) as chain:
            with pytest.raises(EndpointError, match=r"no connection within 0\.05 s") as caught:
                await read_once(chain)
    assert_fit_to_show(caught.value, node)


async def test_it_says_so_when_nobody_listens(node: RpcStandIn) -> None:
    spec = spec_of(node.endpoint)
    await node.__aexit__(None, None, None)
    async with Chain(spec) as chain:
        with pytest.raises(EndpointError, match="no connection: connection refused") as caught:
            await read_once(chain)
    assert_fit_to_show(caught.value, node)


async def test_it_does_not_speak_to_an_untrusted_tls_server(node: RpcStandIn) -> None:
    spec = spec_of(type(node.endpoint)(name="alpha", url=node.url.replace("http://", "https://")))
    async with Chain(spec) as chain:
        with pytest.raises(EndpointError, match="TLS failed") as caught:
            await read_once(chain)
    assert node.asked == []
    assert_fit_to_show(caught.value, node)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (raw(b"", status=413), BatchTooLarge),
        (raw(b"", status=504), BatchTooLarge),
        (error(-32000, "execution timeout"), BatchTooLarge),
        (error(-32603, "request timed out"), BatchTooLarge),
        (error(-32008, "Response is too big"), BatchTooLarge),
        (error(-32000, "out of gas: gas exhausted: 50000000"), BatchTooLarge),
        (error(-32000, "header not found"), BlockUnavailable),
        (error(-32000, "missing trie node 7fca (path 0a)"), BlockUnavailable),
        (error(-32001, "Unknown block"), BlockUnavailable),
        (error(-32000, "hash 0xab is not currently canonical"), BlockUnavailable),
        (error(-32005, "limit exceeded: too large"), LimitExceeded),
        (error(-32005, "query returned more than 10000 results"), BatchTooLarge),
    ],
)
async def test_it_tells_errors_apart_by_what_to_do_about_them(
    node: RpcStandIn, chain: Chain, fault: Fault, kind: type[EndpointError]
) -> None:
    node.faults[BLOCK] = fault
    with pytest.raises(EndpointError) as caught:
        await read_once(chain)
    assert type(caught.value) is kind
