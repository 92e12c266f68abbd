"""The digest: once a day, or asked for, how everything stands. What cannot be seen comes first, then the worst."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from watcher.alerts import figures
from watcher.alerts.clean import clean
from watcher.alerts.message import Level, Text, bold, italic
from watcher.alerts.record import OF_POSITIONS, Key, Record, Rule
from watcher.bot.arguments import nothing_more
from watcher.bot.feeds import stale_feeds
from watcher.bot.phrases import counted, first, health, lines, paragraphs, seen_at, sides, standing, unknown, unsearched
from watcher.bot.view import FOLLOWED, Found, Sight, View
from watcher.domain.position import Numeraire, Unreadable

_RULES: Final = {
    Rule.HEALTH: "health",
    Rule.DISTANCE: "distance to liquidation",
    Rule.DROP: "fast drop",
    Rule.SEQUENCER: "sequencer",
    Rule.SUSPECT: "suspect price",
    Rule.UNKNOWN_AGE: "price of unknown age",
}


@dataclass(frozen=True, slots=True)
class _Standing:
    """How all stands, worked out once."""

    view: View
    found: Sequence[Found]
    lost: Sequence[Unreadable]
    records: Mapping[Key, Record]
    stale: Mapping[Key, Text]

    @classmethod
    def of(cls, view: View) -> _Standing:
        records = {record.key: record for record in view.standing_of()}
        return cls(view, view.found, view.unreadable, records, dict(stale_feeds(view)))

    @property
    def shown(self) -> set[str]:
        """The positions that are told one by one."""
        return {str(one.position.id) for one in self.found[:FOLLOWED]} | {str(one.id) for one in self.lost}

    @property
    def whole(self) -> bool:
        """Whether everything can be seen now."""
        return all(sight.current(self.view.now) for sight in self.view.sights) and not (
            self.lost or self.view.unsearched
        )


def digest(arguments: Sequence[str], view: View) -> Text:
    """How everything stands that this chat gets alerts of. Raises `Misunderstood` for any argument."""
    nothing_more(arguments)
    if not view.wallets:
        return Text("This chat gets the alerts of no wallet.")
    now = _Standing.of(view)
    return paragraphs(
        [
            lines([_heading(now), *_unseen(view)]),
            lines(_counts(now)),
            *_positions(now),
            lines(_besides(now)),
            lines(line for sight in view.sights for line in _chain(sight, now)),
            lines(_muted(view)),
            lines([*_last_day(view), *_undelivered(view)]),
            _next(view),
        ]
    )


# --- What is seen, and how much of it ---------------------------------------------------------------------------------


def _heading(now: _Standing) -> Text:
    name = bold("DIGEST" if now.whole else "DIGEST, INCOMPLETE")
    return name + f" · {_moment(now.view.schedule.local(now.view.now))}" if now.view.schedule else name


def _unseen(view: View) -> list[Text]:
    """The chains that nothing is known of now: never left out, and never an all-clear."""
    told = []
    for sight in view.sights:
        if sight.snapshot is None:
            told.append(bold(f"{sight.title} HAS NOT BEEN SEEN") + ": nothing is known of its positions.")
        elif not sight.current(view.now):
            since = sight.snapshot.block.timestamp if sight.blind_since is None else sight.blind_since
            told.append(bold(f"{sight.title} CANNOT BE SEEN") + f" for {_for(since, view)}: what follows is older.")
    return [*told, *unsearched(view)]


def _counts(now: _Standing) -> list[Text]:
    levels = [one.level for one in now.found]
    told = [f"{levels.count(level)} {level.word}" for level in sorted(Level, reverse=True) if level and level in levels]
    told += [f"{len(now.lost)} UNKNOWN"] if now.lost else []
    told += [f"{len(now.stale)} STALE PRICE{'S' if len(now.stale) > 1 else ''}"] if now.stale else []
    sizes = f"{counted(len(now.view.wallets), 'wallet')}, {counted(len(now.found) + len(now.lost), 'position')}"
    counts = [Text(f"{sizes}: ") + bold(", ".join(told)) if told else Text(sizes)]
    if now.whole and not told and not now.records and not now.stale:
        counts.append(Text("no alert stands"))
    if now.shown & now.view.day_ago.keys():
        counts.append(italic("health (since a day ago) · collateral / debt"))
    return counts


# --- Positions --------------------------------------------------------------------------------------------------------


def _positions(now: _Standing) -> list[Text]:
    alerts: dict[str, list[Text]] = {}
    for record in now.records.values():
        if record.key.rule in OF_POSITIONS:
            alerts.setdefault(record.key.subject, []).append(_alert(record, now.view))
    shown, more = first(now.found, FOLLOWED)
    lost = [lines([unknown(one, now.view), *alerts.get(str(one.id), [])]) for one in now.lost]
    told = [lines([*_position(one, now.view), *alerts.get(str(one.position.id), [])]) for one in shown]
    return [*lost, *told, *more]


def _position(found: Found, view: View) -> list[Text]:
    old = Text() if found.sight.current(view.now) else ", " + bold("NOT CURRENT")
    then = view.day_ago.get(str(found.position.id))
    moved = "" if then is None else f" ({figures.health_change(found.position.health.factor, then)})"
    return [standing(found) + old, health(found.position) + f"{moved} · {sides(found.position)}"]


def _alert(record: Record, view: View) -> Text:
    name = f"{_RULES[record.key.rule]} {record.level.word}" if record.key.rule in _RULES else record.key.rule.value
    return Text(f"· {name} for {_for(record.since, view)}{_taken_care_of(record, view)}")


def _taken_care_of(record: Record, view: View) -> str:
    ack = view.acks.get(record.key)
    if ack is None or not ack.covers(record, view.now):
        return ""
    return f", snoozed for {figures.duration(ack.until - view.now)} more" if ack.snooze else ", acknowledged"


# --- Besides ----------------------------------------------------------------------------------------------------------


def _besides(now: _Standing) -> list[Text]:
    """Stale prices, and every alert that stands and is told nowhere else."""
    records, view, shown = now.records, now.view, now.shown
    late = [line + (_taken_care_of(records[key], view) if key in records else "") for key, line in now.stale.items()]
    rest = [
        record
        for key, record in records.items()
        if key.rule is not Rule.BLIND and key.subject not in shown and key not in now.stale
    ]
    told, more = first(rest, FOLLOWED)
    return [*late, *(Text(f"{view.subject(one.key)}\n") + _alert(one, view) for one in told), *more]


def _chain(sight: Sight, now: _Standing) -> list[Text]:
    """The block that was seen, and what is held and owed there: no total while a part of it is not known."""
    sums: dict[Numeraire, tuple[int, int]] = {}
    for one in (found.position for found in now.found if found.sight is sight):
        held, owed = sums.get(one.numeraire, (0, 0))
        sums[one.numeraire] = held + one.collateral, owed + one.debt
    current = sight.current(now.view.now)
    part = sight.snapshot is not None and any(one in sight.snapshot.unreadable for one in now.lost)
    word = "then " if not current else "at least " if part else ""
    totals = (
        f"· {word}collateral {figures.value(held, unit)}, debt {figures.value(owed, unit)}"
        for unit, (held, owed) in sums.items()
    )
    return [seen_at(sight, now.view.now), *map(Text, totals)]


def _muted(view: View) -> list[Text]:
    return [
        Text(f"muted up to {mute.level.word}: {'everything' if mute.wallet is None else view.label(mute.wallet)}")
        + f", for {figures.duration(mute.until - view.now)} more"
        for mute in view.mutes
        if mute.until > view.now
    ]


def _last_day(view: View) -> list[Text]:
    told = view.last_day
    if told is None:
        return [bold("The database cannot be read") + ": see the log"]
    parts = [f"{count} {level.word}" for level, count in told.raised.items()]
    parts += [f"{told.ended} ended"] if told.ended else []
    lost = [bold(f"{counted(told.lost, 'message')} could not be delivered") + ": see the log"] if told.lost else []
    return [Text(f"alerts in the last day: {', '.join(parts) or 'none'}"), *lost]


def _undelivered(view: View) -> list[Text]:
    backlog, told = view.backlog, []
    if backlog is not None:
        waits = (
            (backlog.moving, "waiting"),
            (backlog.held, "held back"),
            (backlog.refused, "for a chat that gets nothing"),
        )
        told = [f"{number} {where}" for number, where in waits if number]
    refusing = [bold(f"{name} gets nothing") + f": {clean(why, 120)}" for name, why in view.disabled.items()]
    return [*([Text(f"messages: {', '.join(told)}")] if told else []), *refusing]


def _next(view: View) -> Text:
    if view.schedule is None:
        return Text()
    return italic(f"next: {_moment(view.schedule.following(view.now))} ({view.schedule.zone})")


def _moment(moment: datetime) -> str:
    return f"{moment:%a} {moment.day} {moment:%b}, {moment:%H:%M}"


def _for(since: int, view: View) -> str:
    return figures.duration(max(view.now - since, 0))
