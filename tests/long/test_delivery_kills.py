"""B1. SIGKILL of a worker at two hundred random moments, a send in flight at most of them."""

from __future__ import annotations

import random
from dataclasses import asdict
from functools import reduce
from operator import add
from pathlib import Path

import pytest

from tests.long.measured import write_promise, write_section
from tests.long.progress import Progress
from tests.notify import kill_child, kills
from tests.notify.kills import Copies, Killing, killed

PARTS = 4
PLAN = Killing(chats={"a": 1, "b": 2, "c": -3, "d": 4, "e": -5}, each=200, kills=50, answer=0.03, late=0.06)

pytestmark = pytest.mark.long


@pytest.mark.parametrize("part", range(1, PARTS + 1))
async def test_it_loses_nothing_and_repeats_one_message_at_most_per_kill_with_its_label(
    tmp_path: Path, part: int
) -> None:
    progress = Progress("delivery-kills", Path(__file__), Path(kill_child.__file__), Path(kills.__file__))
    if len(progress.parts) == PARTS:  # a whole run lies behind us, this is another one
        progress.forget()
    if str(part) in progress.parts:
        pytest.skip("done before")
    copies = await killed(tmp_path / "w.db", random.Random(part), PLAN)
    assert copies.clean, copies
    progress.add(str(part), asdict(copies))
    if len(progress.parts) == PARTS:
        record([Copies(**saved) for saved in progress.parts.values()])


def record(parts: list[Copies]) -> None:
    """Writes the sum down."""
    total = reduce(add, parts)
    write_promise(
        "B1",
        f"{total.kills} kills, {total.kills_in_a_send} in a send: {total.lost} lost, "
        f"at most {total.most_after_one_kill} copy a kill, {total.unlabelled} of {total.extra} copies unlabelled",
        "tests/long/test_delivery_kills.py",
    )
    write_section(
        "delivery-kills",
        "The sender killed at any moment",
        f"A sender as a process of its own empties an outbox for {len(PLAN.chats)} chats, through the real Telegram"
        f" library, into a Bot API that answers within {PLAN.answer * 1000:.0f} ms; after one to eight messages, and up"
        f" to {PLAN.late * 1000:.0f} ms later, it gets SIGKILL and is started again. A copy is extra when the same text"
        " had been taken before.",
        {
            "messages": total.messages,
            "lost": total.lost,
            "kills": total.kills,
            "kills that cut a send off": total.kills_in_a_send,
            "kills that cut off more than one": total.kills_in_several_sends,
            "extra copies": total.extra,
            "most extra copies after one kill": total.most_after_one_kill,
            "most copies of one message, cut off again and again": total.most_of_one_message,
            "copies of what was not cut off": total.of_what_was_not_cut_off,
            "unlabelled copies": total.unlabelled,
            "labels": total.labels,
            "integrity check": f"ok, {len(parts) - total.torn} of {len(parts)}",
        },
    )
