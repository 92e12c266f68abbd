"""From what was read to what it means: one sighting per condition, before any memory of earlier ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from watcher.alerts.falls import Fall
from watcher.alerts.happened import Happened
from watcher.alerts.message import Level
from watcher.alerts.record import OF_POSITIONS, Key, Rule, wallet_of
from watcher.alerts.rules import RuleBook, Rules
from watcher.domain.position import Position, Unreadable
from watcher.domain.price import FeedReading, Freshness
from watcher.domain.sequencer import Running, Sequencer
from watcher.domain.source import Address, Block
from watcher.risk.liquidation import LiquidationPrice


@dataclass(frozen=True, slots=True)
class Seen:
    """A position that was read."""

    position: Position


@dataclass(frozen=True, slots=True)
class Near:
    """A position with the move that liquidates it first; None where no move of one price does."""

    position: Position
    price: LiquidationPrice | None


@dataclass(frozen=True, slots=True)
class Fell:
    """A position and how far its health has fallen of late."""

    position: Position
    fall: Fall


@dataclass(frozen=True, slots=True)
class Lost:
    """A position that could not be read."""

    unreadable: Unreadable


@dataclass(frozen=True, slots=True)
class Closed:
    """A position known from before, in a market that was read and has it no more."""

    subject: str


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed with the positions that owe something priced by it or against it. None depends on it any more: `()`.

    `declined` are those whose users do not want to hear of it.
    """

    subject: str
    reading: FeedReading | None
    dependents: tuple[Position, ...]
    declined: tuple[Position, ...] = ()


@dataclass(frozen=True, slots=True)
class Unwatched:
    """What nobody asks for any more: an edit switched the rule off, or took away what it is judged by.

    `positions` are those concerned, where several share the condition; `heartbeat`: that is what is missing.
    """

    subject: str
    positions: tuple[Position, ...] = ()
    heartbeat: bool = False


@dataclass(frozen=True, slots=True)
class Blind:
    """A chain that cannot be read, or whose newest block is too old. `problem` empty: it is seen again."""

    chain: str
    problem: str
    since: int


Dependents = tuple[Position | Unreadable, ...]


@dataclass(frozen=True, slots=True)
class Sequencing:
    """What is known of a chain's sequencer at the time `at` of a block (Unix seconds), and whom it concerns.

    `dependents` are the positions that owe something, and those of which that is not known: `()` where there is none.
    """

    chain: str
    report: Sequencer
    at: int
    dependents: Dependents


Facts = Seen | Near | Fell | Happened | Lost | Closed | Feed | Unwatched | Blind | Sequencing


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One condition as it stands in one snapshot.

    `firing` is the level it raises, `holding` the level it is not yet clear of. `order` ranks sightings of one
    condition in time: the block number, or seconds for conditions that have no block. `wallets` are whom it concerns.
    `final`: no block can take it back, so that nothing has to confirm it.
    """

    key: Key
    firing: Level
    holding: Level
    rules: Rules
    order: int
    facts: Facts
    wallets: tuple[Address, ...]
    final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What one snapshot says, as far as alerts need it.

    `nearest` and `falls` are by position, for those whose rules ask for it; where one is missing it is not known.
    `sequencer` is None where no feed tells of it.
    """

    block: Block
    positions: Sequence[Position]
    unreadable: Sequence[Unreadable]
    covered: frozenset[tuple[str, Address]]
    nearest: Mapping[str, LiquidationPrice | None] = field(default_factory=dict)
    falls: Mapping[str, Fall] = field(default_factory=dict)
    sequencer: Sequencer | None = None


def assess(view: View, book: RuleBook, known: Iterable[Key]) -> list[Sighting]:
    """Every condition that this snapshot can speak about. What it cannot see, it says nothing about.

    `known` are the conditions that stand now: they end when what they were about is gone, not merely unseen.
    """
    resting = _resting(view)
    sightings = [one for position in view.positions for one in _seen(position, book.of(position.id), view)]
    sightings += [_lost(one, book.of(one.id), view) for one in view.unreadable if book.of(one.id).unreadable]
    standing = set(known)
    sightings += [*_feeds(view, book, resting), *_sequencer(view, book, standing)]
    unasked = {one.key: one for one in _unasked(view, book, standing, resting)}
    left = [sighting for sighting in sightings if sighting.key not in unasked]
    present = {sighting.key for sighting in left} | {_stale(view, feed) for feed in resting}
    return [*left, *unasked.values(), *_gone(view, book, standing - present - unasked.keys())]


def _seen(position: Position, rules: Rules, view: View) -> list[Sighting]:
    subject, health = str(position.id), position.health

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
        sighted(Rule.HEALTH, firing, holding, Seen(position)),
        sighted(Rule.UNREADABLE, Level.OK, Level.OK, Seen(position)),
    ]
    if subject in view.nearest and not health.liquidatable:  # then the way there is over, and health says it all
        price = view.nearest[subject]
        found.append(sighted(Rule.DISTANCE, *rules.near(price.distance if price else None), Near(position, price)))
    if rules.drop is not None and subject in view.falls:
        fall = view.falls[subject]
        found.append(sighted(Rule.DROP, *_fallen(fall, Fraction(rules.drop)), Fell(position, fall)))
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


def wallets_of(positions: Iterable[Position | Unreadable]) -> tuple[Address, ...]:
    """Whose these are, each wallet once."""
    return tuple(dict.fromkeys(one.id.wallet for one in positions))


def feed_subject(chain: str, feed: Address) -> str:
    """How the feed of a stale-price condition is named: feeds of one address live on several chains."""
    return f"{chain}:{feed}"


def _stale(view: View, feed: Address) -> Key:
    return Key(Rule.STALE, feed_subject(view.block.chain, feed))


_Resting = Mapping[Address, tuple[FeedReading, tuple[Position, ...]]]
"""By feed: what it answered, and the positions that owe something and rest on it."""


def _resting(view: View) -> _Resting:
    found: dict[Address, tuple[FeedReading, tuple[Position, ...]]] = {}
    for position in view.positions:
        for reading in position.feeds if position.health.required else ():
            _, others = found.get(reading.feed, (reading, ()))
            found[reading.feed] = reading, (*others, position)
    return found


def _feeds(view: View, book: RuleBook, resting: _Resting) -> list[Sighting]:
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
        key = _stale(view, feed)
        sightings.append(
            Sighting(
                key=key,
                firing=level,
                holding=level,
                rules=book.of(dependents[0].id),
                order=view.block.number,
                facts=Feed(key.subject, reading, dependents, tuple(one for one in owing if one not in dependents)),
                wallets=wallets_of(dependents),
            )
        )
    return sightings


def _sequencer(view: View, book: RuleBook, standing: Collection[Key]) -> list[Sighting]:
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
            facts=Sequencing(view.block.chain, report, at, concerned),
            wallets=wallets_of(concerned) or tuple(book.wallets),
        )
    ]


def _unasked(view: View, book: RuleBook, standing: Iterable[Key], resting: _Resting) -> Iterator[Sighting]:
    """Conditions that an edit of the configuration ends, whatever is seen: nobody asks for them any more."""
    for key in sorted(standing, key=_by_name):
        if key.rule in OF_POSITIONS:
            wallet, deployment = wallet_of(key.subject), key.subject.split("/")[0]
            if wallet in book.wallets and not book.at(wallet, deployment).watches(key.rule):
                rules = book.at(wallet, deployment)
                yield _ended(key, view, rules, Unwatched(key.subject), (wallet,), final=True)
        elif key.rule is Rule.STALE and key.subject.startswith(f"{view.block.chain}:"):
            reading, owing = resting.get(Address(key.subject.split(":")[1]), (None, ()))
            wanted = any(book.of(one.id).stale for one in owing)
            unjudged = reading is not None and reading.freshness(view.block.timestamp) is Freshness.UNKNOWN
            if unjudged or (owing and not wanted) or (book.wallets and not book.watches(key.rule)):
                facts = Unwatched(key.subject, owing, heartbeat=unjudged and wanted)
                wallets = wallets_of(owing) or tuple(book.wallets)
                yield _ended(key, view, Rules(), facts, wallets, final=True)
        elif key == Key(Rule.SEQUENCER, view.block.chain) and view.sequencer is None:
            yield _ended(key, view, Rules(), Unwatched(key.subject), tuple(book.wallets), final=True)


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
                    _ended(key, view, book.at(Address(wallet), deployment), Closed(key.subject), (Address(wallet),))
                )
        elif key.rule is Rule.STALE and key.subject.startswith(f"{view.block.chain}:") and not view.unreadable:
            pairs = sorted(view.covered)
            if pairs:
                wallets = tuple(dict.fromkeys(wallet for _, wallet in pairs))
                rules = book.at(pairs[0][1], pairs[0][0])
                sightings.append(_ended(key, view, rules, Feed(key.subject, None, ()), wallets))
    return sightings


def _ended(
    key: Key, view: View, rules: Rules, facts: Facts, wallets: tuple[Address, ...], *, final: bool = False
) -> Sighting:
    return Sighting(
        key=key,
        firing=Level.OK,
        holding=Level.OK,
        rules=rules,
        order=view.block.number,
        facts=facts,
        wallets=wallets,
        final=final,
    )
