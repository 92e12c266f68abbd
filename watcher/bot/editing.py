"""Commands that edit the wallets file: each says what would change, and a button makes it so.

A chat edits its own wallets only. What it adds is told to it alone, unless nobody else is ever told anything; and it is
looked for on the chains that the chat's wallets are on, unless others are named.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from watcher.alerts.clean import clean, visible
from watcher.alerts.message import Text, bold, code
from watcher.alerts.rules import Rules
from watcher.bot.arguments import label_from, rules_from, settings_in, the_wallet
from watcher.bot.hands import Hands
from watcher.bot.phrases import counted, doubted, health, lines, paragraphs
from watcher.bot.proposals import LIVES, Proposal
from watcher.bot.reply import Reply
from watcher.bot.view import Misunderstood, Sight, View, label
from watcher.buttons import Action, Button, Keyboard
from watcher.config import Wallet
from watcher.config.describe import written
from watcher.config.forms import own_address
from watcher.config.settings import short
from watcher.domain.errors import ConfigError
from watcher.domain.source import Address
from watcher.wallets import Add, Adjust, Change, Edit, Remove

_CHAINS: Final = "chains"
_OFF: Final = "off"
_MOST_PROBLEMS: Final = 10


async def watch(arguments: Sequence[str], view: View, hands: Hands, _: int) -> Reply:
    """`/watch 0x… label`, and where it is to be looked for: `chains=base,ethereum`."""
    words, settings = settings_in(arguments)
    if not words:
        raise Misunderstood("Which address?")
    address = _address(words[0], view)
    named = [chain for chain in settings.pop(_CHAINS, "").split(",") if chain]
    change = Add(
        address=address,
        label=label_from(words[1:]),
        chains=named or [sight.spec.name for sight in view.sights],
        chats=() if view.alone else (view.chat,),
        rules={key: value for key, value in rules_from(settings).items() if value is not None},
    )
    return await _proposed(change, view, hands)


async def unwatch(arguments: Sequence[str], view: View, hands: Hands, _: int) -> Reply:
    """`/unwatch main`: named, even where it is the only one."""
    if not arguments:
        raise Misunderstood(f"Which? There are: {', '.join(label(one) for one in view.wallets[:12]) or 'none'}.")
    return await _proposed(Remove(the_wallet(arguments, view).address), view, hands)


async def adjust(arguments: Sequence[str], view: View, hands: Hands, _: int) -> Reply:
    """`/thresholds main warn=1.4`; `warn=default` takes back what the wallet has of its own."""
    words, settings = settings_in(arguments)
    wallet = the_wallet(words, view)
    return await _proposed(Adjust(wallet.address, rules_from(settings)), view, hands)


def _address(written: str, view: View) -> Address:
    """One that is not watched yet."""
    try:
        address = own_address(written)
    except ValueError as problem:
        raise Misunderstood(code(visible(str(problem)))) from problem
    if address is None:
        raise Misunderstood(f"“{clean(written)}” is no address.")
    known = next((one for one in view.wallets if one.address == address), None)
    if known is not None:
        raise Misunderstood(f"{short(address)} is watched already: {label(known)}.")
    if address in view.elsewhere:
        raise Misunderstood(
            f"{short(address)} cannot be added from here: it is in the configuration, for others to be told."
            " Whoever edits that can add this chat to it."
        )
    return address


# --- Proposing --------------------------------------------------------------------------------------------------------


async def _proposed(change: Change, view: View, hands: Hands) -> Reply:
    try:
        edit = await hands.edit(change)
    except ConfigError as problem:
        return Reply(body=refused(problem))
    if edit.was == edit.becomes:
        return Reply(body=Text("That is so already: there is nothing to change."))
    question = _question(edit)
    proposal = hands.proposals.make(view.chat, edit, question)
    wait = Text(f"Nothing is changed until you confirm, within {LIVES // 60} min.")
    return Reply(body=paragraphs([question, wait]), keyboard=_keyboard(proposal, hands), sent=proposal.posted)


def _keyboard(proposal: Proposal, hands: Hands) -> Keyboard:
    def button(name: str, action: Action) -> Button:
        return Button(name, hands.seal.sealed(action, proposal.chat, proposal.ref))

    return ((button("Confirm", Action.CONFIRM), button("Cancel", Action.CANCEL)),)


def _question(edit: Edit) -> Text:
    """What an edit would change, for people."""
    was, becomes = edit.was, edit.becomes
    if was is not None and becomes is not None:
        changes = _changes(was.rules, becomes.rules)
        return lines([bold(f"Other rules for {label(becomes)}?"), *changes])
    if becomes is not None:
        return lines([bold(f"Watch {label(becomes)}?"), *_described(becomes, edit.gained)])
    if was is not None:
        return lines([bold(f"Watch {label(was)} no longer?"), *_described(was, edit.lost)])
    return lines(map(Text, edit.lines))


def _described(wallet: Wallet, told: Iterable[str]) -> list[Text]:
    """The address, to be compared, and the rest of the line by which the command line describes a wallet."""
    rest = [line.removeprefix(f"{wallet.label} {wallet.address}: ") for line in told]
    parts = [part for line in rest for part in line.split("; ")]
    return [code(wallet.address), *(Text(f"alerts {part}" if part.startswith("to ") else part) for part in parts)]


def _changes(was: Rules, becomes: Rules) -> list[Text]:
    old, new = written(was), written(becomes)
    keys = [key for key in old | new if old.get(key) != new.get(key)]
    return [Text(f"{key} = ") + code(old.get(key, _OFF)) + " → " + code(new.get(key, _OFF)) for key in keys]


def refused(problem: ConfigError) -> Text:
    """What the configuration says against an edit: as code, in which no client looks for links."""
    told = [code(visible(line)) for line in str(problem).splitlines()]
    return lines([bold("Nothing was changed."), *told[:_MOST_PROBLEMS]])


# --- What came of it --------------------------------------------------------------------------------------------------


def in_force(edit: Edit, view: View) -> bool:
    """Whether the watcher goes by it, and has looked at whatever is new."""
    if edit.becomes is None:
        return edit.was not in view.wallets
    return edit.becomes in view.wallets and all(sight.snapshot for sight in _sights(edit.becomes, view))


def outcome(edit: Edit, view: View) -> Text:
    """What there is to tell once it is in force."""
    wallet = edit.becomes
    if wallet is None:
        return Text("Not watched any more.")
    if edit.was is not None:
        return bold(label(wallet)) + ": the rules are in force."
    found = [one for one in view.found if one.wallet == wallet]
    lost = [one for one in view.unreadable if one.id.wallet == wallet.address]
    told = bold(f"Watching {label(wallet)}") + f": {counted(len(found), 'position') if found else 'no position'}"
    owing = [one for one in found if one.position.health.required]
    if owing:
        told += ", lowest health " + health(owing[0].position) + doubted(owing[0])
    if lost:
        told += ", " + bold(f"{len(lost)} UNKNOWN") + ", not readable"
    return told


def _sights(wallet: Wallet, view: View) -> list[Sight]:
    return [sight for sight in view.sights if sight.spec.name in wallet.chains]
