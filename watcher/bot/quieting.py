"""Commands by which people say what they have seen, and what they want to hear nothing of."""

from __future__ import annotations

from collections.abc import Sequence

from watcher.alerts import figures
from watcher.alerts.message import Level, Text, bold
from watcher.alerts.mute import Mute
from watcher.alerts.record import Key, Record, Rule
from watcher.bot.arguments import nothing_more, spanned, the_wallet
from watcher.bot.hands import Hands
from watcher.bot.phrases import counted, first, lines
from watcher.bot.reply import Reply
from watcher.bot.view import View, label

_ALL = ("all", "everything")
_MOST = 20
_RULES = {
    Rule.DISTANCE: "distance to liquidation",
    Rule.DROP: "fast drop",
    Rule.STALE: "stale",
    Rule.SUSPECT: "suspect",
    Rule.UNKNOWN_AGE: "price of unknown age",
    Rule.UNREADABLE: "unreadable",
    Rule.BLIND: "blind",
    Rule.SEQUENCER: "sequencer",
}


async def acknowledge(arguments: Sequence[str], view: View, hands: Hands, by: int) -> Reply:
    """`/ack`, `/ack all`, `/ack main`: what stands now, of all this chat's wallets or of one."""
    whose = None if _means_all(arguments) else the_wallet(arguments, view)
    standing = view.standing_of(whose)
    if not standing:
        return Reply(body=Text(f"Nothing stands{f' of {label(whose)}' if whose else ''}: nothing to acknowledge."))
    seen = await hands.handling.acknowledge([record.key for record in standing], by)
    return Reply(body=acknowledged(seen, view))


def _means_all(arguments: Sequence[str]) -> bool:
    return not arguments or (len(arguments) == 1 and arguments[0].casefold() in _ALL)


def acknowledged(seen: Sequence[Record], view: View) -> Text:
    """What has been seen by now, and what that means."""
    shown, more = first([Text(f"· {named(record.key, record.level, view)}") for record in seen], _MOST)
    head = bold("Acknowledged") + f": {counted(len(seen), 'alert')}."
    return lines([head, *shown, *more, Text("No reminder until it gets worse or ends, for a day at most.")])


def named(key: Key, level: Level, view: View) -> str:
    """An alert in a line: `CRITICAL · main · Aave v3`, and the rule where it is not health."""
    rule = _RULES.get(key.rule)
    return f"{level.word} · {view.subject(key)}{f' · {rule}' if rule else ''}"


# --- Mutes ------------------------------------------------------------------------------------------------------------


async def mute(arguments: Sequence[str], view: View, hands: Hands, by: int) -> Reply:
    """`/mute main 2h critical`: warnings, or what is critical too; never what is liquidatable."""
    names, seconds, level = spanned(arguments)
    whose = None if _means_all(names) else the_wallet(names, view)
    made = await hands.handling.mute(view.chat, whose.address if whose else None, level, seconds, by)
    return Reply(body=lines([bold("Muted") + f": {_told(made, view)}.", Text(_still_told(made.level))]))


def _still_told(level: Level) -> str:
    if level < Level.CRITICAL:
        return "What is critical is told. The rest is told when the mute ends; /unmute ends it now."
    return "What is liquidatable is told. The rest is told when the mute ends; /unmute ends it now."


async def unmute(arguments: Sequence[str], view: View, hands: Hands, _: int) -> Reply:
    """`/unmute`: everything of this chat; `/unmute main`: one wallet."""
    whose = None if _means_all(arguments) else the_wallet(arguments, view)
    ended = await hands.handling.unmute(view.chat, whose.address if whose else None)
    if not ended:
        return Reply(body=Text(f"Nothing {f'of {label(whose)} ' if whose else ''}is muted here."))
    return Reply(body=lines([bold("Not muted any more") + ":", *(Text(f"· {_scope(one, view)}") for one in ended)]))


def mutes(arguments: Sequence[str], view: View) -> Text:
    """What is muted in this chat."""
    nothing_more(arguments)
    if not view.mutes:
        return Text("Nothing is muted here.")
    return lines([bold("Muted here") + ":", *(Text(f"· {_told(one, view)}") for one in view.mutes)])


def _told(one: Mute, view: View) -> str:
    return f"{_scope(one, view)}, for {figures.duration(max(one.until - view.now, 0))}"


def _scope(one: Mute, view: View) -> str:
    upto = "warnings" if one.level < Level.CRITICAL else "warnings and what is critical"
    return f"{upto} of {'all wallets' if one.wallet is None else view.label(one.wallet)}"
