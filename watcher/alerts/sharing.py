"""Conditions that several positions share: what is said to some of those under one price or one sequencer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from watcher.alerts.sighting import Facts, Feed, Sequencing, Sighting, Suspect, Unwatched, wallets_of
from watcher.domain.position import Position, Unreadable
from watcher.domain.source import Address

_Shared = Feed | Suspect | Sequencing


def told_to(facts: Facts, wallets: Collection[Address]) -> Facts:
    """The facts as far as they are these wallets' business: one feed stands under the positions of strangers too."""
    if isinstance(facts, Unwatched):
        return replace(facts, positions=tuple(one for one in facts.positions if one.id.wallet in wallets))
    if isinstance(facts, _Shared):
        return _narrowed(facts, lambda one: one.id.wallet in wallets)
    return facts


def sharers(sighting: Sighting) -> tuple[str, ...]:
    """The positions that share the condition, by name; none where it is not one that is shared."""
    return names_of(sighting.facts.dependents) if isinstance(sighting.facts, _Shared) else ()


def declined(sighting: Sighting, known: Collection[str]) -> tuple[Position, ...]:
    """Which of the positions known by these names share it still, though their users want to hear no more of it."""
    found = sighting.facts.declined if isinstance(sighting.facts, Feed | Suspect) else ()
    return tuple(one for one in found if str(one.id) in known)


def of_some(sighting: Sighting, names: Collection[str]) -> Sighting:
    """The sighting of what is shared, as far as it concerns the positions of these names."""
    assert isinstance(sighting.facts, _Shared)
    facts = _narrowed(sighting.facts, lambda one: str(one.id) in names)
    return replace(sighting, facts=facts, wallets=wallets_of(facts.dependents))


def _narrowed(facts: _Shared, concerns: Callable[[Position | Unreadable], bool]) -> _Shared:
    if isinstance(facts, Feed):
        return replace(facts, dependents=tuple(one for one in facts.dependents if concerns(one)))
    if isinstance(facts, Suspect):
        return replace(facts, dependents=tuple(one for one in facts.dependents if concerns(one)))
    return replace(facts, dependents=tuple(one for one in facts.dependents if concerns(one)))


def unwatched(sighting: Sighting, positions: tuple[Position, ...]) -> Sighting:
    """The same condition, which for these positions nobody asks about any more."""
    return replace(sighting, facts=Unwatched(sighting.key.subject, positions), wallets=wallets_of(positions))


def names_of(positions: Iterable[Position | Unreadable]) -> tuple[str, ...]:
    return tuple(str(one.id) for one in positions)
