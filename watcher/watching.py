"""The watches over all chains: what starts them, wakes them at regular intervals, and ends them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from watcher.chain import Chain
from watcher.config import Settings
from watcher.config.scope import Scope
from watcher.domain.searched import Searched
from watcher.doubting import TrackMemory, memories
from watcher.happenings import Baseline
from watcher.memory import Memory
from watcher.notify.keeper import Keeper
from watcher.notify.living import Look
from watcher.recording import Recorder
from watcher.searches import Place, Searches
from watcher.store import Store, StoreFailed, StoreThread
from watcher.store.acks import acknowledgements
from watcher.store.mutes import mutes
from watcher.store.prices import tracks_kept
from watcher.store.searched import searches_kept
from watcher.store.seen import LastSeen, forget_seen, last_seen
from watcher.watch import ChainWatch

_log = structlog.get_logger("watcher.watch")

LOOK_ENDS: Final = 1.5
"""Seconds that a look under way is given to finish."""


class Watches:
    """One watch per chain, each in a task of its own. `stop()` and `start()` again swap the settings."""

    def __init__(
        self, scheduler: AsyncIOScheduler, *, now: Callable[[], float], ended: Callable[[asyncio.Task[None]], None]
    ) -> None:
        """`ended` is told of every task that ended; `now` is the clock that blocks are compared with, Unix seconds."""
        self._scheduler = scheduler
        self._now = now
        self._ended = ended
        self._watches: dict[str, tuple[ChainWatch, asyncio.Task[None]]] = {}
        self._baselines: dict[str, Baseline] = {}
        self._tracks: dict[str, TrackMemory] = {}
        self._searches: dict[str, Searches] = {}
        self._searched: Mapping[Place, Searched] = {}

    @property
    def by_chain(self) -> dict[str, ChainWatch]:
        """The watches, by the chain's name."""
        return {name: watch for name, (watch, _) in self._watches.items()}

    async def recall(self, store: StoreThread, memory: Memory) -> None:
        """Remembers what the database does. Between `stop()` and `start()`. Raises `StoreFailed`."""
        memory.records = await store.do(Store.records)
        memory.acks = await store.do(acknowledgements)
        memory.mutes = await store.do(mutes)
        self._searched = await store.do(searches_kept)
        memories(await store.do(tracks_kept), self._tracks)
        by_chain: dict[str, list[LastSeen]] = {}
        for one in await store.do(last_seen):
            by_chain.setdefault(one.block.chain, []).append(one)
        for chain, found in by_chain.items():
            known = self._baselines.get(chain)
            self._baselines[chain] = known.recalling(found) if known else Baseline.kept(found)

    async def forget_unwatched(self, settings: Settings, memory: Memory, keeper: Keeper, store: StoreThread) -> None:
        """Ends in silence what these settings do not watch, and forgets what was seen of it. After `recall`."""
        scope = Scope.of(settings)
        changed = list(scope.narrowed(memory.records.values(), int(self._now())))
        if changed:
            await keeper.keep(changed, ())
        for record in changed:
            _log.info("alert.unwatched", rule=record.key.rule, subject=record.key.subject, episode=record.episode)
        memory.remember(changed)
        known = {place for baseline in self._baselines.values() for place in baseline.covered}
        self._baselines = {chain: baseline.only(scope.places) for chain, baseline in self._baselines.items()}
        if gone := known - scope.places:
            with suppress(StoreFailed):  # then the next start or reload forgets it
                await store.do(forget_seen, gone)

    async def start(
        self,
        settings: Settings,
        memory: Memory,
        keeper: Keeper,
        recorder: Recorder,
        looked: Callable[[Look], None],
    ) -> None:
        """Watches every chain of the settings, and looks at each at once; `looked` is told what each look saw."""
        for name, spec in settings.chains.items():
            chain = Chain(spec, wall_clock=self._now)
            await chain.open()
            watch = ChainWatch(
                spec=spec,
                chain=chain,
                settings=settings,
                memory=memory,
                keeper=keeper,
                recorder=recorder,
                now=self._now,
                looked=looked,
                tracks=self._tracks.setdefault(name, TrackMemory()),
            )
            watch.baseline = self._baselines.get(name)
            watch.searches = self._searches.setdefault(name, Searches(spec.confirmations))
            here = {each.id for each in settings.deployments if each.chain == name}
            watch.searches.recall({place: one for place, one in self._searched.items() if place[0] in here})
            task = asyncio.create_task(watch.run(), name=f"watch {name}")
            task.add_done_callback(self._ended)
            self._watches[name] = (watch, task)
            self._scheduler.add_job(_wake, "interval", [watch], seconds=settings.cadence(spec), id=_job(name))
            chain.on_head(watch.wake.hint)
            watch.wake.set()

    async def stop(self) -> None:
        """Ends every watch: the look that is under way is finished if it takes no longer than `LOOK_ENDS`."""
        tasks = []
        for name, (watch, task) in self._watches.items():
            if self._scheduler.get_job(_job(name)) is not None:
                self._scheduler.remove_job(_job(name))
            watch.stop()
            tasks.append(task)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=LOOK_ENDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for name, (watch, _) in self._watches.items():
            await watch.chain.close()
            if watch.baseline is not None:
                self._baselines[name] = watch.baseline
        self._watches.clear()


def _job(chain: str) -> str:
    return f"watch {chain}"


async def _wake(watch: ChainWatch) -> None:
    """A coroutine, so that the scheduler runs it in the event loop: events are not for other threads."""
    watch.wake.hint()
