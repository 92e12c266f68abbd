"""SIGKILL with a send in flight: nothing is lost, a kill makes one copy at most, and a copy says that it may be one."""

from __future__ import annotations

import random
from pathlib import Path

from tests.notify.kills import Killing, killed

PLAN = Killing(chats={"a": 1, "b": 2, "c": -3}, each=40, kills=8, answer=0.03, late=0.03)


async def test_it_loses_nothing_and_repeats_one_message_at_most_with_its_label_when_it_is_killed(
    tmp_path: Path,
) -> None:
    """B1, with 8 of the 200 kills of `tests/long`."""
    copies = await killed(tmp_path / "w.db", random.Random(20), PLAN)
    assert copies.clean, copies
    assert copies.kills_in_a_send
