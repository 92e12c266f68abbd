"""Pictures of a position over time. matplotlib, an optional extra, is imported when the first one is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from decimal import Decimal
from importlib.util import find_spec

from watcher.charts.known import EVERY
from watcher.domain.errors import ConfigError
from watcher.store.history import Point

EXTRA = "position-watcher[charts]"

__all__ = ["available", "draw"]


def available() -> bool:
    """Whether there is a library to draw with."""
    return find_spec("matplotlib") is not None


def draw(
    points: Sequence[Point],
    *,
    limits: Mapping[str, Decimal],
    asset: str | None,
    title: str,
    now: int,
    seconds: int,
    zone: tzinfo = UTC,
    every: int = EVERY,
) -> bytes:
    """A PNG of 1000 × 900 pixels: health over the `seconds` before `now`, and below it the price of an asset.

    `points` are one position's, the oldest first. `limits` are healths by the name of their level ("warn",
    "critical"); that of liquidation, 1, is always there. `asset` is a symbol among the legs, as read; None, or one
    that no point knows: no price. Times are shown in `zone`. Where points are further apart than looks (one in `every`
    seconds) and thinning explain, nothing is known, and nothing is drawn. It takes about a second: call it off the
    event loop. Raises `ConfigError` where matplotlib is not installed.
    """
    try:
        from watcher.charts import picture
    except ImportError as missing:
        if missing.name is None or missing.name.partition(".")[0] != "matplotlib":
            raise
        raise ConfigError(
            f"charts need the library matplotlib, which is not installed: pip install '{EXTRA}'"
        ) from None
    window = picture.Window(since=now - seconds, now=now, zone=zone, every=every)
    return picture.drawn(points, limits=limits, asset=asset, title=title, window=window)
