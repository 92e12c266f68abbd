"""Pictures: of the right size, not blank, and honest about what is not known."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from decimal import Decimal
from zoneinfo import ZoneInfo

import matplotlib
import pytest

from tests.charts.pictures import RGB, colours, decoded, size_of, where
from watcher.charts import draw
from watcher.domain.errors import ConfigError
from watcher.store.history import DAY, LegPoint, Point

NOW = 1_800_000_000
LIMITS = {"warn": Decimal("1.30"), "critical": Decimal("1.10")}

BLUE: RGB = (0x1D, 0x4E, 0xD8)
"""Of the line of health, and of nothing else."""
UNKNOWN: RGB = (0xEE, 0xF0, 0xF3)
YELLOW, RED = (0xFD, 0xF8, 0xDC), (0xFB, 0xDC, 0xDC)


def point(at: int, health: str = "1.2", price: str = "2500") -> Point:
    legs = (
        LegPoint(symbol="WETH", amount=Decimal(60), price=Decimal(price)),
        LegPoint(symbol="USDC", amount=Decimal(-150_000), price=Decimal(1)),
    )
    worth = {"collateral": Decimal(198_250), "debt": Decimal(150_000), "numeraire": "USD"}
    return Point(position="p", at=at, block=1, health=Decimal(health), legs=legs, **worth)  # type: ignore[arg-type]


def every(minutes: int, first: int, last: int, health: str = "1.2") -> list[Point]:
    """Points from so many hours ago to so many."""
    return [point(at, health) for at in range(NOW - first * 3600, NOW - last * 3600 + 1, minutes * 60)]


def drawn(points: Sequence[Point], *, asset: str | None = "WETH", title: str = "desk", seconds: int = DAY) -> bytes:
    return draw(points, limits=LIMITS, asset=asset, title=title, now=NOW, seconds=seconds)


def columns(png: bytes, colour: RGB) -> set[int]:
    """The columns in which there is a pixel of a colour, as hundredths of the span that is shown."""
    found, _ = where(png, colour)
    return {round((x - 105) / 735 * 100) for x in found}


def test_it_draws_a_line_of_health_over_the_bands_of_its_limits() -> None:
    png = drawn(every(1, 24, 0))
    assert size_of(png) == (1000, 900)
    seen = colours(png)
    assert seen[BLUE] > 1000
    assert seen[YELLOW] > 10_000
    assert seen[RED] > 1000
    assert UNKNOWN not in seen
    assert set(range(1, 100)) <= columns(png, BLUE)


def test_it_leaves_a_gap_where_nothing_is_known() -> None:
    png = drawn([*every(1, 24, 18), *every(1, 6, 0)])
    known = columns(png, BLUE)
    assert {10, 24, 76, 90} <= known
    assert not known & set(range(26, 75))
    assert {26, 50, 74} <= columns(png, UNKNOWN)
    assert not columns(png, YELLOW) & set(range(26, 75))


def test_it_draws_no_line_and_no_band_where_nothing_is_known_at_all() -> None:
    seen = colours(drawn([]))
    assert BLUE not in seen
    assert YELLOW not in seen
    assert seen[UNKNOWN] > 100_000


def test_it_does_not_go_on_after_the_last_point() -> None:
    png = drawn(every(1, 24, 12))
    assert not columns(png, BLUE) & set(range(51, 100))
    assert 90 in columns(png, UNKNOWN)


def test_it_draws_a_single_point_as_a_dot() -> None:
    seen = columns(drawn([point(NOW - DAY // 2)]), BLUE)
    assert seen
    assert max(seen) - min(seen) < 2


def test_it_draws_a_health_without_end_above_and_never_a_line_to_it() -> None:
    png = drawn([*every(1, 24, 12, "Infinity"), *every(1, 11, 0)])
    _, rows = where(png, BLUE)
    upper, lower = {y for y in rows if y < 200}, {y for y in rows if y >= 200}
    assert max(upper) - min(upper) < 8
    assert max(lower) - min(lower) < 30  # the line, and the ring around its lowest point
    assert colours(drawn(every(1, 24, 0, "Infinity")))[BLUE] > 500


@pytest.mark.parametrize(
    ("healths", "price"),
    [
        (["0"], "0"),
        (["-Infinity", "-2", "1.02"], "0.00001234"),
        (["1E+400", "1.2"], "1E+300"),
        (["1E-400", "1.2"], "1E-300"),
        (["1.2", "1.2000000000000000000000000000000001"], "2500.000000000000000000000001"),
        (["412", "0.99"], "-5"),
        (["Infinity", "-Infinity"], "1"),
    ],
)
def test_it_draws_whatever_numbers_there_are(healths: list[str], price: str) -> None:
    points = [point(NOW - 3600 + 60 * index, healths[index % len(healths)], price) for index in range(60)]
    png = drawn(points)
    assert size_of(png) == (1000, 900)
    assert len(colours(png)) > 20


@pytest.mark.parametrize("title", ["$\\frac{1}{$ of $\\nonsense$", "中文 🦊 \u202eabc", "W" * 200, "", "\n\x00"])
def test_it_draws_any_title_as_text_within_the_picture(title: str) -> None:
    image = decoded(drawn(every(10, 5, 0), title=title))
    assert {image.getpixel((x, y)) for x in (*range(20), *range(980, 1000)) for y in range(75)} == {(255, 255, 255)}


def test_it_draws_health_alone_where_no_asset_is_asked_for_or_known() -> None:
    points = every(1, 24, 0)
    assert drawn(points, asset=None) == drawn(points, asset="nothing of it")
    assert drawn(points, asset=None) != drawn(points, asset="WETH")


def test_it_shows_the_clock_of_a_zone() -> None:
    points = every(1, 24, 0)
    here = draw(points, limits=LIMITS, asset=None, title="desk", now=NOW, seconds=DAY, zone=ZoneInfo("Asia/Tokyo"))
    assert here != drawn(points, asset=None)


def test_it_draws_in_several_threads_at_once_what_it_draws_in_one() -> None:
    points, found = every(1, 24, 0), list[bytes]()
    threads = [threading.Thread(target=lambda: found.append(drawn(points))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [drawn(points)] * 4


def test_it_leaves_nothing_behind_for_the_next_picture() -> None:
    before = dict(matplotlib.rcParams)
    drawn(every(1, 24, 0))
    assert dict(matplotlib.rcParams) == before


def test_it_says_how_to_install_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("matplotlib", "watcher.charts."))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("watcher.charts.picture")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(
        ConfigError, match=r"matplotlib, which is not installed: pip install 'position-watcher\[charts\]'"
    ):
        drawn([])
