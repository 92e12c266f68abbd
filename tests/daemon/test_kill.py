"""SIGKILL of the whole daemon with alerts in flight. `make test-long` does it fifty times."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.daemon.killing import CRITICAL, LIQUIDATABLE, OK, WARNING, killed, level_after
from tests.daemon.world import market

KILLS = 5


async def test_it_loses_no_alert_and_labels_every_repeat_when_it_is_killed(tmp_path: Path) -> None:
    with market() as fresh:
        figures = await killed(tmp_path, fresh, kills=KILLS, seed=7, good_reads=1)
    assert figures.clean, figures
    assert figures.kills >= KILLS
    assert figures.changes > 10


@pytest.mark.parametrize(
    ("level", "factor", "then"),
    [
        (OK, "1.30", OK),
        (OK, "1.2999", WARNING),
        (WARNING, "1.3259", WARNING),
        (WARNING, "1.3260", OK),
        (WARNING, "0.9999", LIQUIDATABLE),
        (LIQUIDATABLE, "1.0199", LIQUIDATABLE),
        (LIQUIDATABLE, "1.0200", CRITICAL),
        (CRITICAL, "1.1219", CRITICAL),
        (CRITICAL, "1.1220", WARNING),
    ],
)
def test_the_second_opinion_knows_the_limits(level: int, factor: str, then: int) -> None:
    assert level_after(level, Decimal(factor)) == then
