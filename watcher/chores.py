"""What comes round by itself beside the watches: each at an interval of its own, driven by the scheduler."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from watcher import deadman, digests
from watcher.config import Settings
from watcher.config.changes import LOOK_EVERY, FileChanges
from watcher.digests import Digests
from watcher.handling import Handling
from watcher.notify import escalator
from watcher.notify.escalator import Escalator
from watcher.notify.sender import Sender
from watcher.recording import Recorder
from watcher.store import Store, StoreFailed, StoreThread
from watcher.watch import ChainWatch

HOUSEKEEPING_HOURS: Final = 6
FIRST_HOUSEKEEPING: Final = timedelta(minutes=10)
"""From the start: a watcher that is restarted every few hours must not grow for ever."""
KEEP_SENT: Final = 30 * 86_400
"""Seconds that a delivered message stays in the database."""


@dataclass(slots=True, kw_only=True)
class Chores:
    """Housekeeping, escalation, digests, the dead-man ping, and a look at the configuration's files.

    `settings` and `watches` are those of the moment; `changed` is called when `files` have changed; `now` is Unix
    seconds.
    """

    store: StoreThread
    sender: Sender
    handling: Handling
    recorder: Recorder
    escalator: Escalator
    digests: Digests
    settings: Callable[[], Settings]
    watches: Callable[[], Mapping[str, ChainWatch]]
    files: FileChanges | None
    changed: Callable[[], None]
    now: Callable[[], float]
    heartbeat: deadman.Heartbeat = field(default_factory=deadman.Heartbeat)

    def start(self, scheduler: AsyncIOScheduler) -> None:
        """Hands every chore to the scheduler, which ends them with itself."""
        soon = datetime.now(UTC) + FIRST_HOUSEKEEPING
        scheduler.add_job(
            self.housekeeping, "interval", hours=HOUSEKEEPING_HOURS, id="housekeeping", next_run_time=soon
        )
        if self.files is not None:
            scheduler.add_job(self.look_at_files, "interval", seconds=LOOK_EVERY, id="files")
        scheduler.add_job(self.escalate, "interval", seconds=escalator.LOOK_EVERY, id="escalation")
        scheduler.add_job(self.digest, "interval", seconds=digests.LOOK_EVERY, id="digests")
        scheduler.add_job(self.beat, "interval", seconds=deadman.LOOK_EVERY, id="deadman")

    async def look_at_files(self) -> None:
        if self.files is not None and await asyncio.to_thread(self.files.settled):
            self.changed()

    async def escalate(self) -> None:
        await self.escalator.look(self.settings())

    async def digest(self) -> None:
        await self.digests.look(self.settings().chats.values())

    async def beat(self) -> None:
        """The dead-man ping, if somebody waits for one."""
        settings = self.settings()
        if settings.deadman is None:
            return
        backlog = None
        with suppress(StoreFailed):
            backlog = await self.store.do(Store.backlog, settings.quiet_at(self.now()), dated=int(self.now()))
        chains = {name: watch.progressed_at for name, watch in self.watches().items()}
        sender = self.sender.progressed_at
        parts = deadman.parts_of(chains, sender, backlog, interval=settings.interval, now=time.monotonic())
        await self.heartbeat.look(parts, settings.deadman)

    async def housekeeping(self) -> None:
        await self.sender.forget(KEEP_SENT)  # its clock dated them, and ours may be that of a chain
        await self.handling.tidy()
        await self.recorder.tidy(int(self.now()))
