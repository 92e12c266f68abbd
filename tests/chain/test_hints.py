"""Announced heads make us look at once. Whatever else is announced, or not, changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from tests.chain.conftest import call, spec_of
from tests.chain.stream_stand_in import Peer, StreamStandIn, hang_up, members, silence, writes
from tests.chain.test_hostile_streams import kind, stream
from watcher.chain import Chain, Timeouts
from watcher.chain.hints import MOST_A_SECOND, RESTS, Hints
from watcher.chain.stream import Stream

__all__ = ["kind", "stream"]  # fixtures

SUBSCRIBE = "eth_subscribe"


def head(number: int, *, subscription: object = "0xcd0c", **more: Any) -> bytes:
    """The announcement of a head."""
    result = {"hash": f"0x{number:064x}", "parentHash": f"0x{number - 1:064x}", "number": hex(number), **more}
    return notice({"subscription": subscription, "result": result})


def notice(params: object) -> bytes:
    return orjson.dumps({"jsonrpc": "2.0", "method": "eth_subscription", "params": params})


@dataclass(slots=True)
class Listener:
    """Counts what it is told, and can wait for it; its sleeps take no time."""

    told: int = 0
    rests: list[float] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def on_head(self) -> None:
        self.told += 1
        self._news.set()

    async def sleep(self, seconds: float) -> None:
        self.rests.append(seconds)
        self._news.set()
        await asyncio.sleep(0)

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not true():
                self._news.clear()
                await self._news.wait()


@pytest.fixture
async def listener() -> Listener:
    return Listener()


@pytest.fixture
async def hints(stream: StreamStandIn, listener: Listener) -> AsyncIterator[Hints]:
    """Listening to a stand-in that takes subscriptions, from the first turn of the loop on."""
    stream.faults[SUBSCRIBE] = members(result="0xcd0c")
    wire = Stream(stream.endpoint, timeouts=Timeouts(connect=1, total=1))
    hints = Hints(wire, listener.on_head, silence=5, sleep=listener.sleep)
    task = asyncio.create_task(hints.run(), name="heads of alpha")
    yield hints
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await wire.close()


async def subscribed(stream: StreamStandIn, times: int = 1) -> Peer:
    async with asyncio.timeout(5):
        while stream.asked.count(SUBSCRIBE) < times:  # noqa: ASYNC110 - asking costs less than an event in every stand-in
            await asyncio.sleep(0.001)
    await asyncio.sleep(0.005)
    return stream.peers[-1]


async def test_it_tells_of_each_new_head(stream: StreamStandIn, hints: Hints, listener: Listener) -> None:
    peer = await subscribed(stream)
    for number in range(1, 6):
        await peer.say(head(number))
        await listener.until(lambda number=number: listener.told == number)  # type: ignore[misc]
    assert hints.heads == 5


async def test_it_tells_of_a_head_once_and_of_the_one_in_its_place_too(
    stream: StreamStandIn, hints: Hints, listener: Listener
) -> None:
    peer = await subscribed(stream)
    for number in (1, 1, 1, 2, 2, 1, 3):  # the second 1 is a reorganisation back
        await peer.say(head(number))
    await listener.until(lambda: listener.told == 4)


NONSENSE = [
    notice(None),
    notice([]),
    notice({}),
    notice({"subscription": "0xcd0c"}),
    notice({"subscription": "0xcd0c", "result": None}),
    notice({"subscription": "0xcd0c", "result": "0x1"}),
    notice({"subscription": "0xcd0c", "result": {"hash": 5}}),
    notice({"subscription": "0xcd0c", "result": {"hash": "0x" + "zz" * 32}}),
    notice({"subscription": "0xcd0c", "result": {"hash": "0x" + "0" * 100_000}}),
    head(7, subscription="0xother"),
    head(7, subscription=None),
    b'{"method":"eth_subscription"}',
    b'{"method":7}',
]


@pytest.mark.parametrize("nonsense", NONSENSE, ids=range(len(NONSENSE)))
async def test_it_passes_over_what_is_no_head(
    stream: StreamStandIn, hints: Hints, listener: Listener, nonsense: bytes
) -> None:
    peer = await subscribed(stream)
    await peer.say(nonsense)
    await peer.say(head(1))
    await listener.until(lambda: listener.told == 1)
    assert len(stream.peers) == 1


async def test_it_subscribes_again_after_a_drop_and_soon_if_there_were_heads(
    stream: StreamStandIn, hints: Hints, listener: Listener
) -> None:
    for times in (1, 2, 3):
        peer = await subscribed(stream, times)
        await peer.say(head(times))
        await listener.until(lambda times=times: listener.told == times)  # type: ignore[misc]
        await peer.end()
    await subscribed(stream, 4)
    assert listener.rests == [RESTS[0]] * 3
    assert hints.problem == "the connection was closed before an answer"


@pytest.mark.parametrize(
    "fault",
    [
        hang_up,
        members(error={"code": -32601, "message": "the method eth_subscribe does not exist"}),
        members(error={"code": 3, "message": "execution reverted"}),
        members(id=77, result="0xcd0c"),
        writes(b"\xff\xfe\n"),
    ],
    ids=["hangs up", "refuses", "reverts", "wrong id", "noise"],
)
async def test_it_asks_ever_more_rarely_where_there_are_no_heads(
    stream: StreamStandIn, hints: Hints, listener: Listener, fault: Any
) -> None:
    stream.faults[SUBSCRIBE] = fault
    await listener.until(lambda: len(listener.rests) >= 11)
    assert listener.rests[:11] == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert listener.told == 0
    assert hints.problem


async def test_it_takes_silence_for_the_end(stream: StreamStandIn, listener: Listener) -> None:
    stream.faults[SUBSCRIBE] = members(result="0xcd0c")
    wire = Stream(stream.endpoint)
    hints = Hints(wire, listener.on_head, silence=0.05, sleep=listener.sleep)
    task = asyncio.create_task(hints.run(), name="heads of alpha")
    peer = await subscribed(stream)
    with suppress(OSError):
        while True:  # the same again and again is as good as silence
            await peer.say(head(1))
            await asyncio.sleep(0.005)
    await listener.until(lambda: bool(listener.rests))
    assert hints.problem == "no new head for 0.05 s"
    assert listener.told == 1
    await subscribed(stream, 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_it_drops_a_flood(stream: StreamStandIn, hints: Hints, listener: Listener) -> None:
    peer = await subscribed(stream)
    try:
        for number in range(1, 100_000):
            await peer.say(head(number))
            if number % 10 == 0:
                await asyncio.sleep(0)
    except OSError:
        pass
    await listener.until(lambda: bool(listener.rests))
    assert listener.told <= MOST_A_SECOND
    assert "more" in hints.problem


async def test_it_reads_as_ever_while_the_heads_go_wrong(stream: StreamStandIn) -> None:
    """The heads have a connection of their own: what happens there fails no request."""

    async def flood(peer: Peer, body: dict[str, Any]) -> None:
        await members(result="0xcd0c")(peer, body)
        for number in range(1000):
            await peer.say(head(number))

    for fault in (flood, hang_up, silence, members(result=None), writes(b"\xff\n")):
        stream.faults[SUBSCRIBE] = fault
        told = 0

        def look() -> None:
            nonlocal told
            told += 1

        async with Chain(spec_of(stream.endpoint), timeouts=Timeouts(connect=1, total=1)) as chain:
            chain.on_head(look)
            for _ in range(20):
                await (await chain.pin(chain.endpoints[0])).read([call(1)])
            assert SUBSCRIBE in stream.asked
            assert not chain.conditions["alpha"].errors
        assert told <= MOST_A_SECOND


async def test_it_asks_nobody_for_heads_unless_somebody_wants_them(stream: StreamStandIn) -> None:
    async with Chain(spec_of(stream.endpoint)) as chain:
        await (await chain.pin(chain.endpoints[0])).read([call(1)])
    assert SUBSCRIBE not in stream.asked
    assert len(stream.peers) == 1
