"""The chart of a position: what the store knows of it, drawn, and what is written below."""

from __future__ import annotations

import asyncio
from zoneinfo import ZoneInfo

from watcher.advice import driver
from watcher.alerts import figures, trust
from watcher.alerts.clean import clean
from watcher.alerts.message import Text, bold
from watcher.bot.view import Found
from watcher.charts import draw
from watcher.domain.position import Leg
from watcher.store import StoreThread
from watcher.store.history import DAY, LONGEST, MINUTE, Point, points_of


async def chart_of(
    found: Found, seconds: int, store: StoreThread, *, now: int, zone: str = "UTC", interval: int = MINUTE
) -> tuple[bytes, Text]:
    """A PNG of a position over the `seconds` before `now` by the clock of `zone`, and a caption for it.

    `interval`: seconds that pass at most between two looks at its chain. Raises `ConfigError` where matplotlib is not
    installed, `StoreFailed` where the history cannot be read; both texts are fit for an answer.
    """
    position = found.position
    now = max(now, position.at.timestamp)  # a block may be dated ahead of our clock
    kept = await store.do(points_of, str(position.id), now - seconds, now)
    points = [*kept, *_newest(found, kept, now - seconds)]
    # Off the loop: a liquidation price is milliseconds of arithmetic, a picture a tenth of a second.
    leg = await asyncio.to_thread(driver, found.held)
    png = await asyncio.to_thread(
        draw,
        points,
        limits={"warn": found.rules.warn, "critical": found.rules.critical},
        asset=leg.asset.symbol[:LONGEST] if leg else None,
        title=found.name,
        now=now,
        seconds=seconds,
        zone=ZoneInfo(zone),
        every=interval,
    )
    return png, _caption(found, points, leg, seconds)


def _newest(found: Found, kept: list[Point], since: int) -> list[Point]:
    """What was seen after the last point that was kept."""
    seen = Point.of(found.position)
    return [seen] if seen.at >= since and (not kept or seen.at > kept[-1].at) else []


def _caption(found: Found, points: list[Point], leg: Leg | None, seconds: int) -> Text:
    """Whose it is, the span, and from where to where health went in it."""
    span = "7 days" if seconds == 7 * DAY else figures.duration(seconds)
    caption = bold(found.name) + f"\nhealth over {span}"
    if not points:
        return caption + ": nothing is known of it"
    healths = [point.health for point in points]
    lowest, highest, last = (figures.health(each) for each in (min(healths), max(healths), healths[-1]))
    caption += f": between {lowest} and {highest}, last {last}" if lowest != highest else f": {last}"
    caption += trust.beside(found.position, found.trust)
    price = f"\nbelow it: {clean(leg.asset.symbol)}, whose price matters most" if leg else ""
    return caption + price
