"""Reorganisations of every depth: a few of each; `tests/long/test_reorgs.py` holds a hundred."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.daemon.reorgs import Course
from tests.daemon.world import market

DEPTHS = range(1, 8)


@pytest.mark.parametrize("seeds", [3])
async def test_it_neither_resolves_falsely_nor_misses_a_fire_over_reorganisations(tmp_path: Path, seeds: int) -> None:
    with market() as fresh:
        course = Course(fresh, tmp_path)
        outcomes = {(depth, seed): await course.run(depth, seed, tmp_path) for depth in DEPTHS for seed in range(seeds)}
    assert {run: outcome.wrong for run, outcome in outcomes.items() if outcome.wrong} == {}
    assert sum(outcome.raised for outcome in outcomes.values()) > 3 * len(outcomes)
    assert sum(outcome.eased for outcome in outcomes.values()) > len(outcomes)
    for depth in DEPTHS:
        assert sum(outcome.noticed for (its, _), outcome in outcomes.items() if its == depth) > 0
