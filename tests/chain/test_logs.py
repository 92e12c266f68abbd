"""Logs of many blocks: every one that is asked for, from nodes that limit what they give and from nodes that lie."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiohttp import web

from tests.chain.conftest import Clock, call, spec_of
from tests.chain.proxy import Exchange, Mode, Proxy
from tests.chain.rpc_stand_in import Fault, Head, RpcStandIn, endless, error, raw, result, silence
from tests.chain.searches import EMITTER, MARKET, OPENED, OWNER, as_json, opened_by
from tests.worlds import multicall3
from tests.worlds.abi import calldata
from tests.worlds.anvil import Anvil, Settings
from tests.worlds.chain import Tx, named
from tests.worlds.own import own
from watcher.chain import Chain, NoEndpoint, Timeouts
from watcher.chain.logs import MOST_DATA, MOST_LOGS, Stretch
from watcher.chain.span import FIRST, GROWS_AFTER, MOST, Span
from watcher.domain.source import Address
from watcher.reads.logs import padded

LOGS, BLOCK = "eth_getLogs", "eth_getBlockByNumber"
TOP = Head().number
ASKED = opened_by(OWNER)


def topics(*words: bytes) -> list[str]:
    return [f"0x{word.hex()}" for word in words]


RIGHT = (OPENED, MARKET, padded(OWNER))
HOSTILE: list[tuple[str, Fault, str]] = [
    ("no list", result({}), "the logs are not a list"),
    ("null", result(None), "the logs are not a list"),
    ("a log that is a text", result(["0x"]), "not an object"),
    ("another emitter", result([as_json(TOP, address="0x" + "33" * 20)]), "that was not asked for"),
    ("no emitter", result([as_json(TOP, address=None)]), "a log's address is missing or null"),
    ("an emitter too long", result([as_json(TOP, address="0x" + "11" * 21)]), "is 21 bytes, not 20"),
    ("another event", result([as_json(TOP, topics=topics(bytes(32), *RIGHT[1:]))]), "that was not asked for"),
    ("another owner", result([as_json(TOP, topics=topics(*RIGHT[:2], bytes(32)))]), "that was not asked for"),
    ("too few topics", result([as_json(TOP, topics=topics(*RIGHT[:2]))]), "that was not asked for"),
    ("too many topics", result([as_json(TOP, topics=topics(*RIGHT, *RIGHT))]), "at most four"),
    ("topics that are no list", result([as_json(TOP, topics="0x")]), "at most four"),
    ("a short topic", result([as_json(TOP, topics=["0x00"])]), "a log's topic is 1 bytes, not 32"),
    ("a block above", result([as_json(TOP + 1)]), "asked for were"),
    ("a block below", result([as_json(TOP - 500)]), "asked for were"),
    ("a pending log", result([as_json(TOP, blockNumber=None, blockHash=None)]), "a log's block is missing or null"),
    ("a block with leading zeros", result([as_json(TOP, blockNumber="0x0140f5d7")]), "not a hex quantity"),
    ("a block that is a number", result([as_json(TOP, blockNumber=TOP)]), "a bare number, not a hex quantity"),
    ("a log taken back", result([as_json(TOP, removed=True)]), "taken back (removed)"),
    ("removed that is a text", result([as_json(TOP, removed="no")]), "taken back (removed)"),
    ("data that is not hex", result([as_json(TOP, data="0xzz")]), "a log's data has characters"),
    ("half a byte", result([as_json(TOP, data="0x123")]), "an odd number of digits"),
    ("very long data", result([as_json(TOP, data="0x" + "00" * (MOST_DATA + 1))]), "bytes of data"),
    ("one log twice", result([as_json(TOP), as_json(TOP)]), "log 0 of block 21,034,551 twice"),
    ("two blocks of one number", result([as_json(TOP), as_json(TOP, 1, blockHash="0x" + "ef" * 32)]), "logs of two"),
    ("no index", result([as_json(TOP, logIndex=None)]), "a log's index is missing or null"),
    ("no transaction", result([as_json(TOP, transactionHash=None)]), "a log's transaction is missing or null"),
    ("no block hash", result([as_json(TOP, blockHash=None)]), "the hash of a log's block is missing or null"),
    ("no method", error(-32601, "the method eth_getLogs does not exist"), "error -32601"),
    ("pruned", error(-32000, "History has been pruned for this block"), "pruned"),
    ("limited", raw(b"", status=429, Retry_After="7"), "HTTP 429"),
    ("a web page", raw("<html>Sign in</html>", kind="text/html"), "a web page instead of JSON"),
]


@pytest.mark.parametrize(("fault", "said"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
async def test_it_takes_no_answer_that_is_not_to_the_question(
    node: RpcStandIn, chain: Chain, fault: Fault, said: str
) -> None:
    node.faults[LOGS] = fault
    with pytest.raises(NoEndpoint) as caught:
        await chain.logs(ASKED, TOP - 100, TOP)
    assert said in str(caught.value)


async def test_it_takes_a_right_answer(node: RpcStandIn, chain: Chain) -> None:
    node.faults[LOGS] = result([as_json(TOP), as_json(TOP, 1), as_json(TOP - 100, blockHash="0x" + "ef" * 32)])
    found = await chain.logs(ASKED, TOP - 100, TOP)
    assert (found.first, found.last, len(found.logs)) == (TOP - 100, TOP, 3)
    assert {(log.address, log.topics, log.data[-1]) for log in found.logs} == {(EMITTER, RIGHT, 5)}


async def test_it_asks_for_the_emitters_and_topics_of_the_search(node: RpcStandIn, chain: Chain) -> None:
    node.faults[LOGS] = result([])
    await chain.logs(ASKED, TOP - 100, TOP)
    [asked] = [one.params[0] for one in node.asked if one.method == LOGS]
    assert asked == {
        "fromBlock": hex(TOP - 100),
        "toBlock": hex(TOP),
        "address": [EMITTER],
        "topics": [topics(OPENED), None, topics(padded(OWNER))],
    }


async def test_it_asks_no_endpoint_that_has_not_shown_the_last_block(node: RpcStandIn, chain: Chain) -> None:
    """It would find nothing in it, and not say why."""
    node.faults[LOGS] = result([])
    with pytest.raises(NoEndpoint, match="does not have block"):
        await chain.logs(ASKED, TOP - 100, TOP + 1)
    assert node.count(LOGS) == 0


@pytest.mark.parametrize(
    "refusal",
    [
        error(-32000, "query returned more than 10000 results"),
        error(-32005, "query returned more than 10000 results. Try with this block range [0x1, 0x2]."),
        error(-32602, "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range"),
        error(-32000, "exceed maximum block range: 1000"),
        error(-32600, "Under the Free tier plan, you can make eth_getLogs requests with up to a 10 block range."),
        error(-32000, "requested too many blocks from 1 to 9, maximum is set to 2048"),
        error(-32614, "eth_getLogs is limited to a 10,000 range"),
        error(-32000, "block range is too wide"),
        error(-32002, "query timeout exceeded. Consider reducing your block range."),
        error(-32000, "request timed out"),
        raw(b"", status=413),
        raw(b"", status=504),
        raw('{"jsonrpc":"2.0","id":{id},"error":{"code":-32062,"message":"Block range is too large"}}', status=400),
    ],
)
async def test_it_asks_for_fewer_blocks_where_many_are_refused(node: RpcStandIn, chain: Chain, refusal: Fault) -> None:
    async def limited(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        asked = body["params"][0]
        wide = int(asked["toBlock"], 16) - int(asked["fromBlock"], 16) >= 30
        return await (refusal if wide else result([as_json(TOP)]))(request, body)

    node.faults[LOGS] = limited
    found = await chain.logs(ASKED, TOP - 200, TOP)
    assert (found.last, found.last - found.first + 1) == (TOP, 25)
    node.asked.clear()
    await chain.logs(ASKED, TOP - 200, TOP)
    assert node.count(LOGS) == 1  # it has learned


async def test_it_halves_what_would_be_too_long_to_read(node: RpcStandIn, chain: Chain) -> None:
    async def limited(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        asked = body["params"][0]
        wide = int(asked["toBlock"], 16) - int(asked["fromBlock"], 16) >= 30
        return await (endless(node, 20 * 2**20) if wide else result([]))(request, body)

    node.faults[LOGS] = limited
    found = await chain.logs(ASKED, TOP - 60, TOP)
    assert found.first == TOP - 29
    node.faults[LOGS] = result([{}] * (MOST_LOGS + 1))
    with pytest.raises(NoEndpoint, match="even one block of logs is too much for it"):
        await chain.logs(ASKED, TOP - 60, TOP)


async def test_it_never_takes_a_block_that_is_refused_for_one_without_logs(node: RpcStandIn, chain: Chain) -> None:
    node.faults[LOGS] = error(-32000, "query returned more than 10000 results")
    with pytest.raises(NoEndpoint, match="even one block of logs is too much for it"):
        await chain.logs(ASKED, TOP - 100, TOP)


@pytest.mark.parametrize("code", ["a hang", "-32005"])
async def test_it_asks_for_less_the_next_time_of_one_that_hangs_or_counts(
    node: RpcStandIn, clock: Clock, code: str
) -> None:
    release = asyncio.Event()
    node.faults[LOGS] = silence(release) if code == "a hang" else error(-32005, "limit exceeded")
    async with Chain(spec_of(node.endpoint), timeouts=Timeouts(connect=1, total=0.2), clock=clock) as chain:
        with pytest.raises(NoEndpoint):
            await chain.logs(ASKED, 0, TOP)
        release.set()
        assert node.count(LOGS) == 1
        node.faults[LOGS] = result([])
        assert await chain.logs(ASKED, 0, TOP) == Stretch(TOP - FIRST // 2 + 1, TOP, ())


async def test_it_goes_to_the_next_endpoint(node: RpcStandIn, clock: Clock) -> None:
    async with RpcStandIn(name="beta") as other:
        node.faults[LOGS] = error(-32601, "the method eth_getLogs does not exist")
        other.faults[LOGS] = result([as_json(TOP)])
        async with Chain(spec_of(node.endpoint, other.endpoint), clock=clock) as chain:
            for _ in range(3):
                assert len((await chain.logs(ASKED, TOP - 10, TOP)).logs) == 1
            assert (node.count(LOGS), other.count(LOGS)) == (1, 3)  # who failed comes last for a while
            assert [one.name for one in chain.endpoints] == ["alpha", "beta"]  # and first for all else


async def test_it_keeps_no_look_waiting_however_logs_go(node: RpcStandIn, clock: Clock) -> None:
    """A search that hangs takes the place of no call, and what it fails of is held against nobody."""
    release, arrived = asyncio.Event(), asyncio.Event()

    async def hang(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        arrived.set()
        return await silence(release)(request, body)

    node.faults[LOGS] = hang
    async with Chain(spec_of(node.endpoint), timeouts=Timeouts(connect=1, total=5), clock=clock) as chain:
        searches = [asyncio.create_task(chain.logs(ASKED, 0, TOP)) for _ in range(8)]
        await arrived.wait()
        async with asyncio.timeout(2):
            for _ in range(5):
                await chain.first(lambda pinned: pinned.read([call(1)]))
        assert node.count(LOGS) == 1
        for search in searches:
            search.cancel()
        await asyncio.gather(*searches, return_exceptions=True)
        release.set()
        node.faults[LOGS] = raw(b"", status=429, Retry_After="60")
        for _ in range(4):
            with pytest.raises(NoEndpoint):
                await chain.logs(ASKED, 0, TOP)
        assert node.count(LOGS) == 2  # it waits as long as it was asked to,
        await chain.first(lambda pinned: pinned.read([call(2)]))  # and looks go on
        condition = chain.conditions["alpha"]
        assert not condition.errors
        assert not condition.failed_lately(clock())


async def test_it_waits_with_logs_while_the_endpoint_wants_to_rest(node: RpcStandIn, chain: Chain) -> None:
    await chain.first(lambda pinned: pinned.read([call(1)]))
    node.faults["eth_call"] = raw(b"", status=429, Retry_After="60")
    with pytest.raises(NoEndpoint):
        await chain.first(lambda pinned: pinned.read([call(2)]))
    node.faults[LOGS] = result([])
    with pytest.raises(NoEndpoint, match="asked us to wait"):
        await chain.logs(ASKED, TOP - 10, TOP)
    assert node.count(LOGS) == 0


# --- How many blocks to ask for ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 10, 100, 999, 1000, 2000, 2048, 5000, 9_999, 10_000, 50_000, 123_456, MOST])
def test_it_finds_the_limit_of_an_endpoint_and_stays_there(limit: int) -> None:
    span, refusals, given = Span(), 0, []
    for _ in range(200):
        while span.blocks > limit:
            span.refused(span.blocks)
            refusals += 1
        given.append(span.blocks)
        span.worked(span.blocks)
    assert given[-1] == limit
    assert refusals <= 20


def test_it_grows_slowly_and_never_because_of_a_short_range() -> None:
    span = Span()
    for _ in range(GROWS_AFTER - 1):
        span.worked(FIRST)
    span.worked(5)
    assert span.blocks == FIRST
    span.worked(FIRST)
    assert span.blocks == 2 * FIRST


def test_it_goes_below_what_worked_where_blocks_are_full() -> None:
    span = Span()
    span.worked(FIRST)
    for blocks in (10_000, 5_000, 2_500):
        assert span.blocks == blocks
        span.refused(blocks)
    assert span.blocks == 1_250


# --- A real node ------------------------------------------------------------------------------------------------------

ALICE, BOB = Address(named("alice of the logs")), Address(named("bob of the logs"))
SENDER = named("sender of the logs")


@pytest.fixture(scope="module")
def anvil() -> Iterator[Anvil]:
    with Anvil(Settings(chain_id=1)) as anvil:
        multicall3.install(anvil.chain)
        yield anvil


@pytest.fixture(scope="module")
def emitter(anvil: Anvil) -> Address:
    """Forty blocks: Alice opens in every fourth, Bob in every tenth, others and other events in between."""
    chain = anvil.chain
    at = Address(chain.deploy(SENDER, own("LogsEmitter").creation()))
    another = chain.deploy(SENDER, own("LogsEmitter").creation())
    for number in range(40):
        opened, market = "open(bytes32,address,uint256)", number.to_bytes(32, "big")
        txs = [Tx(SENDER, another, calldata(opened, market, ALICE, 1))]
        txs += [Tx(SENDER, at, calldata("other(bytes32,address)", market, ALICE))]
        txs += [Tx(SENDER, at, calldata(opened, market, ALICE, 1))] if number % 4 == 0 else []
        txs += [Tx(SENDER, at, calldata(opened, market, BOB, 2))] if number % 10 == 0 else []
        chain.send_all(txs)
    return at


@pytest.fixture
async def proxy(anvil: Anvil) -> AsyncIterator[Proxy]:
    async with Proxy(anvil.url) as proxy:
        yield proxy


def at_most(blocks: int) -> Mode:
    async def mode(exchange: Exchange) -> web.StreamResponse:
        asked = exchange.params[0]
        if int(asked["toBlock"], 16) - int(asked["fromBlock"], 16) >= blocks:
            return exchange.says(error={"code": -32000, "message": f"block range exceeds {blocks}"})
        return exchange.says(result=(await exchange.honest())["result"])

    return mode


async def everything(chain: Chain, search: Any, first: int, last: int) -> list[str]:
    """Every key, stretch by stretch, the newest first."""
    keys: list[str] = []
    while last >= first:
        found = await chain.logs(search, first, last)
        assert found.last == last
        keys += [search.key(log) for log in reversed(found.logs)]
        last = found.first - 1
    return keys


@pytest.mark.parametrize("limit", [10_000, 17, 5, 1])
async def test_it_finds_every_log_of_its_owner_and_no_other(
    anvil: Anvil, emitter: Address, proxy: Proxy, limit: int
) -> None:
    proxy.meets(at_most(limit), method=LOGS)
    head = anvil.chain.head().number
    async with Chain(spec_of(proxy.endpoint)) as chain:
        alice = await everything(chain, opened_by(ALICE, emitter=emitter), 0, head)
        both = await everything(chain, opened_by(ALICE, BOB, emitter=emitter), 0, head)
    assert [int(key, 16) for key in alice] == list(range(36, -1, -4))
    assert len(both) == 14


async def test_it_finds_every_log_through_an_endpoint_that_fails_every_other_time(
    anvil: Anvil, emitter: Address, proxy: Proxy
) -> None:
    for nth in (1, 3, 4, 7):
        proxy.meets(_fails, method=LOGS, nth=nth)
    proxy.meets(at_most(5), method=LOGS)
    head, keys = anvil.chain.head().number, []
    search, last = opened_by(ALICE, emitter=emitter), head
    async with Chain(spec_of(proxy.endpoint)) as chain:
        while last >= 0:
            try:
                found = await chain.logs(search, 0, last)
            except NoEndpoint:
                continue
            keys += [search.key(log) for log in reversed(found.logs)]
            last = found.first - 1
    assert [int(key, 16) for key in keys] == list(range(36, -1, -4))


async def _fails(exchange: Exchange) -> web.StreamResponse:
    return exchange.says(error={"code": -32603, "message": "internal error"})
