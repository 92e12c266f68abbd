"""No second sees more requests than its endpoint allows, and none waits longer than it must."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chain.conftest import Clock, call, spec_of
from tests.chain.rpc_stand_in import RpcStandIn
from watcher.chain.endpoint import Endpoint
from watcher.chain.pace import Pace
from watcher.chain.pinned import Pinned, read_block
from watcher.chain.transport import Transport, open_session


@dataclass(slots=True)
class Course:
    """Time that passes only while somebody waits for it, and when each turn came."""

    clock: Clock = field(default_factory=Clock)
    turns: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.clock.now += seconds
        await asyncio.sleep(0)

    async def take(self, pace: Pace) -> None:
        await pace.turn()
        self.turns.append(self.clock.now)

    def busiest(self) -> int:
        """Most turns in any second."""
        return max(bisect_left(self.turns, begin + 1 - 1e-6) - at for at, begin in enumerate(self.turns))


bursts = st.tuples(st.floats(0, 3) | st.just(0.01), st.integers(1, 90))


@settings(max_examples=50)
@given(st.integers(1, 60), st.lists(bursts, min_size=1, max_size=5))
async def test_it_lets_no_second_see_more_than_the_rate(rate: int, wanted: list[tuple[float, int]]) -> None:
    course = Course()
    pace = Pace(rate, clock=course.clock, sleep=course.sleep)
    for pause, burst in wanted:
        course.clock.now += pause
        for _ in range(burst):
            await course.take(pace)
    assert course.busiest() <= rate


@pytest.mark.parametrize("rate", [1, 3, 4, 8, 20, 100])
async def test_it_goes_nearly_as_fast_as_it_may(rate: int) -> None:
    course = Course()
    pace = Pace(rate, clock=course.clock, sleep=course.sleep)
    began = course.clock.now
    for _ in range(rate * 60):
        await course.take(pace)
    assert course.clock.now - began < 60 / 0.75 + 1
    assert course.turns.count(began) == max(1, rate // 4)  # at once


async def test_it_holds_nobody_up_without_a_rate() -> None:
    course = Course()
    pace = Pace(None, clock=course.clock, sleep=course.sleep)
    for _ in range(1000):
        await course.take(pace)
    assert set(course.turns) == {course.clock.now}


async def test_it_lets_go_first_who_came_first_and_forgets_who_left() -> None:
    course, order = Course(), list[int]()
    pace = Pace(2, clock=course.clock, sleep=course.sleep)

    async def take(number: int) -> None:
        await pace.turn()
        order.append(number)

    tasks = [asyncio.create_task(take(number)) for number in range(6)]
    await asyncio.sleep(0)
    tasks[2].cancel()  # as a hedged attempt is, once another has won
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == [0, 1, 3, 4, 5]
    assert course.clock.now == 1000 + 4 / 2  # the turn of the one that left was not used up


@pytest.fixture
async def paced(node: RpcStandIn) -> AsyncIterator[tuple[Endpoint, Course]]:
    """An endpoint that takes four requests a second."""
    course, spec = Course(), replace(node.endpoint, rate=4)
    async with open_session() as session:
        wire = Transport(spec, session, pace=Pace(spec.rate, clock=course.clock, sleep=course.sleep))
        yield Endpoint(spec_of(spec, call_gas=1_000_000), spec, wire, course.clock), course


async def test_it_paces_what_is_sent_side_by_side(paced: tuple[Endpoint, Course]) -> None:
    endpoint, course = paced
    chain = spec_of(endpoint.spec, call_gas=1_000_000)
    block = await read_block(endpoint, chain)
    assert block is not None
    await Pinned(chain, endpoint, block).read([call(number) for number in range(100)])
    assert endpoint.requests > 5
    assert course.clock.now == pytest.approx(1000 + (endpoint.requests - 1) / 4)


async def test_it_takes_waiting_for_its_turn_for_no_slowness_of_the_endpoint(paced: tuple[Endpoint, Course]) -> None:
    endpoint, course = paced
    for _ in range(8):
        await endpoint.chain_id()
    assert course.clock.now == pytest.approx(1000 + 7 / 4)
    assert set(endpoint.condition.latencies) == {0}
