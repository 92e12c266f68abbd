"""The past as tables for people, readable in a hundred columns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from watcher.alerts import figures
from watcher.alerts.clean import clean
from watcher.config.settings import short
from watcher.domain.position import Numeraire
from watcher.history.past import Past, Track
from watcher.store.history import LegPoint, Point


def as_table(past: Past) -> Iterator[RenderableType]:
    """What to print, from top to bottom."""
    if past.since is None:
        yield _positions(past) if past.tracks else Text("Nothing has been kept yet.")
        return
    for index, track in enumerate(past.tracks):
        if index:
            yield Text()
        yield _heading(track)
        yield (
            _points(track)
            if track.points
            else Text(f"nothing since {_clock(past.since)} UTC; the last of {_kept(track)}")
        )


def _positions(past: Past) -> Table:
    table = _table(
        ("wallet", "left"), ("market", "left"), ("from, UTC", "left"), ("until", "left"), ("points", "right")
    )
    for track in past.tracks:
        span = track.span
        table.add_row(_whose(track), _market(track), _clock(span.first), _clock(span.last), f"{span.points:,}")
    return table


def _heading(track: Track) -> Text:
    return Text(f"{_whose(track)} {track.wallet}", style="bold") + Text(f" · {_market(track)}")


def _points(track: Track) -> Table:
    table = _table(
        ("time, UTC", "left"),
        ("block", "right"),
        ("health", "right"),
        ("collateral", "right"),
        ("debt", "right"),
        ("prices", "left"),
    )
    for point in track.points:
        table.add_row(
            _clock(point.at),
            str(point.block),
            figures.health(point.health),
            _value(point.collateral, point),
            _value(point.debt, point),
            _prices(point),
        )
    return table


def _prices(point: Point) -> str:
    """Each asset once; its price in the numeraire."""
    by_symbol: dict[str, LegPoint] = {leg.symbol: leg for leg in point.legs}
    return ", ".join(f"{clean(leg.symbol)} {_price(leg.price, point)}" for leg in by_symbol.values())


def _value(number: Decimal, point: Point) -> str:
    raw, places = _raw(number)
    return figures.value(raw, Numeraire(symbol=point.numeraire, decimals=places))


def _price(number: Decimal, point: Point) -> str:
    raw, places = _raw(number)
    return figures.price(raw, Numeraire(symbol=point.numeraire, decimals=places))


def _raw(number: Decimal) -> tuple[int, int]:
    """A number as base units and their decimals, as the figures are made from."""
    sign, figures_of, exponent = number.as_tuple()
    assert isinstance(exponent, int)  # amounts and values are finite
    units = int("".join(map(str, figures_of))) * (-1 if sign else 1)
    return units * 10 ** max(exponent, 0), max(-exponent, 0)


def _whose(track: Track) -> str:
    return clean(track.label, 24) if track.label else short(track.wallet)


def _market(track: Track) -> str:
    return clean(track.market, 40)


def _kept(track: Track) -> str:
    points = "1 point" if track.span.points == 1 else f"{track.span.points:,} points"
    return f"{points} is from {_clock(track.span.last)}"


def _clock(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"


def _table(*columns: tuple[str, str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for name, side in columns:
        table.add_column(name, justify="right" if side == "right" else "left", overflow="fold")
    return table
