"""The past for machines: exact decimals, and every time both as ISO 8601 in UTC and in Unix seconds."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any, Final

from watcher.alerts.clean import clean
from watcher.history.past import Past, Track
from watcher.store.history import Point, digits

FORMAT: Final = 1
SYMBOL: Final = 24
LABEL: Final = 64

_FORMULA: Final = ("=", "+", "-", "@")
"""How a cell begins that a spreadsheet would run."""


def iso(at: int) -> str:
    """`2026-11-20T19:28:50Z`."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


def as_document(past: Past, version: str) -> dict[str, Any]:
    """The JSON document that docs/json.md describes."""
    return {
        "format": FORMAT,
        "version": version,
        "since": None if past.since is None else _moment(past.since),
        "until": _moment(past.until),
        "positions": [_position(track, full=past.since is not None) for track in past.tracks],
    }


def as_csv(past: Past) -> str:
    """A line for each point, or for each position where no points were asked for; legs in columns of their own."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    if past.since is None:
        lines.writerow(("position", "wallet", "label", "first", "first_unix", "last", "last_unix", "points"))
        for track in past.tracks:
            first, last = track.span.first, track.span.last
            lines.writerow((*_whose(track), iso(first), first, iso(last), last, track.span.points))
        return out.getvalue()
    most = max((len(point.legs) for track in past.tracks for point in track.points), default=0)
    legs = [f"{name}_{number}" for number in range(1, most + 1) for name in ("symbol", "amount", "price")]
    lines.writerow([*_POINT_COLUMNS, *legs])
    lines.writerows(_line(track, point, most) for track in past.tracks for point in track.points)
    return out.getvalue()


_POINT_COLUMNS: Final = (
    *("position", "wallet", "label", "time", "unix", "block"),
    *("health", "collateral", "debt", "numeraire"),
)


def _line(track: Track, point: Point, most: int) -> list[str | int]:
    numbers = (digits(point.health), digits(point.collateral), digits(point.debt))
    legs = [[_cell(clean(leg.symbol, SYMBOL)), digits(leg.amount), digits(leg.price)] for leg in point.legs]
    legs += [["", "", ""]] * (most - len(legs))
    head = (*_whose(track), iso(point.at), point.at, point.block, *numbers, _cell(clean(point.numeraire, SYMBOL)))
    return [*head, *(cell for leg in legs for cell in leg)]


def _whose(track: Track) -> tuple[str, str, str]:
    return track.span.position, track.wallet, _cell(clean(track.label, LABEL)) if track.label else ""


def _cell(text: str) -> str:
    """A text that stays one in a spreadsheet."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _moment(at: int) -> dict[str, Any]:
    return {"unix": at, "time": iso(at)}


def _position(track: Track, *, full: bool) -> dict[str, Any]:
    kept = {"first": _moment(track.span.first), "last": _moment(track.span.last), "points": track.span.points}
    return {
        "id": track.span.position,
        "wallet": {"address": track.wallet, "label": clean(track.label, LABEL) if track.label else None},
        "kept": kept,
    } | ({"points": [_point(point) for point in track.points]} if full else {})


def _point(point: Point) -> dict[str, Any]:
    return {
        **_moment(point.at),
        "block": point.block,
        "health": digits(point.health),
        "collateral": digits(point.collateral),
        "debt": digits(point.debt),
        "numeraire": clean(point.numeraire, SYMBOL),
        "legs": [
            {"symbol": clean(leg.symbol, SYMBOL), "amount": digits(leg.amount), "price": digits(leg.price)}
            for leg in point.legs
        ],
    }
