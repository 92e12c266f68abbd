"""The feeds under positions: how old each is, and who rests on it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal

from watcher.alerts import figures
from watcher.alerts.ages import PriceAge, ages
from watcher.alerts.clean import clean
from watcher.alerts.message import Text, bold
from watcher.alerts.record import Key, Rule
from watcher.alerts.sighting import feed_subject
from watcher.bot.phrases import age, as_of, first, lines, paragraphs
from watcher.bot.view import Found, Misunderstood, Sight, View, label
from watcher.bot.whatif import quoted
from watcher.config.settings import short
from watcher.domain.errors import ReadFailed
from watcher.domain.position import Check
from watcher.domain.price import Freshness
from watcher.domain.source import Address
from watcher.risk.healths import sensitivities

MOST, MOST_NAMED = 25, 5
_EXPLAINED = "Beside a wallet: the change of its health\nif the price falls by 1 %."


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
    explained = [Text(_EXPLAINED)] if any(_owing(one) for one in shown) else []
    return paragraphs([*told, *more, *nothing, *explained, as_of(view.sights, view.now)])


def one_feed(subject: str, view: View) -> list[Text]:
    """The feed of a stale-price condition, where it stands under a position that could be seen; else nothing."""
    known = [one for one in _under(view) if feed_subject(one.sight.spec.name, one.price.source) == subject]
    return [part for one in known for part in (_told(one, several=True), as_of([one.sight], view.now))]


def priced(key: Key) -> str:
    """The feed that a condition of a price is about, as the stale-price condition of it is named."""
    return ":".join(key.subject.split(":")[:2])


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
    return lines([stale + bold(_name(price)) + where, Text(value + age(price)), *_next(price), *_dependents(under)])


def _next(price: PriceAge) -> list[Text]:
    """By when an update is expected, where something is promised or learned."""
    due = price.reading.next_update if price.reading else None
    if price.reading is None or due is None:
        return []
    closed = "" if price.reading.hours.is_open(price.now) else ", its market is closed"
    if due < price.now:
        return [Text(f"due {figures.duration(price.now - due)} ago{closed}")]
    return [Text(f"next in {figures.duration(due - price.now)}{closed}")]


def _dependents(under: _Under) -> list[Text]:
    """Who rests on it, and what a fall of 1 % does to the health of each: those first who hang on it most."""
    hangs = {key: _hangs(one, under.price.source) for key, one in _owing(under).items()}
    order = sorted(hangs, key=lambda key: abs(hangs[key] or Decimal(0)), reverse=True)
    whose = list(dict.fromkeys(_named(under.dependents[key], hangs[key]) for key in order))
    named, more = first(whose, MOST_NAMED)
    return [*(Text(f"under {one}") for one in named), *more] if whose else [Text("under no debt")]


def _owing(under: _Under) -> dict[str, Found]:
    return {key: one for key, one in under.dependents.items() if one.position.health.required}


def _hangs(found: Found, source: Address) -> Decimal | None:
    """None where our formula does not tell."""
    if found.position.check is Check.MISMATCH:
        return None
    with suppress(ReadFailed):
        known = {one.feed: one.per_percent for one in sensitivities(found.position, found.held.reprice)}
        return known.get(source)
    return None


def _named(found: Found, move: Decimal | None) -> str:
    return f"{label(found.wallet)} {'not known' if move is None else figures.health_move(move)}"


def _name(price: PriceAge) -> str:
    return clean(price.reading.pair, 40) if price.reading else short(price.source)
