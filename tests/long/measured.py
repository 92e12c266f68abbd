"""`docs/measured.md`: the figures of the proofs that take minutes, each section written by the proof itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

MEASURED = Path(__file__).parents[2] / "docs" / "measured.md"

_HEAD = """# Measured

What was found when it was last measured. `make test-long` runs the long proofs again and writes their sections anew.
"""


def write_section(name: str, title: str, how: str, facts: Mapping[str, object], path: Path = MEASURED) -> None:
    """Puts a section between its markers, in the place of the one of that name, or at the end."""
    rows = [f"| {fact} | {value} |" for fact, value in facts.items()]
    section = "\n".join(
        [
            _begin(name),
            f"## {title}",
            "",
            how,
            "",
            f"| measured on {datetime.now(UTC).date()} | |",
            "|---|---|",
            *rows,
            _end(name),
        ]
    )
    page = path.read_text(encoding="utf-8") if path.exists() else _HEAD
    old = re.compile(re.escape(_begin(name)) + ".*?" + re.escape(_end(name)), re.DOTALL)
    page = old.sub(lambda _: section, page) if old.search(page) else f"{page.rstrip()}\n\n{section}\n"
    path.write_text(page, encoding="utf-8")


def _begin(name: str) -> str:
    return f"<!-- {name}: begin -->"


def _end(name: str) -> str:
    return f"<!-- {name}: end -->"
