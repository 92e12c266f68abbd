"""Sightings beside those of a snapshot: whether a chain is seen at all, and what has happened to a position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from watcher.alerts.happened import Happened, What
from watcher.alerts.message import Level
from watcher.alerts.record import Key, Rule
from watcher.alerts.rules import Rules
from watcher.alerts.sighting import Blind, Sighting, View
from watcher.domain.source import Address


def sight_chain(
    chain: str, problem: str, since: int, now: int, rules: Rules, wallets: Sequence[Address], *, known: bool
) -> Sighting:
    """Whether a chain is seen at all; `problem` is empty when it is. Seen again counts at once.

    `known`: positions are known to be there. Where none has ever been seen, blindness is a warning.
    """
    level = Level.OK if not problem else Level.CRITICAL if known else Level.WARN
    return Sighting(
        key=Key(Rule.BLIND, chain),
        firing=level,
        holding=level,
        rules=rules,
        order=now,
        facts=Blind(chain, problem, since),
        wallets=tuple(wallets),
    )


def _weight(happened: Happened, rules: Rules) -> Level:
    """How urgent an event is. Terms that somebody changed for a debt are a warning at least; worse by what is left."""
    if happened.what is What.LIQUIDATED:
        return Level.LIQUIDATABLE
    health = happened.position.health
    if happened.what is not What.TERMS or not health.required:
        return Level.OK
    return max(Level.WARN, rules.firing(health.factor, liquidatable=health.liquidatable))


def sight_event(happened: Happened, rules: Rules, view: View) -> Sighting | None:
    """What has happened to a position, if its owner wants to know. `view` is of the snapshot that shows it."""
    wanted = {What.LIQUIDATED: rules.liquidated, What.TERMS: rules.terms}
    if not wanted.get(happened.what, rules.events):
        return None
    level = _weight(happened, rules)
    return Sighting(
        key=Key(Rule.EVENT, str(happened.position.id)),
        firing=level,
        holding=level,
        rules=rules,
        order=view.block.number,
        facts=replace(happened, trust=view.trust(happened.position, rules)),
        wallets=(happened.position.id.wallet,),
    )
