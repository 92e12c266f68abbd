"""Thinning, whenever and however often it happens: no low is ever lost, and nothing else decides what stays."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.test_history import KEEP, NOW, point
from watcher.store import Store
from watcher.store.history import DAY, HOUR, MINUTE, Point, keep_points, points_of, thin

AGES = st.one_of(
    st.integers(0, 3 * HOUR),
    st.integers(DAY - HOUR, DAY + HOUR),
    st.integers(7 * DAY - 2 * HOUR, 7 * DAY + 2 * HOUR),
    st.integers(KEEP - HOUR, KEEP + HOUR),
)
"""Crowded around the edges of ages, so that stretches of time hold several points."""
HEALTHS = st.sampled_from(["0.9", "1", "1.05", "1.0500", "1.2", "9.9", "10", "1E+3", "Infinity", "-Infinity"])
PASTS = st.dictionaries(AGES, HEALTHS, max_size=60)
LATER = st.lists(st.sampled_from([0, MINUTE, 6 * HOUR, DAY, 8 * DAY]), max_size=4)

_names = count()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = Store.open(tmp_path_factory.mktemp("thinning") / "watcher.db")
    yield opened
    opened.close()


def kept(store: Store, past: dict[int, str]) -> str:
    """These healths by age, as points of a position of their own; returns its name."""
    name = f"p{next(_names)}"
    keep_points(store, [point(NOW - age, health, name) for age, health in past.items()])
    return name


def left(store: Store, name: str) -> list[tuple[int, Decimal]]:
    return [(one.at, one.health) for one in _all(store, name)]


def _all(store: Store, name: str) -> list[Point]:
    return points_of(store, name, 0, 2 * NOW)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(past=PASTS)
def test_it_never_loses_the_low_of_any_stretch_nor_keeps_two_points_where_one_is_due(
    store: Store, past: dict[int, str]
) -> None:
    name = kept(store, past)
    before = _all(store, name)
    gone = thin(store, name, NOW, KEEP)
    after = _all(store, name)
    assert len(before) - len(after) == gone
    for oldest, youngest, stretch in ((KEEP, 7 * DAY, HOUR), (7 * DAY, DAY, 10 * MINUTE)):
        then, now = ([one for one in points if NOW - oldest <= one.at < NOW - youngest] for points in (before, after))
        buckets = {one.at // stretch for one in then}
        assert sorted(one.at // stretch for one in now) == sorted(buckets)
        for one in now:
            assert one.health == min(each.health for each in then if each.at // stretch == one.at // stretch)
    assert [one for one in after if one.at >= NOW - DAY] == [one for one in before if one.at >= NOW - DAY]
    assert all(one.at >= NOW - KEEP for one in after)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(past=PASTS, later=LATER)
def test_it_does_not_matter_when_or_how_often_it_is_thinned(
    store: Store, past: dict[int, str], later: list[int]
) -> None:
    often, once = kept(store, past), kept(store, past)
    now = NOW
    for seconds in later:
        thin(store, often, now, KEEP)
        now += seconds
    for name in (often, once):
        thin(store, name, now, KEEP)
    # A stretch that is being forgotten may have lost its low with its older part: there, and only there, times differ.
    edge = (now - KEEP) // HOUR * HOUR + HOUR
    assert [one for one in left(store, often) if one[0] >= edge] == [one for one in left(store, once) if one[0] >= edge]
    assert thin(store, often, now, KEEP) == 0
