"""A hundred restarts of the real process: silence where nothing changed, and a message each where something did."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.daemon.restarts import restarted
from tests.daemon.world import market

pytestmark = pytest.mark.long

RESTARTS = 100


async def test_it_says_nothing_on_a_hundred_restarts_without_a_change(tmp_path: Path) -> None:
    with market() as fresh:
        assert await restarted(tmp_path, fresh, times=RESTARTS, crossing=False) == [0] * RESTARTS


async def test_it_tells_each_of_a_hundred_crossings_that_happened_while_it_was_down(tmp_path: Path) -> None:
    with market() as fresh:
        assert await restarted(tmp_path, fresh, times=RESTARTS, crossing=True) == [1] * RESTARTS
