"""One wallet's position, or its few, in full: "/position main"."""

from __future__ import annotations

from collections.abc import Sequence

from watcher.alerts.clean import clean
from watcher.alerts.message import Text
from watcher.bot.details import IN_FULL, card, unread
from watcher.bot.phrases import as_of, first, lines, paragraphs, unsearched
from watcher.bot.view import Misunderstood, View, label
from watcher.domain.position import Position, Unreadable


def position(arguments: Sequence[str], view: View) -> Text:
    """Every leg with its price, feed and age; liquidation prices; what would bring it back to its target."""
    if not arguments:
        raise Misunderstood(f"Whose? There are: {', '.join(label(one) for one in view.wallets[:12])}.")
    wallet, rest = view.wallet_named(arguments)
    market = " ".join(rest).casefold()
    found = [one for one in view.found if one.wallet == wallet and at_market(one.position, market)]
    lost = [one for one in view.unreadable if one.id.wallet == wallet.address and at_market(one, market)]
    if not found and not lost:
        nothing = Text(nothing_there(label(wallet), market))
        return paragraphs([nothing, lines(unsearched(view)), as_of(view.sights, view.now)])
    if len(found) > IN_FULL:
        choices, more = first([Text(f"· {clean(one.position.market, 40)}") for one in found], 30)
        return paragraphs(
            [Text(f"{label(wallet)} has {len(found)} positions. Name the market too:"), lines([*choices, *more])]
        )
    return paragraphs([*(unread(one, view) for one in lost), *(part for one in found for part in card(one, view))])


def at_market(one: Position | Unreadable, market: str) -> bool:
    """Whether its market is meant by this part of a name, in small letters."""
    return market in one.market.casefold() or market in one.id.deployment.casefold()


def nothing_there(wallet: str, market: str) -> str:
    """That a wallet, by its label, has no position there."""
    where = f" at “{clean(market)}”" if market else ""
    return f"{wallet} has no position{where} in what could be seen."
