"""The drawing itself, with matplotlib's objects alone: no pyplot, nothing that one picture would leave to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from io import BytesIO
from itertools import pairwise
from typing import Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from watcher.alerts import figures
from watcher.alerts.clean import NAMELESS, shortened, visible
from watcher.charts import style
from watcher.charts.known import gaps, reach, stretches, ticks
from watcher.charts.scale import Scale, health_scale, price_scale, within_reason
from watcher.charts.style import write
from watcher.domain.health import INFINITE
from watcher.store.history import DAY, Point

LEFT, WIDTH, BOTTOM = 0.105, 0.735, 0.1
"""Parts of the figure; the room on the right is for the names of the limits."""
PIXELS: Final = (1000, 900)
LIQUIDATION: Final = "liquidation"
LANE: Final = 0.93
"""At which part of the height a health without end is drawn."""
FITTING: Final = 7
"""Characters on the left for which there is room in full size."""
APART: Final = 0.06
"""Parts of the height between the names of two limits, at least."""

Course = Sequence[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Window:
    """What is shown: from when until when (Unix seconds), by whose clock, with a look in `every` so many seconds."""

    since: int
    now: int
    zone: tzinfo
    every: int

    def clock(self, at: int) -> str:
        """A moment in it, as short as may be."""
        then = datetime.fromtimestamp(at, self.zone)
        return f"{then:%H:%M}" if self.now - self.since <= DAY else f"{then:%a} {then.day}, {then:%H:%M}"

    @property
    def until(self) -> str:
        """Its end in full: the day, the time, and the clock."""
        then = datetime.fromtimestamp(self.now, self.zone)
        return f"{then.day} {then:%b %Y}, {then:%H:%M} {getattr(self.zone, 'key', None) or then.tzname()}"


def drawn(
    points: Sequence[Point],
    *,
    limits: Mapping[str, Decimal],
    asset: str | None,
    title: str,
    window: Window,
) -> bytes:
    """See `watcher.charts.draw`."""
    shown = [point for point in points if window.since <= point.at <= window.now]
    limits = dict(sorted({**limits, LIQUIDATION: Decimal(1)}.items(), key=lambda limit: limit[1]))
    prices = [(point.at, leg) for point in shown for leg in point.legs if leg.symbol == asset]
    worth = list({at: (at, within_reason(leg.price)) for at, leg in prices}.values())
    figure = Figure(figsize=(PIXELS[0] / 100, PIXELS[1] / 100), dpi=100, facecolor="white")
    FigureCanvasAgg(figure)  # becomes the figure's own
    _head(figure, title, shown, limits, window)
    top = figure.add_axes((LEFT, 0.4, WIDTH, 0.45) if worth else (LEFT, BOTTOM, WIDTH, 0.75))
    _draw_health(top, shown, limits, window)
    if worth:
        top.tick_params(labelbottom=False)  # the clock below is of both
        below = figure.add_axes((LEFT, BOTTOM, WIDTH, 0.235))
        _draw_price(below, worth, window)
        write(below, 0, 1.06, f"{_name(asset or '')} price, {_name(shown[-1].numeraire)}", colour=style.MUTED)
    png = BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()


def _head(figure: Figure, title: str, points: Sequence[Point], limits: Mapping[str, Decimal], window: Window) -> None:
    write(figure, 0.03, 0.945, _name(title, 64), size=style.TITLE, bold=True, widest=0.93)
    write(figure, 0.97, 0.018, f"until {window.until}", colour=style.MUTED, across="right")
    if not points:
        write(figure, 0.03, 0.888, "nothing is known of this time", size=style.HEADLINE, colour=style.MUTED)
        return
    last, lowest = points[-1], min(points, key=lambda point: point.health)
    age = window.now - last.at
    current = age <= reach(last.at, window.now, window.every)
    words = f"health {figures.health(last.health)}" + ("" if current else f", {figures.duration(age)} ago")
    colour = _colour_of(last.health, limits) if current else style.MUTED
    write(figure, 0.03, 0.888, words, size=style.HEADLINE, bold=current, colour=colour)
    least = f"lowest {figures.health(lowest.health)} at {window.clock(lowest.at)}"
    write(figure, 0.97, 0.888, least, colour=style.MUTED, across="right")


def _name(text: str, limit: int = 24) -> str:
    """What strangers chose, on one line; nothing in a picture is a link, so nothing is done about those."""
    return shortened(visible(text), limit) or NAMELESS


def _colour_of(health: Decimal, limits: Mapping[str, Decimal]) -> str:
    """That of the lowest limit which it is below."""
    return next((style.COLOURS.get(name, style.INK) for name, limit in limits.items() if health < limit), style.INK)


# --- Health -----------------------------------------------------------------------------------------------------------


def _draw_health(axes: Axes, points: Sequence[Point], limits: Mapping[str, Decimal], window: Window) -> None:
    scale = health_scale([point.health for point in points], list(limits.values()))
    _prepare(axes, scale, window, [point.at for point in points])
    _draw_limits(axes, limits, scale)
    for part in stretches([point.at for point in points], window.now, window.every):
        for endless, run in _runs([points[index] for index in part]):
            if endless:
                _line(axes, [(point.at, LANE) for point in run], style.HEALTH, lane=True)
            else:
                _line(axes, [(point.at, scale.clipped(point.health)) for point in run], style.HEALTH)
    if any(_endless(point) for point in points):
        write(axes, 1.015, LANE, "∞ no debt", colour=style.MUTED, up="center_baseline")
    finite = [point for point in points if not _endless(point)]
    if len(finite) > 1:
        lowest = min(finite, key=lambda point: point.health)
        axes.plot(
            lowest.at,
            scale.clipped(lowest.health),
            "o",
            ms=9,
            mfc="white",
            mec=style.HEALTH,
            mew=2,
            zorder=6,
            clip_on=False,
        )


def _runs(points: Sequence[Point]) -> list[tuple[bool, Sequence[Point]]]:
    """Neighbours that are all endless, or all not: no line leads from a number to infinity."""
    turns = [index for index, (one, other) in enumerate(pairwise(points), 1) if _endless(one) != _endless(other)]
    edges = [0, *turns, len(points)]
    return [(_endless(points[start]), points[start:end]) for start, end in pairwise(edges)]


def _endless(point: Point) -> bool:
    return point.health == INFINITE


def _draw_limits(axes: Axes, limits: Mapping[str, Decimal], scale: Scale) -> None:
    floor, lowest_name = scale.low, -1.0
    for name, limit in limits.items():
        value = scale.clipped(limit)
        colour = style.COLOURS.get(name, style.MUTED)
        axes.axhspan(floor, value, color=style.BANDS.get(name, "white"), lw=0, zorder=0)
        axes.axhline(value, color=colour, lw=1.8, ls=(0, (5, 3)), zorder=2)
        lowest_name = max(scale.part(value), lowest_name + APART)
        write(axes, 1.015, lowest_name, f"{name} {limit:f}", colour=colour, up="center_baseline")
        floor = value


# --- Price ------------------------------------------------------------------------------------------------------------


def _draw_price(axes: Axes, prices: Course, window: Window) -> None:
    times = [at for at, _ in prices]
    _prepare(axes, price_scale([price for _, price in prices]), window, times)
    for part in stretches(times, window.now, window.every):
        _line(axes, [prices[index] for index in part], style.PRICE)


# --- Both -------------------------------------------------------------------------------------------------------------


def _prepare(axes: Axes, scale: Scale, window: Window, times: Sequence[int]) -> None:
    """Scales, grid and ticks; and what is not known is seen to be not known."""
    axes.set_xlim(window.since, window.now)
    if scale.logarithmic:
        axes.set_yscale("log")
    axes.set_ylim(scale.low, scale.high)
    clock = ticks(window.since, window.now, window.zone)
    face, colour = style.typeface(), style.MUTED
    axes.set_xticks([at for at, _ in clock], [label for _, label in clock], fontproperties=face, color=colour)
    longest = max((len(label) for label in scale.labels), default=1)
    face = style.typeface(style.LABEL * min(FITTING / longest, 1))
    axes.set_yticks(scale.marks, scale.labels, fontproperties=face, color=colour)
    axes.minorticks_off()
    axes.tick_params(length=0, pad=8)
    axes.grid(color=style.GRID, lw=1, zorder=1)
    for side in axes.spines.values():
        side.set_visible(False)
    _draw_gaps(axes, window, times)


def _draw_gaps(axes: Axes, window: Window, times: Sequence[int]) -> None:
    found = gaps(times, window.since, window.now, window.every)
    for start, end in found:
        hatched = axes.axvspan(start, end, facecolor=style.UNKNOWN, edgecolor=style.UNKNOWN_HATCH, lw=0, zorder=1.5)
        hatched.set_hatch("//")
    if found:
        start, end = max(found, key=lambda gap: gap[1] - gap[0])
        wide = (end - start) / (window.now - window.since)
        if wide > 0.15:
            middle = ((start + end) / 2 - window.since) / (window.now - window.since)
            write(axes, middle, 0.5, "not known", colour=style.MUTED, across="center", up="center")


def _line(axes: Axes, line: Course, colour: str, *, lane: bool = False) -> None:
    """A stretch of what is known; a single point of it is a dot. In the `lane`, values are parts of the height."""
    drawn = Line2D(
        [at for at, _ in line],
        [value for _, value in line],
        color=colour,
        lw=2.6,
        solid_capstyle="round",
        solid_joinstyle="round",
        marker="o" if len(line) == 1 else None,
        ms=5,
        zorder=5,
    )
    if lane:
        drawn.set_transform(axes.get_xaxis_transform())
    axes.add_line(drawn)
