"""C6. A hundred courses of reorganisations of each depth: what was said, held against what was canonical then."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from tests.daemon import reorgs
from tests.daemon.reorgs import Course
from tests.daemon.world import market
from tests.long.measured import write_promise, write_section
from tests.long.progress import Progress

DEPTHS = range(1, 8)
SEEDS = 100
COUNTED = {
    "reorgs": "reorganisations",
    "noticed": "of these, noticed by the daemon (others took back what it had not looked at)",
    "looks": "looks",
    "raised": "alerts raised or made worse",
    "eased": "alerts eased or resolved",
}
HOW = (
    "The daemon over real Aave v3 contracts on a local chain that takes back 1 to 7 blocks again and again, with other"
    " prices in the blocks that come instead; confirmations from 1 to 7, so that a reorganisation may go deeper."
    " Falsely eased: without so many good blocks as `good_reads` says that were looked at, buried by the confirmations"
    " and canonical at that moment. Missed: worse in a canonical block that was looked at than was told by then."
)

pytestmark = pytest.mark.long


@pytest.mark.parametrize("depth", DEPTHS)
async def test_it_neither_resolves_falsely_nor_misses_a_fire(tmp_path: Path, depth: int) -> None:
    progress = Progress("reorgs", Path(reorgs.__file__))
    if len(progress.parts) == len(DEPTHS):  # a whole run lies behind us, this is another one
        progress.forget()
    if str(depth) in progress.parts:
        pytest.skip("done before")
    counts = dict.fromkeys(COUNTED, 0)
    with market() as fresh:
        course = Course(fresh, tmp_path)
        for seed in range(SEEDS):
            outcome = await course.run(depth, seed, tmp_path)
            assert outcome.wrong == [], f"depth {depth}, seed {seed}"
            counts = {name: count + asdict(outcome)[name] for name, count in counts.items()}
    progress.add(str(depth), counts)
    if len(progress.parts) == len(DEPTHS):
        _write(list(progress.parts.values()))


def _write(parts: list[dict[str, int]]) -> None:
    total = {words: sum(part[name] for part in parts) for name, words in COUNTED.items()}
    facts = {"courses": len(parts) * SEEDS, **total, "falsely eased or resolved": 0, "missed": 0}
    write_section("reorgs", "Reorganisations", HOW, facts)
    found = f"{total['reorganisations']:,} in {len(parts) * SEEDS} courses: 0 resolved falsely, 0 missed"
    write_promise("C6", found, "tests/long/test_reorgs.py")
