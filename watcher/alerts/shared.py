"""Sightings of what several positions share: a price that is stale or suspect, and a chain's sequencer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from watcher.alerts.message import Level
from watcher.alerts.record import Key, Rule
from watcher.alerts.rules import RuleBook, Rules
from watcher.alerts.sighting import (
    Dependents,
    Feed,
    Sequencing,
    Sighting,
    Suspect,
    Trusts,
    View,
    ended,
    feed_subject,
    suspect_subject,
    wallets_of,
)
from watcher.alerts.trust import SURE, Trust
from watcher.domain.doubt import Doubt, Suspicion
from watcher.domain.position import Position, Unreadable
from watcher.domain.price import Chosen, FeedReading, Freshness, Leaf, Price, nodes
from watcher.domain.sequencer import Running
from watcher.domain.source import Address

LASTS: Final[Mapping[Suspicion, int]] = {
    Suspicion.JUMP: 3600,
    Suspicion.ROUND_BACK: 3600,
    Suspicion.CHANGED: 86_400,
}
"""Seconds for which what was seen once stands: later blocks show nothing of it."""


def trusts_of(view: View, book: RuleBook, positions: Iterable[Position | Unreadable]) -> Trusts:
    """How far the prices under these can be trusted, where something is to be said of that."""
    found = {str(one.id): view.trust(one, book.of(one.id)) for one in positions if isinstance(one, Position)}
    return {name: trust for name, trust in found.items() if trust is not SURE}


def stale_key(view: View, feed: Address) -> Key:
    return Key(Rule.STALE, feed_subject(view.block.chain, feed))


Resting = Mapping[Address, tuple[FeedReading, tuple[Position, ...]]]
"""By feed: what it answered, and the positions that owe something and rest on it."""


def resting_on(view: View) -> Resting:
    found: dict[Address, tuple[FeedReading, tuple[Position, ...]]] = {}
    for position in view.positions:
        for reading in position.feeds if position.health.required else ():
            _, others = found.get(reading.feed, (reading, ()))
            found[reading.feed] = reading, (*others, position)
    return found


def feeds(view: View, book: RuleBook, resting: Resting) -> list[Sighting]:
    """One sighting per feed, however many positions share it. Unknown heartbeats say nothing either way.

    While the sequencer is down no feed can be updated: what is stale then is part of what is said of the sequencer.
    """
    sightings = []
    explained = view.sequencer is not None and view.sequencer.down
    for feed, (reading, owing) in resting.items():
        freshness = reading.freshness(view.block.timestamp)
        dependents = tuple(one for one in owing if book.of(one.id).stale)
        if freshness is Freshness.UNKNOWN or not dependents or (explained and freshness is Freshness.STALE):
            continue
        level = Level.WARN if freshness is Freshness.STALE else Level.OK
        key = stale_key(view, feed)
        sightings.append(
            Sighting(
                key=key,
                firing=level,
                holding=level,
                rules=book.of(dependents[0].id),
                order=view.block.number,
                facts=Feed(
                    key.subject,
                    reading,
                    dependents,
                    tuple(one for one in owing if one not in dependents),
                    trusts_of(view, book, dependents),
                ),
                wallets=wallets_of(dependents),
            )
        )
    return sightings


def sequencer(view: View, book: RuleBook, standing: Collection[Key]) -> list[Sighting]:
    """One sighting for the chain, where it concerns anybody or an alert stands. Unknown does not end being down."""
    report, at = view.sequencer, view.block.timestamp
    key = Key(Rule.SEQUENCER, view.block.chain)
    concerned: Dependents = (*(one for one in view.positions if one.health.required), *view.unreadable)
    if report is None or not (concerned or key in standing):
        return []
    firing = Level.CRITICAL if report.down else Level.WARN
    if not concerned or (report.state is Running.UP and not report.settling(at)):
        firing = Level.OK
    unknown = bool(concerned) and report.state is Running.UNKNOWN
    return [
        Sighting(
            key=key,
            firing=firing,
            holding=Level.CRITICAL if unknown else firing,
            rules=book.of(concerned[0].id) if concerned else Rules(),
            order=view.block.number,
            facts=Sequencing(view.block.chain, report, at, concerned, trusts_of(view, book, concerned)),
            wallets=wallets_of(concerned) or tuple(book.wallets),
        )
    ]


# --- Suspect prices ---------------------------------------------------------------------------------------------------


def suspects(view: View, book: RuleBook, standing: Iterable[Key]) -> Iterator[Sighting]:
    """One sighting per source and check: of those that fail, and of those that stand and fail no more."""
    found = by_key(view)
    for key, doubt in found.items():
        dependents = tuple(one for one in doubt.about if book.of(one.id).suspect)
        if dependents:
            yield _suspected(key, doubt, dependents, view, book)
    for key in sorted(standing, key=lambda one: one.subject):
        if key.rule is Rule.SUSPECT and is_here(key, view) and key not in found:
            yield from _no_more(key, view, book)


def by_key(view: View) -> dict[Key, Doubt]:
    """The doubts that concern somebody, by the condition that they are."""
    found: dict[Key, Doubt] = {}
    for one in view.doubts:
        key = Key(Rule.SUSPECT, suspect_subject(view.block.chain, one.source, one.suspicion))
        owing = tuple(about for about in one.about if about.health.required)
        if owing:
            found[key] = _joined(found[key], replace(one, about=owing)) if key in found else replace(one, about=owing)
    return found


def _joined(one: Doubt, other: Doubt) -> Doubt:
    """One source may tell of several things, and several deployments may ask it: what is wrong is told together."""
    about = {str(position.id): position for position in (*one.about, *other.about)}
    names, said = dict.fromkeys([one.name, other.name]), dict.fromkeys([one.said, other.said])
    return replace(one, name=", ".join(names), said="; ".join(said), about=tuple(about.values()))


def is_here(key: Key, view: View) -> bool:
    """Whether the source of a condition is on the chain that is looked at."""
    return key.subject.startswith(f"{view.block.chain}:")


def source_of(key: Key) -> Address:
    """The feed or source in the name of a condition."""
    return Address(key.subject.split(":")[1])


def _suspected(key: Key, doubt: Doubt, dependents: tuple[Position, ...], view: View, book: RuleBook) -> Sighting:
    trusts = trusts_of(view, book, dependents)
    judged = [_levels(one, book.of(one.id), trusts.get(str(one.id), SURE)) for one in dependents]
    return Sighting(
        key=key,
        firing=max(firing for firing, _ in judged),
        holding=max(holding for _, holding in judged),
        rules=book.of(dependents[0].id),
        order=view.block.number,
        facts=Suspect(
            key.subject,
            doubt.suspicion,
            doubt,
            dependents,
            tuple(one for one in doubt.about if one not in dependents),
            trusts,
        ),
        wallets=wallets_of(dependents),
        lasts=LASTS.get(doubt.suspicion, 0),
    )


def _levels(position: Position, rules: Rules, trust: Trust) -> tuple[Level, Level]:
    """A warning; critical where the position would be, at the health that it has once its oracle catches up."""
    worst = trust.worst
    if worst is None:
        return Level.WARN, Level.WARN
    gone = worst < 1 or (position.health.inclusive and worst == 1)
    levels = rules.firing(worst, liquidatable=gone), rules.holding(worst, liquidatable=gone)
    firing, holding = (min(max(one, Level.WARN), Level.CRITICAL) for one in levels)
    return firing, holding


def _no_more(key: Key, view: View, book: RuleBook) -> Iterator[Sighting]:
    """A check that does not fail any more, where it could be made; or that nothing rests on what it is about."""
    suspicion = Suspicion[key.subject.rpartition(":")[2].upper()]
    dependents = tuple(one for one in resting_owing(view, source_of(key)) if book.of(one.id).suspect)
    if not dependents:
        pairs = sorted(view.covered)
        if pairs and not view.unreadable:
            wallets = tuple(dict.fromkeys(wallet for _, wallet in pairs))
            facts = Suspect(key.subject, suspicion, None, ())
            yield ended(key, view, book.at(pairs[0][1], pairs[0][0]), facts, wallets)
        return
    unjudged = not _could_be_made(suspicion, source_of(key), dependents, view.block.timestamp)
    facts = Suspect(
        key.subject, suspicion, None, dependents, trusts=trusts_of(view, book, dependents), unjudged=unjudged
    )
    yield Sighting(
        key=key,
        firing=Level.OK,
        holding=Level.CRITICAL if unjudged else Level.OK,
        rules=book.of(dependents[0].id),
        order=view.block.number,
        facts=facts,
        wallets=wallets_of(dependents),
        lasts=LASTS.get(suspicion, 0),
    )


def _could_be_made(suspicion: Suspicion, source: Address, positions: Iterable[Position], now: int) -> bool:
    """Whether there was something to compare with at block time `now`: what could not be read proves nothing."""
    prices = [leg.price for one in positions for leg in one.legs]
    readings = [reading for price in prices for reading in price.feeds if reading.feed == source]
    asked = [price for price in prices if price.source == source]
    match suspicion:
        case Suspicion.DEVIATES:
            opinions = [opinion for one in readings for opinion in one.beside]
            opinions += [opinion for one in asked for opinion in one.beside]
            told = [opinion.by.freshness(now) is not Freshness.STALE for opinion in opinions]
            return any(told) or any(isinstance(node, Chosen) for one in asked for node in nodes(one.expression))
        case Suspicion.AT_BOUND:
            return any(one.lowest is not None or one.highest is not None for one in readings)
        case _:
            return True


def resting_owing(view: View, source: Address) -> tuple[Position, ...]:
    """The positions that owe something and rest on a feed or source."""
    owing = (one for one in view.positions if one.health.required)
    return tuple(one for one in owing if any(source in _sources(leg.price) for leg in one.legs))


def _sources(price: Price) -> Collection[Address]:
    under = {
        node.reading.feed if isinstance(node, Leaf) else getattr(node, "source", price.source)
        for node in nodes(price.expression)
    }
    return {price.source, *under}
