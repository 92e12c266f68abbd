"""Health factors over time, as a daemon would come to see them: blocks, reorgs, gaps, restarts, edits of the limits,
and people who acknowledge and snooze.

A `Timeline` is what a chain and the daemon's luck give to every position alike; a `Path` is one position on it. `heard`
puts many paths through the policy at once, `expected` one path through the model.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cache
from random import Random
from typing import NamedTuple, cast

from sqlalchemy import RowMapping

from tests.alerts.model import Limits, Read, Said, Trader
from watcher.alerts.ack import Acknowledgement
from watcher.alerts.message import Level
from watcher.alerts.policy import decide
from watcher.alerts.record import Key, Record, Rule
from watcher.alerts.rules import Rules
from watcher.alerts.sighting import Lost, Sighting
from watcher.domain.health import Health
from watcher.domain.position import Because, PositionId, Unreadable
from watcher.domain.source import ZERO_ADDRESS, Holder
from watcher.memory import Memory
from watcher.store.acks import ack_from, ack_row
from watcher.store.rows import record_from, record_row

MILLION = 10**6
NO_DEBT = 0
"""The health, in millionths, that stands for infinity."""

RULES = (
    Rules(),
    Rules(warn=Decimal("1.5"), critical=Decimal("1.2"), good_reads=1, remind=600),
    Rules(warn=Decimal("1.05"), critical=Decimal("1.03"), good_reads=3, clear=Decimal("0.005")),
    Rules(warn=Decimal("2"), critical=Decimal("1.01"), clear=Decimal(0), remind=3600),
    Rules(warn=Decimal("1.31"), critical=Decimal("1.30"), clear=Decimal("0.1"), good_reads=5, remind=1800),
)


_TIMES = (30, 300, 3600, 8 * 3600, 24 * 3600)
"""Seconds for which somebody acknowledges or snoozes."""


class Look(NamedTuple):
    """One evaluation: which snapshot is the newest, which is newly confirmed, and whether a restart came before it."""

    now: int
    newest: int | None
    confirmed: int | None
    restart: bool = False


class Timeline(NamedTuple):
    """`blocks` is the block number of each snapshot; after a reorg two snapshots may share one."""

    looks: Sequence[Look]
    blocks: Sequence[int]


class Saying(NamedTuple):
    """Somebody acknowledges what stands, or snoozes it, for so long."""

    seconds: int
    snooze: bool


class Path(NamedTuple):
    """One position: its health in millionths by snapshot (None: unreadable), the rules in force by look, and what is
    said about it, if anything, just after each look."""

    healths: Sequence[int | None]
    rules: Sequence[Rules]
    sayings: Sequence[Saying | None]


class Heard(NamedTuple):
    look: int
    said: Said


def random_timeline(rng: Random, looks: int) -> Timeline:
    """Polls of a chain: now and then nothing can be read, a block is orphaned, the daemon restarts, hours go by."""
    depth, height, now = rng.choice((0, 1, 2, 4)), 1000, 1_700_000_000
    found: list[Look] = []
    blocks: list[int] = []
    waiting: list[int] = []
    orphaned: set[int] = set()
    last: int | None = None
    for _ in range(looks):
        now += rng.choice((12, 15, 15, 30)) if rng.random() < 0.93 else rng.randrange(600, 6 * 3600)
        if rng.random() < 0.06:
            found.append(Look(now, None, None))
            continue
        restart = rng.random() < 0.05
        if restart:
            waiting, last = [], None
        moved = rng.randrange(0, 3)
        if rng.random() < 0.1 and blocks:
            back = rng.randrange(1, 4)
            orphaned |= {one for one in range(len(blocks)) if blocks[one] > height - back}
            height, moved = height - back, moved + rng.randrange(1, 4)
        if moved or last is None:
            height += moved
            blocks.append(height)
            last = len(blocks) - 1
            waiting.append(last)
        deep = [one for one in waiting if blocks[one] + depth <= height and one not in orphaned]
        confirmed = deep[-1] if deep else None
        if confirmed is not None:
            waiting = [one for one in waiting if blocks[one] > blocks[confirmed]]
        found.append(Look(now, last, confirmed, restart))
    return Timeline(found, blocks)


def random_path(rng: Random, timeline: Timeline) -> Path:
    """A walk that likes the neighbourhood of the limits, to the millionth."""
    rules = [rng.choice(RULES)]
    for _ in timeline.looks[1:]:
        rules.append(rng.choice(RULES) if rng.random() < 0.02 else rules[-1])
    health = rng.randrange(900_000, 2_500_000)
    healths: list[int | None] = []
    for _ in timeline.blocks:
        luck = rng.random()
        if luck < 0.6:
            health = health * (MILLION + rng.randrange(-5_000, 5_001)) // MILLION
        elif luck < 0.9:
            health = rng.choice(_edges(rng.choice((rules[0], rules[-1])))) + rng.randrange(-1, 2)
        elif luck < 0.95:
            health = rng.randrange(500_000, 3_000_000)
        healths.append(None if luck > 0.98 else NO_DEBT if luck > 0.97 else health)
    sayings = [Saying(rng.choice(_TIMES), rng.random() < 0.6) if rng.random() < 0.1 else None for _ in timeline.looks]
    return Path(healths, rules, sayings)


@cache
def _edges(rules: Rules) -> tuple[int, ...]:
    limits = [Decimal(1), rules.critical, rules.warn]
    return tuple(int(limit * scale * MILLION) for limit in limits for scale in (Decimal(1), 1 + rules.clear))


def expected(timeline: Timeline, path: Path) -> Iterator[Heard]:
    """What the model wants said, and when."""
    trader = Trader()
    for index, look in enumerate(timeline.looks):
        rules = path.rules[index]
        said = trader.hear(
            _limits(rules), look.now, _read(timeline, path, look.newest), _read(timeline, path, look.confirmed)
        )
        if said is not None:
            yield Heard(index, said)
        if (saying := path.sayings[index]) is not None:
            trader.say(look.now, saying.seconds, wake=saying.snooze)


@cache
def _limits(rules: Rules) -> Limits:
    return Limits.of(
        Fraction(rules.warn), Fraction(rules.critical), Fraction(rules.clear), rules.good_reads, rules.remind
    )


@cache
def _fraction(health: int) -> Fraction:
    return Fraction(health, MILLION)


def _read(timeline: Timeline, path: Path, snapshot: int | None) -> Read | None:
    health = None if snapshot is None else path.healths[snapshot]
    if snapshot is None or health is None:
        return None
    return Read(timeline.blocks[snapshot], None if health == NO_DEBT else _fraction(health))


def heard(timeline: Timeline, paths: Sequence[Path]) -> tuple[list[list[Heard]], list[list[Level | None]]]:
    """What the policy said on each path; and the level it stood at after each look (None: nothing was seen)."""
    keys = [Key(Rule.HEALTH, str(number)) for number in range(len(paths))]
    number_of = {key: number for number, key in enumerate(keys)}
    memory = Memory({})
    said: list[list[Heard]] = [[] for _ in paths]
    levels: list[list[Level | None]] = [[] for _ in paths]
    for index, look in enumerate(timeline.looks):
        if look.restart:
            memory = recalled(memory, look.now)
        latest = _sightings(timeline, paths, keys, look.newest, index)
        settled = _sightings(timeline, paths, keys, look.confirmed, index)
        decision = decide(memory.records, latest, settled, look.now, memory.acks)
        memory.remember(decision.records)
        for notice in decision.notices:
            what = Said(notice.kind.value, int(notice.record.level))
            said[number_of[notice.record.key]].append(Heard(index, what))
        seen = {sighting.key for sighting in latest}
        for key, trail in zip(keys, levels, strict=True):
            trail.append((memory.records[key].level if key in memory.records else Level.OK) if key in seen else None)
        for key, path in zip(keys, paths, strict=True):
            if (saying := path.sayings[index]) is not None:
                _say(memory, key, saying, look.now)
    return said, levels


def _say(memory: Memory, key: Key, saying: Saying, now: int) -> None:
    record = memory.records.get(key)
    if record is not None and record.level:
        until = now + saying.seconds
        memory.acks[key] = Acknowledgement(
            key=key, episode=record.episode, level=record.level, until=until, snooze=saying.snooze
        )


def recalled(memory: Memory, now: int) -> Memory:
    """What is remembered as it comes back from the database, tidied up."""
    rows = json.loads(json.dumps([ack_row(ack) for ack in memory.acks.values()]))
    acks = [ack_from(cast(RowMapping, row)) for row in rows]
    again = Memory(restarted(memory.records), {ack.key: ack for ack in acks})
    for spent in again.spent(now):
        del again.acks[spent.key]
    return again


def restarted(records: Mapping[Key, Record]) -> dict[Key, Record]:
    """The records as they come back from the database."""
    rows = json.loads(json.dumps([record_row(record) for record in records.values()]))
    return {record.key: record for record in (record_from(cast(RowMapping, row)) for row in rows)}


def _sightings(
    timeline: Timeline, paths: Sequence[Path], keys: Sequence[Key], snapshot: int | None, look: int
) -> list[Sighting]:
    if snapshot is None:
        return []
    return [
        sighting(key, health, path.rules[look], timeline.blocks[snapshot])
        for key, path in zip(keys, paths, strict=True)
        if (health := path.healths[snapshot]) is not None
    ]


_NOBODY = PositionId(deployment="d", wallet=ZERO_ADDRESS, account=ZERO_ADDRESS)
_FACTS = Lost(
    Unreadable(id=_NOBODY, holder=Holder.of(ZERO_ADDRESS), at=None, market="", because=Because.ENDPOINT, reason="")
)
"""The policy does not look at the facts."""


def sighting(key: Key, health: int, rules: Rules, block: int) -> Sighting:
    """A position's health in millionths as the policy sees it."""
    firing, holding = _levels(health, rules)
    return Sighting(key=key, firing=firing, holding=holding, rules=rules, order=block, facts=_FACTS, wallets=())


@cache
def _levels(health: int, rules: Rules) -> tuple[Level, Level]:
    ratio = Health(backing=1, required=0) if health == NO_DEBT else Health(backing=health, required=MILLION)
    firing = rules.firing(ratio.factor, liquidatable=ratio.liquidatable)
    return firing, rules.holding(ratio.factor, liquidatable=ratio.liquidatable)
