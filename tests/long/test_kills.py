"""SIGKILL of the daemon at fifty random moments of a scripted run with alerts in flight."""

from __future__ import annotations

from dataclasses import asdict
from functools import reduce
from operator import add
from pathlib import Path

import pytest

from tests.daemon import killing
from tests.daemon.killing import CHATS, LONG, SHORT, Figures, killed
from tests.daemon.world import market
from tests.long.measured import write_section
from tests.long.progress import Progress

PARTS, KILLS = 5, 10

pytestmark = pytest.mark.long


@pytest.mark.parametrize("part", range(1, PARTS + 1))
async def test_it_loses_no_alert_and_labels_every_repeat_when_it_is_killed(tmp_path: Path, part: int) -> None:
    progress = Progress("kills", Path(killing.__file__))
    if len(progress.parts) == PARTS:  # a whole run lies behind us, this is another one
        progress.forget()
    if str(part) in progress.parts:
        pytest.skip("done before")
    with market() as fresh:
        figures = await killed(tmp_path, fresh, kills=KILLS, seed=part)
    assert figures.clean, figures
    assert figures.kills >= KILLS
    progress.add(str(part), asdict(figures))
    if len(progress.parts) == PARTS:
        record([Figures(**saved) for saved in progress.parts.values()])


def record(parts: list[Figures]) -> None:
    """Writes the sum down."""
    total = reduce(add, parts)
    due = total.changes * len(CHATS)
    write_section(
        "kills",
        "Killed at any moment",
        f"The daemon, as a process, watches {len(LONG) + len(SHORT)} positions on real Aave v3 contracts and tells"
        f" {len(CHATS)} chats of a Bot API that takes up to half a second per message, and now and then drops a"
        " connection, loses an answer or says 502. A script moves the price of ether; at seeded random moments, at"
        " starts too, the process gets SIGKILL and is started again, sometimes after another move. What each chat"
        " should have been told is worked out a second time from the contract's own health factors.",
        {
            "kills": total.kills,
            "kills that cut a send off": total.in_flight,
            "faults laid for sends": total.faults,
            "changes of level": total.changes,
            f"to be told, in {len(CHATS)} chats": due,
            "… told in a notice of their own": due - total.folded - total.lost,
            "… still waiting when the next change came, and told with that": total.folded,
            "… lost": total.lost,
            "notices without a change": total.unexpected,
            "extra copies": total.repeats,
            "extra copies without the label": total.unlabelled,
            "most copies of one notice": total.most_copies,
            "integrity check of the databases": f"{total.integrity}, {len(parts)} of {len(parts)}",
        },
    )
