"""The dead-man ping: when it is deserved, and what becomes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.notify.test_webhook import Receiver, receiving
from watcher.config import Deadman, Secret
from watcher.deadman import DELIVER_WITHIN, Heartbeat, Part, Seen, observed, parts_of, stalled
from watcher.store import Backlog

IDLE = Backlog(pending=0, oldest=None, refused=0, held=0, dead=0)


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def part(progress: object, within: float = 60) -> Part:
    return Part(name="a", progress=progress, within=within)


def test_it_counts_from_the_last_change_and_not_from_the_last_look() -> None:
    seen: dict[str, Seen] = {}
    for now, progress in [(0, 1), (50, 2), (100, 2), (110, 2)]:
        seen = observed(seen, [part(progress)], now)
        assert stalled(seen, [part(progress)], now) == ()

    assert stalled(seen, [part(2)], 111) == ("a",)


def test_a_part_that_never_made_progress_is_stalled() -> None:
    assert stalled(observed({}, [part(None)], 5), [part(None)], 5) == ("a",)


def test_a_part_that_begins_anew_lives_on_the_progress_of_before() -> None:
    seen = observed({"a": Seen(7.0, 0)}, [part(None)], 30)

    assert stalled(seen, [part(None)], 60) == ()
    assert stalled(seen, [part(None)], 61) == ("a",)


def test_a_part_that_is_no_more_holds_nothing_back() -> None:
    assert observed({"a": Seen(7.0, 0)}, [], 30) == {}


def test_it_looks_at_every_chain_the_sender_and_the_outbox() -> None:
    parts = parts_of({"base": 5.0, "ethereum": 0.0}, 6.0, IDLE, interval=12, now=9)

    assert [(each.name, each.progress) for each in parts] == [
        ("watch base", 5.0),
        ("watch ethereum", None),
        ("sender", 6.0),
        ("outbox", ("empty", 9)),
    ]


@pytest.mark.parametrize(
    ("backlogs", "well"),
    [
        ([IDLE] * 3, True),
        ([Backlog(pending=3, oldest=1, refused=0, held=0, dead=0)] * 3, False),
        ([Backlog(pending=n, oldest=1, refused=0, held=0, dead=0) for n in (3, 2, 1)], True),
        ([Backlog(pending=3, oldest=n, refused=0, held=0, dead=0) for n in (1, 2, 3)], True),
        ([Backlog(pending=3, oldest=1, refused=3, held=0, dead=0)] * 3, True),
        ([Backlog(pending=3, oldest=1, refused=2, held=0, dead=0)] * 3, False),
        ([Backlog(pending=3, oldest=None, refused=0, held=3, dead=0)] * 3, True),
        ([Backlog(pending=4, oldest=1, refused=1, held=2, dead=0)] * 3, False),
        ([Backlog(pending=n, oldest=1, refused=0, held=n - 1, dead=0) for n in (3, 4, 5)], False),
        ([None] * 3, False),
    ],
)
def test_an_outbox_has_to_move_while_anything_waits_in_it(backlogs: list[Backlog | None], well: bool) -> None:
    seen: dict[str, Seen] = {}
    step = DELIVER_WITHIN * 0.6
    for turn, backlog in enumerate(backlogs):
        now = turn * step
        [*_, outbox] = parts_of({}, 0.0, backlog, interval=12, now=now)
        seen = observed(seen, [outbox], now)

    assert (stalled(seen, [outbox], now) == ()) is well


# --- Pinging ----------------------------------------------------------------------------------------------------------


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
def log() -> Iterator[list[Any]]:
    with capture_logs() as log:
        yield log


def deadman(port: int) -> Deadman:
    return Deadman(url=Secret(f"http://127.0.0.1:{port}/canary-uuid"), host=f"127.0.0.1:{port}", every=60)


async def beats(receiver: Receiver, looks: list[tuple[float, object]]) -> list[int]:
    """How many pings had arrived after each look; a look is seconds and a part's progress."""
    clock = Clock()
    heartbeat, counts = Heartbeat(clock), []
    for at, progress in looks:
        clock.now = 1000 + at
        await heartbeat.look([part(progress)], deadman(receiver.port))
        counts.append(len(receiver.got))
    return counts


async def test_it_pings_as_often_as_asked_while_there_is_progress(receiver: Receiver) -> None:
    looks: list[tuple[float, object]] = [(at, at + 1) for at in range(0, 130, 10)]

    assert await beats(receiver, looks) == [1] * 6 + [2] * 6 + [3]


async def test_it_pings_no_more_when_a_part_stands_still_and_again_when_it_moves(
    receiver: Receiver, log: list[Any]
) -> None:
    assert await beats(receiver, [(0, None), (10, 1), (70, 1), (71, 1), (200, 1), (210, 2)]) == [0, 1, 2, 2, 2, 3]
    assert [(entry["event"], entry.get("parts")) for entry in log] == [
        ("deadman.withheld", ("a",)),
        ("deadman.fed_again", None),
        ("deadman.withheld", ("a",)),
        ("deadman.fed_again", None),
    ]


async def test_a_ping_that_failed_is_logged_without_its_url_and_tried_at_the_next_look(
    receiver: Receiver, log: list[Any]
) -> None:
    receiver.answers = [500, "cut", "cut", (302, {"Location": "/elsewhere"}), 200]

    # What is cut off without an answer is asked again at once: a GET may be.
    assert await beats(receiver, [(0, 1), (10, 1), (20, 1), (30, 1), (40, 1)]) == [1, 3, 4, 5, 5]
    assert [(entry["event"], entry["problem"]) for entry in log] == [
        ("deadman.not_fed", "it answered 500"),
        ("deadman.not_fed", "no answer: ServerDisconnectedError"),
        ("deadman.not_fed", "it answered 302"),
    ]
    assert "canary" not in str(log)


async def test_it_logs_each_reason_of_an_outage_once(receiver: Receiver, log: list[Any]) -> None:
    receiver.answers = [500, 503, 500, 500, 200, 500, 200]
    assert await beats(receiver, [(at, at + 1) for at in range(0, 130, 10)])
    assert [entry["problem"] for entry in log] == ["it answered 500", "it answered 503", "it answered 500"]


async def test_it_survives_a_service_that_is_not_there(log: list[Any]) -> None:
    async with receiving() as gone:
        port = gone.port
    await Heartbeat(Clock()).look([part(1)], deadman(port))

    assert [entry["problem"] for entry in log] == ["no answer: ClientConnectorError"]
