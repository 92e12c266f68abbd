"""Every command: a line in `COMMANDS`.

One that only tells is pure, and needs the role "read", which everybody has who may speak at all. One that changes
something needs "act", and is awaited. Some do either, by what stands behind them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from watcher.alerts.clean import clean
from watcher.alerts.message import Text, code, italic
from watcher.bot import editing, quieting
from watcher.bot.answers import healths, positions, status, thresholds
from watcher.bot.charting import chart
from watcher.bot.digest import digest
from watcher.bot.feeds import feeds
from watcher.bot.hands import Hands
from watcher.bot.phrases import lines, paragraphs
from watcher.bot.position import position
from watcher.bot.reply import Reply
from watcher.bot.view import Misunderstood, View
from watcher.bot.whatif import what_if
from watcher.config import Role

Telling = Callable[[Sequence[str], View], Text]
Acting = Callable[[Sequence[str], View, Hands, int], Awaitable[Reply]]
"""Takes the arguments, what the chat may see, what can be changed, and the number of the user who asks."""


def _always(_: Sequence[str]) -> bool:
    return True


def _alone(arguments: Sequence[str]) -> bool:
    return not arguments


def _without_settings(arguments: Sequence[str]) -> bool:
    return not any("=" in argument for argument in arguments)


async def _digest(arguments: Sequence[str], view: View, hands: Hands, _: int) -> Reply:
    return Reply(body=await asyncio.to_thread(digest, arguments, await hands.last_day(view)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """`form` is how it is written, `about` what it is for, in the words of the menu.

    It has `tell` or `act`, or both: then it tells where `tells` holds for its arguments. `role`: what `act` takes.
    """

    form: str
    about: str
    tell: Telling | None = None
    act: Acting | None = None
    tells: Callable[[Sequence[str]], bool] = _always
    role: Role = Role.ACT


async def answer(command: str, arguments: Sequence[str], view: View, hands: Hands, by: int) -> Reply:
    """What a command is answered. One that cannot be understood is told what is wrong with it, and the right form."""
    known = COMMANDS.get(command.casefold())
    if known is None:
        return Reply(body=Text(f"There is no command “{clean(command)}”.\n\n") + _help((), view))
    try:
        if known.tell is not None and (known.act is None or known.tells(arguments)):
            return Reply(body=await asyncio.to_thread(known.tell, arguments, view))
        if known.act is not None and view.role in (known.role, Role.ACT):
            return await known.act(arguments, view, hands, by)
    except Misunderstood as problem:
        return Reply(body=problem.body + "\nWrite " + code(known.form))
    return Reply(body=Text(f"In this chat commands may only ask: /{command.casefold()} takes ") + code('role = "act"'))


def _help(_: Sequence[str], view: View) -> Text:
    """What may be asked here, and in a line what it would take another role for."""
    mine = {name: one for name, one in COMMANDS.items() if one.tell or view.role in (one.role, Role.ACT)}
    others = [f"/{name}" for name in COMMANDS if name not in mine]
    rest = [Text(f"{', '.join(others)} take ") + code('role = "act"')] if others else []
    return paragraphs([*(lines([Text(one.form), italic(one.about)]) for one in mine.values()), *rest])


COMMANDS: Mapping[str, Command] = {
    "status": Command(form="/status", about="What is watched, and whether it can be seen", tell=status),
    "positions": Command(form="/positions [wallet]", about="Every position, the worst first", tell=positions),
    "position": Command(form="/position main [market]", about="One position: legs, prices, what to do", tell=position),
    "health": Command(form="/health [wallet]", about="Health in a line per position", tell=healths),
    "feeds": Command(form="/feeds", about="Price feeds under positions, the stalest first", tell=feeds),
    "whatif": Command(form="/whatif ETH -20% WBTC -10%", about="Health under other prices", tell=what_if),
    "chart": Command(
        form="/chart main [24h|7d]", about="Health and the price behind it, drawn", act=chart, role=Role.READ
    ),
    "digest": Command(
        form="/digest", about="How everything stands, and what the last day brought", act=_digest, role=Role.READ
    ),
    "ack": Command(form="/ack [wallet]", about="I have seen what stands: no more reminders", act=quieting.acknowledge),
    "mute": Command(
        form="/mute [wallet] 2h [critical]",
        about="Hold warnings back for a while; alone: what is muted",
        tell=quieting.mutes,
        act=quieting.mute,
        tells=_alone,
    ),
    "unmute": Command(form="/unmute [wallet]", about="Tell everything again", act=quieting.unmute),
    "thresholds": Command(
        form="/thresholds [wallet] [warn=1.4 critical=1.15]",
        about="The rules in force, or other ones",
        tell=thresholds,
        act=editing.adjust,
        tells=_without_settings,
    ),
    "watch": Command(
        form="/watch 0x… [label] [chains=base]", about="Watch one more address, once confirmed", act=editing.watch
    ),
    "unwatch": Command(form="/unwatch wallet", about="Watch a wallet no longer, once confirmed", act=editing.unwatch),
    "help": Command(form="/help", about="What can be asked", tell=_help),
}
