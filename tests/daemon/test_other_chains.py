"""C2 and C3. A node that is minutes behind, and nodes of other chains: none of what they say is ever taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chain.modes import lagging, other_chain, reset
from tests.daemon.scene import BETWEEN, Place, Scene, staged, standing
from watcher.chain.chain import HEADS_EVERY
from watcher.chain.spec import KnownBlock
from watcher.watch import BLIND_AFTER

CALL, BLOCK = "eth_call", "eth_getBlockByNumber"
DAY = 86_400


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with standing() as place:
        yield place


async def looked(scene: Scene, place: Place, times: int) -> list[str]:
    """What it says to so many looks, a new block before each."""
    said = []
    for _ in range(times):
        place.market.world.chain.mine()
        said += await scene.daemon.look(after=BETWEEN)
    return said


# --- Behind -----------------------------------------------------------------------------------------------------------


async def test_it_reads_nothing_from_a_node_that_is_five_minutes_behind(tmp_path: Path, place: Place) -> None:
    async with staged(place, tmp_path, lagging(place.old)) as scene:
        await looked(scene, place, 5)
        scene.assert_true(place)
        assert scene.first.count(CALL) == 0
        assert scene.first.count(BLOCK) == 1


async def test_it_finds_out_by_the_other_one_even_where_an_old_head_would_do(tmp_path: Path, place: Place) -> None:
    """Where the user allows heads of a day, nothing but the other's head tells."""
    async with staged(place, tmp_path, lagging(place.old), max_age=DAY) as scene:
        assert scene.seen.endpoint == scene.first.listed_as
        scene.daemon.watch.chain._compared_at -= HEADS_EVERY
        await looked(scene, place, 1)  # beside which the other's head is asked for
        asked = scene.first.count(CALL)
        await looked(scene, place, 5)
        assert scene.first.count(CALL) == asked
        scene.assert_true(place)


async def test_it_resolves_nothing_by_the_word_of_a_node_that_is_behind(tmp_path: Path, place: Place) -> None:
    """What it is behind of is the fall; to it, all is as well as it was."""
    async with staged(place, tmp_path) as scene:
        place.market.move("WETH", 80)
        [told] = await scene.daemon.look(after=BETWEEN)
        assert told.startswith("LIQUIDATABLE")
        for proxy in scene.proxies:
            proxy.meets(lagging(place.old))
        said = await looked(scene, place, 10)
        assert [text.splitlines()[0] for text in said] == ["BLIND · Local"]


async def test_it_takes_a_node_back_that_has_caught_up(tmp_path: Path, place: Place) -> None:
    async with staged(place, tmp_path, lagging(place.old)) as scene:
        scene.first.is_well()
        scene.second.meets(reset)
        await looked(scene, place, 1)
        assert scene.seen.endpoint == scene.first.listed_as
        scene.assert_true(place)


# --- Another chain ----------------------------------------------------------------------------------------------------


async def test_it_takes_nothing_from_an_endpoint_of_another_chain(tmp_path: Path, place: Place) -> None:
    elsewhere = other_chain(place.elsewhere.world.url)
    async with staged(place, tmp_path, elsewhere, elsewhere) as scene:
        [told] = await scene.daemon.look(after=BLIND_AFTER)
        assert "serves chain 10, not 31337 (Local); not used" in told
        assert scene.daemon.watch.last is None
        assert scene.first.count(CALL) == scene.second.count(CALL) == 0


@pytest.mark.parametrize("swapped_at", ["*", CALL, BLOCK])
@pytest.mark.parametrize("blocks", [-3, 0, 3])
async def test_it_takes_nothing_from_an_endpoint_that_was_swapped_while_it_was_in_use(
    tmp_path: Path, place: Place, swapped_at: str, blocks: int
) -> None:
    """Behind the same URL, with the same contracts at the same addresses, at the same height or about it."""
    other, here = place.elsewhere.world.chain, place.market.world.chain
    async with staged(place, tmp_path) as scene:
        with other.undone():
            here.mine()
            while other.head().number < here.head().number + blocks:
                other.mine(timestamp=max(here.head().timestamp, other.head().timestamp + 1))
            scene.first.meets(other_chain(place.elsewhere.world.url), method=swapped_at)
            assert await looked(scene, place, 3) == []
        assert scene.first.struck
        scene.assert_true(place)


async def test_it_takes_nothing_from_a_chain_of_the_right_id_and_another_past(tmp_path: Path, place: Place) -> None:
    """A test network that was begun anew, or a fork that kept the id."""
    other = place.elsewhere.world.chain
    head = place.market.world.chain.head()
    known = KnownBlock(number=head.number, hash=head.hash)
    other.rpc.request("anvil_setChainId", 31337)
    try:
        assert other.head().number >= known.number
        elsewhere = other_chain(place.elsewhere.world.url)
        async with staged(place, tmp_path, elsewhere, elsewhere, more=lambda spec: replace(spec, known=known)) as scene:
            [told] = await scene.daemon.look(after=BLIND_AFTER)
            assert "is not on our chain Local: its block" in told
            assert scene.daemon.watch.last is None
            assert scene.first.count(CALL) == scene.second.count(CALL) == 0
            scene.second.is_well()
            place.market.world.pass_time(BLIND_AFTER)
            await scene.daemon.look(after=BETWEEN)
            scene.assert_true(place)
    finally:
        other.rpc.request("anvil_setChainId", 10)
