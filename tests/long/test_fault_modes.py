"""C1 with the timeouts that a user has: how long until it is right, and how long until it says that it is blind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chain.modes import NAMES
from tests.daemon.scene import standing
from tests.daemon.test_fault_modes import BLIND_WITHIN, WITHIN, blind_after, right_after
from tests.long.measured import write_section

pytestmark = pytest.mark.long


async def test_it_is_right_or_says_that_it_is_blind_in_every_fault_mode(tmp_path: Path) -> None:
    right: dict[str, float] = {}
    blind: dict[str, int] = {}
    with standing() as place:
        for number, mode in enumerate(NAMES):
            for kind in ("one", "both"):
                (tmp_path / f"{number}-{kind}").mkdir()
            right[mode] = await right_after(place, tmp_path / f"{number}-one", mode)
            blind[mode] = await blind_after(place, tmp_path / f"{number}-both", mode)
    assert max(right.values()) <= WITHIN
    assert max(blind.values()) <= BLIND_WITHIN
    write_section(
        "fault-modes",
        "Endpoints that go wrong",
        "The daemon with two endpoints before one node with a real market. Just as a price falls, one of them goes"
        " wrong, or both do: seconds until the fall was told through the other, and seconds of the clock (a look every"
        " 12) until it was told that the chain cannot be seen. Nothing that was not the contract's own word was taken.",
        {mode: f"right after {right[mode]:.2f} s; blind after {blind[mode]} s" for mode in NAMES},
    )
