"""The report as a table for people: worst first, one look at each number, and what could not be seen named below.

Everything is built from `Text`, never from markup: no symbol or label can colour, link or break anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from watcher.alerts import figures
from watcher.alerts.clean import clean, shortened, visible
from watcher.alerts.message import Level
from watcher.alerts.outlook import foreseen
from watcher.alerts.trust import other_healths
from watcher.check.look import ChainReport, Finding, Report
from watcher.config import Wallet
from watcher.config.settings import short
from watcher.domain.position import Position, State
from watcher.domain.price import Freshness
from watcher.domain.source import Address, Block
from watcher.snapshot import too_old
from watcher.terminal import ruled_table

WIDE = 112
"""Columns from which every fact has a column of its own; below, they are stacked in pairs."""

_STYLES = {
    Level.OK: "green",
    Level.WARN: "bold yellow",
    Level.CRITICAL: "bold red",
    Level.LIQUIDATABLE: "bold reverse red",
}
_FRESHNESS = {Freshness.FRESH: "", Freshness.UNKNOWN: "magenta", Freshness.STALE: "bold yellow"}
_UNKNOWN = "magenta"
_STATES = {
    State.NO_DEBT: "no debt",
    State.LIQUIDATABLE_BUT_BLOCKED: "liquidatable,\nblocked now",
    State.DEBT_WITHOUT_COLLATERAL: "debt without\ncollateral",
}
_SHORT_NOTE = 32
_WHY_UNKNOWN = "Whether some of these prices are fresh is not known; watcher feeds --tree shows which, and why."
_LONGEST_REASON = 400


def as_table(report: Report, width: int) -> Iterator[RenderableType]:
    """What to print, from top to bottom, for a terminal so many characters wide."""
    parts: list[RenderableType] = [_positions(report, wide=width >= WIDE)] if report.findings else []
    parts += _remarks(report)
    parts += [Text(_WHY_UNKNOWN, style=_UNKNOWN)] if _ages_unknown(report) else []
    parts += not_seen(report)
    for index, part in enumerate(parts):
        if index:
            yield Text()
        yield part


def not_seen(report: Report) -> list[RenderableType]:
    """What could not be read, and the wallets of which nothing was found."""
    parts: list[RenderableType] = [_unseen(report)] if report.unreadable or report.unseen else []
    parts += [_unsearched(report)] if report.unsearched else []
    parts += [_idle(report)] if report.idle else []
    return [*parts, *([_not_known(report)] if report.not_known else [])]


def _ages_unknown(report: Report) -> bool:
    """Whether some debt rests on a price whose age nothing can be held against."""
    owing = (one.position for one in report.findings if one.position.health.required)
    return any(leg.price.freshness(one.at.timestamp) is Freshness.UNKNOWN for one in owing for leg in one.legs)


# --- Positions --------------------------------------------------------------------------------------------------------


def _positions(report: Report, *, wide: bool) -> Table:
    table = _table(_WIDE if wide else _NARROW)
    chains = {chain.spec.name: chain for chain in report.chains}
    for one in report.findings:
        chain = chains[one.position.at.chain]
        whose, where = _wallet(one), _market(one.position)
        has, owes = _side(one.position, owed=False), _side(one.position, owed=True)
        age, block = _price_age(one), _block(one.position.at, chain, report.checked_at)
        if wide:
            table.add_row(whose, where, has, owes, _health(one), _distance(one), age, block)
        else:
            sides = [Text("has ") + has, *([Text("owes ") + owes] if one.position.debt else [])]
            table.add_row(
                _stacked([whose, where]),
                _stacked(sides),
                _stacked([_health(one), _distance(one)]),
                _stacked([age, block]),
            )
    return table


_WIDE = {
    "Wallet": 0,
    "Market": 0,
    "Collateral": 14,
    "Debt": 14,
    "Health": 8,
    "To liquidation": 14,
    "Oldest price": 12,
    "Block": 10,
}
_NARROW = {"Wallet, market": 0, "Position": 20, "Health": 14, "Oldest price, block": 14}
"""Headings, and the width below which their column should not be squeezed."""


def _table(columns: Mapping[str, int]) -> Table:
    table = ruled_table()
    for heading, least in columns.items():
        table.add_column(heading, min_width=least or None, overflow="fold")
    return table


def _stacked(parts: Iterable[Text]) -> Text:
    return Text("\n").join(part for part in parts if part)


def _wallet(finding: Finding) -> Text:
    where = finding.position.id
    below = [] if finding.wallet.label == short(where.wallet) else [short(where.wallet)]
    below += [] if where.account == where.wallet else [short(where.account)]
    below += [clean(where.key, 32)] if where.key else []
    return _stacked([Text(visible(finding.wallet.label), style="bold"), *(Text(each, style="dim") for each in below)])


def _market(position: Position) -> Text:
    notes = [clean(note, _SHORT_NOTE) for note in position.notes if len(note) <= _SHORT_NOTE]
    return _stacked([Text(visible(position.market)), *(Text(note, style="dim") for note in notes)])


def _side(position: Position, *, owed: bool) -> Text:
    """The value of one side, and its tokens a line each."""
    value = position.debt if owed else position.collateral
    legs = [leg for leg in position.legs if (leg.amount < 0) == owed]
    tokens = [f"{figures.amount(abs(leg.amount), leg.asset.decimals)} {clean(leg.asset.symbol)}" for leg in legs]
    worth = figures.value(value, position.numeraire) if value or not owed else "—"
    return _stacked([Text(worth), *(Text(token, style="dim") for token in tokens)])


def _health(finding: Finding) -> Text:
    state = finding.position.state
    words = _STATES.get(state, finding.level.name.lower())
    shown = f"{figures.health(finding.position.health.factor)}\n{words}"
    style = "" if state is State.NO_DEBT else _STYLES[finding.level]
    remarks = ["mismatch"] * finding.mismatch + ["suspect price"] * finding.suspect
    return _stacked([Text(shown, style=style), *(Text(remark, style=_UNKNOWN) for remark in remarks)])


def _distance(finding: Finding) -> Text:
    position = finding.position
    if position.health.liquidatable:
        return Text("now", style=_STYLES[Level.LIQUIDATABLE])
    if position.state is State.NO_DEBT:
        return Text("—")
    if finding.unsure:
        return Text("unknown", style=_UNKNOWN)
    if not finding.liquidations:
        return Text("at no price\nof one asset")
    nearest = finding.liquidations[0]
    rise = "+" if nearest.distance > 0 else ""
    return Text(
        f"{clean(nearest.lever.name)} {rise}{figures.percent(nearest.distance)}\n"
        f"→ {figures.price(nearest.value, nearest.counted_in(position))}"
    )


def _price_age(finding: Finding) -> Text:
    oldest = finding.oldest_price
    if oldest is None:
        return Text("no feed")
    pair = clean(oldest.reading.pair, 20) if oldest.reading else ""
    return _stacked([Text(str(oldest), style=_FRESHNESS[oldest.freshness]), Text(pair, style="dim")])


def _block(block: Block, chain: ChainReport, now: int) -> Text:
    age = Text(f"{figures.duration(block.age(now))} old", style="dim")
    if too_old(chain.spec, block, now):
        age = Text(f"{figures.duration(block.age(now))} old:\nNOT CURRENT", style=_UNKNOWN)
    return _stacked([Text(f"{block.number:,}"), age])


# --- What is not in the table -----------------------------------------------------------------------------------------


def _remarks(report: Report) -> Iterator[Text]:
    """Notes too long for a cell, and why a distance is unknown."""
    for one in report.findings:
        where = f"{visible(one.wallet.label)}, {one.position.market}: "
        for note in one.position.notes:
            if len(note) > _SHORT_NOTE:
                yield Text(where + shortened(visible(note), _LONGEST_REASON), style=_UNKNOWN)
        for doubt in one.trust.doubts:
            said = shortened(visible(doubt.said), _LONGEST_REASON)
            yield Text(f"{where}{clean(doubt.name, 40)}: {doubt.suspicion.value}: {said}", style=_UNKNOWN)
        for ahead in foreseen(one.position):
            yield Text(where + ahead, style=_UNKNOWN)
        others = other_healths(one.trust)
        if others:
            yield Text(f"{where}health {others}", style=_UNKNOWN)
        if one.unsure and not one.mismatch:
            yield Text(f"{where}no liquidation price: {shortened(visible(one.unsure), _LONGEST_REASON)}", _UNKNOWN)


def _unseen(report: Report) -> Table:
    table = _table({"Not readable": 0, "Where": 0, "Why": 0})
    labels = {wallet.address: wallet.label for wallet in report.wallets}
    for one in report.unreadable:
        table.add_row(_named(labels, one.id.wallet), Text(one.market), _why(one.reason))
    for chain in report.unseen:
        seen = "; what is shown above is of that block" if chain.block and chain.findings else ""
        table.add_row(_everyone(chain.wallets), Text(chain.spec.title), _why(chain.problem + seen))
    return table


def _unsearched(report: Report) -> Table:
    table = _table({"Not yet searched": 0, "Where": 0, "Which": 0})
    labels = {wallet.address: wallet.label for wallet in report.wallets}
    for one in report.unsearched:
        why = f": {one.problem}" if one.problem else ""
        own = [] if one.account == one.wallet else [Text(short(one.account), style="dim")]
        table.add_row(_stacked([_named(labels, one.wallet), *own]), Text(one.market), _why(f"{one}{why}"))
    return table


def _named(labels: dict[Address, str], wallet: Address) -> Text:
    return Text(visible(labels[wallet]), style=f"bold {_UNKNOWN}")


def _everyone(wallets: Sequence[Wallet]) -> Text:
    name = visible(wallets[0].label) if len(wallets) == 1 else f"{len(wallets)} wallets"
    return Text(name, style=f"bold {_UNKNOWN}")


def _why(reason: str) -> Text:
    return Text(shortened(visible(reason), _LONGEST_REASON))


def _idle(report: Report) -> Text:
    old = {wallet.address for chain in report.unseen for wallet in chain.wallets}
    where = " in what could be read" if any(wallet.address in old for wallet in report.idle) else ""
    return Text(f"No position{where}: {_labels(report.idle)}")


def _not_known(report: Report) -> Text:
    whose = _labels(report.not_known)
    missing = "read and searched" if report.unsearched else "read"
    return Text(f"Not known, because not every chain could be {missing}: {whose}", style=_UNKNOWN)


def _labels(wallets: Iterable[Wallet]) -> str:
    return ", ".join(visible(wallet.label) for wallet in wallets)
