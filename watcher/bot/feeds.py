"""The feeds under positions: how old each is, and who rests on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from watcher.alerts.ages import PriceAge, ages
from watcher.alerts.assess import feed_subject
from watcher.alerts.clean import clean
from watcher.alerts.message import Text, bold
from watcher.alerts.record import Key, Rule
from watcher.bot.phrases import age, as_of, first, lines, paragraphs
from watcher.bot.view import Found, Misunderstood, Sight, View, label
from watcher.bot.whatif import quoted
from watcher.config.settings import short
from watcher.domain.price import Freshness

MOST, MOST_NAMED = 25, 8


@dataclass(frozen=True, slots=True)
class _Under:
    """One source of prices, and the positions that it stands under."""

    sight: Sight
    price: PriceAge
    dependents: dict[str, Found] = field(default_factory=dict)


def feeds(arguments: Sequence[str], view: View) -> Text:
    """Every feed under a position, the stalest first."""
    if arguments:
        raise Misunderstood(f"“{clean(' '.join(arguments))}” is more than it takes.")
    found = sorted(_under(view), key=lambda one: one.price.rank, reverse=True)
    shown, more = first(found, MOST)
    told = [_told(one, several=len(view.sights) > 1) for one in shown]
    nothing = [] if found else [Text("No feed under any position that could be seen.")]
    return paragraphs([*told, *more, *nothing, as_of(view.sights, view.now)])


def one_feed(subject: str, view: View) -> list[Text]:
    """The feed of a stale-price condition, where it stands under a position that could be seen; else nothing."""
    known = [one for one in _under(view) if feed_subject(one.sight.spec.name, one.price.source) == subject]
    return [part for one in known for part in (_told(one, several=True), as_of([one.sight], view.now))]


def stale_feeds(view: View) -> list[tuple[Key, Text]]:
    """The feeds that are later than they promise, the latest first: each as a condition, and in a line."""
    found = sorted(_under(view), key=lambda one: one.price.rank, reverse=True)
    return [
        (
            Key(Rule.STALE, feed_subject(one.sight.spec.name, one.price.source)),
            bold("STALE PRICE") + f" · {_name(one.price)} · {one.sight.title}: {str(one.price).partition(': ')[2]}",
        )
        for one in found
        if one.price.freshness is Freshness.STALE
    ]


def _under(view: View) -> list[_Under]:
    known: dict[tuple[str, str], _Under] = {}
    for one in view.found:
        for leg in one.position.legs:
            for price in ages(leg.price, one.position.at.timestamp):
                under = known.setdefault((one.position.at.chain, price.source), _Under(one.sight, price))
                under.dependents[str(one.position.id)] = one
    return list(known.values())


def _told(under: _Under, *, several: bool) -> Text:
    price = under.price
    stale = bold("STALE") + " · " if price.freshness is Freshness.STALE else Text()
    where = f" · {under.sight.title}" if several else ""
    value = f"{quoted(price.reading)}, " if price.reading else ""
    owing = [one for one in under.dependents.values() if one.position.health.required]
    whose = list(dict.fromkeys(label(one.wallet) for one in owing))
    rest = f" and {len(whose) - MOST_NAMED} more" if len(whose) > MOST_NAMED else ""
    under_debt = f"under {', '.join(whose[:MOST_NAMED])}{rest}" if whose else "under no debt"
    return lines([stale + bold(_name(price)) + where, Text(value + age(price)), Text(under_debt)])


def _name(price: PriceAge) -> str:
    return clean(price.reading.pair, 40) if price.reading else short(price.source)
