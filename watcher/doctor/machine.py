"""This machine: its clock beside that of others, the database, and whether a watcher runs on it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from watcher.alerts import figures
from watcher.alerts.clean import clean
from watcher.config import Settings
from watcher.doctor.findings import ChainFinding, Finding, Grade
from watcher.domain.errors import ConfigError
from watcher.store import StoreFailed
from watcher.store.examine import Examined, examine, running

SKEW_WARNS, SKEW_WRONG = 3.0, 30.0
"""Seconds that this machine's clock may be off; HTTP dates have whole seconds."""
LATE: Final = 600
"""Seconds that something may wait in the outbox without being a sign of trouble."""
SPACE_WARNS, SPACE_WRONG = 500_000_000, 50_000_000
"""Bytes that are to be free on the volume of the database."""


def look_at_clock(chains: Sequence[ChainFinding], now: int) -> Finding:
    """Our clock beside those of the servers that answered, and beside blocks, which are never of the future."""
    probes = [one.probe for chain in chains for one in chain.endpoints]
    ahead = [one.ahead for one in probes if one.ahead is not None]
    heads = [one.head.timestamp - now for one in probes if one.head is not None]
    future = max(heads, default=0)
    if not ahead:
        if future > SKEW_WARNS:
            return _skewed(-future, "as blocks of the future show")
        return Finding(part="clock", grade=Grade.NOTE, words="no server told its time, and no block is of the future")
    off = -median(ahead)
    if abs(off) <= SKEW_WARNS:
        servers = f"{len(ahead)} server{'s' if len(ahead) != 1 else ''}"
        return Finding(part="clock", grade=Grade.WELL, words=f"within {max(1, round(abs(off)))} s of {servers}")
    return _skewed(off, f"by the dates of {len(ahead)} servers")


def _skewed(off: float, how: str) -> Finding:
    grade = Grade.WRONG if abs(off) > SKEW_WRONG else Grade.WARNING
    way = "ahead" if off > 0 else "behind"
    meaning = "sound blocks look old" if off > 0 else "old blocks look fresh"
    words = f"{figures.duration(round(abs(off)))} {way}, {how}: {meaning}; synchronise it (timedatectl set-ntp true)"
    return Finding(part="clock", grade=grade, words=words)


def look_at_database(settings: Settings, now: int) -> list[Finding]:
    """Reads the whole file; for a thread."""
    path = settings.state
    space = _space(path)
    if not path.exists():
        return [_none_yet(path), space]
    try:
        found = examine(path, settings.quiet_at(now), now)
    except (ConfigError, StoreFailed) as problem:
        return [Finding(part="database", grade=Grade.WRONG, words=str(problem)), space]
    return [_whole(path, found), *_outbox(found, now), *_disabled(found, settings), space]


def look_at_daemon(settings: Settings) -> Finding:
    """Whether anybody watches."""
    process = running(settings.state)
    if process is None:
        words = "none runs on this database: nothing is watched; systemctl start watcher, or watcher run"
        return Finding(part="watcher", grade=Grade.WARNING, words=words)
    return Finding(part="watcher", grade=Grade.WELL, words=f"runs as process {process}")


def _none_yet(path: Path) -> Finding:
    above = next(folder for folder in path.absolute().parents if folder.exists())
    if not os.access(above, os.W_OK):
        words = f"none yet, and {above} cannot be written by this user: give the watcher a folder of its own (state)"
        return Finding(part="database", grade=Grade.WRONG, words=words)
    return Finding(part="database", grade=Grade.NOTE, words=f"none yet at {path}: the first watcher run makes it")


def _whole(path: Path, found: Examined) -> Finding:
    if found.damage:
        words = f"{path} is damaged: {found.damage}; stop the watcher, and restore the file or move it away"
        return Finding(part="database", grade=Grade.WRONG, words=words)
    log = f", its log {_size(found.log)}" if found.log else ""
    words = f"whole, {_size(found.size)}{log}, schema {found.schema}, SQLite {found.sqlite}"
    return Finding(part="database", grade=Grade.WELL, words=words)


def _outbox(found: Examined, now: int) -> Iterator[Finding]:
    backlog = found.backlog
    oldest = 0 if backlog.oldest is None else now - backlog.oldest
    if backlog.moving and oldest > LATE:
        words = f"{backlog.moving} waiting, the oldest for {figures.duration(oldest)}: they do not get through"
        yield Finding(part="outbox", grade=Grade.WRONG, words=words)
    else:
        waiting = f"{backlog.moving} waiting" if backlog.moving else "nothing is waiting"
        held = f", {backlog.held} held by a mute or quiet hours" if backlog.held else ""
        yield Finding(part="outbox", grade=Grade.WELL, words=waiting + held)
    if backlog.dead:
        words = f"{backlog.dead} could not be delivered within the last 30 days; the log says why"
        yield Finding(part="outbox", grade=Grade.WARNING, words=words)


def _disabled(found: Examined, settings: Settings) -> Iterator[Finding]:
    for name in settings.audience:
        if name in found.disabled:
            words = f"{name} is sent nothing, since it refused: {clean(found.disabled[name], 160)}"
            yield Finding(part="outbox", grade=Grade.WRONG, words=words)


def _space(path: Path) -> Finding:
    above = next(folder for folder in path.absolute().parents if folder.exists())
    free = shutil.disk_usage(above).free
    grade = Grade.WRONG if free < SPACE_WRONG else Grade.WARNING if free < SPACE_WARNS else Grade.WELL
    todo = "" if grade is Grade.WELL else ": make room, or nothing can be kept"
    return Finding(part="volume", grade=grade, words=f"{_size(free)} free where the database is{todo}")


def _size(size: int) -> str:
    """Bytes as people say them."""
    for unit, least in (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)):
        if size >= least:
            tenths = size * 10 // least
            return f"{tenths // 10:,}.{tenths % 10} {unit}" if tenths < 100 else f"{tenths // 10:,} {unit}"
    return f"{size} B"
