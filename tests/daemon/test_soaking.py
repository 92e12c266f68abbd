"""Eight minutes of a chain's time with faults everywhere; `tests/long/test_soak.py` plays hours of it."""

from __future__ import annotations

from pathlib import Path

from tests.chain.modes import NAMES
from tests.daemon.scene import standing
from tests.daemon.soaking import PARTS, soaked

LOOKS = 40


async def test_every_look_ends_in_the_truth_or_in_an_honest_blind_whatever_goes_wrong(tmp_path: Path) -> None:
    with standing() as place:
        figures = await soaked(tmp_path, place, PARTS["three endpoints"], looks=LOOKS)
    assert figures.seen > LOOKS  # with those that come once nothing goes wrong any more
    assert figures.worse
    assert figures.better
    assert len(figures.faults) > len(NAMES) // 2
    assert figures.tasks[0] == figures.tasks[1]
