"""Charts on demand: of the position that is named, or of the worst that an alert tells of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from watcher.alerts.message import Text
from watcher.bot.arguments import the_wallet
from watcher.bot.hands import Hands
from watcher.bot.phrases import counted
from watcher.bot.position import at_market, nothing_there
from watcher.bot.reply import Reply
from watcher.bot.view import Found, View, label

_DAY: Final = 86_400
_SPANS: Final = {"24h": _DAY, "1d": _DAY, "day": _DAY, "7d": 7 * _DAY, "week": 7 * _DAY}


async def chart(arguments: Sequence[str], view: View, hands: Hands, _: int) -> Reply:
    """`/chart main base 7d`: of several positions that this may mean the worst."""
    words, seconds = list(arguments), _DAY
    if words and words[-1].casefold() in _SPANS:
        seconds = _SPANS[words.pop().casefold()]
    wallet, rest = view.wallet_named(words) if words else (the_wallet((), view), ())
    market = " ".join(rest).casefold()
    found = [one for one in view.found if one.wallet == wallet and at_market(one.position, market)]
    if not found:
        return Reply(body=Text(nothing_there(label(wallet), market)))
    return await drawn(found, seconds, view, hands)


async def drawn(found: Sequence[Found], seconds: int, view: View, hands: Hands) -> Reply:
    """The chart of the first of these, and how to come by those of the others. Raises what `Hands.chart` does."""
    png, caption = await hands.chart(view.chat, found[0], seconds)
    if len(found) > 1:
        caption += f"\nThe worst of {counted(len(found), 'position')}; /chart main base 7d draws the one that you name."
    return Reply(body=caption, photo=png)
