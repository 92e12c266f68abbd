"""Several endpoints of one chain: raced when late, held to a known block and to each other's heads, made to agree."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from tests.chain.conftest import Clock, call, spec_of
from tests.chain.rpc_stand_in import Head, RpcStandIn, error, silence
from tests.daemon.waiting import eventually
from watcher.chain import Chain, ChainSpec, Disagreement, EndpointSpec, NoEndpoint, Pinned, operator
from watcher.chain.chain import HEADS_EVERY, tolerance
from watcher.chain.spec import KnownBlock
from watcher.domain.errors import EndpointError

CALL, BLOCK, CHAIN_ID = "eth_call", "eth_getBlockByNumber", "eth_chainId"


@pytest.fixture
async def other() -> AsyncIterator[RpcStandIn]:
    async with RpcStandIn("beta") as node:
        yield node


@pytest.fixture
def released() -> Iterator[asyncio.Event]:
    event = asyncio.Event()
    yield event
    event.set()


def pair(node: RpcStandIn, other: RpcStandIn, clock: Clock, **more: Any) -> Chain:
    return Chain(replace(spec_of(node.endpoint, other.endpoint), **more), clock=clock)


async def read_one(pinned: Pinned) -> str:
    await pinned.read([call(1)])
    return pinned.endpoint


# --- Late -------------------------------------------------------------------------------------------------------------


async def test_it_is_done_elsewhere_within_three_seconds_when_one_hangs(
    node: RpcStandIn, other: RpcStandIn, clock: Clock, released: asyncio.Event
) -> None:
    node.faults[CALL] = silence(released)
    async with pair(node, other, clock) as chain:
        began = time.monotonic()
        assert await chain.first(read_one) == "beta"
        assert time.monotonic() - began < 3
        assert [one.name for one in chain.endpoints] == ["beta", "alpha"]


async def test_it_takes_the_first_whole_snapshot_and_mixes_nothing(
    node: RpcStandIn, other: RpcStandIn, clock: Clock, released: asyncio.Event
) -> None:
    """The late one has read its first round when the other begins, and begins from the first round all the same."""
    other.head = Head(number=node.head.number + 1, hash="0x" + "cd" * 32, timestamp=node.head.timestamp + 12)

    async def late_in_its_second(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if node.count(CALL) > 1:
            await released.wait()
        return node.honest(body)

    node.faults[CALL] = late_in_its_second

    async def two_rounds(pinned: Pinned) -> tuple[str, int]:
        await pinned.read([call(1)])
        await pinned.read([call(2)])
        return pinned.endpoint, pinned.block.number

    async with pair(node, other, clock) as chain:
        assert await chain.first(two_rounds) == ("beta", other.head.number)
    assert [len(batch) for batch in other.batches] == [1, 1]


async def test_it_leaves_no_attempt_running(
    node: RpcStandIn, other: RpcStandIn, clock: Clock, released: asyncio.Event
) -> None:
    node.faults[CALL] = silence(released)
    async with pair(node, other, clock) as chain:
        await chain.first(read_one)
        assert [task for task in asyncio.all_tasks() if "Race" in repr(task) or "_awaited" in repr(task)] == []


# --- A known block ----------------------------------------------------------------------------------------------------


async def test_it_reads_nothing_from_another_chain_of_the_same_id(node: RpcStandIn, clock: Clock) -> None:
    spec = replace(spec_of(node.endpoint), known=KnownBlock(number=node.head.number, hash="0x" + "99" * 16))
    async with Chain(spec, clock=clock) as chain:
        with pytest.raises(EndpointError, match=r"is not on our chain Ethereum: its block 21034551 is 0xabababab…"):
            await chain.first(read_one)
    assert node.count(CALL) == 0


async def test_it_takes_the_beginning_of_a_hash_for_a_proof(node: RpcStandIn, clock: Clock) -> None:
    spec = replace(spec_of(node.endpoint), known=KnownBlock(number=node.head.number, hash="0x" + "ab" * 16))
    async with Chain(spec, clock=clock) as chain:
        assert await chain.first(read_one) == "alpha"


async def test_it_does_not_hold_against_a_node_that_it_forgot_old_blocks(node: RpcStandIn, clock: Clock) -> None:
    spec = replace(spec_of(node.endpoint), known=KnownBlock(number=0, hash="0x" + "99" * 16))
    async with Chain(spec, clock=clock) as chain:
        assert await chain.first(read_one) == "alpha"


async def test_it_holds_endpoints_to_what_was_confirmed_elsewhere(
    node: RpcStandIn, other: RpcStandIn, clock: Clock
) -> None:
    other.head = replace(other.head, hash="0x" + "cd" * 32)  # a fork, under the same number
    async with pair(node, other, clock) as chain:
        pinned = await chain.pin(chain.endpoints[0])
        chain.confirmed(pinned.block)
        node.faults[BLOCK] = error(-32000, "boom")
        with pytest.raises(NoEndpoint, match="beta: is not on our chain"):
            await chain.first(read_one)
    assert other.count(CALL) == 0


# --- Heads ------------------------------------------------------------------------------------------------------------


async def test_it_finds_out_who_is_behind_and_asks_it_last(node: RpcStandIn, other: RpcStandIn, clock: Clock) -> None:
    async with pair(node, other, clock) as chain:
        assert await chain.first(read_one) == "alpha"
        other.head = Head(number=node.head.number + tolerance(chain.spec) + 1, timestamp=node.head.timestamp + 60)
        clock.now += HEADS_EVERY
        await chain.first(read_one)  # meanwhile, the other's head is asked for
        await eventually(lambda: chain.conditions["beta"].head is not None)
        calls = node.count(CALL)
        assert await chain.first(read_one) == "beta"
        assert node.count(CALL) == calls, "nothing is read where the head is known to be behind"
        assert [one.name for one in chain.endpoints] == ["beta", "alpha"]


async def test_it_bears_with_one_that_hears_of_a_block_a_moment_later(
    node: RpcStandIn, other: RpcStandIn, clock: Clock
) -> None:
    async with pair(node, other, clock) as chain:
        other.head = replace(other.head, number=node.head.number + tolerance(chain.spec))
        await chain.pin(chain.endpoints[1])
        assert await chain.first(read_one) == "alpha"


async def test_it_does_not_believe_a_head_that_no_chain_grows_to(
    node: RpcStandIn, other: RpcStandIn, clock: Clock
) -> None:
    other.head = replace(other.head, number=node.head.number + 100_000)
    async with pair(node, other, clock) as chain:
        await chain.pin(chain.endpoints[0])
        with pytest.raises(EndpointError, match=r"beta: claims block 21,134,551, 100,000 above any seen, in 0 s"):
            await chain.pin(chain.endpoints[1])
        assert await chain.first(read_one) == "alpha", "the one that claims too much does not make others look late"


async def test_it_measures_nobody_by_a_head_from_the_future(node: RpcStandIn, other: RpcStandIn, clock: Clock) -> None:
    other.head = replace(other.head, number=node.head.number + 10, timestamp=int(time.time()) + 60)
    async with pair(node, other, clock) as chain:
        await chain.pin(chain.endpoints[1])
        assert await chain.first(read_one) == "alpha"


async def test_it_measures_nobody_by_a_number_that_has_no_time_to_it(
    node: RpcStandIn, other: RpcStandIn, clock: Clock
) -> None:
    other.head = replace(other.head, number=node.head.number + 10)
    async with pair(node, other, clock) as chain:
        await chain.pin(chain.endpoints[1])
        assert await chain.first(read_one) == "alpha"


async def test_it_measures_nobody_by_the_head_of_one_that_was_found_to_be_wrong(
    node: RpcStandIn, other: RpcStandIn, clock: Clock
) -> None:
    async with pair(node, other, clock) as chain:
        await chain.pin(chain.endpoints[0])
        node.head = replace(node.head, number=node.head.number + 5, timestamp=node.head.timestamp + 60)
        node.chain_id = 10  # after it was admitted
        assert await chain.first(read_one) == "beta"
        assert "answered for chain 10, not 1 (Ethereum)" in chain.conditions["alpha"].last_problem


# --- Agreement --------------------------------------------------------------------------------------------------------


def named(node: RpcStandIn, name: str) -> EndpointSpec:
    return replace(node.endpoint, name=name)


def agreed(node: RpcStandIn, other: RpcStandIn, clock: Clock, *, names: tuple[str, str] = ("a.one", "b.two")) -> Chain:
    spec: ChainSpec = replace(spec_of(named(node, names[0]), named(other, names[1])), agreement=2)
    return Chain(spec, clock=clock)


async def test_it_asks_a_second_operator_the_same(node: RpcStandIn, other: RpcStandIn, clock: Clock) -> None:
    async with agreed(node, other, clock) as chain:
        assert await chain.first(read_one) == "a.one"
    assert other.batches == node.batches


async def test_it_takes_no_snapshot_that_another_contradicts(node: RpcStandIn, other: RpcStandIn, clock: Clock) -> None:
    other.contract = lambda target, data: (True, (7).to_bytes(32, "big"))
    node.contract = lambda target, data: (True, (8).to_bytes(32, "big"))
    async with agreed(node, other, clock) as chain:
        with pytest.raises(Disagreement) as caught:
            await chain.first(read_one)
    assert str(caught.value) == (
        "a.one and b.two: do not agree: call1 on 0x0000000000000000000000000000000000000001 at block 21,034,551:"
        " 8 to the one, 7 to the other"
    )


async def test_it_tells_a_fork_from_a_lie(node: RpcStandIn, other: RpcStandIn, clock: Clock) -> None:
    other.head = replace(other.head, hash="0x" + "cd" * 32)
    async with agreed(node, other, clock) as chain:
        with pytest.raises(Disagreement, match=r"block 21,034,551 is 0xababababab… to the one, 0xcdcdcdcdcd… to the"):
            await chain.first(read_one)


async def test_it_says_who_could_not_be_heard(node: RpcStandIn, other: RpcStandIn, clock: Clock) -> None:
    other.faults[CALL] = error(-32000, "boom")
    async with agreed(node, other, clock) as chain:
        with pytest.raises(NoEndpoint, match="agreement of 2 operators is asked for, and 1 could be heard"):
            await chain.first(read_one)


async def test_it_does_not_take_one_operator_for_two(node: RpcStandIn, other: RpcStandIn, clock: Clock) -> None:
    async with agreed(node, other, clock, names=("eth.one.com", "base.one.com")) as chain:
        with pytest.raises(NoEndpoint, match="no other operator's is configured"):
            await chain.first(read_one)


@pytest.mark.parametrize(
    ("name", "whose"),
    [
        ("eth.drpc.org", "drpc.org"),
        ("eth.drpc.org#2", "drpc.org"),
        ("node:8545", "node"),
        ("127.0.0.1:8545", "127.0.0.1:8545"),
        ("[::1]:8545", "[::1]:8545"),
        ("localhost", "localhost"),
    ],
)
def test_it_knows_an_operator_by_its_domain(name: str, whose: str) -> None:
    assert operator(EndpointSpec(name=name, url="http://x")) == whose
