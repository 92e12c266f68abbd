"""When to speak: one pure step over what is remembered and what is seen.

For one condition, with L the level remembered, F what the latest snapshot fires and H what it still holds (F ≤ H):

    | L     | seen                          | L becomes | said     | and                                    |
    |-------|-------------------------------|-----------|----------|----------------------------------------|
    | any   | nothing (no data)             | L         | nothing  | no data never resolves anything        |
    | any   | F > L                         | F         | raised   | at once; a new episode where L was OK  |
    | OK    | F = OK                        | OK        | nothing  |                                        |
    | > OK  | H ≥ L                         | L         | reminder | if due; calm restarts from 0           |
    | WARN  | nothing of an event any more  | WARN      | nothing  | until it has stood as long as it lasts |
    | > OK  | H < L, not confirmed          | L         | reminder | if due; calm stays                     |
    | > OK  | H < L, confirmed still at ≥ L | L         | reminder | if due; calm restarts from 0           |
    | > OK  | H < L, confirmed below L      | L         | nothing  | calm + 1, until `good_reads`           |
    | > OK  | the same, calm = good_reads   | max H     | eased    | to OK: resolved, the episode ends      |
    | > OK  | that nobody asks any more     | OK        | resolved | at once: no block can take an edit back|

An event is what one block shows and later ones do not: a price that jumped, a round that went back, a source that was
changed. It stands for as long as such an event lasts (`shared.LASTS`: an hour, a day) after it came to its level, is
never reminded of, and then ends by itself as all else does: on confirmed blocks that show nothing of it. While it
stands, another of the same kind and source is the same alert. What it was critical for may ease to WARN before.

A reminder, by what somebody said to have seen of this episode, at L or a worse level (a word about an earlier episode,
or about a lower level, counts as none):

    | said                 | a reminder is due                                                                     |
    |----------------------|---------------------------------------------------------------------------------------|
    | nothing              | `remind` seconds after anything was last said                                         |
    | seen, and it holds   | not                                                                                   |
    | seen, and it ended   | as if nothing had been said, so at once where `remind` is over                        |
    | a snooze that ended  | at once, where nothing was said since its end; then as if nothing had been said       |

Nothing but reminders looks at acknowledgements.

Alerts fire on the latest snapshot and ease on confirmed ones: a snapshot is confirmed once its block is still
canonical some blocks later, and counts only when it is newer than the one that raised the level. Escalation looks at
nothing else: no grouping, reminder or earlier message holds it back. Where several positions share a condition, one
that joins while it stands is told at once, and one whose user declines is told so, as if it were theirs alone. A
restart changes nothing here, because all that is remembered is in the records and acknowledgements; a configuration
edit changes only what F and H are, and ends what nobody asks about any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from watcher.alerts.ack import Acknowledgement
from watcher.alerts.message import Level
from watcher.alerts.record import Key, Record, Rule
from watcher.alerts.sharing import declined, names_of, of_some, sharers, unwatched
from watcher.alerts.sighting import Closed, Sequencing, Sighting
from watcher.domain.sequencer import Running


class Kind(StrEnum):
    """What a notice says."""

    RAISED = "raised"
    REMINDER = "reminder"
    EASED = "eased"
    RESOLVED = "resolved"
    EVENT = "event"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something to say: what is seen now, where the condition stands, and where it stood before."""

    kind: Kind
    sighting: Sighting
    record: Record
    before: Record

    @property
    def severity(self) -> Level:
        """How urgent the message is; good news waits behind bad."""
        return Level.OK if self.kind in (Kind.EASED, Kind.RESOLVED) else self.record.level

    @property
    def weight(self) -> Level:
        """What a mute goes by: good news weighs what it ends."""
        return max(self.record.level, self.before.level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The records that changed, to be stored together with the messages made of the notices."""

    records: tuple[Record, ...]
    notices: tuple[Notice, ...]


def decide(
    records: Mapping[Key, Record],
    latest: Iterable[Sighting],
    confirmed: Iterable[Sighting],
    now: int,
    acks: Mapping[Key, Acknowledgement],
) -> Decision:
    """One evaluation. `now` is in Unix seconds. Each confirmed snapshot is to be passed once."""
    settled = {sighting.key: sighting for sighting in confirmed}
    changed: list[Record] = []
    notices: list[Notice] = []
    for sighting in latest:
        before = records.get(sighting.key) or Record(key=sighting.key)
        record, kind = _step(before, sighting, settled.get(sighting.key), now, acks.get(sighting.key))
        record, said = _shared(before, record, sighting, kind)
        if record != before:
            changed.append(record)
        notices += [Notice(kind=kind, sighting=seen, record=record, before=before) for kind, seen in said]
    return Decision(records=tuple(changed), notices=tuple(notices))


def announce(happened: Sighting) -> Notice:
    """What is told once and has no state: the sighting itself is the news."""
    nothing = Record(key=happened.key)
    told = replace(nothing, level=happened.firing, fired_block=happened.order)
    return Notice(kind=Kind.EVENT, sighting=happened, record=told, before=nothing)


def _shared(
    before: Record, record: Record, seen: Sighting, kind: Kind | None
) -> tuple[Record, list[tuple[Kind, Sighting]]]:
    """What is said to whom, and the record with those who know then: the end is told to all who heard of it."""
    if record.level is Level.OK:
        known = replace(seen, wallets=before.wallets) if before.told else seen
        return replace(record, told=()), [] if kind is None else [(kind, known)]
    said = [] if kind is None else [(kind, seen)]
    joined = [name for name in sharers(seen) if name not in before.told] if seen.firing >= record.level else []
    if kind is None and joined:
        said.append((Kind.RAISED, of_some(seen, joined)))
    left = declined(seen, before.told)
    if left:
        said.append((Kind.EASED, unwatched(seen, left)))
    told = tuple(name for name in (*before.told, *joined) if name not in names_of(left))
    return replace(record, told=told), said


def _step(
    record: Record, seen: Sighting, settled: Sighting | None, now: int, ack: Acknowledgement | None
) -> tuple[Record, Kind | None]:
    if seen.firing > record.level:
        episode = record.episode + (record.level is Level.OK)
        raised = replace(
            record, level=seen.firing, episode=episode, since=now, spoken_at=now, fired_block=seen.order, calm=0
        )
        return raised, Kind.RAISED
    if record.level is Level.OK:
        return record, None
    if seen.final:
        return replace(record, level=Level.OK, since=now, spoken_at=now, fired_block=seen.order, calm=0), Kind.RESOLVED
    if seen.holding >= record.level or _lasts(record, seen, now):
        return _reminded(replace(record, calm=0), seen, now, ack)
    evidence = settled is not None and settled.order > record.fired_block
    if settled is None or not evidence:
        return _reminded(record, seen, now, ack)
    if settled.holding >= record.level:
        return _reminded(replace(record, calm=0), seen, now, ack)
    if record.calm + 1 < _good_reads(seen):
        return replace(record, calm=record.calm + 1), None
    level = max(settled.holding, seen.holding, Level.WARN if seen.lasts and record.level > Level.WARN else Level.OK)
    eased = replace(record, level=level, since=now, spoken_at=now, fired_block=seen.order, calm=0)
    return eased, Kind.RESOLVED if level is Level.OK else Kind.EASED


def _lasts(record: Record, seen: Sighting, now: int) -> bool:
    """Whether it stands for having been seen not long ago, though nothing shows it now."""
    return record.level is Level.WARN and now - record.since < seen.lasts


def _reminded(record: Record, seen: Sighting, now: int, ack: Acknowledgement | None) -> tuple[Record, Kind | None]:
    if not _reminder_is_due(record, seen, now, ack):
        return record, None
    return replace(record, spoken_at=now), Kind.REMINDER


def _reminder_is_due(record: Record, seen: Sighting, now: int, ack: Acknowledgement | None) -> bool:
    if ack is not None and ack.covers(record, now):
        return False
    if ack is not None and ack.wakes(record, now):
        return True
    return not _is_said_once(record, seen) and now - record.spoken_at >= seen.rules.remind


def _is_said_once(record: Record, seen: Sighting) -> bool:
    """A sequencer whose feed tells nothing may stay so, and nobody here can mend it; unless it was last known down. An
    event is no news the second time."""
    if seen.lasts:
        return True
    unknown = isinstance(seen.facts, Sequencing) and seen.facts.report.state is Running.UNKNOWN
    return unknown and record.level is seen.firing


def _good_reads(seen: Sighting) -> int:
    """What drifts round a limit needs several good reads; the other rules are plain facts: one settles them.

    All that stands of a closed position ends together, so that it is said once.
    """
    drifts = seen.key.rule in (Rule.HEALTH, Rule.DISTANCE, Rule.SUSPECT)
    return seen.rules.good_reads if drifts or isinstance(seen.facts, Closed) else 1
