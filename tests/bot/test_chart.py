"""The chart that a chat is sent: drawn from what the store knows, with a caption that says what it shows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.bot.seen import view
from tests.charts.pictures import size_of
from watcher.advice import driver, first_to_liquidate
from watcher.bot.chart import chart_of
from watcher.bot.view import Found
from watcher.domain.position import Check
from watcher.store import Store, StoreThread
from watcher.store.history import DAY, Point, keep_points


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[StoreThread]:
    opened = StoreThread(Store.open(tmp_path / "watcher.db"))
    yield opened
    await opened.close()


def found(label: str) -> Found:
    [one] = view(label).found
    return one


async def test_it_draws_what_was_kept_of_a_position_and_says_where_health_went(store: StoreThread) -> None:
    position = found("main").position
    now = position.at.timestamp + 12
    seen = Point.of(position)
    past = [replace(seen, at=now - minutes * 60, health=Decimal("1.2") + minutes) for minutes in range(1, 9)]
    await store.do(keep_points, [*past, replace(past[0], at=now - 2 * DAY, health=Decimal("0.5"))])
    png, caption = await chart_of(found("main"), DAY, store, now=now)
    assert size_of(png) == (1000, 900)
    assert str(caption) == (
        "main · Aave v3\nhealth over 24 h: between 1.0416 and 9.2000, last 1.0416\n"
        "below it: WETH, whose price matters most"
    )


async def test_it_draws_what_is_seen_now_where_nothing_was_kept(store: StoreThread) -> None:
    one = found("main")
    _, caption = await chart_of(one, 7 * DAY, store, now=one.position.at.timestamp + 12, zone="Europe/Berlin")
    assert str(caption).startswith("main · Aave v3\nhealth over 7 days: 1.0416\n")


async def test_it_says_that_nothing_is_known_of_a_time_in_which_nothing_was_seen(store: StoreThread) -> None:
    one = found("main")
    _, caption = await chart_of(one, DAY, store, now=one.position.at.timestamp + 3 * DAY)
    assert "health over 24 h: nothing is known of it" in str(caption)


def test_it_shows_the_price_that_liquidates_first() -> None:
    held = found("main").held
    first, shown = first_to_liquidate(held), driver(held)
    assert first is not None
    assert shown is not None
    assert first.distance < 0
    assert shown.priced_as in first.lever.keys


@pytest.mark.parametrize("label", ["main", "saver"])
def test_it_shows_the_price_of_the_largest_collateral_where_no_price_liquidates_or_the_formula_is_in_doubt(
    label: str,
) -> None:
    held = found(label).held
    doubtful = replace(held, position=replace(held.position, check=Check.MISMATCH))
    largest = max(held.position.legs, key=lambda leg: leg.value())
    assert driver(doubtful) == largest
    if held.position.health.required == 0:
        assert driver(held) == largest


def test_it_shows_no_price_where_nothing_is_held() -> None:
    held = found("saver").held
    assert driver(replace(held, position=replace(held.position, legs=()))) is None
