"""Pictures, decoded."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

RGB = tuple[int, int, int]


def size_of(png: bytes) -> tuple[int, int]:
    """In pixels, once every pixel has been decoded."""
    return decoded(png).size


def decoded(png: bytes) -> Image.Image:
    with Image.open(BytesIO(png)) as image:
        assert image.format == "PNG"
        return image.convert("RGB")


def where(png: bytes, colour: RGB, *, below: int = 130) -> tuple[set[int], set[int]]:
    """The columns and the rows in which there is a pixel of a colour, of the picture without its head."""
    pixels = np.asarray(decoded(png))
    found = (pixels == colour).all(axis=2)
    found[:below] = False
    rows, across = np.nonzero(found)
    return set(across.tolist()), set(rows.tolist())


def colours(png: bytes) -> dict[RGB, int]:
    """How many pixels there are of each colour."""
    image = decoded(png)
    counted = image.getcolors(image.width * image.height)
    assert counted is not None
    return {colour: count for count, colour in counted if isinstance(colour, tuple) and len(colour) == 3}
