"""C1. Each way in which an endpoint goes wrong, at one of two and at both: the right value, or an honest BLIND."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.chain.modes import HANGING, NAMES
from tests.daemon.scene import BETWEEN, Place, staged, standing
from watcher.chain import Chain, Timeouts

WITHIN = 3.0
"""Seconds to the right value where one of two endpoints is bad."""
BLIND_WITHIN = 60
"""Seconds of the clock to the alert where both are."""


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with standing() as place:
        yield place


@pytest.mark.parametrize("mode", NAMES)
async def test_it_is_right_within_three_seconds_while_one_of_two_endpoints_goes_wrong(
    tmp_path: Path, place: Place, mode: str
) -> None:
    assert await right_after(place, tmp_path, mode) < WITHIN


@pytest.mark.parametrize("mode", [mode for mode in NAMES if mode not in HANGING[1:]])
async def test_it_starts_right_within_three_seconds_while_one_of_two_goes_wrong_in_its_calls(
    tmp_path: Path, place: Place, mode: str
) -> None:
    """The endpoint is admitted and shows its head, and only what counts is wrong."""
    began = time.monotonic()
    async with staged(place, tmp_path, place.modes[mode], method="eth_call") as scene:
        assert time.monotonic() - began < WITHIN + 1  # with the start of the daemon
        scene.assert_true(place)
        assert not scene.bugs


@pytest.mark.parametrize("mode", NAMES)
async def test_it_is_blind_within_a_minute_while_both_go_wrong_and_believes_nothing(
    tmp_path: Path, place: Place, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if mode in HANGING:  # so that the test does not hang as long
        monkeypatch.setattr("watcher.watching.Chain", partial(Chain, timeouts=Timeouts(connect=0.2, total=0.1)))
    assert await blind_after(place, tmp_path, mode) <= BLIND_WITHIN


async def right_after(place: Place, folder: Path, mode: str) -> float:
    """Real seconds to the truth, where the endpoint that is asked goes wrong just as there is something new to tell."""
    async with staged(place, folder) as scene:
        assert scene.seen.endpoint == scene.first.listed_as
        place.market.move("WETH", 80)
        scene.first.meets(place.modes[mode])
        began = time.monotonic()
        [told] = await scene.daemon.look(after=BETWEEN)
        took = time.monotonic() - began
        assert scene.first.struck
        assert told.startswith("LIQUIDATABLE, was WARNING · weak")
        assert scene.seen.endpoint == scene.second.listed_as
        scene.assert_true(place)
        place.market.move("WETH", 110)
        await scene.daemon.look(after=BETWEEN)
        scene.assert_true(place)
        assert not scene.bugs
    return took


async def blind_after(place: Place, folder: Path, mode: str) -> int:
    """Seconds of the clock to the one message, where both endpoints go wrong just as there is something new to tell."""
    async with staged(place, folder) as scene:
        before = scene.seen
        for proxy in scene.proxies:
            proxy.meets(place.modes[mode])
        place.market.move("WETH", 80)
        looks = range(BETWEEN, BLIND_WITHIN + 1, BETWEEN)
        told = [(after, text) for after in looks for text in await scene.daemon.look(after=BETWEEN)]
        [(after, blind)] = told
        assert blind.startswith("BLIND · Local\n")
        assert "This is not an all-clear" in blind
        assert scene.seen is before
        assert not scene.bugs
    return after
