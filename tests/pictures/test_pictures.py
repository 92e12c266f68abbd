"""The pictures of the README: they show what the daemon says today, and are drawn alike on every machine."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from structlog.testing import capture_logs

from tests.pictures.day import spend
from tests.pictures.shot import FOLDER, Shot, kept
from tests.pictures.styled import Run, runs, wrapped
from tests.pictures.telephone import SCALE, WIDTH, drawn

README = FOLDER.parents[1].joinpath("README.md").read_text("utf-8")
TELEGRAM = FOLDER.parent.joinpath("telegram.md").read_text("utf-8")
LARGEST = 150_000

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # the library's own import


async def test_it_shows_what_the_daemon_says_today(tmp_path: Path) -> None:
    with capture_logs():
        shots = await spend(tmp_path)

    assert [shot.document for shot in shots] == kept(), "`make pictures` draws them anew"
    for shot in shots:
        with Image.open(shot.path) as shown, Image.open(BytesIO(drawn(shot))) as now:
            assert shown.size == now.size


def test_it_is_shown_in_the_readme_or_the_telegram_page_with_words_for_those_who_see_no_picture() -> None:
    shown = re.findall(r'<img src="(?:docs/)?pictures/(\w+)\.png"[^>]* alt="[^"]{20,}"', README + TELEGRAM)

    assert sorted(shown) == sorted(document["name"] for document in kept())
    assert sorted(shown) == sorted(path.stem for path in FOLDER.glob("*.png"))
    assert max(path.stat().st_size for path in FOLDER.glob("*.png")) < LARGEST


def test_it_draws_the_same_bytes_again_as_wide_as_the_page_wants_them() -> None:
    shot = Shot(name="any", time="08:00", text="OK 🐋", buttons=(("Details", "Chart"),), answers="WARNING " * 20)
    png = drawn(shot)

    assert png == drawn(shot)
    with Image.open(BytesIO(png)) as picture:
        assert picture.width == SCALE * WIDTH


def test_it_styles_by_utf16_units() -> None:
    entities = [{"type": "bold", "offset": 3, "length": 2}, {"type": "code", "offset": 6, "length": 1}]

    assert runs("🐋 OK 1", entities) == [Run("🐋 ", ""), Run("OK", "bold"), Run(" ", ""), Run("1", "code")]


def test_it_breaks_lines_between_words_whatever_their_styles() -> None:
    text = [Run("one two", "bold"), Run(", three\n\n", ""), Run("four", "")]

    def width(run: Run) -> float:
        return len(run.text)

    lines = ["".join(run.text for run in line) for line in wrapped(text, width, 8)]
    assert lines == ["one two,", "three", "", "four"]
