"""`watcher check` where the source of a price misbehaves: a row that says so, and every other row as ever."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import DEBTLESS, SAFE, Run
from tests.oracles.test_hostile import Way, misplaced
from tests.worlds.aave_v30 import AaveV30World

Write = Callable[..., Path]
BAD = [way for way in Way if way is not Way.NONE]


@pytest.mark.parametrize("place", ["source", "part"])
@pytest.mark.parametrize("way", BAD, ids=lambda way: way.name.lower())
def test_a_source_that_misbehaves_is_a_row_or_an_age_that_nobody_knows(
    config: Write, run: Run, market: AaveV30World, way: Way, place: str
) -> None:
    misplaced(market, place, way, polite=True)
    config(users={"treasury": SAFE, "vault": DEBTLESS})
    ran = run("check", later=13)
    words = " ".join(ran.out.split())
    assert " s / 1 h" in words, "the vault, which rests on others"
    assert "unknown: 0x" in words or (ran.code == 1 and "stale: " in words), ran.out
    assert not ran.err


@pytest.mark.parametrize("way", [Way.REVERTS, Way.THIRTY_ONE_BYTES, Way.SIXTY_FOUR_KIB, Way.ZERO, Way.BURNS_GAS])
def test_what_the_market_itself_cannot_price_is_not_readable(
    config: Write, run: Run, market: AaveV30World, way: Way
) -> None:
    misplaced(market, "source", way, polite=False)
    config(users={"treasury": SAFE, "vault": DEBTLESS})
    ran = run("check", later=13)
    words = " ".join(ran.out.split())
    assert ran.code == 3
    assert "no price for WETH" in words[words.index("Not readable Where Why") :]
    assert "vault has $8,379.54" in words
