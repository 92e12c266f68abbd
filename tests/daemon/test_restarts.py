"""Restarts of the real process; a hundred of them each way are among the long tests."""

from __future__ import annotations

from pathlib import Path

from tests.daemon.restarts import restarted
from tests.daemon.world import market


async def test_it_says_nothing_on_restarts_without_a_change(tmp_path: Path) -> None:
    with market() as fresh:
        assert await restarted(tmp_path, fresh, times=5, crossing=False) == [0] * 5


async def test_it_tells_at_first_sight_what_crossed_while_it_was_down_each_time(tmp_path: Path) -> None:
    with market() as fresh:
        assert await restarted(tmp_path, fresh, times=5, crossing=True) == [1] * 5
