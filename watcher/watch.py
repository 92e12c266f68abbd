"""One chain's watch: pin a block, read everything, decide, commit what changed together with what is to be said.

Whatever wakes it sets one event; one loop evaluates, so that nothing overlaps and nothing is skipped.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

import structlog

from watcher.alerts.assess import Sighting, assess, sight_chain, sight_event
from watcher.alerts.message import Level
from watcher.alerts.policy import announce, decide
from watcher.alerts.record import OF_POSITIONS, Key, Rule
from watcher.alerts.rules import RuleBook
from watcher.announcing import Announcer
from watcher.chain import Chain, ChainSpec, Disagreement, Pinned
from watcher.config import Settings
from watcher.domain.errors import EndpointError
from watcher.happenings import Baseline
from watcher.memory import Memory
from watcher.notify.keeper import Keeper
from watcher.notify.living import Look
from watcher.recording import Recorder
from watcher.snapshot import Snapshot, take, too_old, watched_on
from watcher.store.seen import LastSeen
from watcher.unseen import Unseen
from watcher.views import Views

BLIND_AFTER = 45
"""Seconds without a good snapshot after which a chain counts as not seen."""
KEPT = 64
"""Snapshots that wait for the confirmation of their block."""
BUDGET = 30.0
"""Seconds that one look at a chain may take over all its endpoints."""

_log = structlog.get_logger("watcher.watch")


@dataclass(frozen=True, slots=True)
class _Read:
    """What one look read: the newest snapshot, an earlier one that is confirmed by now, those found orphaned, and the
    hashes of blocks whose events were told and did not happen after all."""

    snapshot: Snapshot
    confirmed: Snapshot | None = None
    orphans: tuple[Snapshot, ...] = ()
    undone: frozenset[str] = frozenset()


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
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    progressed_at: float = 0.0
    last: Snapshot | None = None
    baseline: Baseline | None = None
    unseen: Unseen = field(default_factory=Unseen)
    _seen_at: int = 0
    _unseen_since: int = 0
    _waiting: deque[Snapshot] = field(default_factory=lambda: deque(maxlen=KEPT))
    _stopping: bool = False
    _announcer: Announcer = field(init=False)
    _book: RuleBook = field(init=False)
    _views: Views = field(init=False)

    def __post_init__(self) -> None:
        self._seen_at = int(self.now())
        self._announcer = Announcer(self.settings, self.memory)
        wallets = self.settings.wallets
        self._book = RuleBook(
            {wallet.address: wallet.rules for wallet in wallets},
            {(wallet.address, where): rules for wallet in wallets for where, rules in wallet.places},
        )
        self._views = Views(self._book)

    async def run(self) -> None:
        """Look whenever woken, until stopped."""
        while not self._stopping:
            await self.wake.wait()
            self.wake.clear()
            if not self._stopping:
                await self.tick()

    def stop(self) -> None:
        """End after the look that is under way."""
        self._stopping = True
        self.wake.set()

    async def tick(self) -> None:
        """One look. Whatever keeps it from seeing ends in the alert that says so, never in silence."""
        problem, conflict = "", False
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
        snapshot, confirmed = read.snapshot, read.confirmed
        now = int(self.now())
        known = self.memory.standing(self._concerns)
        latest = assess(await self._views.of(snapshot), self._book, known)
        settled = assess(await self._views.of(confirmed), self._book, known) if confirmed else []
        baseline, happened = self._happened(snapshot, read.undone)
        seen = baseline.to_keep(self.baseline, snapshot)
        await self._act(latest, settled, now, snapshot, happened, seen)
        self.baseline = baseline
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
        self.last = snapshot
        self._wait_for(read, standing=bool(known))
        await self.recorder.record(snapshot, self._book)

    def _happened(self, snapshot: Snapshot, orphans: Collection[str]) -> tuple[Baseline, list[Sighting]]:
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
        found = (sight_event(one, self._book.of(one.position.id), snapshot.block) for one in events)
        return baseline, [sighting for sighting in found if sighting is not None]

    async def _read(self, pinned: Pinned) -> _Read:
        """A snapshot at the newest block, and what of the earlier ones is confirmed, or orphaned, by now.

        Changes nothing here: where an endpoint is late, another is read beside it, and one of the two counts.
        """
        self._must_be_recent(pinned)
        if self.last is not None and pinned.block.hash == self.last.block.hash:
            snapshot = self.last
        else:
            snapshot = await take(
                pinned, watched_on(self.spec.name, self.settings), self.last.asked if self.last else ()
            )
        undone = await self._undone(pinned)
        if not self.memory.standing(self._concerns):
            return _Read(snapshot, undone=undone)
        confirmed, orphans = await self._confirmed(pinned, [*self._waiting, snapshot])
        return _Read(snapshot, confirmed, orphans, undone)

    async def _undone(self, pinned: Pinned) -> frozenset[str]:
        """The hashes of blocks in which something happened that was told, and which are canonical no more."""
        told = {one.block.number: one.block.hash for one in (self.baseline.told if self.baseline else ())}
        canonical = {
            number: pinned.block.hash if number == pinned.block.number else await pinned.block_hash(number)
            for number in told
            if number <= pinned.block.number
        }
        return frozenset(told[number] for number, now in canonical.items() if now not in (None, told[number]))

    def _must_be_recent(self, pinned: Pinned) -> None:
        """A node that is behind would say that all is well while its user is liquidated."""
        problem = too_old(self.spec, pinned.block, int(self.now()))
        if problem:
            raise pinned.behind(problem)
        if self.last and pinned.block.number + max(self.spec.confirmations, 1) < self.last.block.number:
            raise pinned.behind(
                f"its newest block {pinned.block.number:,} is behind {self.last.block.number:,}, seen before"
            )

    async def _confirmed(
        self, pinned: Pinned, waiting: Sequence[Snapshot]
    ) -> tuple[Snapshot | None, tuple[Snapshot, ...]]:
        """The newest that is old enough, if its block is still canonical; and the orphans above it."""
        deep = [one for one in waiting if one.block.number + self.spec.confirmations <= pinned.block.number]
        orphans: list[Snapshot] = []
        for snapshot in reversed(deep):
            here = snapshot.block.hash == pinned.block.hash
            if here or await pinned.block_hash(snapshot.block.number) == snapshot.block.hash:
                return snapshot, tuple(orphans)
            orphans.append(snapshot)
        return None, tuple(orphans)

    def _wait_for(self, read: _Read, *, standing: bool) -> None:
        """What of the snapshots still waits for the confirmation of its block."""
        confirmed = read.confirmed
        if confirmed is not None:
            self.chain.confirmed(confirmed.block)
        newer = confirmed.block.number if confirmed is not None else -1
        kept = [one for one in self._waiting if one.block.number > newer and one not in read.orphans]
        fresh = standing and all(one.block.hash != read.snapshot.block.hash for one in kept)
        if fresh and read.snapshot is not confirmed:
            kept.append(read.snapshot)
        self._waiting = deque(kept, maxlen=KEPT)

    def _concerns(self, key: Key) -> bool:
        """Whether a condition is one of this chain's."""
        if key.rule in OF_POSITIONS:
            mine = {one.id for one in self.settings.deployments if one.chain == self.spec.name}
            return key.subject.split("/")[0] in mine
        return key.rule is Rule.STALE and key.subject.startswith(f"{self.spec.name}:")

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
    ) -> None:
        """Decide, and keep state and messages together; only then is anything remembered."""
        decision = decide(self.memory.records, latest, settled, now, self.memory.acks)
        notices = (*decision.notices, *map(announce, happened))
        if not decision.records and not notices and not to_keep:
            await self.keeper.retry()
            return
        # Off the loop: liquidation prices of many positions at once are seconds of arithmetic.
        messages = await asyncio.to_thread(self._announcer.messages, notices, now, seen)
        await self.keeper.keep(decision.records, messages, to_keep)
        self.memory.remember(decision.records)
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
