"""The composition root: what is made, what drives it, and how it ends. The only module that knows everyone.

APScheduler owns every periodic job; a job only wakes a loop. SIGTERM and SIGINT stop within `STOP_WITHIN` seconds,
SIGHUP, or a change of its files, reads the configuration again: whole and valid it replaces the old one, otherwise
the old one stays.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from watcher import charts, logs, status, systemd
from watcher.alerts.message import Level, Message, bold
from watcher.background import Background
from watcher.chores import Chores
from watcher.config import Settings, load
from watcher.config.changes import FileChanges
from watcher.digests import Digests
from watcher.domain.errors import ConfigError, DeliveryError
from watcher.handling import Handling
from watcher.listening import Known, Listening
from watcher.memory import Memory
from watcher.notify.channel import Channel
from watcher.notify.envelopes import Envelopes
from watcher.notify.escalator import Escalator
from watcher.notify.keeper import Keeper
from watcher.notify.living import Living
from watcher.notify.outlets import Outlets, Reachable
from watcher.notify.sender import Sender
from watcher.panel import Panel, panel_of
from watcher.recording import Recorder
from watcher.scanning import Scans
from watcher.status import StatusLine
from watcher.store import Store, StoreFailed, StoreThread
from watcher.threads import Detached
from watcher.wallets import Change, Edit, edit_wallets
from watcher.watch import ChainWatch
from watcher.watching import Watches

STOP_WITHIN = 5.0
"""Seconds from the signal to the end of the process; the parts below share them."""
_SEND_ENDS = 2.0

EXIT_OK, EXIT_FAILED, EXIT_CONFIG = 0, 1, 3

_log = structlog.get_logger("watcher.daemon")


class Daemon:
    """Watches until told to stop. `now` is the clock that blocks are compared with, in Unix seconds."""

    def __init__(
        self,
        settings: Settings,
        *,
        reload: Callable[[], Settings] | None = None,
        files: FileChanges | None = None,
        edit: Callable[[Change], Edit] | None = None,
        now: Callable[[], float] = time.time,
        channels: Mapping[str, Channel] | None = None,
    ) -> None:
        """`files` are looked at for changes, upon which `reload` is called. `edit` tries a change of the wallets file.
        `channels` replaces the ones that the settings name, for those who bring their own.
        """
        self._settings = settings
        self._reload = reload
        self._files = files
        self._edit = edit
        self._now = now
        self._own_channels = channels
        self._stop = asyncio.Event()
        self._ready = asyncio.Event()
        self._changing = asyncio.Lock()
        self._failed = False
        self._outlets = Outlets()
        self._background = Background(self._ended)
        # However late a job is, after a machine's sleep or a busy second, it is done: by default it would be left out.
        defaults = {"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
        self._scheduler = AsyncIOScheduler(job_defaults=defaults)
        self._status = StatusLine(lambda: len(self._settings.wallets), self._missing)
        self._watching = Watches(self._scheduler, now=now, ended=self._ended)

    @property
    def watches(self) -> dict[str, ChainWatch]:
        """The watch over each chain, by the chain's name."""
        return self._watching.by_chain

    def stop(self) -> None:
        """End cleanly: the look and the sends under way are finished, within bounds."""
        self._stop.set()

    async def run(self) -> int:
        """Watch until stopped. Returns the exit code. Raises `ConfigError` where the database cannot be used."""
        self._store = StoreThread(Store.open(self._settings.state))
        try:
            self._memory = Memory({})
            await self._watching.recall(self._store, self._memory)
            channels = await self._channels(self._settings)
            self._sender = Sender(
                self._store,
                channels,
                wall=self._now,
                on_fatal=self._give_up,
                quiet=lambda: self._settings.quiet_at(self._now()),
                envelope=Envelopes(self._store, self._panel).of,
            )
            self._keeper = Keeper(
                self._store,
                self._sender,
                chats=lambda: self._settings.audience,
                now=self._now,
                quiet=lambda: self._settings.quiet_at(self._now()),
            )
            self._scans = Scans(self._store, ended=self._ended)
            self._recorder = Recorder(self._store, keep=lambda: self._settings.history)
            self._handling = Handling(self._memory, self._store, now=self._now, freed=self._sender.wake)
            await self._watching.forget_unwatched(self._settings, self._memory, self._keeper, self._store)
            self._living = Living(
                self._store,
                self._sender,
                settings=lambda: self._settings,
                records=lambda: self._memory.records,
                acks=lambda: self._handling.acks,
                panel=self._panel,
            )
            self._escalator = Escalator(
                self._store,
                records=lambda: self._memory.records,
                now=self._now,
                spoke=self._sender.wake,
                acks=lambda: tuple(self._memory.acks.values()),
            )
            self._listening = Listening(
                self._store,
                self._sender,
                settings=self._settings,
                known=self._what_is_known,
                handling=self._handling,
                edit=self._edit,
                tell=self._tell_all,
                ended=self._ended,
                refresh=self._living.refresh,
                now=self._now,
            )
            self._chores = Chores(
                store=self._store,
                sender=self._sender,
                handling=self._handling,
                recorder=self._recorder,
                escalator=self._escalator,
                digests=Digests(self._store, view=self._listening.view_of_day, now=self._now, spoke=self._sender.wake),
                settings=lambda: self._settings,
                watches=lambda: self.watches,
                files=self._files,
                changed=lambda: self._background.begin(self.reload()),
                now=self._now,
            )
            sending = asyncio.create_task(self._sender.run(), name="sender")
            sending.add_done_callback(self._ended)
            self._living.start(self._ended)
            try:
                await self._watch_until_stopped()
            finally:
                await self._listening.stop()
                await self._background.drop()
                await self._scans.stop()
                await self._watching.stop()
                await self._living.stop()
                await self._sender.stop(_SEND_ENDS)
                await asyncio.gather(sending, return_exceptions=True)
        finally:
            await self._outlets.close()
            await self._store.close()
        _log.info("daemon.stopped")
        return EXIT_FAILED if self._failed else EXIT_OK

    async def _watch_until_stopped(self) -> None:
        self._scheduler.start()
        try:
            self._chores.start(self._scheduler)
            await self._start_watching()
            await self._listen()
            self._status.tell("READY=1")
            _log.info("daemon.ready", status=self._status.text)
            self._scheduler.add_job(self._status.look, "interval", seconds=1, id="status")
            self._ready.set()
            await self._stop.wait()
            systemd.notify("STOPPING=1")
            _log.info("daemon.stopping")
        finally:
            self._scheduler.shutdown(wait=False)

    async def _start_watching(self) -> None:
        await self._watching.start(self._settings, self._memory, self._keeper, self._recorder, self._living.seen)
        self._scans.start(self.watches)

    def _missing(self) -> dict[str, str]:
        """By chain, why it cannot be seen, and nothing where it is; and the bot's service while it does not answer."""
        missing = {
            name: watch.unseen.problem or ("" if watch.last else status.FIRST_LOOK)
            for name, watch in self.watches.items()
        }
        return {**missing, "Telegram": self._listening.problem} if self._listening.problem else missing

    # Speaking, and listening

    async def _channels(self, settings: Settings) -> Mapping[str, Channel]:
        """Every channel by its name."""
        if self._own_channels is not None:
            return self._own_channels
        opened = await self._outlets.open(settings, self._store)
        for name, channel in opened.lost.items():
            self._background.begin(self._try_again(name, channel))
        return opened.channels

    def _panel(self) -> Panel | None:
        """The buttons of alerts, where there is a bot to hear of a press."""
        return None if self._own_channels else panel_of(self._settings, charts=charts.available())

    async def _listen(self) -> None:
        telegram = self._settings.telegram if self._own_channels is None else None
        await self._listening.through(self._outlets.bot_of(telegram) if telegram else None, self._settings)

    def _what_is_known(self) -> Known:
        return Known(
            {name: watch.last for name, watch in self.watches.items()},
            self._memory.records,
            judged={name: watch.view for name, watch in self.watches.items()},
            unseen={name: watch.unseen.problem for name, watch in self.watches.items()},
            endpoints={name: watch.chain.reports() for name, watch in self.watches.items()},
        )

    async def _try_again(self, name: str, channel: Reachable) -> None:
        """A chat that refused us earlier may have let us in again; nothing waits for the answer."""
        with suppress(DeliveryError, StoreFailed):
            await channel.reach()
            await self._store.do(Store.enable_chat, name)
            self._sender.wake()

    def _give_up(self, why: str) -> None:
        _log.critical("telegram.down", problem=why)
        self._failed = True
        self.stop()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A part that failed leaves nothing to go on with: end, say so, and be started afresh."""
        if not task.cancelled() and task.exception() is not None:
            _log.critical("daemon.bug", part=task.get_name(), exc_info=task.exception())
            self._failed = True
            self.stop()

    # Changing

    async def reload(self) -> None:
        """Read the configuration again and swap it whole; a faulty one is told and changes nothing."""
        if self._reload is None:
            return
        await self._ready.wait()
        async with self._changing:
            systemd.notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
            if self._files is not None:
                await asyncio.to_thread(self._files.note)
            try:
                settings = await asyncio.to_thread(self._reload)
                if settings.state != self._settings.state:
                    raise ConfigError(
                        f"state: the database cannot move while running (now {self._settings.state}); restart"
                    )
                channels = await self._channels(settings)
            except (ConfigError, StoreFailed) as problem:
                _log.error("config.refused", problem=str(problem))
                await self._tell_all("CONFIGURATION NOT CHANGED", f"The old one stays in force.\n{problem}")
            else:
                await self._swap(settings, channels)
                _log.info("config.reloaded", status=self._status.text)
            self._status.tell("READY=1")

    async def _swap(self, settings: Settings, channels: Mapping[str, Channel]) -> None:
        await self._scans.stop()
        await self._watching.stop()
        self._living.forget_looks()
        self._settings = settings
        try:
            # A look that was cut off may not remember what it wrote.
            await self._watching.recall(self._store, self._memory)
        except StoreFailed as problem:
            # Nor was anything written then: what is remembered stands.
            _log.error("state.not_read", problem=str(problem))
        self._memory.records |= self._keeper.unsaved
        await self._watching.forget_unwatched(self._settings, self._memory, self._keeper, self._store)
        self._sender.serve(channels)
        await self._start_watching()
        await self._listen()

    async def _tell_all(self, title: str, text: str) -> None:
        now = int(self._now())
        body = bold(title) + f"\n{text}"
        messages = [
            Message(chat=chat, severity=Level.WARN, body=body, about=("configuration",), created_at=now)
            for chat in self._settings.audience
        ]
        await self._keeper.keep((), messages)

    async def settled(self) -> None:
        """Returns when nothing is going on beside the watches: no reload, no chat that is asked again."""
        await self._background.settled()

    def on_signals(self) -> None:
        """SIGTERM and SIGINT stop, SIGHUP reloads."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._background.begin(self.reload()))


def run(path: Path) -> int:
    """`watcher run`: the daemon over a configuration file, until a signal. Returns the exit code."""
    files = FileChanges(path)
    settings = load(path)
    logs.configure()

    async def main() -> int:
        asyncio.get_running_loop().set_default_executor(Detached())
        daemon = Daemon(settings, reload=lambda: load(path), files=files, edit=partial(edit_wallets, path))
        daemon.on_signals()
        return await daemon.run()

    return asyncio.run(main())
