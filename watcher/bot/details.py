"""Everything that is known of what an alert speaks of: its positions in full, its feeds, its chains.

A position in full is every leg with its price, feed and age, then what would liquidate it, and what would help beside
what the wallet has of that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from watcher.advice import advise
from watcher.alerts import figures, trust
from watcher.alerts.ages import ages
from watcher.alerts.clean import clean, sentence
from watcher.alerts.message import Level, Text, bold, code, link
from watcher.alerts.outlook import Advice, cautions, ways_back
from watcher.alerts.record import SHARED_PRICES, Key, Rule
from watcher.alerts.sighting import suspect_subject
from watcher.bot.feeds import one_feed, priced
from watcher.bot.phrases import age, as_of, first, health, lines, paragraphs, seen_at, sequencer, standing, unknown
from watcher.bot.view import Found, Sight, View, label
from watcher.domain.errors import ReadFailed
from watcher.domain.position import Check, Leg, Position, Unreadable

IN_FULL = 3
"""Positions shown in full at once."""
MOST = 30
"""Lines about others, at most."""

_LIMITS = {Level.WARN: "warn", Level.CRITICAL: "critical", Level.LIQUIDATABLE: "liquidation"}
_OF_CHAINS = (Rule.BLIND, Rule.SEQUENCER)
_OF_OTHERS = (*SHARED_PRICES, *_OF_CHAINS)


def details(view: View, keys: Iterable[Key]) -> Text:
    """What these alerts are about, as it was last seen; the worst positions in full, and the rest in a line each.

    Of a wallet whose alerts the chat does not get, nothing is said.
    """
    keys = list(keys)
    chains = {key.subject for key in keys if key.rule in _OF_CHAINS}
    feeds = dict.fromkeys(priced(key) for key in keys if key.rule in SHARED_PRICES)
    positions = dict.fromkeys(key.subject for key in keys if key.rule not in _OF_OTHERS)
    found = [one for one in view.found if str(one.position.id) in positions]
    lost = [one for one in view.unreadable if str(one.id) in positions]
    seen = {str(one.position.id) for one in found} | {str(one.id) for one in lost}
    rest, more = first([health(one.position) + " " + standing(one) for one in found[IN_FULL:]], MOST)
    told = [
        *(lines(_chain(sight, view)) for sight in view.sights if sight.spec.name in chains),
        *(part for subject in feeds for part in one_feed(subject, view)),
        lines(_doubted([key.subject for key in keys if key.rule is Rule.SUSPECT], view)),
        *(unread(one, view) for one in lost[:MOST]),
        *(part for one in found[:IN_FULL] for part in card(one, view)),
        lines([*rest, *more]),
        lines(part for subject in positions if subject not in seen for part in _gone(subject, view)),
    ]
    return paragraphs(told) if any(part.text for part in told) else Text("Nothing of it can be seen any more.")


def _chain(sight: Sight, view: View) -> list[Text]:
    """The block that was seen last of a chain, and since when there is none."""
    blind = [] if sight.blind_since is None else [figures.duration(max(view.now - sight.blind_since, 0))]
    return [
        seen_at(sight, view.now),
        *sequencer(sight, view.now),
        *(bold("BLIND") + f" for {since}" for since in blind),
    ]


def _doubted(subjects: Collection[str], view: View) -> list[Text]:
    """What is wrong with prices that are suspect still, in the words of the check. Whose they are is told elsewhere."""
    judged = [(sight.spec.name, one) for sight in view.sights if sight.judged for one in sight.judged.doubts]
    found = [one for chain, one in judged if suspect_subject(chain, one.source, one.suspicion) in subjects]
    shown, more = first(found, MOST)
    told = (
        bold("SUSPECT PRICE") + f" {clean(one.name, 40)}: {one.suspicion.value} ({sentence(one.said, trust.LONGEST)})"
        for one in shown
    )
    return [*told, *more]


def _gone(subject: str, view: View) -> list[Text]:
    """A position that was not found: closed, or not known, by what was read. Nothing of a wallet that is not ours."""
    where, wallet = subject.split("/")[:2]
    read = any(sight.snapshot and (where, wallet) in sight.snapshot.covered for sight in view.sights)
    state = "no position there now" if read else "not in what could be seen"
    ours = [label(one) for one in view.wallets if one.address == wallet]
    return [bold(name) + f" · {clean(where, 40)}: {state}" for name in ours]


def unread(one: Unreadable, view: View) -> Text:
    """A position that could not be read, and why."""
    return lines([unknown(one, view), Text(clean(one.reason, 300))])


def card(found: Found, view: View) -> list[Text]:
    """One position in full, in paragraphs."""
    position = found.position
    return [
        lines(
            [
                standing(found),
                _against_limit(found),
                *trust.lines(position, found.trust),
                *map(Text, cautions(position)),
            ]
        ),
        _side(found, owed=False),
        _side(found, owed=True),
        *_outlook(found),
        lines([as_of([found.sight], view.now), *sequencer(found.sight, view.now), *_explorer(found)]),
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
    seen = found.sight.snapshot
    holdings, unwrapped = (seen.holdings, seen.unwrapped) if seen else ({}, {})
    try:
        advice = advise(found.held, found.rules.target, holdings, unwrapped)
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
        + code(figures.price(price.value, price.counted_in(position)))
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
