"""The scan of a chain: a few requests a minute, one at a time, and nothing counts that is not stored."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from tests.chain.conftest import spec_of
from tests.chain.rpc_stand_in import Head, RpcStandIn, error, result
from tests.chain.searches import OWNER, as_json, opened_by
from watcher.chain import Chain
from watcher.domain.searched import Searched
from watcher.scanning import IDLE, PER_MINUTE, Scan
from watcher.searches import PAUSES, Place, Searches
from watcher.store import StoreFailed

LOGS, TOP = "eth_getLogs", Head().number
PLACE: Place = ("bank", OWNER)


@dataclass
class Volume:
    """What is stored, unless it refuses."""

    kept: dict[Place, Searched] = field(default_factory=dict)
    refuses: bool = False

    async def keep(self, found: Mapping[Place, Searched]) -> None:
        if self.refuses:
            raise StoreFailed("the disk is full")
        self.kept |= found


class Enough(Exception):  # noqa: N818 - the end of a test
    pass


@dataclass
class Time:
    """Passes in no time, and ends the scan when there has been enough of it."""

    now: float = 0.0
    ends: float = 300.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.now >= self.ends:
            raise Enough


@pytest.fixture
async def node() -> AsyncIterator[RpcStandIn]:
    async with RpcStandIn() as node:
        node.faults[LOGS] = result([])
        yield node


@pytest.fixture
async def chain(node: RpcStandIn) -> AsyncIterator[Chain]:
    async with Chain(spec_of(node.endpoint)) as chain:
        yield chain


def searching(since: int = TOP - 50_000) -> Searches:
    searches = Searches(0)
    searches.want({PLACE: opened_by(OWNER, since=since)}, TOP, 0, 300)
    return searches


async def test_it_stores_what_it_found_with_the_blocks_it_was_found_in(node: RpcStandIn, chain: Chain) -> None:
    volume = Volume()
    scan = Scan(chain, searching(), volume.keep)
    node.faults[LOGS] = result([as_json(TOP)])
    assert await scan.step()
    assert volume.kept[PLACE].ranges == ((TOP - 9_999, TOP),)
    assert volume.kept[PLACE].keys == ("00" * 31 + "07",)


async def test_it_sends_no_more_than_so_many_requests_a_minute(node: RpcStandIn, chain: Chain) -> None:
    async def limited(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        asked = body["params"][0]
        wide = int(asked["toBlock"], 16) - int(asked["fromBlock"], 16) >= 10_000
        return await (error(-32000, "block range is too wide") if wide else result([]))(request, body)

    node.faults[LOGS] = limited
    time = Time()
    scan = Scan(chain, searching(since=0), Volume().keep, clock=time, sleep=time.sleep)
    with pytest.raises(Enough):
        await scan.run()
    refused = 14  # while the limit is found out, by halving what is not known of it
    assert PER_MINUTE * time.ends / 60 <= node.count(LOGS) <= PER_MINUTE * time.ends / 60 + refused


async def test_it_asks_for_nothing_where_all_is_searched(node: RpcStandIn, chain: Chain) -> None:
    time = Time(ends=300)
    scan = Scan(chain, searching(), Volume().keep, clock=time, sleep=time.sleep)
    with pytest.raises(Enough):
        await scan.run()
    assert node.count(LOGS) == 5  # of 10,000 blocks each, and the last of the 10,001 that are left by then
    assert PAUSES[0] > IDLE


async def test_it_waits_longer_and_longer_where_nobody_gives_logs(node: RpcStandIn, chain: Chain) -> None:
    node.faults[LOGS] = error(-32601, "the method eth_getLogs does not exist")
    time = Time(ends=600)
    scan = Scan(chain, (searches := searching()), Volume().keep, clock=time, sleep=time.sleep)
    with pytest.raises(Enough):
        await scan.run()
    assert node.count(LOGS) == 5  # after 30, 60, 120 and 240 s
    assert "does not exist" in searches.searched("bank")[OWNER].problem
    assert searches.searched("bank")[OWNER].ranges == ()


async def test_it_stores_later_what_could_not_be_stored(node: RpcStandIn, chain: Chain) -> None:
    volume, searches = Volume(refuses=True), searching()
    scan = Scan(chain, searches, volume.keep)
    node.faults[LOGS] = result([as_json(TOP)])
    await scan.step()
    assert not volume.kept
    volume.refuses = False
    node.faults[LOGS] = error(-32000, "no")
    await scan.step()
    assert volume.kept[PLACE].ranges == ((TOP - 9_999, TOP),)
    assert not searches.unsaved


async def test_it_counts_nothing_of_an_answer_with_a_log_of_another_form(node: RpcStandIn, chain: Chain) -> None:
    volume, searches = Volume(), searching()
    node.faults[LOGS] = result([as_json(TOP, data="0x")])
    assert await Scan(chain, searches, volume.keep).step()
    assert not volume.kept
    assert "one word of data" in searches.searched("bank")[OWNER].problem
