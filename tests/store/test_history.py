"""Points of history: kept to the digit, and thinned so that no low is lost."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from watcher.store import Store
from watcher.store.history import DAY, HOUR, LegPoint, Point, keep_points, latest_before, points_of, spans, thin

KEEP = 90 * DAY
NOW = 2_000_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "watcher.db")
    yield opened
    opened.close()


def point(at: int, health: str = "1.5", position: str = "aave/0xA") -> Point:
    return Point(
        position=position,
        at=at,
        block=at // 12,
        health=Decimal(health),
        collateral=Decimal("198250.00000001"),
        debt=Decimal(150_000),
        numeraire="USD",
        legs=(
            LegPoint(symbol="WETH", amount=Decimal("60.000000000000000001"), price=Decimal("2500.12345678")),
            LegPoint(symbol="USDC", amount=Decimal(-150_000), price=Decimal(1)),
        ),
    )


def times(store: Store, position: str = "aave/0xA") -> list[int]:
    return [one.at for one in points_of(store, position, 0, NOW)]


def test_it_gives_back_what_was_kept_to_the_last_digit(store: Store) -> None:
    exact = point(60, "1.075833333333333333333333333333333333333333333333333333333333")
    keep_points(store, [exact])
    assert points_of(store, "aave/0xA", 0, NOW) == [exact]


@pytest.mark.parametrize("health", ["Infinity", "-Infinity", "0", "1E+60", "1E-60"])
def test_it_keeps_any_health_there_is(store: Store, health: str) -> None:
    keep_points(store, [point(60, health)])
    assert [one.health for one in points_of(store, "aave/0xA", 0, NOW)] == [Decimal(health)]


def test_it_keeps_a_symbol_that_has_no_utf_8(store: Store) -> None:
    odd = LegPoint(symbol="W\ud800\x00ETH", amount=Decimal(1), price=Decimal(1))
    kept = Point(
        position="p",
        at=1,
        block=1,
        health=Decimal(2),
        collateral=Decimal(1),
        debt=Decimal(0),
        numeraire="",
        legs=(odd,),
    )
    keep_points(store, [kept])
    assert points_of(store, "p", 0, 9) == [kept]


def test_it_gives_the_points_of_a_span_both_ends_included_the_oldest_first(store: Store) -> None:
    keep_points(store, [point(240), point(60), point(120), point(180), point(120, position="aave/0xB")])
    assert [one.at for one in points_of(store, "aave/0xA", 120, 180)] == [120, 180]


def test_it_finds_the_newest_point_before_a_time(store: Store) -> None:
    keep_points(store, [point(60), point(120)])
    found = latest_before(store, "aave/0xA", 120)
    assert found is not None
    assert found.at == 60
    assert latest_before(store, "aave/0xA", 60) is None


def test_it_has_one_point_for_each_time_the_newest_word_on_it(store: Store) -> None:
    keep_points(store, [point(60, "1.5")])
    keep_points(store, [point(60, "1.4")])
    assert [one.health for one in points_of(store, "aave/0xA", 0, NOW)] == [Decimal("1.4")]


def test_it_tells_how_much_is_known_of_each_position(store: Store) -> None:
    assert spans(store) == []
    keep_points(store, [point(60), point(120), point(90, position="aave/0xB")])
    assert [(one.position, one.first, one.last, one.points) for one in spans(store)] == [
        ("aave/0xA", 60, 120, 2),
        ("aave/0xB", 90, 90, 1),
    ]


def test_it_leaves_the_last_day_alone(store: Store) -> None:
    keep_points(store, [point(NOW - DAY), point(NOW - DAY + 1), point(NOW)])
    assert thin(store, "aave/0xA", NOW, KEEP) == 0


def test_it_keeps_the_lowest_of_each_ten_minutes_after_a_day_and_of_each_hour_after_a_week(store: Store) -> None:
    hour = (NOW - 8 * DAY) // HOUR * HOUR
    tens = (NOW - 2 * DAY) // HOUR * HOUR
    keep_points(store, [point(hour, "1.5"), point(hour + 60, "1.1"), point(hour + 1200, "1.2"), point(hour + 3599)])
    keep_points(store, [point(tens, "9.0"), point(tens + 60, "10"), point(tens + 599, "Infinity"), point(tens + 600)])
    assert thin(store, "aave/0xA", NOW, KEEP) == 5
    assert times(store) == [hour + 60, tens, tens + 600]


def test_it_forgets_what_is_older_than_asked_and_nothing_of_the_others(store: Store) -> None:
    keep_points(store, [point(NOW - KEEP - 1), point(NOW - KEEP), point(NOW - KEEP - 1, position="aave/0xB")])
    assert thin(store, "aave/0xA", NOW, KEEP) == 1
    assert times(store) == [NOW - KEEP]
    assert times(store, "aave/0xB") == [NOW - KEEP - 1]
