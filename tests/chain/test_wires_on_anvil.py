"""A real node says the same by every wire."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.daemon.world import Market, configure, market
from tests.worlds.anvil import Settings as AnvilSettings
from watcher.chain import Chain, ChainSpec
from watcher.config import Settings, load
from watcher.snapshot import Snapshot, take, watched_on


@pytest.fixture(scope="module")
def socket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("node") / "anvil.ipc"


@pytest.fixture(scope="module")
def world(socket: Path) -> Iterator[Market]:
    plain = AnvilSettings.arguments
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AnvilSettings, "arguments", lambda self: [*plain(self), "--ipc", str(socket)])
        with market() as world:
            for number in range(6):
                world.borrower(f"borrower {number}", f"1.{number}5")
            yield world


@pytest.fixture
def settings(tmp_path: Path, world: Market, socket: Path) -> Settings:
    http = world.world.url
    return load(configure(tmp_path, world, endpoints=[http, http.replace("http:", "ws:"), str(socket)]))


def by_each_wire(settings: Settings) -> list[ChainSpec]:
    spec = settings.chains["local"]
    assert [endpoint.url.partition(":")[0] for endpoint in spec.endpoints] == ["http", "ws", "ipc"]
    return [replace(spec, endpoints=(endpoint,)) for endpoint in spec.endpoints]


async def seen(spec: ChainSpec, settings: Settings) -> Snapshot:
    async with Chain(spec) as chain:
        snapshot = await chain.first(lambda pinned: take(pinned, watched_on("local", settings)))
    return replace(snapshot, endpoint="")


async def test_it_takes_the_same_snapshot_by_every_wire(settings: Settings) -> None:
    http, websocket, ipc = [await seen(spec, settings) for spec in by_each_wire(settings)]
    assert len(http.held) == 6
    assert http == websocket == ipc


@pytest.mark.parametrize("wire", [1, 2], ids=["ws", "ipc"])
async def test_it_is_told_of_heads_by_a_real_node(world: Market, settings: Settings, wire: int) -> None:
    told = asyncio.Event()
    async with Chain(by_each_wire(settings)[wire]) as chain, asyncio.timeout(10):
        chain.on_head(told.set)
        while not told.is_set():  # until the subscription stands
            await asyncio.to_thread(world.world.chain.mine)
            await asyncio.sleep(0.02)
        for _ in range(3):
            told.clear()
            await asyncio.to_thread(world.world.chain.mine)
            await told.wait()


async def test_it_is_told_of_no_heads_over_http(world: Market, settings: Settings) -> None:
    told = asyncio.Event()
    async with Chain(by_each_wire(settings)[0]) as chain:
        chain.on_head(told.set)
        await asyncio.to_thread(world.world.chain.mine)
        await asyncio.sleep(0.05)
    assert not told.is_set()
