"""The other side never has to refuse for flood, however its clock sees our requests."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.notify.channel import Pace
from watcher.notify.pacing import Backoff, Lane, Limits, Rate, Share, Window

MOMENT = st.floats(0, 1)


@given(st.integers(1, 5), st.lists(st.tuples(st.floats(0, 2), MOMENT), min_size=10, max_size=60))
def test_it_keeps_the_rate_wherever_within_a_request_it_is_counted(
    limit: int, requests: list[tuple[float, float]]
) -> None:
    window, now, counted = Window(Rate(limit, 1.0)), 1_000.0, []
    for lasts, moment in requests:
        now = window.ready_at(now)
        window.start()
        counted.append(now + lasts * moment)
        now += lasts
        window.end(now)
    for first, later in zip(counted, counted[limit:], strict=False):
        assert later - first >= 1.0 - 1e-9


def test_it_waits_for_what_still_runs() -> None:
    window = Window(Rate(2, 1.0))
    window.start()
    window.start()
    assert window.ready_at(5.0) == inf
    window.end(6.0)
    assert window.ready_at(6.0) == 7.0
    assert window.ready_at(7.0) == 7.0


def test_it_uses_the_whole_rate() -> None:
    window = Window(Rate(30, 1.0))
    for _ in range(30):
        assert window.ready_at(5.0) == 5.0
        window.start()
        window.end(5.0)
    assert window.ready_at(5.0) == 6.0


def test_it_has_one_lane_per_chat_and_one_limit_over_all() -> None:
    overall = Window(Rate(2, 1.0))
    one, two, three = (Lane(Pace.PRIVATE, Limits(), overall) for _ in range(3))
    one.start()
    assert one.ready_at(0.0) == inf
    assert two.ready_at(0.0) == 0.0
    two.start()
    two.end(0.5)
    assert three.ready_at(0.5) == 1.5


def test_it_holds_a_chat_as_long_as_it_was_asked_to() -> None:
    lane = Lane(Pace.FREE, Limits(), Window(Rate(1, 1.0)))
    lane.hold(60.0)
    lane.hold(30.0)
    assert lane.ready_at(10.0) == 60.0
    assert lane.ready_at(61.0) == 61.0


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (10_000, 60)])
def test_it_doubles_its_patience_up_to_the_longest(attempt: int, seconds: float) -> None:
    assert Backoff(60.0).after(attempt) == seconds


def test_it_leaves_half_of_the_room_of_a_group_to_alerts_and_a_quarter_to_answers() -> None:
    limits = Limits(chat=Rate(1, 0.0))
    lane = Lane(Pace.GROUP, limits, Window(limits.overall))
    for second in range(10):
        assert lane.ready_at(float(second), Share.ANSWER) == second
        assert lane.ready_at(float(second), Share.EDIT) == (second if second < 5 else 55 + second)
        lane.start()
        lane.end(float(second))
    assert lane.ready_at(10.0, Share.ANSWER) == 60.0
    assert lane.ready_at(10.0) == 10.0


@pytest.mark.parametrize("share", Share)
def test_it_leaves_everybody_the_one_message_that_there_may_be(share: Share) -> None:
    assert share.of(1) == 1
