"""What a command is answered from: the newest snapshots, as one chat may see them. Nothing here asks a chain."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from watcher import __version__
from watcher.alerts.ack import Acknowledgement
from watcher.alerts.clean import clean
from watcher.alerts.message import Level, Text
from watcher.alerts.mute import Mute
from watcher.alerts.record import OF_POSITIONS, SHARED_PRICES, Key, Record, Rule
from watcher.alerts.rules import Rules
from watcher.alerts.sighting import View as Judged
from watcher.alerts.sighting import feed_subject
from watcher.alerts.trust import SURE, Trust
from watcher.chain.report import EndpointReport
from watcher.chain.spec import ChainSpec
from watcher.config import Chat, Role, Settings, Wallet
from watcher.config.daily import Daily
from watcher.config.settings import short
from watcher.domain.errors import WatcherError
from watcher.domain.position import Position, Unreadable
from watcher.domain.searched import Unsearched
from watcher.domain.source import Address
from watcher.snapshot import Held, Snapshot, too_old
from watcher.store import Backlog, Store, StoreFailed, StoreThread
from watcher.store.digests import LastDay, healths_a_day_ago, last_day

FOLLOWED = 30
"""Positions whose past is told; the worst of them."""

_LABEL, _TITLE = 32, 40


class Misunderstood(WatcherError):  # noqa: N818 - named for what happened, as the other errors are
    """A command that cannot be answered as it was written: what is wrong with it, and what would be right.

    `body` says it with its styles. What somebody else's words are in is cleaned, or code, where no client sees links.
    """

    def __init__(self, what: str | Text) -> None:
        super().__init__(str(what))
        self.body = Text(what) if isinstance(what, str) else what


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One chain as it was last seen. `blind_since`: since when (Unix seconds) an alert stands that it cannot be.

    `unseen`: why it cannot be seen now, if it cannot. `endpoints`: how they have been doing. `judged`:
    the snapshot as alerts were judged by it, with the prices in it that are doubted.
    """

    spec: ChainSpec
    snapshot: Snapshot | None = None
    blind_since: int | None = None
    unseen: str = ""
    endpoints: tuple[EndpointReport, ...] = ()
    judged: Judged | None = None

    @property
    def title(self) -> str:
        return clean(self.spec.title, _TITLE)

    def current(self, now: int) -> bool:
        """Whether what is known of it can be taken for the present."""
        seen = self.snapshot is not None and not too_old(self.spec, self.snapshot.block, now)
        return seen and self.blind_since is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A position, whose it is, and where it was seen."""

    wallet: Wallet
    held: Held
    sight: Sight

    @property
    def position(self) -> Position:
        return self.held.position

    @property
    def level(self) -> Level:
        return self.level_of(self.position)

    def level_of(self, position: Position) -> Level:
        """What the wallet's rules say of the position, or of what it would be."""
        return self.rules.firing(position.health.factor, liquidatable=position.health.liquidatable)

    @property
    def rules(self) -> Rules:
        """What the wallet's user wants to know in this place."""
        return self.wallet.rules_at(self.position.id.deployment)

    @property
    def trust(self) -> Trust:
        """How far the prices under it can be trusted."""
        return self.sight.judged.trust(self.position, self.rules) if self.sight.judged else SURE

    @property
    def name(self) -> str:
        """Wallet and market, and the account where the wallet has several."""
        where = self.position.id
        own = () if where.account == where.wallet else (short(where.account),)
        key = (clean(where.key, _LABEL),) if where.key else ()
        return " · ".join((label(self.wallet), clean(self.position.market, _TITLE), *own, *key))


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything that one chat may ask about: the wallets whose alerts it gets, and the chains they are on.

    `backlog` is None where the database cannot be read. `disabled` says, by the name of a chat or a webhook, why
    nothing is sent there. `started_at` and `now` are Unix seconds. `alone`: no other chat or webhook is configured.
    `elsewhere` are the watched addresses that are not this chat's. `records` and `acks` are those of every chat.
    `last_day` is None where it is not known, and before `with_last_day`; `day_ago` is the health then of the worst
    `FOLLOWED` positions, where it is known. `schedule` is when the chat gets a digest.
    """

    chat: str
    wallets: tuple[Wallet, ...]
    sights: tuple[Sight, ...]
    now: int
    started_at: int
    role: Role = Role.READ
    alone: bool = True
    elsewhere: frozenset[Address] = frozenset()
    records: Mapping[Key, Record] = field(default_factory=dict)
    acks: Mapping[Key, Acknowledgement] = field(default_factory=dict)
    mutes: tuple[Mute, ...] = ()
    last_day: LastDay | None = None
    day_ago: Mapping[str, Decimal] = field(default_factory=dict)
    schedule: Daily | None = None
    backlog: Backlog | None = None
    disabled: Mapping[str, str] = field(default_factory=dict)
    version: str = __version__

    @property
    def found(self) -> list[Found]:
        """Every position of these wallets, the worst first."""
        wallets = {wallet.address: wallet for wallet in self.wallets}
        found = [
            Found(wallet=wallets[held.position.id.wallet], held=held, sight=sight)
            for sight in self.sights
            if sight.snapshot
            for held in sight.snapshot.held
            if held.position.id.wallet in wallets
        ]
        return sorted(found, key=lambda one: (-one.level, one.position.health.factor, str(one.position.id)))

    @property
    def unreadable(self) -> list[Unreadable]:
        """Those of them that could not be read."""
        ours = {wallet.address for wallet in self.wallets}
        seen = [sight.snapshot.unreadable for sight in self.sights if sight.snapshot]
        return [one for each in seen for one in each if one.id.wallet in ours]

    @property
    def unsearched(self) -> list[Unsearched]:
        """Of whom more may be held than was found: logs have not been searched yet."""
        ours = {wallet.address for wallet in self.wallets}
        seen = [sight.snapshot.unsearched for sight in self.sights if sight.snapshot]
        return [one for each in seen for one in each if one.wallet in ours]

    def standing_of(self, wallet: Wallet | None = None) -> list[Record]:
        """The alerts that stand, the worst first: about one wallet's positions, or all that this chat is told of."""
        whose = self.wallets if wallet is None else (wallet,)
        ours = {each.address for each in whose}
        of_chains = {Key(rule, one.spec.name) for one in self.sights for rule in (Rule.BLIND, Rule.SEQUENCER)}
        shared = set() if wallet else of_chains | self._feeds
        standing = [
            record for key, record in self.records.items() if record.level and (key in shared or _of(key, ours))
        ]
        return sorted(standing, key=lambda record: (-record.level, record.since, record.key.subject))

    def concerns(self, key: Key) -> bool:
        """Whether an alert is about one of this chat's wallets, or about a chain that one of them is on."""
        if key.rule in OF_POSITIONS:
            return _of(key, {wallet.address for wallet in self.wallets})
        return key.subject.partition(":")[0] in {sight.spec.name for sight in self.sights}

    @property
    def _feeds(self) -> set[Key]:
        """The prices under this chat's positions, as conditions."""
        stale = {
            Key(Rule.STALE, feed_subject(one.position.at.chain, reading.feed))
            for one in self.found
            for reading in one.position.feeds
        }
        ours = {wallet.address for wallet in self.wallets}
        return stale | {key for key, one in self.records.items() if key.rule is Rule.SUSPECT and ours & {*one.wallets}}

    def subject(self, key: Key) -> str:
        """What an alert is about, as people call it."""
        if key.rule in OF_POSITIONS:
            return next((one.name for one in self.found if str(one.position.id) == key.subject), self._unread(key))
        if key.rule in SHARED_PRICES:
            chain, feed = key.subject.split(":")[:2]
            return f"price {self._pair(chain, feed)}"
        return next((one.title for one in self.sights if one.spec.name == key.subject), clean(key.subject, _TITLE))

    def _unread(self, key: Key) -> str:
        """A position that is not there to ask."""
        market, wallet = key.subject.split("/")[:2]
        titles = (one.market for one in self.unreadable if str(one.id) == key.subject)
        return f"{self.label(Address(wallet))} · {clean(next(titles, market), _TITLE)}"

    def _pair(self, chain: str, feed: str) -> str:
        readings = (
            reading
            for one in self.found
            if one.position.at.chain == chain
            for reading in one.position.feeds
            if reading.feed == feed
        )
        return next((clean(reading.pair, _TITLE) for reading in readings), short(Address(feed)))

    def label(self, address: Address) -> str:
        return next((label(wallet) for wallet in self.wallets if wallet.address == address), short(address))

    def wallet_named(self, words: Sequence[str]) -> tuple[Wallet, Sequence[str]]:
        """The wallet that the first words name (a label may have several), and the words that are left.

        A beginning that only one label or address has will do. Raises `Misunderstood`.
        """
        for count in range(len(words), 0, -1):
            name = " ".join(words[:count]).casefold()
            exact = [one for one in self.wallets if name in (one.label.casefold(), one.address.casefold())]
            if exact:
                return exact[0], words[count:]
        for count in range(len(words), 0, -1):
            name = " ".join(words[:count]).casefold()
            near = [one for one in self.wallets if _begins(one, name)]
            if len(near) == 1:
                return near[0], words[count:]
            if near:
                raise Misunderstood(f"“{clean(name)}” may be {_named(near)}. Write more of the name.")
        raise Misunderstood(f"No wallet is called “{clean(words[0])}”. There are: {_named(self.wallets)}.")


async def view_of(
    chat: Chat,
    settings: Settings,
    snapshots: Mapping[str, Snapshot | None],
    records: Mapping[Key, Record],
    store: StoreThread,
    *,
    judged: Mapping[str, Judged | None] | None = None,
    unseen: Mapping[str, str] | None = None,
    endpoints: Mapping[str, Sequence[EndpointReport]] | None = None,
    acks: Mapping[Key, Acknowledgement] | None = None,
    mutes: Sequence[Mute] = (),
    started_at: float,
    now: float,
) -> View:
    """What a chat may see: the wallets that it gets alerts of.

    By the chain's name: `snapshots` are the newest, `judged` what alerts made of them, `unseen` why it cannot be seen
    now, `endpoints` how they are doing.
    """
    wallets = tuple(wallet for wallet in settings.wallets if chat.name in wallet.chats)
    watched = {chain for wallet in wallets for chain in wallet.chains}
    try:
        backlog = await store.do(Store.backlog, settings.quiet_at(now), dated=int(now))
        states = await store.do(Store.chats)
    except StoreFailed:
        backlog, states = None, {}
    return View(
        chat=chat.name,
        wallets=wallets,
        sights=tuple(
            Sight(
                spec=spec,
                snapshot=snapshots.get(name),
                blind_since=_blind_since(name, records),
                judged=(judged or {}).get(name),
                unseen=(unseen or {}).get(name, ""),
                endpoints=tuple((endpoints or {}).get(name, ())),
            )
            for name, spec in settings.chains.items()
            if name in watched
        ),
        now=int(now),
        started_at=int(started_at),
        role=chat.role,
        alone=settings.audience == (chat.name,),
        elsewhere=frozenset(wallet.address for wallet in settings.wallets if chat.name not in wallet.chats),
        records=dict(records),  # a thread looks through them while the watches go on
        acks=acks or {},
        mutes=tuple(mutes),
        schedule=chat.digest,
        backlog=backlog,
        disabled={
            name: states[name].disabled for name in settings.audience if name in states and states[name].disabled
        },
    )


async def with_last_day(view: View, store: StoreThread) -> View:
    """The view with what a digest tells besides: two queries of the past, which nothing else has to wait for."""
    worst = [str(one.position.id) for one in view.found[:FOLLOWED]]
    try:
        told = await store.do(last_day, view.chat, view.now)
        return replace(view, last_day=told, day_ago=await store.do(healths_a_day_ago, worst, view.now))
    except StoreFailed:
        return view


def _blind_since(chain: str, records: Mapping[Key, Record]) -> int | None:
    standing = records.get(Key(Rule.BLIND, chain))
    return standing.since if standing and standing.level else None


def _of(key: Key, wallets: Collection[Address]) -> bool:
    return key.rule in OF_POSITIONS and key.subject.split("/")[1] in wallets


def label(wallet: Wallet) -> str:
    """A wallet as the user calls it."""
    return clean(wallet.label, _LABEL)


def _begins(wallet: Wallet, name: str) -> bool:
    return wallet.label.casefold().startswith(name) or (len(name) > 3 and wallet.address.casefold().startswith(name))


def _named(wallets: Sequence[Wallet]) -> str:
    most = 12
    rest = f" and {len(wallets) - most} more" if len(wallets) > most else ""
    return ", ".join(label(one) for one in wallets[:most]) + rest or "none"
