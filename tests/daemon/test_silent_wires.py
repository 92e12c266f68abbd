"""C7. Announcements of heads that never come, or come wrong: not one evaluation is skipped for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from math import inf
from pathlib import Path

import pytest

from tests.chain.proxy import Proxy
from tests.chain.ws_proxy import Announcing, WsProxy, again_and_again, hanging_up, nonsense, silent, truly
from tests.daemon.inside import NEVER, Clock, Inside, inside
from tests.daemon.waiting import eventually
from tests.daemon.world import Market, configure, market
from watcher.config import load

BLOCKS = 2
CADENCE = 1.0
SLACK = 2.0
"""Seconds for the look itself, where five daemons share a machine with others."""


@pytest.fixture(scope="module")
def borrowers() -> Iterator[Market]:
    with market() as it:
        it.borrower("weak", "1.15")
        yield it


async def seen(number: int, *daemons: Inside) -> None:
    """Returns once all have seen this block. Raises TimeoutError where the cadence passes without it."""

    def by(daemon: Inside) -> bool:
        last = daemon.watch.last
        return last is not None and last.block.number == number

    await eventually(lambda: all(map(by, daemons)), within=CADENCE + SLACK)


async def test_it_looks_at_every_block_whatever_becomes_of_the_announcements(tmp_path: Path, borrowers: Market) -> None:
    """Five daemons side by side: told the truth, nothing, hung up on, told all twenty times, told nonsense."""
    ways: tuple[Announcing, ...] = (truly, silent, hanging_up, again_and_again, nonsense)
    async with AsyncExitStack() as stack:
        daemons, wires = [], []
        for number, way in enumerate(ways):
            wire = await stack.enter_async_context(WsProxy(borrowers.world.url, way))
            folder = tmp_path / str(number)
            folder.mkdir()
            settings = load(configure(folder, borrowers, endpoints=[wire.url], interval=f"{CADENCE:.0f}s"))
            wires.append(wire)
            daemons.append(await stack.enter_async_context(inside(settings, Clock(borrowers.now + 10))))
        await eventually(lambda: all(wire.subscribed for wire in wires))
        for _ in range(BLOCKS):
            await seen(borrowers.world.chain.mine().number, *daemons)
        assert all(wire.announced for wire in wires)


async def test_it_looks_at_every_block_while_the_wire_is_dead_and_another_endpoint_is_not(
    tmp_path: Path, borrowers: Market
) -> None:
    async with Proxy(borrowers.world.url) as other:
        async with WsProxy(borrowers.world.url) as wire:
            endpoints = [wire.url, other.url]
            settings = load(configure(tmp_path, borrowers, endpoints=endpoints, interval=f"{CADENCE:.0f}s"))
            stack = AsyncExitStack()
            daemon = await stack.enter_async_context(inside(settings, Clock(borrowers.now + 10)))
        async with stack:  # the wire is gone from here on
            for _ in range(BLOCKS):
                await seen(borrowers.world.chain.mine().number, daemon)


async def test_it_looks_at_once_when_a_head_is_announced(tmp_path: Path, borrowers: Market) -> None:
    async with WsProxy(borrowers.world.url) as wire:
        settings = load(configure(tmp_path, borrowers, endpoints=[wire.url], interval=NEVER))
        async with inside(settings, Clock(borrowers.now + 10)) as daemon:
            await eventually(lambda: bool(wire.subscribed))
            daemon.watch.wake._began = -inf  # the least time between two looks is over
            await seen(borrowers.world.chain.mine().number, daemon)
