"""From one snapshot to the next: which positions came, went, or were changed by a transaction.

An account is told from the interest on it by valuing what it was and what it is in one and the same market. Of what
was seen before a restart only the legs are known: then a change is what no interest explains, and a liquidation is
judged by the health that the earlier legs would have now.

An event is told at once, in a block that may be taken back yet. Until that block is buried, what there was before it is
kept: where the block is gone, the position is held against that again, and the event is told to be undone, or told no
second time where it has happened after all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Final, Self

from watcher.alerts.happened import Change, Happened, What, changes, looks_liquidated, retermed
from watcher.domain.errors import ReadFailed
from watcher.domain.health import Health
from watcher.domain.position import Position, Term
from watcher.domain.source import Address, Block
from watcher.snapshot import Held, Snapshot
from watcher.store.seen import LastSeen

KEPT_EVERY: Final = 600
"""Seconds of block time after which what is seen is kept anew though nobody touched it: interest adds up."""

Was = Held | Position
"""A position as it was seen; without its account, as it was kept over a restart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event of a block that may be taken back yet, and what there was before it."""

    event: Happened
    was: Was | None
    block: Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What was last known of every position, and who was read at all: what the next snapshot is held against.

    `covered` leaves out of whom more may be held than was found, in logs that are not searched yet: what is found there
    has not been opened just then. `sought`: since when (block time) it is known where a wallet holds anything.
    """

    block: Block
    held: Mapping[str, Was]
    covered: frozenset[tuple[str, Address]]
    told: tuple[Told, ...] = ()
    sought: Mapping[tuple[str, Address], int] = field(default_factory=dict)

    @classmethod
    def of(cls, snapshot: Snapshot) -> Self:
        return cls(block=snapshot.block, held=_by_name(snapshot), covered=_known(snapshot), sought=snapshot.sought)

    @classmethod
    def kept(cls, seen: Sequence[LastSeen]) -> Self:
        """What was kept of one chain. Raises ValueError on nothing."""
        return cls(
            block=max((one.block for one in seen), key=lambda block: block.number),
            held={str(position.id): position for one in seen for position in one.positions},
            covered=frozenset(one.place for one in seen),
        )

    def recalling(self, seen: Sequence[LastSeen]) -> Baseline:
        """With what was kept of this chain in newer blocks: by a look that ended before it knew that it had kept it."""
        newer = [one for one in seen if one.block.number > self.block.number]
        if not newer:
            return self
        kept = Baseline.kept(newer)
        older = {name: was for name, was in self.held.items() if _place(was) not in kept.covered}
        return replace(self, block=kept.block, held={**older, **kept.held}, covered=self.covered | kept.covered)

    def only(self, places: Collection[tuple[str, Address]]) -> Baseline:
        """As far as it is about these deployments and wallets."""
        return replace(
            self,
            held={name: was for name, was in self.held.items() if _place(was) in places},
            covered=self.covered & frozenset(places),
            told=tuple(one for one in self.told if _place(one.event.position) in places),
        )

    def then(
        self, snapshot: Snapshot, *, orphans: Collection[str] = (), buried: int = 0, troubled: Collection[str] = ()
    ) -> tuple[Baseline, list[Happened]]:
        """What is known then, and every event in between. Nothing is said of what was not read at either.

        `orphans` are the hashes of blocks that were taken back, `buried` is the height up to which none will be, and
        `troubled` are positions that an alert says to be near liquidation. An older block tells nothing new.
        """
        if snapshot.block.number <= self.block.number:
            return self, []
        now = _by_name(snapshot)
        events: list[Happened] = []
        told: list[Told] = []
        for name in dict.fromkeys([*self.held, *now, *(str(one.event.position.id) for one in self.told)]):
            mine = [one for one in self.told if str(one.event.position.id) == name]
            if name not in now and not self._read(name, mine, snapshot):
                told += mine
                continue
            gone = [one for one in mine if one.block.hash in orphans]
            told += [one for one in mine if one not in gone and one.block.number > buried]
            ruled = [one for one in gone if one.event.what is What.TERMS]
            undone = [one for one in gone if one not in ruled]
            was = undone[0].was if undone else self.held.get(name)
            event = self._event(was, now.get(name), snapshot, known=bool(undone), troubled=name in troubled)
            then = ruled[0].was if ruled else self.held.get(name)
            retold = _retermed(then, now.get(name))
            found = ((event, was), (retold, then))
            told += [Told(event=one, was=before, block=snapshot.block) for one, before in found if one]
            events += [*_news(event, undone, now.get(name)), *_news(retold, ruled, now.get(name))]
        kept = {name: was for name, was in self.held.items() if _place(was) not in snapshot.covered}
        held, covered = kept | now, self.covered | _known(snapshot)
        sought = {**self.sought, **snapshot.sought}
        return Baseline(block=snapshot.block, held=held, covered=covered, told=tuple(told), sought=sought), events

    def to_keep(self, before: Baseline | None, snapshot: Snapshot) -> list[LastSeen]:
        """What of this, made of a snapshot, differs from what was known `before` so that it has to be kept."""
        if before is self:
            return []
        anew = before is None or before.block.timestamp // KEPT_EVERY != self.block.timestamp // KEPT_EVERY
        now = _by_place(snapshot.held)
        was = _by_place(before.held.values()) if before else {}
        return [
            LastSeen(deployment=place[0], wallet=place[1], block=self.block, positions=_positions(now.get(place, ())))
            for place in sorted(snapshot.covered & self.covered)
            if anew or before is None or place not in before.covered or _differ(was.get(place, ()), now.get(place, ()))
        ]

    def _unseen(self, place: tuple[str, Address], snapshot: Snapshot) -> int:
        """For how many seconds nobody had looked where a wallet holds anything; 0 where each look does that."""
        before = self.sought.get(place, self.block.timestamp)
        return snapshot.block.timestamp - before if before < self.block.timestamp else 0

    def _read(self, name: str, told: Sequence[Told], snapshot: Snapshot) -> bool:
        """Whether the snapshot shows that a position is not there."""
        known = self.held.get(name) or told[-1].event.position
        return _place(known) in snapshot.covered

    def _event(
        self, was: Was | None, now: Held | None, snapshot: Snapshot, *, known: bool, troubled: bool
    ) -> Happened | None:
        if now is None:
            return None if was is None else _closed(was, troubled=troubled)
        if was is None:
            if not known and _place(now) not in self.covered:
                return None
            return _opened(now.position, self._unseen(_place(now), snapshot))
        return _changed(was, now, troubled=troubled)


def _retermed(was: Was | None, now: Held | None) -> Happened | None:
    """What the protocol lays down otherwise than before for a position that was there and is."""
    if was is None or now is None:
        return None
    found, before = retermed(_position(was), now.position), _position(was).health.factor
    return Happened(what=What.TERMS, position=now.position, changes=(), before=before, terms=found) if found else None


def _news(event: Happened | None, undone: Sequence[Told], now: Held | None) -> list[Happened]:
    """What is to be said: of events whose block is gone that they did not happen, unless they have happened again."""
    again = event is not None and any(_alike(event, one.event) for one in undone)
    lost = {one.event.what: one.event for one in undone if event is None or not _alike(event, one.event)}
    taken_back = [replace(one, undone=True, position=now.position if now else one.position) for one in lost.values()]
    return taken_back + ([] if event is None or again else [event])


def _alike(one: Happened, other: Happened) -> bool:
    """Whether the same was done to the same assets: in another block it comes to slightly other amounts."""
    kinds = [{(change.asset, change.owed, change.amount > 0) for change in each.changes} for each in (one, other)]
    same = kinds[0] == kinds[1] and one.terms == other.terms
    return one.what is other.what and (one.what is What.LIQUIDATED or same)


def _by_name(snapshot: Snapshot) -> dict[str, Held]:
    return {str(held.position.id): held for held in snapshot.held}


def _by_place(held: Iterable[Was]) -> dict[tuple[str, Address], list[Was]]:
    found: dict[tuple[str, Address], list[Was]] = {}
    for one in held:
        found.setdefault(_place(one), []).append(one)
    return found


def _position(was: Was) -> Position:
    return was.position if isinstance(was, Held) else was


def _positions(held: Iterable[Was]) -> tuple[Position, ...]:
    return tuple(_position(one) for one in held)


def _place(was: Was) -> tuple[str, Address]:
    where = _position(was).id
    return where.deployment, where.wallet


def _differ(before: Sequence[Was], now: Sequence[Was]) -> bool:
    accounts = [{str(_position(one).id): getattr(one, "account", None) for one in each} for each in (before, now)]
    rules = [{str(_position(one).id): [*_rules(one)] for one in each} for each in (before, now)]
    return accounts[0] != accounts[1] or rules[0] != rules[1]


def _rules(was: Was) -> Iterator[Term]:
    return (term for term in _position(was).terms if term.set_by_rule)


def _known(snapshot: Snapshot) -> frozenset[tuple[str, Address]]:
    """Of whom all is known that they hold."""
    return snapshot.covered - {one.place for one in snapshot.unsearched}


def _opened(position: Position, unseen: int) -> Happened:
    return Happened(what=What.OPENED, position=position, changes=changes(None, position), unseen=unseen)


def _closed(was: Was, *, troubled: bool) -> Happened:
    position, kept = _position(was), not isinstance(was, Held)
    found, health = changes(position, None), position.health.factor
    what = What.LIQUIDATED if looks_liquidated(found, _lowest(health, troubled=kept and troubled)) else What.CLOSED
    return Happened(what=what, position=position, changes=found, before=health)


def _changed(was: Was, now: Held, *, troubled: bool) -> Happened | None:
    if not isinstance(was, Held):
        return _changed_unseen(was, now.position, troubled=troubled)
    if was.account == now.account:
        return None
    found, lowest = _differences(was, now)
    if not found:
        return None
    what = What.LIQUIDATED if looks_liquidated(found, lowest) else What.CHANGED
    return Happened(what=what, position=now.position, changes=found, before=was.position.health.factor)


def _changed_unseen(was: Position, now: Position, *, troubled: bool) -> Happened | None:
    """What was done since a position was kept, but for what interest explains."""
    seconds = max(now.at.timestamp - was.at.timestamp, 0)
    found = changes(was, now, seconds)
    if not found:
        return None
    health = was.health.factor
    lowest = _lowest(min(health, _revalued(was, now)), troubled=troubled)
    what = What.LIQUIDATED if looks_liquidated(found, lowest) else What.CHANGED
    return Happened(what=what, position=now, changes=found, before=health, unseen=seconds)


def _lowest(health: Decimal, *, troubled: bool) -> Decimal:
    """An alert that stood when nobody could look on any more speaks for the worst."""
    return min(health, Decimal(1)) if troubled else health


def _revalued(was: Position, now: Position) -> Decimal:
    """The health of earlier legs at the prices and weights of the later ones; those that are gone keep their own."""
    later = {(leg.asset.address, leg.amount < 0): leg for leg in now.legs}
    legs = [replace(later.get((leg.asset.address, leg.amount < 0), leg), amount=leg.amount) for leg in was.legs]
    backing = sum((leg.value() * leg.backing for leg in legs), Fraction(0))
    required = sum((abs(leg.value()) * leg.required for leg in legs), Fraction(0))
    return Health(backing=int(backing), required=ceil(required)).factor


def _differences(before: Held, now: Held) -> tuple[tuple[Change, ...], Decimal]:
    """What changed, and the lowest health that the earlier account is known to have had."""
    seconds = max(now.position.at.timestamp - before.position.at.timestamp, 0)
    then = before.position.health.factor
    try:
        untouched = now.of_account(before.account)
    except ReadFailed:  # an asset of it is gone, and the newer market was read without it
        return changes(before.position, _in_the_market_of(before, now), seconds), then
    return changes(untouched, now.position, seconds), min(then, untouched.health.factor)


def _in_the_market_of(before: Held, now: Held) -> Position:
    """The newer account in the earlier market; as it is where that one knows not all of it either."""
    try:
        return before.of_account(now.account)
    except ReadFailed:
        return now.position
