"""Every command and its answer: pure, from what was last seen.

A command is a line in `COMMANDS`. One that only tells needs the role "read", which everybody has who may speak at all;
one that changes something needs "act".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from watcher.alerts import figures
from watcher.alerts.clean import clean
from watcher.alerts.message import Level, Text, bold, code, italic
from watcher.alerts.rules import Rules
from watcher.bot.feeds import feeds
from watcher.bot.phrases import as_of, counted, first, health, lines, paragraphs, seen_at, sides, standing, unknown
from watcher.bot.position import position
from watcher.bot.view import Found, Misunderstood, View, label
from watcher.bot.whatif import what_if
from watcher.config import Role, Wallet
from watcher.config.describe import written

MOST = 30
"""Positions told in one answer; the worst of them come first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """`form` is how it is written, `about` what it is for, in the words of the menu."""

    form: str
    about: str
    answer: Callable[[Sequence[str], View], Text]
    role: Role = Role.READ


def answer(command: str, arguments: Sequence[str], view: View) -> Text:
    """What a command is answered. One that cannot be understood is told what is wrong with it, and the right form."""
    known = COMMANDS.get(command.casefold())
    if known is None:
        return Text(f"There is no command “{clean(command)}”.\n\n") + _help((), view)
    if known.role is Role.ACT and view.role is not Role.ACT:
        return Text(f"In this chat commands may only ask: /{command} takes ") + code('role = "act"')
    try:
        return known.answer(arguments, view)
    except Misunderstood as problem:
        return Text(f"{problem}\nWrite ") + code(known.form)


# --- What is watched --------------------------------------------------------------------------------------------------


def _status(arguments: Sequence[str], view: View) -> Text:
    _nothing_more(arguments)
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
        parts.append(Text("lowest health ") + health(found[0].position) + f": {found[0].name}")
    if view.unreadable:
        parts.append(bold(f"{counted(len(view.unreadable), 'position')} UNKNOWN") + ", not readable")
    return lines(parts)


def _sight_lines(view: View) -> list[Text]:
    parts = []
    for sight in view.sights:
        parts.append(seen_at(sight, view.now))
        if sight.snapshot:
            parts.append(Text(f"· read through {clean(sight.snapshot.endpoint, 32)}"))
        if sight.blind_since is not None:
            parts.append(Text("· ") + bold("BLIND") + f" for {_since(sight.blind_since, view)}")
    return parts


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
        parts.append(Text(f"· {backlog.refused} for a chat that refuses"))
    if backlog.dead:
        parts.append(bold(f"{backlog.dead} undelivered for good"))
    parts += [bold(f"{name} gets nothing") + f": {clean(why, 120)}" for name, why in view.disabled.items()]
    return parts


def _program(view: View) -> Text:
    return italic(f"version {view.version}, up {_since(view.started_at, view)}")


def _since(moment: int, view: View) -> str:
    return figures.duration(max(view.now - moment, 0))


# --- Positions --------------------------------------------------------------------------------------------------------


def _positions(arguments: Sequence[str], view: View) -> Text:
    found, lost = _of_wallets(arguments, view)
    shown, more = first(found, MOST)
    told = [
        lines([standing(one), Text("health ") + health(one.position) + f" · {sides(one.position)}"]) for one in shown
    ]
    nothing = [] if found or lost else [_nothing(view)]
    return paragraphs([lines(lost), *told, *more, *nothing, as_of(view.sights, view.now)])


def _health(arguments: Sequence[str], view: View) -> Text:
    found, lost = _of_wallets(arguments, view)
    shown, more = first(found, 2 * MOST)
    told = [health(one.position) + " " + standing(one) for one in shown]
    nothing = [] if found or lost else [_nothing(view)]
    rows = [*lost, *told, *more, *nothing]
    return paragraphs([lines(rows), as_of(view.sights, view.now)])


def _nothing(view: View) -> Text:
    """That there is none, if everything has been looked at; otherwise that it is not known."""
    everything = all(sight.current(view.now) for sight in view.sights)
    return Text("No position." if everything else "Not known: not every chain can be seen.")


def _of_wallets(arguments: Sequence[str], view: View) -> tuple[list[Found], list[Text]]:
    """The positions that are asked for, and those of them that could not be read."""
    wallets = {wallet.address for wallet in _chosen(arguments, view)}
    found = [one for one in view.found if one.wallet.address in wallets]
    return found, [unknown(one, view) for one in view.unreadable if one.id.wallet in wallets]


def _chosen(arguments: Sequence[str], view: View) -> Sequence[Wallet]:
    """The wallet that is named, or all of them."""
    if not arguments:
        return view.wallets
    wallet, rest = view.wallet_named(arguments)
    _nothing_more(rest)
    return [wallet]


def _nothing_more(arguments: Sequence[str]) -> None:
    if arguments:
        raise Misunderstood(f"“{clean(' '.join(arguments))}” is more than it takes.")


# --- Rules, and what there is to ask ----------------------------------------------------------------------------------


def _thresholds(arguments: Sequence[str], view: View) -> Text:
    by_rules: dict[Rules, list[Wallet]] = {}
    for wallet in _chosen(arguments, view):
        by_rules.setdefault(wallet.rules, []).append(wallet)
    return paragraphs(lines([bold(", ".join(map(label, whose))), *_rules(rules)]) for rules, whose in by_rules.items())


def _rules(rules: Rules) -> list[Text]:
    """As they would be written in the configuration."""
    return [Text(f"{key} = ") + code(value) for key, value in written(rules).items()]


def _help(_: Sequence[str], __: View) -> Text:
    return paragraphs(lines([Text(command.form), italic(command.about)]) for command in COMMANDS.values())


COMMANDS: Mapping[str, Command] = {
    "status": Command(form="/status", about="What is watched, and whether it can be seen", answer=_status),
    "positions": Command(form="/positions [wallet]", about="Every position, the worst first", answer=_positions),
    "position": Command(
        form="/position main [market]", about="One position: legs, prices, what to do", answer=position
    ),
    "health": Command(form="/health [wallet]", about="Health in a line per position", answer=_health),
    "feeds": Command(form="/feeds", about="Price feeds under positions, the stalest first", answer=feeds),
    "whatif": Command(form="/whatif ETH -20% WBTC -10%", about="Health under other prices", answer=what_if),
    "thresholds": Command(form="/thresholds [wallet]", about="The rules in force", answer=_thresholds),
    "help": Command(form="/help", about="What can be asked", answer=_help),
}
