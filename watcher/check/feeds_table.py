"""The feeds under positions as a table for people: the stalest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from watcher.alerts import figures
from watcher.alerts.clean import clean, shortened, visible
from watcher.check.feeds import Dependent, FeedReport, Source, Standing
from watcher.check.table import WIDE, not_seen
from watcher.check.tree import STYLES, as_tree, worth_a_tree
from watcher.config.settings import short
from watcher.domain.feed import FeedReading, HeartbeatFrom
from watcher.domain.price import Freshness
from watcher.terminal import ruled_table

_UNKNOWN = STYLES[Freshness.UNKNOWN]
_MOST_NAMED = 6
_FROM = {
    HeartbeatFrom.PUBLISHED: "published",
    HeartbeatFrom.LEARNED: "learned",
    HeartbeatFrom.CONTRACT: "by contract",
    HeartbeatFrom.NOBODY: "",
}


def as_feeds_table(found: FeedReport, width: int, *, trees: bool = False) -> Iterator[RenderableType]:
    """What to print, from top to bottom, for a terminal so many characters wide. `trees`: with what prices are of."""
    parts: list[RenderableType] = [_feeds(found, wide=width >= WIDE)] if found.sources else []
    parts += [_lines(hidden)] if (hidden := list(_hidden(found))) else []
    parts += [_lines(lights)] if (lights := list(_lights(found))) else []
    if trees:
        parts += [as_tree(one) for one in found.prices if worth_a_tree(one.price)]
    parts += not_seen(found.report)
    for index, part in enumerate(parts):
        if index:
            yield Text()
        yield part


def _lines(lines: Iterable[Text]) -> Text:
    return Text("\n").join(lines)


# --- Sources ----------------------------------------------------------------------------------------------------------


def _feeds(found: FeedReport, *, wide: bool) -> Table:
    table = ruled_table()
    headings = _WIDE if wide else _NARROW
    for heading, least in headings.items():
        table.add_column(heading, min_width=least or None, overflow="fold")
    for source in found.sources:
        name, chain, age, beat, moves, due, hangs = _cells(source)
        if wide:
            table.add_row(name, chain, age, beat, moves, due, hangs)
        else:
            table.add_row(_lines([name, chain]), _lines([age, beat]), _lines([due, moves]), hangs)
    return table


_WIDE = {
    "Feed": 0,
    "Chain, kind": 0,
    "Age": 8,
    "Heartbeat": 9,
    "Deviation": 9,
    "Next update": 11,
    "Health per −1 %": 22,
}
_NARROW = {"Feed": 14, "Age, heartbeat": 9, "Next, deviation": 10, "Health per −1 %": 17}


def _cells(source: Source) -> tuple[Text, ...]:
    reading, now = source.age.reading, source.age.now
    chain = visible(source.chain.title)
    if reading is None:
        name, kind = short(source.age.source), "unknown source"
        unknown = Text("unknown", style=_UNKNOWN)
        none = Text("—")
        return Text(name, style="bold"), _dim(chain, kind), unknown, none, none, none, _hangs(source)
    return (
        Text(clean(reading.pair, 40), style="bold"),
        _dim(chain, f"{reading.kind} {short(reading.feed)}"),
        _age(reading, source),
        _beat(reading),
        Text(_percent(reading.deviation)),
        _next(reading, now),
        _hangs(source),
    )


def _dim(*lines: str) -> Text:
    return _lines(Text(line, style="dim") for line in lines)


def _age(reading: FeedReading, source: Source) -> Text:
    style = STYLES[source.age.freshness]
    if reading.updated_at <= 0:
        return Text("never\nupdated", style=style)
    if reading.updated_at > source.age.now:
        return Text("dated in\nthe future", style=style)
    told = Text(figures.duration(reading.age(source.age.now)), style=style)
    late = source.age.freshness is Freshness.STALE
    return _lines([told, Text("STALE", style=style)]) if late else told


def _beat(reading: FeedReading) -> Text:
    if reading.heartbeat is None:
        return Text("unknown", style=_UNKNOWN)
    learned = reading.heartbeat_from is HeartbeatFrom.LEARNED
    origin = Text(_FROM[reading.heartbeat_from], style=_UNKNOWN if learned else "dim")
    return _lines([Text(figures.duration(reading.heartbeat)), origin])


def _percent(deviation: Decimal | None) -> str:
    return "—" if deviation is None else f"{deviation.normalize():f} %"


def _next(reading: FeedReading, now: int) -> Text:
    due = reading.next_update
    if due is None:
        return Text("—")
    told = f"in {figures.duration(due - now)}" if due >= now else f"due {figures.duration(now - due)} ago"
    closed = [] if reading.hours.is_open(now) else [Text("market closed", style="dim")]
    return _lines([Text(told, style=STYLES[reading.freshness(now)]), *closed])


def _hangs(source: Source) -> Text:
    """Whose health hangs on it, and how much: those most who would lose most."""
    ordered = sorted(source.dependents, key=lambda one: abs(one.per_percent or Decimal(0)), reverse=True)
    lines = [_dependent(one) for one in ordered[:_MOST_NAMED]]
    rest = len(ordered) - _MOST_NAMED
    return _lines([*lines, *([Text(f"and {rest} more", style="dim")] if rest > 0 else [])])


def _dependent(one: Dependent) -> Text:
    label = Text(clean(one.finding.wallet.label, 20))
    if not one.finding.position.health.required:
        return label.append(" no debt", style="dim")
    if one.per_percent is None:
        return label.append(" not known", style=_UNKNOWN)
    return label.append(f" {figures.health_move(one.per_percent)}")


# --- What is not in the table -----------------------------------------------------------------------------------------


def _hidden(found: FeedReport) -> Iterator[Text]:
    for source in found.sources:
        if source.why:
            yield Text(f"{short(source.age.source)}: {shortened(visible(source.why), 160)}", style=_UNKNOWN)


def _lights(found: FeedReport) -> Iterator[Text]:
    """Health where second sources differ, and at the edge of what feeds may hold back."""
    for one in found.standings:
        lights = one.healths
        told = lights is None or lights.second is not None or lights.edge is not None
        if told and one.finding.position.health.required:
            yield _light(one)


def _light(one: Standing) -> Text:
    where = f"{clean(one.finding.wallet.label, 32)} · {clean(one.finding.position.market, 40)}: "
    if one.healths is None:
        return Text(f"{where}health by other prices is not known: {shortened(visible(one.why), 160)}", style=_UNKNOWN)
    told = [f"health {figures.health(one.healths.now)}"]
    if one.healths.second is not None:
        told.append(f"{figures.health(one.healths.second)} by second sources")
    if one.healths.edge is not None:
        told.append(f"{figures.health(one.healths.edge)} at worst before an update is due")
    return Text(where + ", ".join(told))
