"""The diagnosis for people: endpoints chain by chain, then what they amount to and all else, each line with its mark.

Everything is built from `Text`, never from markup, as in `check/table.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from watcher.alerts import figures
from watcher.alerts.clean import shortened, visible
from watcher.chain.carrier import Carrier
from watcher.chain.probe import Probe
from watcher.doctor.findings import ChainFinding, Diagnosis, EndpointFinding, Grade
from watcher.terminal import ruled_table

_STYLES = {Grade.WELL: "green", Grade.NOTE: "dim", Grade.WARNING: "bold yellow", Grade.WRONG: "bold red"}
_LONGEST = 400
_WIRES = {"ws": "WebSocket", "ipc": "IPC"}
_VERDICTS = {
    Grade.WELL: "All is well.",
    Grade.NOTE: "All is well.",
    Grade.WARNING: "Works, with warnings (!).",
    Grade.WRONG: "Alerts can be lost (✗).",
}


def as_table(diagnosis: Diagnosis, width: int) -> Iterator[RenderableType]:
    """What to print, from top to bottom. `width` decides nothing yet: rich wraps the last column."""
    if diagnosis.chains:
        yield _endpoints(diagnosis)
        yield Text()
    yield _others(diagnosis)
    yield Text()
    worst = max(diagnosis.grades, default=Grade.WELL)
    yield Text(_VERDICTS[worst], style=_STYLES[worst] if worst > Grade.NOTE else "bold green")


def _endpoints(diagnosis: Diagnosis) -> Table:
    table = ruled_table()
    table.add_column("")
    table.add_column("Endpoint", overflow="fold", max_width=26)
    table.add_column("Newest block", overflow="fold", min_width=13)
    table.add_column("Header in", overflow="fold", justify="right")
    table.add_column("Can", overflow="fold", min_width=22)
    table.add_column("Verdict", overflow="fold", min_width=20)
    for chain in diagnosis.chains:
        table.add_row("", Text(visible(chain.spec.title), style="bold"))
        for one in chain.endpoints:
            table.add_row(_sign(one.grade), *_cells(one, chain, diagnosis.examined_at))
    return table


def _sign(grade: Grade) -> Text:
    return Text(grade.sign, style=_STYLES[grade])


def _verdict(one: ChainFinding | EndpointFinding) -> Text:
    return Text(shortened(visible(one.words), _LONGEST), style=_STYLES[one.grade] if one.grade > Grade.NOTE else "")


def _cells(one: EndpointFinding, chain: ChainFinding, now: int) -> tuple[Text, Text, Text, Text, Text]:
    found = one.probe
    latency = "—" if found.latency is None else f"{round(found.latency * 1000):,} ms"
    name = _stacked([Text(visible(found.endpoint)), Text(_WIRES.get(found.wire, ""), style="dim")])
    return name, _head(one, now), Text(latency), _abilities(found, chain), _verdict(one)


def _stacked(parts: Iterable[Text]) -> Text:
    return Text("\n").join(part for part in parts if part)


def _head(one: EndpointFinding, now: int) -> Text:
    head = one.probe.head
    if head is None:
        return Text("—")
    lag = f", {one.lag:,} behind" if one.lag and one.lag > 0 else ""
    age = Text(f"{figures.duration(head.age(now))} old{lag}", style="dim")
    return _stacked([Text(f"{head.number:,}"), age])


def _abilities(found: Probe, chain: ChainFinding) -> Text:
    """What it can do, a line for a kind; "?" where that is not known."""
    if found.head is None:
        return Text("—")
    lines = [
        _can({"by hash": found.by_hash, "override": found.carriers.get(Carrier.OVERRIDE)}),
        Text(" · ").join([_batch(found), Text("gas ?" if found.gas is None else f"{found.gas // 10**6:,} M gas")]),
        _state(found),
    ]
    known = {"known block": found.known_block} if chain.spec.known else {}
    heads = {"tells of heads": found.subscribes} if found.wire != "http" else {}
    return _stacked([*lines, _can(known | heads)])


def _can(abilities: dict[str, bool | None]) -> Text:
    return Text(" · ").join(_able(name, able) for name, able in abilities.items())


def _able(name: str, able: bool | None) -> Text:
    return Text(f"{name} {'?' if able is None else '✓' if able else '✗'}", style="" if able else "dim")


def _batch(found: Probe) -> Text:
    if found.carriers.get(Carrier.MULTICALL3) is False:
        return Text(f"no Multicall3, batch {found.calls or '—'}")
    return Text("batch ?" if found.calls is None else f"batch {found.calls}")


def _state(found: Probe) -> Text:
    """How far back there is state."""
    kept = [depth for depth, there in found.state.items() if there]
    if kept:
        return Text(f"state {max(kept):,} blocks back")
    return Text("no older state" if False in found.state.values() else "", style="dim")


def _others(diagnosis: Diagnosis) -> Table:
    table = Table(box=None, show_header=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column()
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for chain in diagnosis.chains:
        table.add_row(_sign(chain.grade), visible(chain.spec.title), _verdict(chain))
    before = ""
    for one in diagnosis.findings:
        words = Text(shortened(visible(one.words), _LONGEST), style="" if one.grade is not Grade.NOTE else "dim")
        table.add_row(_sign(one.grade), "" if one.part == before else one.part, words)
        before = one.part
    return table
