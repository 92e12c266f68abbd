"""One position in full: what it is made of, what it rests on, what would liquidate it, and what would help."""

from __future__ import annotations

from collections.abc import Sequence

from watcher.advice import advise
from watcher.alerts import figures
from watcher.alerts.ages import ages
from watcher.alerts.clean import clean
from watcher.alerts.message import Level, Text, bold, code, link
from watcher.alerts.outlook import Advice, ways_back
from watcher.bot.phrases import age, as_of, cautions, first, health, lines, paragraphs, standing, unknown
from watcher.bot.view import Found, Misunderstood, View, label
from watcher.domain.errors import ReadFailed
from watcher.domain.position import Check, Leg, Position, Unreadable

IN_FULL = 3
"""Positions shown in full at once; of more, one is to be chosen."""

_LIMITS = {Level.WARN: "warn", Level.CRITICAL: "critical", Level.LIQUIDATABLE: "liquidation"}


def position(arguments: Sequence[str], view: View) -> Text:
    """Every leg with its price, feed and age; liquidation prices; what would bring it back to its target."""
    if not arguments:
        raise Misunderstood(f"Whose? There are: {', '.join(label(one) for one in view.wallets[:12])}.")
    wallet, rest = view.wallet_named(arguments)
    market = " ".join(rest).casefold()
    found = [one for one in view.found if one.wallet == wallet and _at(one.position, market)]
    lost = [one for one in view.unreadable if one.id.wallet == wallet.address and _at(one, market)]
    if not found and not lost:
        return paragraphs([Text(_nothing(label(wallet), market)), as_of(view.sights, view.now)])
    if len(found) > IN_FULL:
        choices, more = first([Text(f"· {clean(one.position.market, 40)}") for one in found], 30)
        return paragraphs(
            [Text(f"{label(wallet)} has {len(found)} positions. Name the market too:"), lines([*choices, *more])]
        )
    unread = [lines([unknown(one, view), Text(clean(one.reason, 300))]) for one in lost]
    return paragraphs([*unread, *(part for one in found for part in _card(one, view))])


def _at(one: Position | Unreadable, market: str) -> bool:
    return market in one.market.casefold() or market in one.id.deployment.casefold()


def _nothing(wallet: str, market: str) -> str:
    where = f" at “{clean(market)}”" if market else ""
    return f"{wallet} has no position{where} in what could be seen."


def _card(found: Found, view: View) -> list[Text]:
    position = found.position
    return [
        lines([standing(found), _against_limit(found), *cautions(position)]),
        _side(found, owed=False),
        _side(found, owed=True),
        *_outlook(found),
        lines([as_of([found.sight], view.now), *_explorer(found)]),
    ]


def _against_limit(found: Found) -> Text:
    told = Text("health ") + health(found.position)
    if not found.position.health.required:
        return told + ": no debt"
    if not found.level:
        return told
    limit, sign = found.rules.limit(found.level), "<"
    if found.position.health.factor >= limit:
        sign = "≤"
    return told + f" {sign} {limit} ({_LIMITS[found.level]})"


# --- Legs -------------------------------------------------------------------------------------------------------------


def _side(found: Found, *, owed: bool) -> Text:
    position = found.position
    legs = [leg for leg in position.legs if (leg.amount < 0) == owed]
    if not legs:
        return Text()
    value = figures.value(position.debt if owed else position.collateral, position.numeraire)
    return lines([bold("debt" if owed else "collateral") + f" {value}", *(_leg(leg, found) for leg in legs)])


def _leg(leg: Leg, found: Found) -> Text:
    position = found.position
    price = figures.price(leg.price.low, position.numeraire)
    held = f"{figures.amount(abs(leg.amount), leg.asset.decimals)} {clean(leg.asset.symbol)}"
    told = [Text(f"· {held} at {price}{_counts(leg)}")]
    for source in ages(leg.price, position.at.timestamp):
        pair = f"{clean(source.reading.pair, 40)}: " if source.reading else ""
        told.append(Text(f"  {pair}{age(source)}"))
    if len(told) == 1:
        told.append(Text("  pinned by the protocol itself"))
    return lines(told)


def _counts(leg: Leg) -> str:
    """How much of a collateral counts; a debt counts in full."""
    if leg.amount < 0:
        return ""
    return f", counts {figures.percent(leg.backing)}" if leg.backing else ", not collateral"


# --- What would liquidate it, and what would help ---------------------------------------------------------------------


def _outlook(found: Found) -> list[Text]:
    if not found.position.health.required:
        return []
    if found.position.check is Check.MISMATCH:
        return [Text("No liquidation price: our formula and the contract differ.")]
    try:
        advice = advise(found.held, found.rules.target, found.holdings)
    except ReadFailed as problem:
        return [Text(f"No liquidation price: {clean(str(problem), 160)}")]
    return [_liquidations(found.position, advice), _remedies(found, advice)]


def _liquidations(position: Position, advice: Advice) -> Text:
    if position.health.liquidatable:
        return bold("liquidatable now")
    if not advice.liquidations:
        return Text("liquidated at no price of one asset")
    rows = [
        Text(f"· {clean(price.lever.name, 40)} ")
        + code(figures.price(price.value, position.numeraire))
        + f" ({'+' if price.distance > 0 else ''}{figures.percent(price.distance)})"
        for price in advice.liquidations
    ]
    return lines([bold("liquidated at") + " one of", *rows])


def _remedies(found: Found, advice: Advice) -> Text:
    if not advice.remedies:
        return Text()
    return lines([bold(f"for health {found.rules.target}") + ", one of", *ways_back(advice)])


def _explorer(found: Found) -> list[Text]:
    explorer = found.sight.spec.explorer
    return [link("the account in the explorer", f"{explorer}/address/{found.position.id.account}")] if explorer else []
