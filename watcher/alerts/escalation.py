"""What nobody acknowledged: which alerts go to the second way to people, and when. Pure: time comes in.

For one condition, C that it stands at CRITICAL or above:

    | stands      | vigil of this episode | acknowledged | then                                             |
    |-------------|-----------------------|--------------|--------------------------------------------------|
    | C           | none                  | any          | a vigil begins, at the time it rose to its level |
    | C           | untold, n s old       | no           | told                                             |
    | C           | untold, n s old       | yes          | nothing                                          |
    | C           | untold, n s old       | until t ago  | told, once t is n s or more                      |
    | C           | told                  | any          | nothing: once per episode                        |
    | WARN        | told                  | any          | nothing                                          |
    | WARN        | untold                | any          | the vigil ends: it would begin afresh            |
    | OK          | told                  | any          | the vigil ends, and that it is over is told      |
    | OK          | untold                | any          | the vigil ends                                   |
    | of no one's | any                   | any          | the vigil ends                                   |

A vigil is kept apart from the record, whose time starts anew with every change of level: a position that goes to and
fro between CRITICAL and LIQUIDATABLE would never be old enough. An acknowledgement covers the level that was seen, and
no worse one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from watcher.alerts.ack import Acknowledgement
from watcher.alerts.message import Level
from watcher.alerts.record import Key, Record

FROM = Level.CRITICAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Vigil:
    """Since when an episode has been critical (Unix seconds), and whether the second way was told."""

    key: Key
    episode: int
    since: int
    told: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchfulness:
    """What changes: vigils to keep, and conditions whose vigil ends. What is to be told: records that are `due` now,
    and those that were told and are `over`."""

    kept: tuple[Vigil, ...]
    ended: tuple[Key, ...]
    due: tuple[Record, ...]
    over: tuple[Record, ...]


def unacknowledged(records: Iterable[Record], acks: Iterable[Acknowledgement], now: int) -> list[Record]:
    """The records that are critical, and that nobody has said to have seen at the level at which they are."""
    seen = {ack.key: ack for ack in acks}
    return [
        record
        for record in records
        if record.level >= FROM and not (record.key in seen and seen[record.key].covers(record, now))
    ]


def keep_watch(
    vigils: Mapping[Key, Vigil],
    records: Iterable[Record],
    acks: Iterable[Acknowledgement],
    now: int,
    after: int,
) -> Watchfulness:
    """One step of the table above. `after` is the n of it, in seconds. `records` are all that still concern anybody."""
    present, words = {record.key: record for record in records}, {ack.key: ack for ack in acks}
    open_ = {record.key for record in unacknowledged(present.values(), words.values(), now)}
    kept, due = [], []
    for record in present.values():
        if record.level < FROM:
            continue
        vigil = vigils.get(record.key)
        if vigil is None or vigil.episode != record.episode:
            vigil = Vigil(key=record.key, episode=record.episode, since=min(record.since, now))
        alone = max(vigil.since, _word_ended(words.get(record.key), record, now))
        if not vigil.told and record.key in open_ and now - alone >= after:
            vigil = replace(vigil, told=True)
            due.append(record)
        if vigil != vigils.get(record.key):
            kept.append(vigil)
    ended = tuple(key for key, vigil in vigils.items() if _is_over(vigil, present.get(key)))
    over = tuple(present[key] for key in ended if key in present and vigils[key].told)
    return Watchfulness(kept=tuple(kept), ended=ended, due=tuple(due), over=over)


def _word_ended(ack: Acknowledgement | None, record: Record, now: int) -> int:
    """When somebody's care for this ended; 0 where nobody's has."""
    return ack.until if ack is not None and ack.ran_out(record, now) else 0


def _is_over(vigil: Vigil, record: Record | None) -> bool:
    if record is None or record.level is Level.OK:
        return True
    return record.level < FROM and not vigil.told
