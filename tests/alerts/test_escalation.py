"""What nobody acknowledged: the table, row by row."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from watcher.alerts.ack import Acknowledgement
from watcher.alerts.escalation import Vigil, Watchfulness, keep_watch, unacknowledged
from watcher.alerts.message import Level
from watcher.alerts.record import Key, Record, Rule

KEY = Key(Rule.HEALTH, "m/0x1")
AFTER = 600
CRITICAL = Record(key=KEY, level=Level.CRITICAL, episode=1, since=1000)
SEEN = Acknowledgement(key=KEY, episode=1, level=Level.CRITICAL, until=10**12)
UNTOLD = Vigil(key=KEY, episode=1, since=1000)
TOLD = replace(UNTOLD, told=True)
NOTHING = Watchfulness(kept=(), ended=(), due=(), over=())


def step(vigil: Vigil | None, record: Record | None, now: int, *acks: Acknowledgement) -> Watchfulness:
    return keep_watch({vigil.key: vigil} if vigil else {}, [record] if record else [], acks, now, AFTER)


def test_it_begins_a_vigil_when_something_is_critical() -> None:
    assert step(None, CRITICAL, 1001) == replace(NOTHING, kept=(UNTOLD,))


def test_it_begins_none_for_a_warning() -> None:
    assert step(None, replace(CRITICAL, level=Level.WARN), 9999) == NOTHING


def test_it_tells_once_the_time_is_over_and_not_a_second_before() -> None:
    assert step(UNTOLD, CRITICAL, 1599) == NOTHING
    assert step(UNTOLD, CRITICAL, 1600) == replace(NOTHING, kept=(TOLD,), due=(CRITICAL,))


def test_it_tells_at_once_what_has_stood_long_when_it_is_first_looked_at() -> None:
    assert step(None, CRITICAL, 5000) == replace(NOTHING, kept=(TOLD,), due=(CRITICAL,))


def test_it_tells_an_episode_once_whatever_becomes_of_it() -> None:
    for level in (Level.CRITICAL, Level.LIQUIDATABLE, Level.WARN):
        assert step(TOLD, replace(CRITICAL, level=level, since=5000), 99_999) == NOTHING


def test_it_tells_the_next_episode_again() -> None:
    again = replace(CRITICAL, episode=2, since=5000)

    assert step(TOLD, again, 5600).due == (again,)
    assert step(TOLD, again, 5599).kept == (Vigil(key=KEY, episode=2, since=5000),)


def test_it_counts_from_the_first_critical_moment_of_a_position_that_goes_to_and_fro() -> None:
    worse = replace(CRITICAL, level=Level.LIQUIDATABLE, since=1590)

    assert step(UNTOLD, worse, 1600).due == (worse,)


def test_it_begins_afresh_when_it_was_better_in_between() -> None:
    assert step(UNTOLD, replace(CRITICAL, level=Level.WARN), 1300) == replace(NOTHING, ended=(KEY,))
    assert step(UNTOLD, replace(CRITICAL, level=Level.OK), 1300) == replace(NOTHING, ended=(KEY,))


def test_it_says_that_it_is_over_to_those_who_were_told() -> None:
    calm = replace(CRITICAL, level=Level.OK)

    assert step(TOLD, calm, 2000) == replace(NOTHING, ended=(KEY,), over=(calm,))


def test_it_says_nothing_of_what_is_no_ones_any_more() -> None:
    assert step(TOLD, None, 2000) == replace(NOTHING, ended=(KEY,))


def test_it_does_not_tell_what_somebody_acknowledged() -> None:
    assert step(UNTOLD, CRITICAL, 9999, SEEN) == NOTHING


def test_an_acknowledgement_covers_neither_a_worse_level_nor_another_episode_nor_another_condition() -> None:
    worse, later = replace(CRITICAL, level=Level.LIQUIDATABLE), replace(CRITICAL, episode=2)
    other = replace(CRITICAL, key=Key(Rule.UNREADABLE, KEY.subject))

    assert unacknowledged([CRITICAL, worse, later, other], [SEEN], 0) == [worse, later, other]


def test_it_waits_as_long_from_the_end_of_an_acknowledgement() -> None:
    ended = replace(SEEN, until=5000)

    assert step(UNTOLD, CRITICAL, 4999, ended) == NOTHING
    assert step(UNTOLD, CRITICAL, 5599, ended) == NOTHING
    assert step(UNTOLD, CRITICAL, 5600, ended).due == (CRITICAL,)


def test_the_end_of_an_acknowledgement_of_something_else_delays_nothing() -> None:
    for other in (replace(SEEN, episode=2), replace(SEEN, level=Level.WARN), replace(SEEN, key=Key(Rule.BLIND, "x"))):
        assert step(UNTOLD, CRITICAL, 1600, replace(other, until=1500)).due == (CRITICAL,)


@given(
    levels=st.lists(st.sampled_from(list(Level)), max_size=40),
    looks=st.lists(st.booleans(), min_size=40, max_size=40),
)
def test_it_never_tells_an_episode_twice_and_never_misses_one_that_is_critical_long_enough(
    levels: list[Level], looks: list[bool]
) -> None:
    """One level a minute, looked at now and then; the vigils are all that is remembered between looks."""
    record, vigils, told, since = Record(key=KEY), dict[Key, Vigil](), list[int](), 0
    for minute, (level, look) in enumerate(zip(levels, looks, strict=False)):
        now = minute * 60
        if level is not record.level:
            begins = record.level is Level.OK
            record = replace(record, level=level, episode=record.episode + begins, since=now)
        since = since if level >= Level.CRITICAL else now + 60
        if not look:
            continue
        step = keep_watch(vigils, [record], (), now, 300)
        vigils = {k: v for k, v in vigils.items() if k not in step.ended} | {v.key: v for v in step.kept}
        told += [each.episode for each in step.due]
        if record.level >= Level.CRITICAL and now - record.since >= 300:
            assert record.episode in told
        assert not step.due or now - since >= 300 or now - record.since >= 300 or record.episode in told

    assert len(told) == len(set(told))
