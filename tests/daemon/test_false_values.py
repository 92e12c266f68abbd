"""A plausible lie of one endpoint: believed where it is alone, shown beside the truth where two have to agree."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chain.modes import false_value, lagging, reset
from tests.daemon.scene import BETWEEN, Place, another_price, staged, standing
from tests.daemon.waiting import eventually
from watcher.chain import ChainSpec
from watcher.domain.position import Check
from watcher.watch import BLIND_AFTER


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with standing() as place:
        yield place


def two_agree(spec: ChainSpec) -> ChainSpec:
    return replace(spec, agreement=2)


def of_one_operator(spec: ChainSpec) -> ChainSpec:
    names = ("eu.example.org", "us.example.org")
    endpoints = tuple(replace(one, name=name) for one, name in zip(spec.endpoints, names, strict=True))
    return replace(spec, agreement=2, endpoints=endpoints)


async def test_it_cannot_tell_a_plausible_lie_of_a_single_endpoint(tmp_path: Path, place: Place) -> None:
    """All that it is told fits together, down to the contract's own view. It is why `agreement` is there."""
    async with staged(place, tmp_path) as scene:
        scene.first.meets(false_value(another_price(place, "WETH", 200)))
        place.market.world.chain.mine()
        assert await scene.daemon.look(after=BETWEEN) == []
        [position] = scene.seen.positions
        assert position.check is Check.VERIFIED
        assert position.health.factor > 2 > place.market.health("weak")


@pytest.mark.parametrize("liar", [0, 1])
async def test_it_shows_both_sides_of_a_disagreement_at_once_and_believes_neither(
    tmp_path: Path, place: Place, liar: int
) -> None:
    async with staged(place, tmp_path, more=two_agree) as scene:
        scene.assert_true(place)
        before = scene.seen
        truth = place.market.world.answer("WETH")
        scene.proxies[liar].meets(false_value(another_price(place, "WETH", 200)))
        place.market.world.chain.mine()
        [told] = await scene.daemon.look(after=BETWEEN)
        assert told.startswith("BLIND · Local\n")
        one, other = (proxy.listed_as.replace(".", "·") for proxy in scene.proxies)
        assert f"{one} and {other}: do not agree: aave_oracle·getAssetPrice(" in told
        assert f"{truth} to the" in told
        assert f"{truth * 2} to the" in told
        assert scene.seen is before
        assert await scene.daemon.look(after=BETWEEN) == []
        assert scene.seen is before
        scene.proxies[liar].is_well()
        [told] = await scene.daemon.look(after=BETWEEN)
        assert told.startswith("SEEING AGAIN · Local")
        scene.assert_true(place)


async def test_it_agrees_on_an_older_block_with_one_that_is_a_block_behind(tmp_path: Path, place: Place) -> None:
    async with staged(place, tmp_path, more=two_agree) as scene:
        place.market.world.chain.mine()
        known = place.market.world.chain.head()
        scene.second.meets(lagging(known.number))
        place.market.world.chain.mine()
        assert await scene.daemon.look(after=BETWEEN) == []
        assert scene.seen.block.hash == known.hash


async def test_it_waits_a_moment_for_one_that_hears_of_a_block_later(tmp_path: Path, place: Place) -> None:
    async with staged(place, tmp_path, more=two_agree) as scene:
        known = place.market.world.chain.head().number
        scene.second.meets(lagging(known))
        place.market.world.chain.mine()
        look = asyncio.create_task(scene.daemon.look(after=BETWEEN))
        await eventually(lambda: any(asked.params[:1] == [hex(known + 1)] for asked in scene.second.asked))
        scene.second.is_well()
        assert await look == []
        scene.assert_true(place)


@pytest.mark.parametrize("absent", [0, 1])
async def test_it_says_that_too_few_can_be_heard(tmp_path: Path, place: Place, absent: int) -> None:
    async with staged(place, tmp_path, more=two_agree) as scene:
        before = scene.seen
        scene.proxies[absent].meets(reset)
        place.market.move("WETH", 300)
        assert await scene.daemon.look(after=BETWEEN) == []
        [told] = await scene.daemon.look(after=BLIND_AFTER)
        assert told.startswith("BLIND · Local\n")
        assert "agreement of 2 operators is asked for, and 1 could be heard" in told
        assert scene.seen is before


async def test_it_does_not_take_two_endpoints_of_one_operator_for_two(tmp_path: Path, place: Place) -> None:
    async with staged(place, tmp_path, more=of_one_operator) as scene:
        [told] = await scene.daemon.look(after=BLIND_AFTER)
        assert "no other operator's is configured" in told
        assert scene.daemon.watch.last is None
