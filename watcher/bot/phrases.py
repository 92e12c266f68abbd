"""Lines that several answers share, each short enough for a telephone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

from watcher.alerts import figures, sequencing, trust
from watcher.alerts.ages import PriceAge
from watcher.alerts.clean import clean
from watcher.alerts.message import Level, Text, bold, code, joined
from watcher.bot.view import Found, Sight, View
from watcher.domain.position import Position, Unreadable
from watcher.domain.price import Freshness
from watcher.domain.searched import Unsearched
from watcher.domain.sequencer import Running

T = TypeVar("T")

_SUSPECTS: Final = 8


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def paragraphs(parts: Iterable[Text]) -> Text:
    return joined([part for part in parts if part.text], "\n\n")


def lines(parts: Iterable[Text]) -> Text:
    return joined(list(parts))


def first(items: Sequence[T], most: int) -> tuple[Sequence[T], list[Text]]:
    """As many as a message bears, and a line about the rest of them."""
    rest = len(items) - most
    return items[:most], [Text(f"… and {rest} more")] if rest > 0 else []


def health(position: Position) -> Text:
    return code(figures.health(position.health.factor))


def standing(found: Found) -> Text:
    """`WARNING · main · Aave v3 Base`; what is well has no first word."""
    return named(found.level, found)


def named(level: Level, found: Found) -> Text:
    name = bold(level.word) + f" · {found.name}" if level else bold(found.name)
    return name + doubted(found)


def doubted(found: Found) -> str:
    """` · SUSPECT PRICE`, ` · STALE PRICE`: what is wrong with the prices that its health is made of, if anything."""
    return trust.beside(found.position, found.trust)


def sides(position: Position) -> str:
    """What is held and what is owed, in value."""
    held = figures.value(position.collateral, position.numeraire)
    return f"{held} / {figures.value(position.debt, position.numeraire)}" if position.debt else f"{held}, no debt"


def unknown(unreadable: Unreadable, view: View) -> Text:
    """A position that could not be read; never left out, and never an all-clear."""
    return bold("UNKNOWN") + f" · {view.label(unreadable.id.wallet)} · {clean(unreadable.market, 40)}"


def age(price: PriceAge) -> str:
    """`12 min / 1 h`: its age, and within what an update is promised."""
    fresh = ", fresh" if price.freshness is Freshness.FRESH else ""
    return "age unknown, its source is hidden" if price.reading is None else f"{price}{fresh}"


def as_of(sights: Iterable[Sight], now: int) -> Text:
    """The block of each chain that an answer speaks of, with its age."""
    return lines(dict.fromkeys(seen_at(sight, now) for sight in sights))


def seen_at(sight: Sight, now: int) -> Text:
    if sight.snapshot is None:
        return Text(f"{sight.title}: ") + bold("NOT SEEN YET")
    block = sight.snapshot.block
    told = Text(f"{sight.title}: block {block.number:,}, {figures.duration(max(block.age(now), 0))} old")
    return told if sight.current(now) else told + ", " + bold("NOT CURRENT")


def suspects(sight: Sight, view: View) -> list[Text]:
    """The prices of a chain that are doubted under this chat's positions, each in a line."""
    ours = {str(one.position.id) for one in view.found if one.sight is sight}
    doubts = sight.judged.doubts if sight.judged else ()
    found = {
        (one.name, one.suspicion.value)
        for one in doubts
        if any(str(about.id) in ours and about.health.required for about in one.about)
    }
    shown, more = first(sorted(found), _SUSPECTS)
    return [*(bold("SUSPECT PRICE") + f" {clean(name, 40)}: {check}" for name, check in shown), *more]


def sequencer(sight: Sight, now: int) -> list[Text]:
    """That the chain's sequencer is not up, or only just, in a line; nothing where all is well or nothing tells."""
    seen = sight.snapshot
    if seen is None or seen.sequencer is None:
        return []
    report, at = seen.sequencer, seen.block.timestamp
    if report.state is Running.UP and not report.settling(at):
        return []
    name = bold(sequencing.name(report, at))
    return [name if report.state is Running.UNKNOWN else name + f" for {figures.duration(max(now - report.since, 0))}"]


def unsearched(view: View) -> list[Text]:
    """Where more may be held than was found, a line a market: never "no position"."""
    by_market: dict[str, list[Unsearched]] = {}
    for one in view.unsearched:
        by_market.setdefault(one.market, []).append(one)
    return [_unsearched(market, found, view) for market, found in by_market.items()]


def _unsearched(market: str, found: Sequence[Unsearched], view: View) -> Text:
    wallets = dict.fromkeys(one.wallet for one in found)
    whose = view.label(next(iter(wallets))) if len(wallets) == 1 else counted(len(wallets), "wallet")
    most = max(found, key=lambda one: one.blocks)
    why = f" ({clean(most.problem, 160)})" if most.problem else ""
    return bold("not yet searched") + f" · {whose} · {clean(market, 40)}: {most}{why}"
