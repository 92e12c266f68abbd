"""A message drawn as a telephone shows it: bubble, entities, what it answers, buttons, time, photo."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

import matplotlib
from PIL import Image, ImageDraw, ImageFont

from tests.pictures.shot import Shot
from tests.pictures.styled import PLAIN, Line, Run, runs, wrapped
from watcher.alerts.message import Style

SCALE: Final = 2
"""Pixels of a picture to one of the page that shows it."""
WIDTH: Final = 420
"""Of a picture, in pixels of the page, as all lengths here."""

_MARGIN, _PADDING, _RADIUS, _GAP = 12, 13, 15, 5
_SIZE, _SMALL, _LEADING = 14.5, 11.5, 21
_BUTTON, _QUOTE = 36, 43
_FINER: Final = 4  # edges are drawn this much finer, and shrunk

_WALL: Final = "#d5e2ea"
_BUBBLE: Final = "#ffffff"
_INK: Final = "#15202b"
_MUTED: Final = "#708499"
_ACCENT: Final = "#2678b6"
_KEY: Final = "#f4f8fb"
_TINT: Final = "#e9f2f9"

_FACES: Final = {
    PLAIN: "DejaVuSans",
    Style.BOLD: "DejaVuSans-Bold",
    Style.ITALIC: "DejaVuSans-Oblique",
    Style.CODE: "DejaVuSansMono",
    Style.LINK: "DejaVuSans",
}
_COLOURS: Final = {Style.CODE: _ACCENT, Style.LINK: _ACCENT}


def drawn(shot: Shot) -> bytes:
    """The message as a PNG, `SCALE * WIDTH` wide. The same message is the same picture, byte for byte."""
    # A palette: a picture of text has few colours, and takes a third of the bytes with one.
    small = _laid_out(shot).convert("RGB").quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    file = BytesIO()
    small.save(file, "PNG", optimize=True)
    return file.getvalue()


def _laid_out(shot: Shot) -> Image.Image:
    inside = WIDTH - 2 * (_MARGIN + _PADDING)
    lines = wrapped(runs(shot.text, shot.entities), _width, _px(inside))
    photo = _photo(shot.photo, inside) if shot.photo else None
    stamp = f"edited {shot.time}" if shot.edited else shot.time
    # The time stands in the last line where there is room for it, as on a telephone.
    room = sum(map(_width, lines[-1])) + _font(_SMALL).getlength(stamp) + _px(12) <= _px(inside)
    quote = _QUOTE + _GAP if shot.answers else 0
    above = _PADDING - 3 + quote + (photo.height / SCALE + 6 if photo else 0)
    tall = above + _LEADING * len(lines) + (0 if room else 15) + _PADDING - 4

    whole = 2 * _MARGIN + tall + (_BUTTON + _GAP) * len(shot.buttons)
    picture = Image.new("RGBA", (_px(WIDTH), _px(whole)), _WALL)
    _box(picture, (_MARGIN, _MARGIN, WIDTH - _MARGIN, _MARGIN + tall), _BUBBLE, _RADIUS)
    if shot.answers:
        _quote(picture, shot.answers, _MARGIN + _PADDING - 3)
    if photo:
        picture.alpha_composite(photo, (_px(_MARGIN + _PADDING), _px(_MARGIN + _PADDING - 3 + quote)))
    draw = ImageDraw.Draw(picture)
    for place, line in enumerate(lines):
        _write(draw, line, _MARGIN + above + _LEADING * place)
    _stamp(draw, stamp, _MARGIN + tall - 8)
    for place, labels in enumerate(shot.buttons):
        _buttons(picture, labels, _MARGIN + tall + _GAP + (_BUTTON + _GAP) * place)
    return picture


def _write(draw: ImageDraw.ImageDraw, line: Line, top: float) -> None:
    at = float(_px(_MARGIN + _PADDING))
    for run in line:
        colour = _COLOURS.get(Style(run.style), _INK) if run.style else _INK
        draw.text((at, _px(top + 16)), run.text, colour, _face(run.style), anchor="ls")
        at += _width(run)


def _stamp(draw: ImageDraw.ImageDraw, stamp: str, base: float) -> None:
    right = _px(WIDTH - _MARGIN - _PADDING + 2)
    draw.text((right, _px(base)), stamp, _MUTED, _font(_SMALL), anchor="rs")


def _quote(picture: Image.Image, shown: str, top: float) -> None:
    """What it answers: the sender, and as much of its first line as there is room for."""
    left, right = _MARGIN + _PADDING - 3, WIDTH - _MARGIN - _PADDING + 3
    _box(picture, (left, top, right, top + _QUOTE), _TINT, 5)
    _box(picture, (left, top, left + 3, top + _QUOTE), _ACCENT, 1)
    draw = ImageDraw.Draw(picture)
    draw.text((_px(left + 11), _px(top + 16)), "Watcher", _ACCENT, _font(_SMALL + 1, Style.BOLD), anchor="ls")
    font = _font(_SMALL + 1)
    while font.getlength(shown) > _px(right - left - 20):
        shown = shown.rstrip("…")[:-1] + "…"
    draw.text((_px(left + 11), _px(top + 33)), shown, _INK, font, anchor="ls")


def _buttons(picture: Image.Image, labels: Sequence[str], top: float) -> None:
    wide = (WIDTH - 2 * _MARGIN - _GAP * (len(labels) - 1)) / len(labels)
    for place, label in enumerate(labels):
        left = _MARGIN + place * (wide + _GAP)
        _box(picture, (left, top, left + wide, top + _BUTTON), _KEY, 9)
        middle = (_px(left + wide / 2), _px(top + _BUTTON / 2))
        ImageDraw.Draw(picture).text(middle, label, _ACCENT, _font(13.5), anchor="mm")


def _photo(png: bytes, wide: float) -> Image.Image:
    """The photo, so wide."""
    with Image.open(BytesIO(png)) as photo:
        size = (_px(wide), round(_px(wide) * photo.height / photo.width))
        return photo.convert("RGBA").resize(size, Image.Resampling.LANCZOS)


def _box(picture: Image.Image, edges: tuple[float, float, float, float], colour: str, radius: float) -> None:
    left, top, right, bottom = map(_px, edges)
    mask = _mask((right - left, bottom - top), radius)
    filled = Image.new("RGBA", mask.size, colour)
    filled.putalpha(mask)
    picture.alpha_composite(filled, (left, top))


def _mask(size: tuple[int, int], radius: float) -> Image.Image:
    fine = Image.new("L", (size[0] * _FINER, size[1] * _FINER))
    corner = (fine.width - 1, fine.height - 1)
    ImageDraw.Draw(fine).rounded_rectangle(((0, 0), corner), _px(radius) * _FINER, 255)
    return fine.resize(size, Image.Resampling.BOX)


def _width(run: Run) -> float:
    return _face(run.style).getlength(run.text)


def _face(style: str) -> ImageFont.FreeTypeFont:
    return _font(_SIZE, style)


@cache
def _font(size: float, style: str = PLAIN) -> ImageFont.FreeTypeFont:
    """DejaVu, which comes with matplotlib: by its file, so that no setting of the machine picks another."""
    file = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{_FACES[style]}.ttf")
    return ImageFont.truetype(file, size * SCALE, layout_engine=ImageFont.Layout.BASIC)


def _px(length: float) -> int:
    return round(length * SCALE)
