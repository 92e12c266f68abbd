"""What is known when, and what is written along the axes."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from watcher.charts.known import gaps, reach, stretches, ticks
from watcher.charts.scale import health_scale, price_scale, within_reason
from watcher.store.history import DAY, HOUR, MINUTE

NOW = 1_795_200_000 // DAY * DAY  # a midnight
INFINITY = Decimal("Infinity")


def test_it_takes_points_apart_where_three_looks_were_missed() -> None:
    times = [NOW - 500, NOW - 440, NOW - 260, NOW - 79, NOW]
    assert stretches(times, NOW, MINUTE) == [range(3), range(3, 5)]
    assert gaps(times, NOW - 600, NOW, MINUTE) == [(NOW - 260, NOW - 79)]


def test_it_knows_nothing_of_a_time_without_points() -> None:
    assert stretches([], NOW, MINUTE) == []
    assert gaps([], NOW - DAY, NOW, MINUTE) == [(NOW - DAY, NOW)]


def test_it_knows_nothing_before_the_first_point_and_after_the_last() -> None:
    assert gaps([NOW - HOUR], NOW - DAY, NOW, MINUTE) == [(NOW - DAY, NOW - HOUR), (NOW - HOUR, NOW)]


def test_it_waits_as_long_as_looks_may_take() -> None:
    assert reach(NOW, NOW, 12) == 3 * MINUTE
    assert reach(NOW, NOW, HOUR) == 3 * HOUR
    assert reach(NOW - 2 * DAY, NOW, 12) == 20 * MINUTE
    assert reach(NOW - 8 * DAY, NOW, 12) == 2 * HOUR


def test_it_bridges_what_thinning_left_and_no_more() -> None:
    ten = 10 * MINUTE
    old = NOW - 3 * DAY
    assert len(stretches([old, old + 2 * ten - 1], NOW, MINUTE)) == 1  # the first of one stretch, the last of the next
    assert len(stretches([old, old + 2 * ten + 1], NOW, MINUTE)) == 2


@pytest.mark.parametrize(
    ("seconds", "labels"),
    [
        (HOUR, ["23:10", "23:20", "23:30", "23:40", "23:50", "Fri 20"]),
        (DAY, ["04:00", "08:00", "12:00", "16:00", "20:00", "Fri 20"]),
        (7 * DAY, ["Sat 14", "Sun 15", "Mon 16", "Tue 17", "Wed 18", "Thu 19", "Fri 20"]),
    ],
)
def test_it_marks_round_times(seconds: int, labels: list[str]) -> None:
    assert [label for _, label in ticks(NOW - seconds + 1, NOW, UTC)] == labels


def test_it_marks_the_midnights_of_a_zone_also_where_a_day_has_25_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    since = 1_792_792_800  # 2026-10-24 00:00 in Berlin; clocks go back on the 25th
    marks = ticks(since, since + 4 * DAY, berlin)
    days = [at for at, label in marks if ":" not in label]
    assert [later - earlier for earlier, later in pairwise(days)] == [DAY, DAY + HOUR, DAY]


def test_it_writes_marks_with_the_places_that_tell_them_apart() -> None:
    assert price_scale([2450.0, 2610.0]).labels == ["2,450", "2,500", "2,550", "2,600"]
    assert price_scale([0.9999, 1.0001]).labels == ["0.998", "0.999", "1.000", "1.001", "1.002"]
    assert price_scale([67_331.0, 67_331.0]).labels[0] == "67,200"
    assert price_scale([1e30, 2e30]).labels[0] == "1e30"


def test_it_shows_every_limit_and_room_above_for_a_health_without_end() -> None:
    limits = [Decimal(1), Decimal("1.1"), Decimal("1.3")]
    plain, endless = health_scale([Decimal("1.2")], limits), health_scale([INFINITY, Decimal("1.2")], limits)
    assert plain.low < 1 < 1.3 < plain.high
    assert endless.part(1.3) < plain.part(1.3) < 1
    assert not plain.logarithmic
    wide = health_scale([Decimal(412)], limits)
    assert wide.logarithmic
    assert 0 < wide.part(1) < wide.part(1.3) < wide.part(412) < 1


def test_it_draws_what_no_axis_bears_at_its_edge() -> None:
    limits = [Decimal(1), Decimal("1.3")]
    scale = health_scale([Decimal("1E+400"), Decimal("-1E+400"), -INFINITY], limits)
    assert scale.clipped(Decimal("1E+400")) == scale.high
    assert scale.clipped(-INFINITY) == scale.low
    assert within_reason(Decimal("1E+400")) == 1e30
