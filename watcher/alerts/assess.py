"""From what was read to what it means: one sighting per condition, before any memory of earlier ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from watcher.alerts.falls import Fall
from watcher.alerts.message import Level
from watcher.alerts.record import OF_POSITIONS, SHARED_PRICES, Key, Rule, wallet_of
from watcher.alerts.rules import RuleBook, Rules
from watcher.alerts.shared import (
    Resting,
    by_key,
    feeds,
    is_here,
    resting_on,
    resting_owing,
    sequencer,
    source_of,
    stale_key,
    suspects,
)
from watcher.alerts.sighting import (
    Closed,
    Facts,
    Feed,
    Fell,
    Lost,
    Near,
    Seen,
    Sighting,
    Unsure,
    Unwatched,
    View,
    ended,
    wallets_of,
)
from watcher.alerts.trust import ageless
from watcher.domain.position import Position, Unreadable
from watcher.domain.price import Freshness
from watcher.domain.source import Address


def assess(view: View, book: RuleBook, known: Iterable[Key]) -> list[Sighting]:
    """Every condition that this snapshot can speak about. What it cannot see, it says nothing about.

    `known` are the conditions that stand now: they end when what they were about is gone, not merely unseen.
    """
    resting = resting_on(view)
    sightings = [one for position in view.positions for one in _seen(position, book.of(position.id), view)]
    sightings += [_lost(one, book.of(one.id), view) for one in view.unreadable if book.of(one.id).unreadable]
    standing = set(known)
    sightings += [*feeds(view, book, resting), *suspects(view, book, standing), *sequencer(view, book, standing)]
    unasked = {one.key: one for one in _unasked(view, book, standing, resting)}
    left = [sighting for sighting in sightings if sighting.key not in unasked]
    present = {sighting.key for sighting in left} | {stale_key(view, feed) for feed in resting}
    return [*left, *unasked.values(), *_gone(view, book, standing - present - unasked.keys())]


def _seen(position: Position, rules: Rules, view: View) -> list[Sighting]:
    subject, health, trust = str(position.id), position.health, view.trust(position, rules)

    def sighted(rule: Rule, firing: Level, holding: Level, facts: Facts) -> Sighting:
        return Sighting(
            key=Key(rule, subject),
            firing=firing,
            holding=holding,
            rules=rules,
            order=view.block.number,
            facts=facts,
            wallets=(position.id.wallet,),
        )

    firing = rules.firing(health.factor, liquidatable=health.liquidatable)
    holding = rules.holding(health.factor, liquidatable=health.liquidatable)
    found = [
        sighted(Rule.HEALTH, firing, holding, Seen(position, trust)),
        sighted(Rule.UNREADABLE, Level.OK, Level.OK, Seen(position, trust)),
    ]
    if subject in view.nearest and not health.liquidatable:  # then the way there is over, and health says it all
        price = view.nearest[subject]
        found.append(
            sighted(Rule.DISTANCE, *rules.near(price.distance if price else None), Near(position, price, trust))
        )
    if rules.drop is not None and subject in view.falls:
        fall = view.falls[subject]
        found.append(sighted(Rule.DROP, *_fallen(fall, Fraction(rules.drop)), Fell(position, fall, trust)))
    if rules.unknown_age:
        sources = ageless(position)
        level = Level.WARN if sources else Level.OK
        found.append(sighted(Rule.UNKNOWN_AGE, level, level, Unsure(position, sources, trust)))
    return found


def _fallen(fall: Fall, limit: Fraction) -> tuple[Level, Level]:
    """A fall is over once less than half of it is left within the window, and that has been seen whole."""
    firing = Level.WARN if fall.share >= limit else Level.OK
    return firing, Level.WARN if firing or not fall.whole or fall.share * 2 >= limit else Level.OK


def _lost(unreadable: Unreadable, rules: Rules, view: View) -> Sighting:
    return Sighting(
        key=Key(Rule.UNREADABLE, str(unreadable.id)),
        firing=Level.CRITICAL,
        holding=Level.CRITICAL,
        rules=rules,
        order=view.block.number,
        facts=Lost(unreadable),
        wallets=(unreadable.id.wallet,),
    )


def _unasked(view: View, book: RuleBook, standing: Iterable[Key], resting: Resting) -> Iterator[Sighting]:
    """Conditions that an edit of the configuration ends, whatever is seen: nobody asks for them any more."""
    doubts = by_key(view)
    for key in sorted(standing, key=_by_name):
        if key.rule in OF_POSITIONS:
            wallet, deployment = wallet_of(key.subject), key.subject.split("/")[0]
            if wallet in book.wallets and not book.at(wallet, deployment).watches(key.rule):
                rules = book.at(wallet, deployment)
                yield ended(key, view, rules, Unwatched(key.subject), (wallet,), final=True)
        elif key.rule in SHARED_PRICES and is_here(key, view):
            reading, owing = resting.get(source_of(key), (None, ()))
            if key.rule is Rule.SUSPECT:
                reading, owing = None, doubts[key].about if key in doubts else resting_owing(view, source_of(key))
            wanted = any(book.of(one.id).watches(key.rule) for one in owing)
            unjudged = reading is not None and reading.freshness(view.block.timestamp) is Freshness.UNKNOWN
            if unjudged or (owing and not wanted) or (book.wallets and not book.watches(key.rule)):
                facts = Unwatched(key.subject, owing, heartbeat=unjudged and wanted)
                wallets = wallets_of(owing) or tuple(book.wallets)
                yield ended(key, view, Rules(), facts, wallets, final=True)
        elif key == Key(Rule.SEQUENCER, view.block.chain) and view.sequencer is None:
            yield ended(key, view, Rules(), Unwatched(key.subject), tuple(book.wallets), final=True)


def _by_name(key: Key) -> tuple[Rule, str]:
    return key.rule, key.subject


def _gone(view: View, book: RuleBook, unseen: Iterable[Key]) -> list[Sighting]:
    """Conditions whose subject has ended: a closed position, a feed under no position any more."""
    sightings = []
    there = {str(position.id) for position in view.positions}
    for key in sorted(unseen, key=_by_name):
        if key.rule in OF_POSITIONS:
            if key.subject in there:
                continue  # a distance or a fall that is not known now
            deployment, wallet = key.subject.split("/")[:2]
            if (deployment, Address(wallet)) in view.covered:
                sightings.append(
                    ended(key, view, book.at(Address(wallet), deployment), Closed(key.subject), (Address(wallet),))
                )
        elif key.rule is Rule.STALE and is_here(key, view) and not view.unreadable:
            pairs = sorted(view.covered)
            if pairs:
                wallets = tuple(dict.fromkeys(wallet for _, wallet in pairs))
                rules = book.at(pairs[0][1], pairs[0][0])
                sightings.append(ended(key, view, rules, Feed(key.subject, None, ()), wallets))
    return sightings
