"""Admission, rest, failover, and what the rest of the program may rely on."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from tests.chain.conftest import Clock, call, spec_of
from tests.chain.rpc_stand_in import RpcStandIn, error, raw, result, silence
from watcher.chain import Chain, EndpointSpec, NoEndpoint, Pinned, Timeouts, open_session
from watcher.chain.condition import FAILED_LATELY, LONGEST_REST
from watcher.chain.endpoint import ADMITTED_FOR
from watcher.chain.transport import retry_after_seconds
from watcher.domain.errors import ConfigError, EndpointError

CALL, BLOCK, CHAIN_ID = "eth_call", "eth_getBlockByNumber", "eth_chainId"


@pytest.fixture
async def other() -> AsyncIterator[RpcStandIn]:
    async with RpcStandIn("beta") as node:
        yield node


@pytest.fixture
async def pair(node: RpcStandIn, other: RpcStandIn, clock: Clock) -> AsyncIterator[Chain]:
    spec = spec_of(node.endpoint, other.endpoint)
    async with Chain(spec, timeouts=Timeouts(connect=1, total=2), clock=clock) as chain:
        yield chain


def names(chain: Chain) -> list[str]:
    return [endpoint.name for endpoint in chain.endpoints]


async def endpoint_used(pinned: Pinned) -> str:
    await pinned.read([call(1)])
    return pinned.endpoint


async def test_it_asks_for_the_chain_id_before_anything_else(node: RpcStandIn, chain: Chain) -> None:
    await chain.pin(chain.endpoints[0])
    await chain.pin(chain.endpoints[0])
    assert [asked.method for asked in node.asked] == [CHAIN_ID, BLOCK, BLOCK]


async def test_it_asks_for_the_chain_id_again_after_minutes(node: RpcStandIn, chain: Chain, clock: Clock) -> None:
    await chain.pin(chain.endpoints[0])
    clock.now += ADMITTED_FOR + 1
    node.chain_id = 137
    with pytest.raises(EndpointError, match=r"serves chain 137, not 1 \(Ethereum\)"):
        await chain.pin(chain.endpoints[0])


@pytest.mark.parametrize("fault", [error(-32000, "boom"), raw(b"", status=500), result(None)])
async def test_it_asks_for_the_chain_id_again_after_any_error(node: RpcStandIn, chain: Chain, fault: Any) -> None:
    await chain.pin(chain.endpoints[0])
    node.faults[BLOCK] = fault
    with pytest.raises(EndpointError):
        await chain.pin(chain.endpoints[0])
    del node.faults[BLOCK]
    node.chain_id = 137
    with pytest.raises(EndpointError, match="serves chain 137"):
        await chain.pin(chain.endpoints[0])
    assert node.count(BLOCK) == 2  # nothing was read from the wrong chain


async def test_it_asks_for_the_chain_id_once_for_many_reads_at_once(node: RpcStandIn, chain: Chain) -> None:
    await asyncio.gather(*(chain.pin(chain.endpoints[0]) for _ in range(10)))
    assert node.count(CHAIN_ID) == 1


async def test_it_tells_which_chain_an_endpoint_serves(node: RpcStandIn, chain: Chain) -> None:
    node.chain_id = 42161
    assert await chain.chain_id(chain.endpoints[0]) == 42161


async def test_it_does_its_work_at_the_first_endpoint_that_can(
    node: RpcStandIn, other: RpcStandIn, pair: Chain
) -> None:
    assert await pair.first(endpoint_used) == "alpha"
    assert other.asked == []
    node.faults[CALL] = error(-32000, "boom")
    assert await pair.first(endpoint_used) == "beta"


async def test_it_starts_whole_at_the_next_endpoint(node: RpcStandIn, other: RpcStandIn, pair: Chain) -> None:
    """Two rounds, of which the second fails: the first is done again elsewhere, at that endpoint's block."""
    node.faults[CALL] = fails_from_second(node)

    async def two_rounds(pinned: Pinned) -> list[str]:
        await pinned.read([call(1)])
        await pinned.read([call(2)])
        return [pinned.endpoint, pinned.block.hash]

    assert await pair.first(two_rounds) == ["beta", other.head.hash]
    assert [len(batch) for batch in other.batches] == [1, 1]


def fails_from_second(node: RpcStandIn) -> Any:
    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if node.count(CALL) == 1:
            return node.honest(body)
        return await error(-32000, "missing trie node")(request, body)

    return answer


async def test_it_tries_those_that_failed_lately_last(node: RpcStandIn, pair: Chain, clock: Clock) -> None:
    node.faults[BLOCK] = error(-32000, "boom")
    await pair.first(endpoint_used)
    assert names(pair) == ["beta", "alpha"]
    clock.now += FAILED_LATELY + 1
    assert names(pair) == ["alpha", "beta"]


async def test_it_leaves_time_for_the_others_when_one_hangs(node: RpcStandIn, other: RpcStandIn) -> None:
    release = asyncio.Event()
    node.faults[BLOCK] = silence(release)
    async with Chain(spec_of(node.endpoint, other.endpoint)) as chain:
        assert await chain.first(endpoint_used, within=0.4) == "beta"
        assert names(chain) == ["beta", "alpha"]
    release.set()


async def test_it_tells_every_failure_when_none_answers(node: RpcStandIn, other: RpcStandIn, pair: Chain) -> None:
    node.chain_id = 10
    other.faults[BLOCK] = raw(b"", status=503, Retry_After="9")
    with pytest.raises(NoEndpoint) as caught:
        await pair.first(endpoint_used)
    told = str(caught.value)
    assert told.startswith("ethereum: no endpoint answered (alpha: serves chain 10")
    assert "beta: HTTP 503" in told
    assert caught.value.retry_after == 9


async def test_it_says_so_when_no_endpoint_is_configured() -> None:
    async with Chain(spec_of()) as chain:
        with pytest.raises(NoEndpoint, match="none is configured"):
            await chain.first(endpoint_used)


async def test_it_lets_an_error_of_the_work_itself_pass(pair: Chain, other: RpcStandIn) -> None:
    async def broken(pinned: Pinned) -> None:
        raise TimeoutError("of its own")

    with pytest.raises(TimeoutError, match="of its own"):
        await pair.first(broken)
    assert other.asked == []


async def test_it_sends_nothing_while_an_endpoint_asked_us_to_wait(
    node: RpcStandIn, chain: Chain, clock: Clock
) -> None:
    node.faults[BLOCK] = raw(b"", status=429, Retry_After="30")
    with pytest.raises(EndpointError) as caught:
        await chain.pin(chain.endpoints[0])
    assert caught.value.retry_after == 30
    before = len(node.asked)
    clock.now += 29
    with pytest.raises(EndpointError, match="asked us to wait; 1 s of that are left"):
        await chain.pin(chain.endpoints[0])
    assert len(node.asked) == before
    clock.now += 1
    del node.faults[BLOCK]
    await chain.pin(chain.endpoints[0])


async def test_it_does_not_wait_for_ever_because_it_was_told_to(node: RpcStandIn, chain: Chain, clock: Clock) -> None:
    node.faults[BLOCK] = raw(b"", status=429, Retry_After="999999999")
    with pytest.raises(EndpointError):
        await chain.pin(chain.endpoints[0])
    del node.faults[BLOCK]
    clock.now += LONGEST_REST
    await chain.pin(chain.endpoints[0])


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("0", 0),
        (" 12 ", 12),
        ("Thu, 09 Oct 2025 08:54:40 GMT", 1_760_000_080 - 1_760_000_000),
        ("Thu, 09 Oct 2015 08:54:40 GMT", 0),
        ("-5", None),
        ("soon", None),
        ("9" * 5000, None),
        ("Thu, 09 Oct 99999 08:54:40 GMT", None),
    ],
)
def test_it_reads_retry_after_in_both_forms(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, 1_760_000_000) == seconds


async def test_it_repeats_a_read_once_when_the_connection_was_closed_under_it(node: RpcStandIn, chain: Chain) -> None:
    async def closed_once(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        assert request.transport is not None
        if node.count(BLOCK) == 1:
            request.transport.close()
        return node.honest(body)

    node.faults[BLOCK] = closed_once
    await chain.pin(chain.endpoints[0])
    assert node.count(BLOCK) == 2
    assert chain.requests == {"alpha": 3}


async def test_it_sends_headers_and_basic_auth(node: RpcStandIn, chain: Chain) -> None:
    await chain.pin(chain.endpoints[0])
    assert node.asked[0].headers["X-Api-Key"] == node.endpoint.headers["X-Api-Key"]
    assert node.asked[0].headers["Authorization"].startswith("Basic ")


async def test_it_keeps_one_connection_and_leaves_a_session_that_is_not_its_own_open(node: RpcStandIn) -> None:
    async with open_session() as session:
        async with Chain(spec_of(node.endpoint), session) as chain:
            for _ in range(5):
                await chain.pin(chain.endpoints[0])
        assert not session.closed
        assert len(session.connector._conns) == 1  # type: ignore[union-attr]  # no public view of the pool


def test_it_refuses_two_endpoints_of_one_name() -> None:
    twin = EndpointSpec(name="alpha", url="http://127.0.0.1:1")
    with pytest.raises(ConfigError, match="two endpoints of one name among alpha, alpha"):
        Chain(spec_of(twin, twin))


def test_it_does_not_import_web3_until_it_is_needed() -> None:
    script = "import sys, watcher.chain; assert 'web3' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)
