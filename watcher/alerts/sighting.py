"""What one snapshot shows of one condition: the facts, and how they bear on it. No memory of earlier ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from watcher.alerts.falls import Fall
from watcher.alerts.happened import Happened
from watcher.alerts.message import Level
from watcher.alerts.record import Key
from watcher.alerts.rules import Rules
from watcher.alerts.trust import SURE, Trust
from watcher.domain.doubt import Doubt, Suspicion
from watcher.domain.position import Position, Unreadable
from watcher.domain.price import FeedReading
from watcher.domain.sequencer import Sequencer
from watcher.domain.source import Address, Block
from watcher.risk.healths import Healths
from watcher.risk.liquidation import LiquidationPrice

Trusts = Mapping[str, Trust]
"""By position: how far the prices under it can be trusted. Who is absent is not doubted."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A position that was read, and how far the prices under it can be trusted."""

    position: Position
    trust: Trust = SURE


@dataclass(frozen=True, slots=True)
class Near:
    """A position with the move that liquidates it first; None where no move of one price does."""

    position: Position
    price: LiquidationPrice | None
    trust: Trust = SURE


@dataclass(frozen=True, slots=True)
class Fell:
    """A position and how far its health has fallen of late."""

    position: Position
    fall: Fall
    trust: Trust = SURE


@dataclass(frozen=True, slots=True)
class Unsure:
    """A position that owes something. `sources` are the prices under it whose age nobody can tell; `()`: none."""

    position: Position
    sources: tuple[str, ...]
    trust: Trust = SURE


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
    trusts: Trusts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A price that may be wrong, with the positions that owe something and may look better by it than they are.

    `doubt` is None where the check that failed does not fail any more: then `dependents` are those that rest on the
    price still. `unjudged`: what the check compares with cannot be read, so that nothing says that it is over.
    """

    subject: str
    suspicion: Suspicion
    doubt: Doubt | None
    dependents: tuple[Position, ...]
    declined: tuple[Position, ...] = ()
    trusts: Trusts = field(default_factory=dict)
    unjudged: bool = False


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
    trusts: Trusts = field(default_factory=dict)


Facts = Seen | Near | Fell | Unsure | Happened | Lost | Closed | Feed | Suspect | Unwatched | Blind | Sequencing


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One condition as it stands in one snapshot.

    `firing` is the level it raises, `holding` the level it is not yet clear of. `order` ranks sightings of one
    condition in time: the block number, or seconds for conditions that have no block. `wallets` are whom it concerns.
    `final`: no block can take it back, so that nothing has to confirm it. `lasts`: seconds for which it stands at least
    once it was raised, because what was seen is an event, of which later blocks show nothing.
    """

    key: Key
    firing: Level
    holding: Level
    rules: Rules
    order: int
    facts: Facts
    wallets: tuple[Address, ...]
    final: bool = False
    lasts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What one snapshot says, as far as alerts need it.

    `nearest` and `falls` are by position, for those whose rules ask for it; where one is missing it is not known.
    `sequencer` is None where no feed tells of it. `doubts` are the prices that may be wrong, `healths` by position, of
    those that owe something and whose price is doubted or stale.
    """

    block: Block
    positions: Sequence[Position]
    unreadable: Sequence[Unreadable]
    covered: frozenset[tuple[str, Address]]
    nearest: Mapping[str, LiquidationPrice | None] = field(default_factory=dict)
    falls: Mapping[str, Fall] = field(default_factory=dict)
    sequencer: Sequencer | None = None
    doubts: tuple[Doubt, ...] = ()
    healths: Mapping[str, Healths] = field(default_factory=dict)

    def trust(self, position: Position, rules: Rules) -> Trust:
        """How far the prices under a position can be trusted."""
        name = str(position.id)
        doubts = tuple(one for one in self.doubts if any(str(about.id) == name for about in one.about))
        found = self.healths.get(name)
        return Trust(doubts=doubts, healths=found, critical=rules.critical) if doubts or found else SURE


def wallets_of(positions: Iterable[Position | Unreadable]) -> tuple[Address, ...]:
    """Whose these are, each wallet once."""
    return tuple(dict.fromkeys(one.id.wallet for one in positions))


def feed_subject(chain: str, feed: Address) -> str:
    """How the feed of a stale-price condition is named: feeds of one address live on several chains."""
    return f"{chain}:{feed}"


def suspect_subject(chain: str, source: Address, suspicion: Suspicion) -> str:
    """How the condition of one check of one source is named: it begins as that of the feed does."""
    return f"{feed_subject(chain, source)}:{suspicion.name.lower()}"


def ended(
    key: Key, view: View, rules: Rules, facts: Facts, wallets: tuple[Address, ...], *, final: bool = False
) -> Sighting:
    """A condition that is over, as far as this snapshot shows."""
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
