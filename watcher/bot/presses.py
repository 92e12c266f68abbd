"""Every button: a line in `BUTTONS`. What it does is done before anything is said, and doing it twice is doing it once.

A press counts where its message is what our records say: of an alert, the message that told of it; of a proposal, the
one that asked. Anything else is out of date, and does nothing. What has got worse since a message was written is no
more that message's to acknowledge: it has one of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from watcher.alerts import figures
from watcher.alerts.message import Text
from watcher.alerts.record import Key, Record
from watcher.bot.access import Push
from watcher.bot.charting import drawn
from watcher.bot.details import details
from watcher.bot.editing import refused
from watcher.bot.hands import Alert, Hands
from watcher.bot.phrases import counted
from watcher.bot.proposals import Proposal
from watcher.bot.quieting import named
from watcher.bot.reply import Reply
from watcher.bot.view import View
from watcher.buttons import Action, Keyboard, Pressed
from watcher.config import Role
from watcher.domain.errors import ConfigError
from watcher.wallets import Edit

OUT_OF_DATE: Final = "This button is out of date."
MAY_ONLY_ASK: Final = 'In this chat one may only ask: this takes role = "act".'
OVER: Final = "It stands no more as this message says."


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What comes of a press. `nod`: a few words to whoever pressed. `shows`: what the message under which it was says
    from now on; without a text, only its buttons are others. `reply`: what answers that message. `edit` has been saved,
    and is to be followed. `handled` are the conditions that somebody has said something about."""

    nod: str
    shows: tuple[Text | None, Keyboard] | None = None
    reply: Reply | None = None
    edit: Edit | None = None
    handled: Sequence[Key] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A button of this chat's that somebody pressed, what they may see, and what can be changed."""

    push: Push
    button: Pressed
    view: View
    hands: Hands


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What a button does, and what it takes to press it."""

    do: Callable[[Press], Awaitable[Response]]
    role: Role = Role.ACT


async def respond(push: Push, view: View, hands: Hands) -> Response:
    """Does what the button says, if it is one of this chat and may be pressed."""
    deed = BUTTONS.get(push.pressed.action) if push.pressed else None
    if push.pressed is None or deed is None:
        return Response(nod=OUT_OF_DATE)
    if deed.role is Role.ACT and view.role is not Role.ACT:
        return Response(nod=MAY_ONLY_ASK)
    return await deed.do(Press(push=push, button=push.pressed, view=view, hands=hands))


# --- Alerts -----------------------------------------------------------------------------------------------------------


def _of_alert(do: Callable[[Press, Alert], Awaitable[Response]]) -> Callable[[Press], Awaitable[Response]]:
    """A button under an alert; `do` is given the alert, if the button is under its message."""

    async def done(press: Press) -> Response:
        alert = await press.hands.alert(press.button.ref)
        if alert is None or (alert.chat, alert.message) != (press.push.chat.name, press.push.message):
            return Response(nod=OUT_OF_DATE)
        return await do(press, alert)

    return done


async def _acknowledge(press: Press, alert: Alert) -> Response:
    return await _acknowledged(press, _standing(alert, press))


async def _acknowledge_one(press: Press, alert: Alert) -> Response:
    meant = [member.key for place, member in enumerate(alert.members) if str(place) == press.button.arg]
    return await _acknowledged(press, [key for key in _standing(alert, press) if key in meant])


async def _acknowledged(press: Press, keys: Sequence[Key]) -> Response:
    said = await press.hands.handling.acknowledge(keys, press.push.by) if keys else ()
    return _handled(said, "Acknowledged", "No reminder until it gets worse or ends, for a day at most.")


async def _snooze(press: Press, alert: Alert) -> Response:
    keys, seconds = _standing(alert, press), int(press.button.arg)
    said = await press.hands.handling.snooze(keys, seconds, press.push.by) if keys else ()
    return _handled(said, f"Snoozed for {figures.duration(seconds)}", "Told again then, or as soon as it gets worse.")


async def _until_worse(press: Press, alert: Alert) -> Response:
    keys = _standing(alert, press)
    said = await press.hands.handling.until_worse(keys, press.push.by) if keys else ()
    return _handled(said, "Quiet until it gets worse", "For a week at most.")


def _handled(said: Sequence[Record], done: str, means: str) -> Response:
    if not said:
        return Response(nod=OVER)
    many = f", {counted(len(said), 'alert')}" if len(said) > 1 else ""
    return Response(nod=f"{done}{many}. {means}", handled=[record.key for record in said])


async def _choose(press: Press, alert: Alert) -> Response:
    if not _standing(alert, press):
        return Response(nod=OVER)
    names = [named(member.key, member.level, press.view) for member in alert.members]
    return Response(nod="All of it, or one?", shows=(None, press.hands.panel.choosing(alert.chat, alert.id, names)))


async def _back(press: Press, alert: Alert) -> Response:
    keys, standing = [member.key for member in alert.members], _standing(alert, press)
    handled = bool(standing) and all(key in press.hands.handling.acks for key in standing)
    return Response(nod="", shows=(None, press.hands.panel.alert(alert.chat, alert.id, keys, handled=handled)))


async def _details(press: Press, alert: Alert) -> Response:
    told = await asyncio.to_thread(details, press.view, [member.key for member in alert.members])
    return Response(nod="", reply=Reply(body=told))


async def _chart(press: Press, alert: Alert) -> Response:
    subjects = {member.key.subject for member in alert.members}
    found = [one for one in press.view.found if str(one.position.id) in subjects]
    if not found:
        return Response(nod="There is no position to draw any more.")
    return Response(nod="", reply=await drawn(found, int(press.button.arg), press.view, press.hands))


def _standing(alert: Alert, press: Press) -> list[Key]:
    """What this message tells of, is still this chat's, and goes on, no worse than it says: at this moment, so that
    nothing that got worse since the press was heard is taken for seen."""
    told = (member for member in alert.members if press.view.concerns(member.key))
    found = ((member, press.hands.handling.record(member.key)) for member in told)
    return [member.key for member, record in found if record and member.stands(record) and record.level <= member.level]


# --- Proposals --------------------------------------------------------------------------------------------------------


async def _confirm(press: Press) -> Response:
    proposal = await _proposal(press)
    if proposal is None:
        return Response(nod=OUT_OF_DATE)
    try:
        await asyncio.to_thread(proposal.edit.save)
    except ConfigError as problem:
        return Response(nod="Nothing was changed.", shows=(refused(problem), ()))
    saved = proposal.question + "\n\nSaved. It is in force within seconds."
    return Response(nod="Saved.", shows=(saved, ()), edit=proposal.edit)


async def _cancel(press: Press) -> Response:
    proposal = await _proposal(press)
    if proposal is None:
        return Response(nod=OUT_OF_DATE)
    return Response(nod="Cancelled.", shows=(proposal.question + "\n\nCancelled: nothing was changed.", ()))


async def _proposal(press: Press) -> Proposal | None:
    """The one that stands under this message, taken: whoever presses next finds none."""
    return await press.hands.proposals.take(press.button.ref, press.push.chat.name, press.push.message)


BUTTONS: Final[Mapping[Action, Deed]] = {
    Action.ACK: Deed(do=_of_alert(_acknowledge)),
    Action.ACK_ONE: Deed(do=_of_alert(_acknowledge_one)),
    Action.CHOOSE: Deed(do=_of_alert(_choose)),
    Action.BACK: Deed(do=_of_alert(_back)),
    Action.SNOOZE: Deed(do=_of_alert(_snooze)),
    Action.UNTIL_WORSE: Deed(do=_of_alert(_until_worse)),
    Action.DETAILS: Deed(do=_of_alert(_details), role=Role.READ),
    Action.CHART: Deed(do=_of_alert(_chart), role=Role.READ),
    Action.CONFIRM: Deed(do=_confirm),
    Action.CANCEL: Deed(do=_cancel),
}
