"""When a send goes beside another: seldom, so that a kill repeats little, and soon enough for everybody's turn."""

from __future__ import annotations

from math import inf

import pytest

from watcher.notify.way import Way, patience


def test_it_waits_for_an_answer_and_not_for_ever() -> None:
    way = Way()
    way.crowded(5)
    assert way.ready_at(100.0) == 100.0
    way.start(100.0)
    assert way.ready_at(100.1) == 100.5
    assert way.ready_at(100.6) == 100.6
    way.end()
    assert way.ready_at(100.1) == 100.1


def test_it_does_not_let_the_last_of_a_crowd_wait_longer() -> None:
    way = Way()
    way.crowded(25)
    way.start(100.0)
    way.crowded(1)
    assert way.ready_at(100.0) == pytest.approx(100.1)
    way.end()
    way.crowded(1)
    way.start(101.0)
    assert way.ready_at(101.0) == 101.5


@pytest.mark.parametrize("waiting", range(60))
def test_it_gives_everybody_a_turn_in_a_few_seconds_however_late_the_answers(waiting: int) -> None:
    assert waiting * patience(waiting) <= (2.5 if waiting <= 31 else 5.0)
    assert 0.08 <= patience(waiting) <= 0.5


def test_it_has_one_send_ask_a_side_that_does_not_answer() -> None:
    way = Way()
    way.start(100.0)
    way.failed("a", 120.0)
    assert way.ready_at(120.0) == inf
    way.end()
    assert way.ready_at(120.0) == 120.0
    way.failed("a", 121.0)
    assert way.ready_at(121.0) == 122.0
    assert way.answered("b", 126.0)
    assert way.ready_at(126.0) == 126.0
