"""Answers to commands that only tell: pure, from what was last seen."""

from __future__ import annotations

from collections.abc import Sequence

from watcher.alerts import figures
from watcher.alerts.clean import clean
from watcher.alerts.message import Level, Text, bold, code, italic
from watcher.alerts.rules import Rules
from watcher.bot.arguments import chosen, nothing_more
from watcher.bot.phrases import (
    as_of,
    counted,
    doubted,
    first,
    health,
    lines,
    paragraphs,
    seen_at,
    sequencer,
    sides,
    standing,
    suspects,
    unknown,
    unsearched,
)
from watcher.bot.view import Found, Sight, View, label
from watcher.config import Wallet
from watcher.config.describe import written

MOST = 30
"""Positions told in one answer; the worst of them come first."""


# --- What is watched --------------------------------------------------------------------------------------------------


def status(arguments: Sequence[str], view: View) -> Text:
    nothing_more(arguments)
    return paragraphs([_watched(view), lines(_sight_lines(view)), lines(_delivery(view)), _program(view)])


def _watched(view: View) -> Text:
    found = view.found
    parts = [bold(f"Watching {counted(len(view.wallets), 'wallet')}"), Text(counted(len(found), "position"))]
    levels = [one.level for one in found]
    parts += [
        Text(f"· {levels.count(level)} {level.word}")
        for level in sorted(Level, reverse=True)
        if level and level in levels
    ]
    if found and found[0].position.health.required:
        parts.append(Text("lowest health ") + health(found[0].position) + f": {found[0].name}{doubted(found[0])}")
    if view.unreadable:
        parts.append(bold(f"{counted(len(view.unreadable), 'position')} UNKNOWN") + ", not readable")
    return lines([*parts, *unsearched(view)])


def _sight_lines(view: View) -> list[Text]:
    parts = []
    for sight in view.sights:
        parts.append(seen_at(sight, view.now))
        if sight.snapshot:
            parts.append(Text(f"· read through {clean(sight.snapshot.endpoint, 32)}"))
        parts += [Text("· ") + told for told in (*sequencer(sight, view.now), *suspects(sight, view))]
        parts += _trouble(sight)
        if sight.blind_since is not None:
            parts.append(Text("· ") + bold("BLIND") + f" for {_since(sight.blind_since, view)}")
    return parts


def _trouble(sight: Sight) -> list[Text]:
    """Why the chain cannot be seen, or else which of its endpoints are asked after the others."""
    if sight.unseen:
        waits = "cannot be read now" if sight.snapshot else "waiting for it"
        return [Text("· ") + bold(waits) + f": {clean(sight.unseen, 240)}"]
    troubled = [one for one in sight.endpoints if one.trouble]
    return [Text(f"· {clean(one.name, 32)}: {clean(one.trouble, 120)}") for one in troubled]


def _delivery(view: View) -> list[Text]:
    backlog = view.backlog
    if backlog is None:
        return [bold("The database cannot be read") + ": see the log"]
    oldest = f", the oldest for {_since(backlog.oldest, view)}" if backlog.oldest is not None else ""
    moving = f"{counted(backlog.moving, 'alert')} waiting{oldest}" if backlog.moving else "no alert is waiting"
    parts = [Text(moving)]
    if backlog.held:
        parts.append(Text(f"· {backlog.held} held by a mute or quiet hours"))
    if backlog.refused:
        parts.append(Text(f"· {backlog.refused} for a chat that gets nothing"))
    if backlog.dead:
        parts.append(bold(f"{backlog.dead} undelivered for good"))
    parts += [bold(f"{name} gets nothing") + f": {clean(why, 120)}" for name, why in view.disabled.items()]
    return parts


def _program(view: View) -> Text:
    return italic(f"version {view.version}, up {_since(view.started_at, view)}")


def _since(moment: int, view: View) -> str:
    return figures.duration(max(view.now - moment, 0))


# --- Positions --------------------------------------------------------------------------------------------------------


def positions(arguments: Sequence[str], view: View) -> Text:
    found, lost = _of_wallets(arguments, view)
    shown, more = first(found, MOST)
    told = [
        lines([standing(one), Text("health ") + health(one.position) + f" · {sides(one.position)}"]) for one in shown
    ]
    nothing = [] if found or lost else [_nothing(view)]
    return paragraphs([lines(lost), *told, *more, *nothing, as_of(view.sights, view.now)])


def healths(arguments: Sequence[str], view: View) -> Text:
    found, lost = _of_wallets(arguments, view)
    shown, more = first(found, 2 * MOST)
    told = [health(one.position) + " " + standing(one) for one in shown]
    nothing = [] if found or lost else [_nothing(view)]
    rows = [*lost, *told, *more, *nothing]
    return paragraphs([lines(rows), as_of(view.sights, view.now)])


def _nothing(view: View) -> Text:
    """That there is none, if everything has been looked at; otherwise that it is not known."""
    everything = all(sight.current(view.now) for sight in view.sights)
    if everything and view.unsearched:
        return Text("Not known: not everything has been searched yet.")
    return Text("No position." if everything else "Not known: not every chain can be seen.")


def _of_wallets(arguments: Sequence[str], view: View) -> tuple[list[Found], list[Text]]:
    """The positions that are asked for, and those of them that could not be read."""
    wallets = {wallet.address for wallet in chosen(arguments, view)}
    found = [one for one in view.found if one.wallet.address in wallets]
    return found, [unknown(one, view) for one in view.unreadable if one.id.wallet in wallets]


# --- Rules, and what there is to ask ----------------------------------------------------------------------------------


def thresholds(arguments: Sequence[str], view: View) -> Text:
    by_rules: dict[Rules, list[Wallet]] = {}
    for wallet in chosen(arguments, view):
        by_rules.setdefault(wallet.rules, []).append(wallet)
    return paragraphs(lines([bold(", ".join(map(label, whose))), *_rules(rules)]) for rules, whose in by_rules.items())


def _rules(rules: Rules) -> list[Text]:
    """As they would be written in the configuration."""
    return [Text(f"{key} = ") + code(value) for key, value in written(rules).items()]
