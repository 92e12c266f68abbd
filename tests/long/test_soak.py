"""Two hours of a chain's time with random faults in every fifth request, played by a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.chain import modes, proxy
from tests.daemon import soaking, truths
from tests.daemon.soaking import ODDS, PARTS, WARM
from tests.long.measured import write_section
from tests.long.progress import ROOT, Progress

LOOKS = 2 * 3600 // 12
GROWTH = 8 * 1024
"""KiB that the process may have grown by, between the first look that counts and the last."""
OBJECTS = 5_000
"""That Python may hold more of: what the judges keep of every block is among them."""
WITHIN = 480
"""Seconds that a part may take."""

pytestmark = pytest.mark.long


@pytest.mark.parametrize("part", PARTS)
async def test_every_look_of_two_hours_ends_in_the_truth_or_in_an_honest_blind(part: str) -> None:
    progress = Progress("soak", *(Path(str(each.__file__)) for each in (modes, proxy, soaking, truths)))
    if len(progress.parts) == len(PARTS):  # a whole run lies behind us, this is another one
        progress.forget()
    if part in progress.parts:
        pytest.skip("done before")
    figures = await played(part)
    assert figures["kib_at_end"] - figures["kib_at_start"] <= GROWTH, figures
    assert figures["objects_at_end"] - figures["objects_at_start"] <= OBJECTS, figures
    for before, after in (figures["files"], figures["tasks"]):
        assert before == after
    for there_has_to_be in ("seen", "unseen", "blindnesses", "worse", "better", "liquidations_told"):
        assert figures[there_has_to_be], figures
    assert bool(figures["disagreements"]) == (PARTS[part].agreement > 1)
    progress.add(part, figures)
    if len(progress.parts) == len(PARTS):
        record(progress.parts)


async def played(part: str) -> dict[str, Any]:
    """The figures of a part, from a process that did nothing else. Fails with what it says where it fails."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.daemon.soaking", part, str(LOOKS)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), WITHIN)
    except TimeoutError:
        process.kill()
        await process.communicate()
        raise
    assert process.returncode == 0, err.decode()
    figures: dict[str, Any] = json.loads(out)
    return figures


def record(parts: dict[str, dict[str, Any]]) -> None:
    """Writes them down, a part beside the other."""

    def each(*names: str, form: str = "{:,}") -> str:
        return " · ".join(" of ".join(form.format(parts[part][name]) for name in names) for part in PARTS)

    faults = {part: sum(figures["faults"].values()) for part, figures in parts.items()}
    mib = {part: [figures[f"kib_at_{when}"] / 1024 for when in ("start", "end")] for part, figures in parts.items()}
    write_section(
        "soak",
        "Two hours with faults everywhere",
        f"The daemon looks at 7 positions on real Aave v3 contracts once a block for two hours of the chain's time, by"
        f" an injected clock, while ether moves between 60 and 160 % of its price and positions get liquidated. Every"
        f" request to every endpoint goes wrong with odds of {ODDS:.0%}, in one of {len(modes.NAMES)} ways, seeded. In"
        f" the third part the answers of two operators have to be equal, and plausible false prices are among the"
        f" faults. A look has seen if each position equals what the contract told of that block, to the last unit;"
        f" otherwise nothing is said of positions, and the chain is BLIND within a minute. What every look says is held"
        f" against the contract's own health factors. Then {truths.SETTLES} looks without faults, after which nothing"
        f" may be left that is not so. Memory is that of the process with the proxies and the judges in it, after a"
        f" collection, from look {WARM} to the last.",
        {
            "endpoints": " · ".join(PARTS),
            "looks": each("looks"),
            "that saw, and told the truth": each("seen"),
            "that did not, within the minute": each("unseen"),
            "that left the chain BLIND, in so many alerts": each("blind", "blindnesses").replace(" of ", " in "),
            "that ended in anything else": " · ".join("0" for _ in PARTS),
            "requests, without those of the judges": each("requests"),
            "that went wrong": " · ".join(f"{number:,}" for number in faults.values()),
            "contradictions between operators found": each("disagreements"),
            "reorganisations believed that were none": each("reorgs"),
            "worsenings told, all at the first look that saw": each("worse"),
            "betterings told, all confirmed": each("better"),
            "liquidations told of those that were": each("liquidations_told", "liquidations"),
            "MiB at the start and at the end": " · ".join(f"{mib[part][0]:.1f}, {mib[part][1]:.1f}" for part in PARTS),
            "tasks, sockets and files left over": " · ".join("0" for _ in PARTS),
        },
    )
