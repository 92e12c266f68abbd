"""One chain's watch: pin a block, read everything, decide, commit what changed together with what is to be said.

Whatever wakes it sets one pulse; one loop evaluates, so that nothing overlaps and nothing is skipped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

import structlog

from watcher.alerts.assess import assess
from watcher.alerts.beside import sight_chain, sight_event
from watcher.alerts.message import Level
from watcher.alerts.policy import announce, decide
from watcher.alerts.record import OF_POSITIONS, SHARED_PRICES, Key, Record, Rule
from watcher.alerts.rules import RuleBook
from watcher.alerts.sighting import Sighting, View
from watcher.announcing import Announcer
from watcher.chain import Chain, ChainSpec, Disagreement, Pinned
from watcher.config import Settings
from watcher.domain.errors import EndpointError
from watcher.domain.source import Block
from watcher.doubting import TrackMemory
from watcher.happenings import Baseline
from watcher.memory import Memory
from watcher.notify.keeper import Keeper
from watcher.notify.living import Look
from watcher.pulse import Pulse
from watcher.reading import Asking, Known, Read
from watcher.recording import Recorder
from watcher.searches import Searches, wanted
from watcher.snapshot import Snapshot, watched_on
from watcher.store.prices import NOTHING, PricesKept
from watcher.store.seen import LastSeen
from watcher.trail import Reorg
from watcher.unseen import Unseen
from watcher.views import Views

BLIND_AFTER = 45
"""Seconds without a good snapshot after which a chain counts as not seen."""
FOR_GOOD = 900
"""Seconds after which every endpoint has to have a block that was confirmed: no chain takes back as much, and about a
younger one endpoints of one chain may disagree."""
BUDGET = 30.0
"""Seconds that one look at a chain may take over all its endpoints."""

_log = structlog.get_logger("watcher.watch")


@dataclass(slots=True)
class ChainWatch:
    """The watch over one chain. `now` is the wall clock in Unix seconds; `looked` is told what each look saw."""

    spec: ChainSpec
    chain: Chain
    settings: Settings
    memory: Memory
    keeper: Keeper
    recorder: Recorder
    now: Callable[[], float]
    looked: Callable[[Look], None] = lambda _: None
    progressed_at: float = 0.0
    baseline: Baseline | None = None
    searches: Searches = field(default_factory=Searches)
    tracks: TrackMemory = field(default_factory=TrackMemory)
    view: View | None = None
    """What alerts were judged by at the last look."""
    unseen: Unseen = field(default_factory=Unseen)
    reorgs: int = 0
    """How often blocks that were looked at have been taken back."""
    _known: Known = field(default_factory=Known)
    _anchor: Block | None = None
    _seen_at: int = 0
    _unseen_since: int = 0
    _stopping: bool = False
    wake: Pulse = field(init=False)
    _announcer: Announcer = field(init=False)
    _book: RuleBook = field(init=False)
    _views: Views = field(init=False)

    def __post_init__(self) -> None:
        self._seen_at = int(self.now())
        self.wake = Pulse(self.settings.min_interval)
        self._announcer = Announcer(self.settings, self.memory)
        wallets = self.settings.wallets
        self._book = RuleBook(
            {wallet.address: wallet.rules for wallet in wallets},
            {(wallet.address, where): rules for wallet in wallets for where, rules in wallet.places},
        )
        self.tracks.confirmations = self.spec.confirmations
        self._views = Views(self._book, self.settings.limits, self.tracks)

    @property
    def last(self) -> Snapshot | None:
        """What was seen last."""
        return self._known.last

    async def run(self) -> None:
        """Look whenever woken, until stopped."""
        while not self._stopping:
            await self.wake.wait()
            if not self._stopping:
                await self.tick()

    def stop(self) -> None:
        """End after the look that is under way."""
        self._stopping = True
        self.wake.close()
        self.wake.set()

    async def tick(self) -> None:
        """One look. Whatever keeps it from seeing ends in the alert that says so, never in silence."""
        problem, conflict = "", False
        self._seen_at = min(self._seen_at, int(self.now()))  # a clock that was put back makes no darkness shorter
        try:
            await self._look()
        except EndpointError as failure:
            problem, conflict = str(failure), isinstance(failure, Disagreement)
        except Exception as failure:  # noqa: BLE001 - a bug must end in an alert too, and in the log with its traceback
            problem = f"internal error: {type(failure).__name__}; see the log"
            _log.exception("watch.bug", chain=self.spec.name)
        if self.unseen.because(problem):
            _log.warning("chain.unseen", chain=self.spec.name, problem=problem)
        await self._say_whether_seen(problem, at_once=conflict)
        self.progressed_at = self.now()

    # Seeing

    async def _look(self) -> None:
        read = await self.chain.first(self._read, within=BUDGET)
        if read.reorg is not None:
            self._note(read.reorg, read.snapshot)
        snapshot, confirmed = read.snapshot, read.confirmed
        now = int(self.now())
        known = self.memory.standing(self._concerns)
        view = await self._views.of(snapshot, read.stands)
        latest = assess(view, self._book, known)
        settled = assess(await self._views.of(confirmed, read.stands), self._book, known) if confirmed else []
        prices = await self._views.to_keep(snapshot, read.stands)
        baseline, happened = self._happened(snapshot, read.orphans, view)
        seen = baseline.to_keep(self.baseline, snapshot)
        await self._act(latest, settled, now, snapshot, happened, seen, prices, shaken=read.shaken)
        self.baseline = baseline
        self.view = view
        self.looked(self._as_look(latest, now, snapshot))
        self._seen_at = now  # only here: what was read and could not be judged was not seen
        if self.last is None or snapshot.block != self.last.block:
            _log.info(
                "snapshot.taken",
                chain=self.spec.name,
                block=snapshot.block.number,
                endpoint=snapshot.endpoint,
                positions=len(snapshot.held),
                unreadable=len(snapshot.unreadable),
                rounds=snapshot.rounds,
            )
        self._search(snapshot)
        self._known = self._known.then(read, standing=bool(known), told=self._told)
        self._hold_endpoints_to(read)
        await self.recorder.record(snapshot, self._book)

    async def _read(self, pinned: Pinned) -> Read:
        asking = Asking(
            spec=self.spec,
            watched=watched_on(self.spec.name, self.settings, self.searches),
            now=int(self.now()),
            told=self._told,
            standing=bool(self.memory.standing(self._concerns)),
            tracked=self.last is not None and any(one.health.required for one in self.last.positions),
        )
        return await self._known.read(pinned, asking)

    @property
    def _told(self) -> list[Block]:
        """The blocks of which events were told, as long as they may be taken back."""
        return [one.block for one in self.baseline.told] if self.baseline else []

    def _search(self, snapshot: Snapshot) -> None:
        """Have the logs searched for everybody who was looked for."""
        searches = wanted(self.settings.deployments, snapshot.owners)
        self.searches.want(searches, snapshot.block.number, self.now(), self.settings.discovery)

    def _note(self, reorg: Reorg, seen: Snapshot) -> None:
        self.reorgs += 1
        if self.last is not None:
            self.searches.taken_back(self.last.block.number - reorg.depth)
        _log.warning(
            "chain.reorg",
            chain=self.spec.name,
            depth=reorg.depth,
            looked_at=len(reorg.orphans),
            block=seen.block.number,
            endpoint=seen.endpoint,
        )

    def _hold_endpoints_to(self, read: Read) -> None:
        """Have every endpoint show a block that was confirmed long ago."""
        if self._anchor is not None and self._anchor.hash in read.orphans:
            self._anchor = None
        if read.confirmed is None:
            return
        block = read.confirmed.block
        if self._anchor is not None and block.timestamp - self._anchor.timestamp >= FOR_GOOD:
            self.chain.confirmed(self._anchor)
            self._anchor = None
        self._anchor = self._anchor or block

    def _happened(self, snapshot: Snapshot, orphans: Collection[str], view: View) -> tuple[Baseline, list[Sighting]]:
        """What was done to the positions since they were seen before, for those who want to know."""
        if self.baseline is None:
            return Baseline.of(snapshot), []
        records = self.memory.records.values()
        baseline, events = self.baseline.then(
            snapshot,
            orphans=orphans,
            buried=snapshot.block.number - self.spec.confirmations,
            troubled={one.key.subject for one in records if one.key.rule is Rule.HEALTH and one.level > Level.WARN},
        )
        found = (sight_event(one, self._book.of(one.position.id), view) for one in events)
        return baseline, [sighting for sighting in found if sighting is not None]

    def _concerns(self, key: Key) -> bool:
        """Whether a condition is one of this chain's."""
        if key.rule in OF_POSITIONS:
            mine = {one.id for one in self.settings.deployments if one.chain == self.spec.name}
            return key.subject.split("/")[0] in mine
        if key.rule is Rule.SEQUENCER:
            return key.subject == self.spec.name
        return key.rule in SHARED_PRICES and key.subject.startswith(f"{self.spec.name}:")

    def _doubted(self) -> dict[Key, Record]:
        """What was good on confirmed blocks, if those were taken back: it has to be good on others, from the start."""
        records = self.memory.records.items()
        return {key: replace(one, calm=0) for key, one in records if one.calm and self._concerns(key)}

    # Saying

    async def _say_whether_seen(self, problem: str, *, at_once: bool = False) -> None:
        now = int(self.now())
        standing = self.memory.records.get(Key(Rule.BLIND, self.spec.name))
        early = now - self._seen_at < BLIND_AFTER and not at_once
        if problem and early and not (standing and standing.level):
            return
        if not problem and not (standing and standing.level):
            return
        if problem and self.last is not None and not self.last.held and not self.last.unreadable:
            return  # nobody holds anything there: it is in the log, and a message would be noise
        wallets = [wallet.address for wallet in self.settings.wallets if self.spec.name in wallet.chains]
        if problem:
            self._unseen_since = self._seen_at
        told = (standing.since,) if standing and standing.level else ()
        since = min((self._unseen_since or now, *told))  # after a restart, the alert is the first that is known of it
        known = self.last is not None or bool(self.memory.standing(self._concerns))
        sighting = sight_chain(self.spec.name, problem, since, now, self.settings.rules, wallets, known=known)
        await self._act([sighting], [sighting], now, None)
        if problem:
            self.looked(self._as_look([sighting], now, None))

    async def _act(
        self,
        latest: Sequence[Sighting],
        settled: Sequence[Sighting],
        now: int,
        seen: Snapshot | None,
        happened: Sequence[Sighting] = (),
        to_keep: Collection[LastSeen] = (),
        prices: PricesKept = NOTHING,
        *,
        shaken: bool = False,
    ) -> None:
        """Decide, and keep state and messages together; only then is anything remembered."""
        doubted = self._doubted() if shaken else {}
        decision = decide(self.memory.records | doubted, latest, settled, now, self.memory.acks)
        records = (doubted | {record.key: record for record in decision.records}).values()
        notices = (*decision.notices, *map(announce, happened))
        if not records and not notices and not to_keep and not prices:
            await self.keeper.retry()
            return
        # Off the loop: liquidation prices of many positions at once are seconds of arithmetic.
        messages = await asyncio.to_thread(self._announcer.messages, notices, now, seen)
        await self.keeper.keep(records, messages, to_keep, prices)
        self.memory.remember(records)
        for notice in notices:
            _log.info(
                "alert." + notice.kind,
                rule=notice.record.key.rule,
                subject=notice.record.key.subject,
                severity=notice.record.level.name,
                episode=notice.record.episode,
            )

    def _as_look(self, sightings: Iterable[Sighting], now: int, seen: Snapshot | None) -> Look:
        return Look(
            chain=self.spec.name,
            now=now,
            sightings={sighting.key: sighting for sighting in sightings},
            covers=lambda key: self._concerns(key) or key == Key(Rule.BLIND, self.spec.name),
            telling=lambda notices: self._announcer.telling(notices, now, seen),
            told_to=self._announcer.told_to,
        )
