"""Of which positions the facts of a condition speak, and how far the prices under these can be trusted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from watcher.alerts import trust
from watcher.alerts.happened import Happened
from watcher.alerts.message import Standing
from watcher.alerts.sighting import Facts, Feed, Fell, Near, Seen, Sequencing, Suspect, Unsure
from watcher.alerts.trust import SURE, Trust
from watcher.domain.position import Position

MOST: Final = 20
"""Positions that one section names."""


def living_in(facts: Facts) -> Position | None:
    """The position that is spoken of, where it was read."""
    if isinstance(facts, Happened):
        return None if facts.gone else facts.position
    return facts.position if isinstance(facts, Seen | Near | Fell | Unsure) else None


def trust_in(facts: Facts) -> Trust:
    """How far the prices under that position can be trusted."""
    return facts.trust if isinstance(facts, Seen | Near | Fell | Unsure | Happened) else SURE


def standings_in(facts: Facts) -> Iterator[Standing]:
    """How the positions stand that are spoken of, as far as they were read."""
    position = living_in(facts)
    if position is not None:
        yield trust.standing(position, trust_in(facts))
    elif isinstance(facts, Feed | Suspect | Sequencing):
        read = [one for one in facts.dependents if isinstance(one, Position)]
        yield from (trust.standing(one, facts.trusts.get(str(one.id), SURE)) for one in read[:MOST])
