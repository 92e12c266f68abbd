"""Pictures: of the right size, not blank, and honest about what is not known."""

from __future__ import annotations

from decimal import Decimal

from watcher.charts import draw

NOW = 1_800_000_000


def test_it_draws_nothing_but_that_nothing_is_known() -> None:
    limits = {"warn": Decimal("1.3"), "critical": Decimal("1.1")}
    png = draw([], limits=limits, asset=None, title="treasury", now=NOW, seconds=86_400)
    assert png.startswith(b"\x89PNG")
