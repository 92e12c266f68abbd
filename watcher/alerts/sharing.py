"""Conditions that several positions share: what is said to some of those who stand under one feed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from watcher.alerts.assess import Feed, Sighting, Unwatched, wallets_of
from watcher.domain.position import Position


def sharers(sighting: Sighting) -> tuple[str, ...]:
    """The positions that share the condition, by name; none where it is not one that is shared."""
    return names_of(sighting.facts.dependents) if isinstance(sighting.facts, Feed) else ()


def declined(sighting: Sighting, known: Collection[str]) -> tuple[Position, ...]:
    """Which of the positions known by these names share it still, though their users want to hear no more of it."""
    found = sighting.facts.declined if isinstance(sighting.facts, Feed) else ()
    return tuple(one for one in found if str(one.id) in known)


def of_some(sighting: Sighting, names: Collection[str]) -> Sighting:
    """The sighting of a feed as far as it concerns the positions of these names."""
    assert isinstance(sighting.facts, Feed)
    some = tuple(one for one in sighting.facts.dependents if str(one.id) in names)
    return replace(sighting, facts=replace(sighting.facts, dependents=some), wallets=wallets_of(some))


def unwatched(sighting: Sighting, positions: tuple[Position, ...]) -> Sighting:
    """The same condition, which for these positions nobody asks about any more."""
    return replace(sighting, facts=Unwatched(sighting.key.subject, positions), wallets=wallets_of(positions))


def names_of(positions: Iterable[Position]) -> tuple[str, ...]:
    return tuple(str(one.id) for one in positions)
