"""How pictures look: one palette, one typeface, and text that is only ever text."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font

INK: Final = "#1f2933"
MUTED: Final = "#5f6c7b"
GRID: Final = "#e3e8ee"
HEALTH: Final = "#1d4ed8"
PRICE: Final = "#475569"
UNKNOWN: Final = "#eef0f3"
UNKNOWN_HATCH: Final = "#d5dae1"

COLOURS: Final = {"warn": "#a16207", "critical": "#c2410c", "liquidation": "#b91c1c"}
"""Of lines and words, by the name of a limit."""
BANDS: Final = {"warn": "#fdf8dc", "critical": "#fdecd8", "liquidation": "#fbdcdc"}
"""Of what lies below a limit, down to the next."""

TITLE: Final = 20.0
HEADLINE: Final = 18.0
LABEL: Final = 15.0
"""Points, at 100 per inch: a picture of 1000 pixels is read on a telephone, at less than half its size."""


def write(
    on: Axes | Figure,
    x: float,
    y: float,
    words: str,
    *,
    size: float = LABEL,
    colour: str = INK,
    bold: bool = False,
    across: str = "left",
    up: str = "baseline",
    widest: float = 1,
) -> None:
    """Words at a place given in parts of the width and the height of what they are written on.

    Those that are wider than `widest`, in parts of the width too, are written smaller.
    """
    text = on.text(
        x,
        y,
        drawable(words),
        fontproperties=typeface(size, bold=bold),
        color=colour,
        ha=across,
        va=up,
        parse_math=False,  # "$" is a dollar
        transform=on.transAxes if isinstance(on, Axes) else on.transSubfigure,
    )
    wide = text.get_window_extent().width / on.get_window_extent().width
    if wide > widest:
        text.set_fontsize(size * widest / wide)


def typeface(size: float = LABEL, *, bold: bool = False) -> FontProperties:
    """DejaVu Sans, which comes with matplotlib: by its file, so that no setting of the machine picks another."""
    return FontProperties(fname=_file(bold=bold), size=size)


def drawable(words: str) -> str:
    """The words with a replacement character for whatever the typeface has no picture of."""
    return "".join(character if ord(character) in _characters() else "\ufffd" for character in words)


@cache
def _file(*, bold: bool) -> Path:
    return Path(matplotlib.get_data_path(), "fonts", "ttf", f"DejaVuSans{'-Bold' if bold else ''}.ttf")


@cache
def _characters() -> frozenset[int]:
    return frozenset.intersection(*(frozenset(FT2Font(_file(bold=bold)).get_charmap()) for bold in (False, True)))
