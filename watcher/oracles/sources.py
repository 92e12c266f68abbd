"""From the contract that a protocol asks for a price to the feeds underneath it.

A source is recognised by what it answers, never by its address. Each kind of source (`kinds.py` lists them) names the
getters that tell it apart; all getters of all kinds are asked in one round, and the first kind whose own were answered
is it. What a kind makes of the answers is a `Shape`: what never changes of this source, which is remembered for a day.
Its `expression` reads what does change, and asks for its parts in the same way.

What we end up with has to come to the very number that the protocol used; else the whole price is `Opaque`, named with
its address and the reason, and never taken for fresh.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from watcher.domain.errors import ReadFailed
from watcher.domain.price import Expression, Leaf, Opaque, Price, Unheard, value_of
from watcher.domain.source import ZERO_ADDRESS, Address
from watcher.oracles.apart import asked_apart
from watcher.oracles.chainlink import listed
from watcher.oracles.kinds import KINDS
from watcher.oracles.morpho import price_of
from watcher.oracles.opinions import second_words
from watcher.oracles.round import decimals_of, latest_answer, latest_round
from watcher.oracles.shape import FeedBook, Kind, Shape, Under, Unseen
from watcher.reads import Memo, Plan, lasting

REMEMBERED: Final = 86_400
"""Seconds for which a source's shape is believed; one that stops adding up is looked at again at once."""


def price_from(source: Address, value: int, book: FeedBook) -> Plan[Price]:
    """The price `value`, which a protocol took from `source`, as an expression over the feeds behind it.

    `Opaque`, with the reason, where that source or its answer cannot be explained.
    """
    under = Under(book=book, look=_expression, path=(source,))
    expression = yield from _explained(source, value, under)
    words = {} if isinstance(expression, Leaf) else (yield from _words(source, under))
    return replace(Price.of(expression, source=source), **words)


def expression_from(source: Address, book: FeedBook) -> Plan[Expression]:
    """How a source makes its answer, whatever a protocol does with it. Raises `ReadFailed` where it has none."""
    return (yield from Under(book=book, look=_expression).part(source))


def _words(source: Address, under: Under) -> Plan[dict[str, Any]]:
    """What others say of the whole price, where some are configured for a source that is no feed itself."""
    asked = under.others(source)
    if not asked:
        return {}
    places = decimals_of(source)
    got = yield [places]
    decimals = got.outcome(places)
    if isinstance(decimals, ReadFailed):
        why = f"{source} does not say how many decimals it answers with, so nothing compares with it: {decimals}"
        return {"unheard": tuple(Unheard(one.source, why) for one in asked)}
    return (yield from second_words(asked, decimals, under))


def _explained(source: Address, value: int, under: Under) -> Plan[Expression]:
    """The expression of the source if it comes to `value`: at the second try by its shape as it is today."""
    why = ""
    for afresh in (False, True):
        try:
            found = yield from _expression(source, under, afresh=afresh)
        except ReadFailed as problem:
            why = str(problem)
            continue
        if isinstance(found, Opaque):
            return Opaque(source, value, found.why)
        if value_of(found) == value:
            return found
        why = f"what is seen under it comes to {value_of(found)}, and the protocol uses {value}"
    return Opaque(source, value, why)


def _expression(source: Address, under: Under, *, afresh: bool = False) -> Plan[Expression]:
    shape = yield from lasting(
        Memo("shape", source), lambda: _recognised(source, under), lasts=REMEMBERED, afresh=afresh
    )
    if shape is None:
        return (yield from _unknown(source))
    return (yield from shape.expression(under))


def _recognised(source: Address, under: Under) -> Plan[Shape | None]:
    """The shape of a source; None where no kind knows it. One that is published as a feed is a feed of some kind."""
    if source == ZERO_ADDRESS:
        raise Unseen("the protocol names no source")
    feed = (yield from listed(source)) if under.facts(source) is not None else None
    if feed is None:
        return (yield from _of_kind(source, KINDS))
    if feed.proxy:
        return feed
    return (yield from _of_kind(source, tuple(kind for kind in KINDS if kind.feed))) or feed


def _of_kind(source: Address, kinds: tuple[Kind, ...]) -> Plan[Shape | None]:
    found = yield from asked_apart(source, {getter: getter(source) for kind in kinds for getter in kind.asks})
    for kind in kinds if found else ():
        answers = [found[getter] for getter in kind.asks]
        if not any(isinstance(answer, ReadFailed) or answer == ZERO_ADDRESS for answer in answers):
            shape = yield from _tried(kind, source, answers)
            if shape is not None:
                return shape
    return None


def _tried(kind: Kind, source: Address, answers: list[Any]) -> Plan[Shape | None]:
    """The shape; None where the source has the getters of that kind and not its parts."""
    try:
        return (yield from kind.shape(source, *answers))
    except ReadFailed:
        return None


def _unknown(source: Address) -> Plan[Expression]:
    """A source that nobody recognises, at its own answer."""
    last, plain, price = latest_round(source), latest_answer(source), price_of(source)
    got = yield [last, plain, price]
    said = got.outcome(last)
    values = [got.outcome(plain), got.outcome(price)] if isinstance(said, ReadFailed) else [said.answer]
    value = next((one for one in values if not isinstance(one, ReadFailed)), None)
    if value is None:
        raise Unseen(f"{source} answers nothing that a price source answers")
    return Opaque(source, value, "it answers like no source that we know")
