"""The page of measured figures: each section is replaced where it stands, and parts of other code do not count."""

from __future__ import annotations

from pathlib import Path

from tests.long.measured import write_promise, write_section
from tests.long.progress import Progress


def test_it_replaces_a_section_and_leaves_the_others(tmp_path: Path) -> None:
    page = tmp_path / "measured.md"
    write_section("one", "One", "How.", {"lost": 3}, page)
    write_section("two", "Two", "How.", {"lost": 5}, page)
    write_section("one", "One", r"How \1.", {"lost": 0}, page)
    text = page.read_text()
    assert text.startswith("# Measured\n")
    assert text.count("## One") == text.count("## Two") == 1
    assert text.index("## One") < text.index("| lost | 0 |") < text.index("## Two") < text.index("| lost | 5 |")
    assert "| lost | 3 |" not in text


def test_it_keeps_the_promises_in_their_order_each_in_one_row(tmp_path: Path) -> None:
    page = tmp_path / "measured.md"
    write_section("one", "One", "How.", {"lost": 3}, page)
    for name, measured in [("B1", "1 lost"), ("A3", "100 of 100"), ("B1", "0 lost")]:
        write_promise(name, measured, "tests/x.py", page)
    rows = [line for line in page.read_text().splitlines() if "tests/x.py" in line]
    assert [(row.split(" | ")[0], row.split(" | ")[2]) for row in rows] == [("| A3", "100 of 100"), ("| B1", "0 lost")]
    assert "## One" in page.read_text()


def test_it_keeps_the_rows_that_were_written_otherwise(tmp_path: Path) -> None:
    page = tmp_path / "measured.md"
    write_promise("B1", "1 lost", "tests/x.py", page)
    added = ["| C1 | one thing | 0 | `tests/y.py` |", "| C1 | another | 1 | `tests/z.py` |"]
    page.write_text(page.read_text().replace("`tests/x.py` |", "\n".join(["`tests/x.py` |", *added])))
    write_promise("F4", "0", "tests/x.py", page)
    rows = [line for line in page.read_text().splitlines() if "tests/" in line]
    assert [row.split(" | ")[0] for row in rows] == ["| B1", "| C1", "| C1", "| F4"]
    assert rows[1:3] == added


def test_it_goes_on_where_it_stopped_unless_the_code_is_another(tmp_path: Path) -> None:
    source = tmp_path / "source.py"
    source.write_text("1")
    Progress("proof", source, folder=tmp_path / "kept").add("1", {"lost": 0})
    Progress("proof", source, folder=tmp_path / "kept").add("2", {"lost": 1})
    assert Progress("proof", source, folder=tmp_path / "kept").parts == {"1": {"lost": 0}, "2": {"lost": 1}}
    source.write_text("2")
    assert Progress("proof", source, folder=tmp_path / "kept").parts == {}
