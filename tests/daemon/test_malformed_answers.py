"""Whatever a node answers: a chain that is not seen or a position that is not read, and never a wrong number."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chain.rpc_stand_in import SECRETS, Fault, endless, error, members, on_wire, raw, result
from tests.daemon.gate import ANY, Gate
from tests.daemon.inside import NEVER, Clock, inside
from tests.daemon.world import Market, configure, market
from watcher import cli
from watcher.alerts.figures import health
from watcher.config import load
from watcher.watch import BLIND_AFTER

CALL, BLOCK, CHAIN_ID = "eth_call", "eth_getBlockByNumber", "eth_chainId"
_HEALTH = re.compile(r"^health (\S+)", re.MULTILINE)


@pytest.fixture(scope="module")
def borrowers() -> Iterator[Market]:
    """One market for all rows: nothing here changes it."""
    with market() as it:
        it.borrower("weak", "1.15")
        yield it


ROWS: dict[str, tuple[str, Fault, str]] = {
    # The JSON-RPC envelope
    "wrong id": (ANY, members(id=999_999, result="0x"), "the id of another request"),
    "id as text": (CALL, raw('{"jsonrpc":"2.0","id":"{id}","result":"0x"}'), "the id of another request"),
    "wrong version": (CALL, members(jsonrpc="1.0", result="0x"), 'an answer without "jsonrpc"'),
    "result and error": (CALL, members(result="0x", error={"code": 1, "message": "x"}), "both a result and an error"),
    "neither": (ANY, members(), "neither a result nor an error"),
    "error as text": (CALL, members(error="broken"), "an error without a code and a message"),
    "a batch": (CALL, raw('[{"jsonrpc":"2.0","id":{id},"result":"0x"}]'), "not one JSON-RPC object"),
    # The body
    "empty body": (ANY, raw(b""), "an empty answer"),
    "truncated JSON": (CALL, raw('{"jsonrpc":"2.0","id":{id},"resu'), "is not JSON"),
    "not UTF-8": (CALL, raw(b'{"jsonrpc":"2.0","id":{id},"result":"0x\xff\xfe"}'), "is not JSON"),
    "HTML": (ANY, raw("<html>Sign in</html>", kind="text/html"), "a web page instead of JSON"),
    "HTML called JSON": (CALL, raw("<!DOCTYPE html><p>Sign in"), "a web page instead of JSON"),
    "HTML with 502": (CALL, raw("<html>Bad gateway</html>", status=502, kind="text/html"), "HTTP 502"),
    "closed at once": (ANY, on_wire(), "closed before an answer"),
    "not HTTP": (ANY, on_wire(b"SSH-2.0-OpenSSH_9.2\r\n"), "not HTTP as we know it"),
    "a redirect": (ANY, raw(b"", status=307, Location="http://127.0.0.1:1/"), "HTTP 307, a redirect"),
    # Errors inside 200
    "limit": (CALL, error(-32005, "daily request count exceeded"), "limits our requests"),
    "internal": (CALL, error(-32603, "boom\x1b[31m\u202e"), "error -32603: boom"),
    "no state": (CALL, error(-32000, "missing trie node 00ff"), "missing trie node"),
    "a leak": (CALL, error(-32000, "no project " + " ".join(SECRETS[1:3])), "no project … …"),
    "no method": (CALL, error(-32601, "the method eth_call does not exist"), "error -32601"),
    # The block and the chain
    "wrong chain": (CHAIN_ID, result("0x89"), "serves chain 137, not 31337"),
    "chain id null": (CHAIN_ID, result(None), "the chain id is missing or null"),
    "no block": (BLOCK, result(None), "a block is missing or null"),
    "block as text": (BLOCK, result("0x1"), "a block is text"),
    "block without hash": (BLOCK, result({"number": "0x1", "timestamp": "0x1"}), "the block's hash is missing"),
    "block number huge": (BLOCK, result({"number": "0x" + "f" * 64, "hash": "0x" + "ab" * 32}), "256 bits long"),
    "block as number": (BLOCK, result({"number": 7, "hash": "0x" + "ab" * 32}), "a bare number"),
    # The return data
    "odd hex": (CALL, result("0x123"), "an odd number of digits"),
    "not hex": (CALL, result("0x" + "zz" * 64), "not hex digits"),
    "no prefix": (CALL, result("00" * 64), "not hex data"),
    "result null": (CALL, result(None), "missing or null, not hex data"),
    "empty return": (CALL, result("0x"), "no Multicall3 at"),
    "zeros": (CALL, result("0x" + "00" * 640), "do not begin with the offset of an array"),
    "ones": (CALL, result("0x" + "ff" * 640), "do not begin with the offset of an array"),
}


@pytest.mark.parametrize(("method", "fault", "words"), ROWS.values(), ids=ROWS)
async def test_it_says_in_clear_words_that_it_cannot_see(
    tmp_path: Path, borrowers: Market, gate: Gate, clock: Clock, method: str, fault: Fault, words: str
) -> None:
    gate.faults[method] = fault
    [blind] = await told(tmp_path, borrowers, gate, clock)
    assert blind.startswith("BLIND · Local\n")
    assert words in blind
    assert_fit_to_show(blind, gate)


async def test_it_does_not_swallow_a_giant_body(tmp_path: Path, borrowers: Market, gate: Gate, clock: Clock) -> None:
    gate.faults[CALL] = endless(gate, 64 * 1024 * 1024)
    [blind] = await told(tmp_path, borrowers, gate, clock)
    assert "an answer longer than the 16777216 bytes that we take" in blind


@pytest.mark.parametrize(("method", "fault", "words"), ROWS.values(), ids=ROWS)
async def test_check_ends_in_one_line_and_code_3(
    tmp_path: Path,
    borrowers: Market,
    gate: Gate,
    capsys: pytest.CaptureFixture[str],
    method: str,
    fault: Fault,
    words: str,
) -> None:
    gate.faults[method] = fault
    config = configure(tmp_path, borrowers, endpoints=[gate.url])
    code = await asyncio.to_thread(cli.main, ["check", "--json", "--config", str(config)])
    shown = capsys.readouterr()
    assert code == 3
    assert_fit_to_show(shown.err, gate)
    assert '"health_factor"' not in shown.out
    [chain] = json.loads(shown.out)["chains"]
    assert words in str(chain)


def empty(_: bool, data: bytes) -> tuple[bool, bytes]:
    return True, b""


def cut_by_a_byte(ok: bool, data: bytes) -> tuple[bool, bytes]:
    return ok, data[:-1]


def cut_to_half(ok: bool, data: bytes) -> tuple[bool, bytes]:
    return ok, data[: len(data) // 2]


def beyond_every_type(ok: bool, data: bytes) -> tuple[bool, bytes]:
    return ok, b"\xff" * (len(data) - 1)


def reverted(_: bool, data: bytes) -> tuple[bool, bytes]:
    return False, b"\x08\xc3\x79\xa0" + b"\xff" * 70


Spoil = Callable[[bool, bytes], tuple[bool, bytes]]
MANGLES: tuple[Spoil, ...] = (empty, cut_by_a_byte, cut_to_half, beyond_every_type, reverted)


@pytest.mark.parametrize("spoil", MANGLES)
async def test_it_never_shows_a_wrong_number_whichever_answer_of_a_batch_is_spoilt(
    tmp_path: Path, borrowers: Market, gate: Gate, clock: Clock, spoil: Spoil
) -> None:
    functions = await functions_asked(tmp_path, borrowers, gate, clock)
    assert len(functions) > 10
    truth = health(borrowers.health("weak"))
    for number, function in enumerate(sorted(functions)):

        def only_this(to: str, data: bytes, pair: tuple[bool, bytes], wanted: bytes = function) -> tuple[bool, bytes]:
            return spoil(*pair) if data[:4] == wanted else pair

        gate.faults[CALL] = gate.mangled(only_this)
        folder = tmp_path / str(number)
        folder.mkdir()
        texts = await told(folder, borrowers, gate, Clock(clock.now))
        assert texts, f"nothing was said of a spoilt {function.hex()}"
        for text in texts:
            assert_fit_to_show(text, gate)
            assert set(_HEALTH.findall(text)) <= {truth}, f"a wrong number from a spoilt {function.hex()}"
            assert text.startswith(("BLIND", "UNREADABLE", "WARNING"))


async def told(folder: Path, market: Market, gate: Gate, clock: Clock) -> list[str]:
    """What a daemon says that starts with this node, and looks again when its patience is at an end."""
    config = configure(folder, market, endpoints=[gate.url], interval=NEVER)
    async with inside(load(config), clock) as daemon:
        await daemon.look(after=BLIND_AFTER)
        return daemon.inbox.texts


async def functions_asked(folder: Path, market: Market, gate: Gate, clock: Clock) -> set[bytes]:
    """The selectors of all that an honest snapshot asks."""
    asked: set[bytes] = set()

    def noted(to: str, data: bytes, pair: tuple[bool, bytes]) -> tuple[bool, bytes]:
        if to.lower() != market.world.multicall3.lower():
            asked.add(data[:4])
        return pair

    gate.faults[CALL] = gate.mangled(noted)
    folder = folder / "honest"
    folder.mkdir()
    [text] = await told(folder, market, gate, Clock(clock.now))
    assert text.startswith("WARNING · weak")
    return asked


def assert_fit_to_show(text: str, gate: Gate) -> None:
    assert "Traceback" not in text
    assert all(line.isprintable() for line in text.splitlines())
    assert not [secret for secret in (*SECRETS, gate.url) if secret in text]
