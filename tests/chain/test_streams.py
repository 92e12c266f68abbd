"""One connection for many requests: who asked gets the answer, and what is lost is opened again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.chain.conftest import Clock
from tests.chain.stream_stand_in import Peer, StreamStandIn, hang_up, members, silence
from tests.chain.test_hostile_streams import kind, stream
from watcher.chain import Timeouts
from watcher.chain.errors import TimedOut
from watcher.chain.hints import RESTS as HINT_RESTS
from watcher.chain.stream import RESTS, Stream
from watcher.domain.errors import EndpointError

__all__ = ["kind", "stream"]  # fixtures

ID = "eth_chainId"


@pytest.fixture
async def wire(stream: StreamStandIn, clock: Clock) -> AsyncIterator[Stream]:
    wire = Stream(stream.endpoint, timeouts=Timeouts(connect=1, total=2), clock=clock)
    yield wire
    await wire.close()


async def test_it_gives_each_its_own_answer_in_whatever_order_they_come(stream: StreamStandIn, wire: Stream) -> None:
    held: list[dict[str, Any]] = []

    async def last_first(peer: Peer, body: dict[str, Any]) -> None:
        held.append(body)
        if len(held) == 50:
            for one in reversed(held):
                await members(result=one["params"][0])(peer, one)

    stream.faults["echo"] = last_first
    assert await asyncio.gather(*(wire.ask("echo", [number]) for number in range(50))) == list(range(50))
    assert len(stream.peers) == 1
    assert wire.requests == 50


async def test_it_fails_all_that_is_under_way_at_once_and_opens_again_for_the_next(
    stream: StreamStandIn, wire: Stream
) -> None:
    stream.faults["eth_call"] = silence
    waiting = [asyncio.create_task(wire.ask("eth_call", [])) for _ in range(5)]
    stream.faults["end"] = hang_up
    async with asyncio.timeout(1):  # of the two seconds that each has
        failures = await asyncio.gather(*waiting, wire.ask("end", []), return_exceptions=True)
    assert {str(one) for one in failures} == {"alpha: the connection was closed before an answer"}
    assert len({id(one) for one in failures}) == 6  # to each its own error
    assert await wire.ask(ID, []) == "0x1"
    assert len(stream.peers) == 2


async def test_it_opens_a_connection_that_was_lost_while_idle(stream: StreamStandIn, wire: Stream) -> None:
    for connections in (1, 2, 3):
        assert await wire.ask(ID, []) == "0x1"
        assert len(stream.peers) == connections
        await stream.peers[-1].end()
        await asyncio.sleep(0.02)


async def test_it_opens_one_connection_for_those_who_come_at_once(stream: StreamStandIn, wire: Stream) -> None:
    assert set(await asyncio.gather(*(wire.ask(ID, []) for _ in range(20)))) == {"0x1"}
    assert len(stream.peers) == 1


async def test_it_rests_longer_each_time_that_connections_end_in_vain(
    stream: StreamStandIn, wire: Stream, clock: Clock
) -> None:
    stream.faults[ID] = hang_up
    first, longest = RESTS
    for failures, rest in enumerate([0, first, first * 2, first * 4, first * 8, first * 16, longest, longest], 1):
        with pytest.raises(EndpointError, match="closed before an answer"):
            await wire.ask(ID, [])
        assert len(stream.peers) == failures
        if rest:
            with pytest.raises(EndpointError, match=rf"closed before an answer; the next try is in {rest:.1f} s"):
                await wire.ask(ID, [])
            assert len(stream.peers) == failures
            clock.now += rest
    stream.faults.clear()
    assert await wire.ask(ID, []) == "0x1"
    stream.faults[ID] = hang_up
    for _ in range(2):  # and it is forgotten
        with pytest.raises(EndpointError, match=r"closed before an answer$"):
            await wire.ask(ID, [])


async def test_it_does_not_mind_an_answer_that_comes_too_late(stream: StreamStandIn, wire: Stream) -> None:
    held: list[tuple[Peer, dict[str, Any]]] = []

    async def later(peer: Peer, body: dict[str, Any]) -> None:
        held.append((peer, body))

    stream.faults["slow"] = later
    given_up = asyncio.create_task(wire.ask("slow", []))
    assert await wire.ask(ID, []) == "0x1"
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    await members(result="0x5")(*held[0])
    assert await wire.ask(ID, []) == "0x1"
    assert len(stream.peers) == 1
    await members(result="0x5")(*held[0])  # but not twice
    with pytest.raises(EndpointError, match="the id of another request"):
        await wire.ask("slow", [])


@pytest.mark.parametrize("speaks", [False, True])
async def test_it_gives_up_a_connection_that_says_nothing_at_all(stream: StreamStandIn, speaks: bool) -> None:
    wire = Stream(stream.endpoint, timeouts=Timeouts(connect=1, total=0.1))
    stream.faults["eth_call"] = silence
    late = asyncio.create_task(wire.ask("eth_call", []))
    await asyncio.sleep(0.02)
    if speaks:
        assert await wire.ask(ID, []) == "0x1"
    with pytest.raises(TimedOut, match=r"no complete answer within 0\.1 s"):
        await late
    assert await wire.ask(ID, []) == "0x1"
    assert len(stream.peers) == (1 if speaks else 2)
    await wire.close()


async def test_it_asks_nothing_once_it_is_closed(stream: StreamStandIn, wire: Stream) -> None:
    stream.faults["eth_call"] = silence
    waiting = asyncio.create_task(wire.ask("eth_call", []))
    assert await wire.ask(ID, []) == "0x1"
    await wire.close()
    with pytest.raises(EndpointError, match="the connection was closed"):
        await waiting
    with pytest.raises(EndpointError, match="we are closing"):
        await wire.ask(ID, [])


async def test_it_lets_a_restarted_node_back_in(tmp_path: Path, clock: Clock) -> None:
    async with StreamStandIn("ws", tmp_path) as node:
        wire = Stream(node.endpoint, timeouts=Timeouts(connect=1, total=1), clock=clock)
        assert await wire.ask(ID, []) == "0x1"
    await asyncio.sleep(0.02)
    for _ in range(2):
        with pytest.raises(EndpointError, match="no connection: connection refused"):
            await wire.ask(ID, [])
    async with StreamStandIn("ws", tmp_path, port=node.port):
        clock.now += RESTS[0]
        assert await wire.ask(ID, []) == "0x1"
        await wire.close()


def test_it_comes_back_sooner_for_requests_than_for_heads() -> None:
    assert RESTS[1] < HINT_RESTS[1]
