"""A3. A hundred restarts of the real process: silence where nothing changed, a message each where something did."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.daemon import restarts
from tests.daemon.restarts import restarted
from tests.daemon.world import market
from tests.long.measured import write_promise
from tests.long.progress import Progress

RESTARTS = 100

pytestmark = pytest.mark.long


@pytest.mark.parametrize("crossing", [False, True], ids=["unchanged", "crossing"])
async def test_it_tells_what_changed_while_it_was_down_and_nothing_else(tmp_path: Path, crossing: bool) -> None:
    progress, part = Progress("restarts", Path(restarts.__file__)), "crossing" if crossing else "unchanged"
    if len(progress.parts) == 2:  # a whole run lies behind us, this is another one
        progress.forget()
    if part in progress.parts:
        pytest.skip("done before")
    with market() as fresh:
        messages = await restarted(tmp_path, fresh, times=RESTARTS, crossing=crossing)
    assert messages == [int(crossing)] * RESTARTS
    progress.add(part, sum(messages))
    if len(progress.parts) == 2:
        told = progress.parts
        measured = (
            f"{told['unchanged']} messages in {RESTARTS}; {told['crossing']} of {RESTARTS} told at the first look"
        )
        write_promise("A3", measured, "tests/long/test_restarts.py")
