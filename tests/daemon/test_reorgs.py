"""Reorganisations of every depth, each once and one more; `tests/long/test_reorgs.py` holds a hundred of each."""

from __future__ import annotations

from pathlib import Path

from tests.daemon.reorgs import Course
from tests.daemon.world import market

DEPTHS = range(1, 8)
TRICKY = 6, 52
"""A depth and a seed: half of a reorganisation is looked at, and what was good there goes with the next one."""


async def test_it_neither_resolves_falsely_nor_misses_a_fire_over_reorganisations(tmp_path: Path) -> None:
    with market() as fresh:
        course = Course(fresh, tmp_path)
        outcomes = [await course.run(depth, seed, tmp_path) for depth, seed in [*((one, 0) for one in DEPTHS), TRICKY]]
    assert [wrong for outcome in outcomes for wrong in outcome.wrong] == []
    assert sum(outcome.raised for outcome in outcomes) > 2 * len(outcomes)
    assert sum(outcome.eased for outcome in outcomes) > len(outcomes)
    assert sum(outcome.noticed for outcome in outcomes) > len(outcomes)
