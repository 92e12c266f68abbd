"""A health that the protocol has in store is told where it is lower than the one now."""

from __future__ import annotations

from dataclasses import replace

from tests.alerts.samples import BLOCK, position
from watcher.alerts.outlook import cautions, foreseen
from watcher.domain.health import Health
from watcher.domain.position import Scenario


def ahead(what: str, backing: int, at: int | None = None) -> Scenario:
    return Scenario(what=what, health=Health(backing=backing, required=100), at=at)


def test_it_tells_the_lower_healths_ahead_with_their_time_the_lowest_first() -> None:
    there = replace(
        position("1.25"),
        scenarios=(
            ahead("at the next price of the delayed oracle", 102, BLOCK.timestamp + 1380),
            ahead("with the parameters of today", 98),
            ahead("after the ramp", 101, BLOCK.timestamp - 5),
            ahead("at a better price", 150, BLOCK.timestamp + 60),
        ),
    )
    assert foreseen(there) == [
        "with the parameters of today: health 0.9800: it can be liquidated then",
        "after the ramp, at any time now: health 1.0100",
        "at the next price of the delayed oracle, in 23 min: health 1.0200",
    ]
    assert cautions(there)[-3:] == foreseen(there)


def test_it_has_nothing_to_foresee_where_nothing_is_in_store() -> None:
    assert foreseen(position("1.25")) == []
