"""How a market is read at one block: its base, its interest, and the collaterals that are asked for."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from watcher.domain.errors import NotDecodable, ReadFailed
from watcher.domain.position import Asset, Numeraire
from watcher.domain.price import Price
from watcher.domain.source import Address
from watcher.oracles.round import description_of
from watcher.oracles.shape import FeedBook
from watcher.oracles.sources import price_from
from watcher.protocols.comet import calls
from watcher.protocols.comet.maths import INDEX, PRICE_PLACES, Interest, Listed, Market, Patch, accrued, utilisation_of
from watcher.protocols.reader import PriceMissing
from watcher.protocols.rounding import mul_div_down
from watcher.reads import Answers, Outcome, Plan, both, sure, together
from watcher.reads.tokens import balance_of

_QUOTE: Final = re.compile(r"/\s*(\w+)")
"""What stands behind the stroke of a description: "USDC / USD", "WBTC/BTC price feed"."""


def market_of(comet: Address, offsets: Collection[int], book: FeedBook) -> Plan[Market]:
    """The market with these collaterals. A price that fails is a value in it; all else raises `ReadFailed`."""
    got = yield [getter(comet) for getter in calls.SHARED]
    token, feed = got[calls.base_token(comet)], got[calls.base_feed(comet)]
    totals, patch = got[calls.totals_basic(comet)], _patch(got, comet)
    base_and_interest = both(
        _asset(token, got[calls.base_scale(comet)]), _interest(comet, token, totals, patched=patch is not None)
    )
    (base, interest), (quote, read) = yield from both(
        base_and_interest, both(_quote(feed), together(_listed(comet, offset) for offset in offsets))
    )
    listed = {one.asset.address: one for one in map(sure, read)}
    feeds = {token: feed, **{asset: one.info.feed for asset, one in listed.items()}}
    prices = yield from together(_price(comet, source, book) for source in feeds.values())
    return Market(
        at=got.at,
        base=base,
        base_feed=feed,
        numeraire=Numeraire(symbol=quote or _counted_in(base, prices[0]), decimals=PRICE_PLACES),
        pause_flags=totals.pause_flags,
        interest=interest,
        borrow_min=got[calls.borrow_min(comet)],
        patch=patch,
        listed=listed,
        prices=dict(zip(feeds, prices, strict=True)),
    )


def _patch(got: Answers, comet: Address) -> Patch | None:
    """The newer flags; None of a version that does not have them, whose fallback refuses the question."""
    flags = [got.outcome(ask(comet)) for ask in (calls.extended_pauses, calls.supply_pauses, calls.deactivated)]
    told = [flag for flag in flags if not isinstance(flag, ReadFailed)]
    return Patch(*told) if len(told) == len(flags) else None


def _interest(comet: Address, token: Address, totals: calls.Totals, *, patched: bool) -> Plan[Interest]:
    """Accrued to the block, as `accruedInterestIndices` does.

    The newer version lends no more than it has where nobody owes: then what it has is read too.
    """
    used = utilisation_of(totals)
    lending, borrowing = calls.supply_rate(comet, used), calls.borrow_rate(comet, used)
    kept = balance_of((comet, token))
    idle = patched and totals.supply > 0 and totals.borrow == 0
    got = yield [lending, borrowing, *([kept] if idle else [])]
    seconds = got.at.timestamp - totals.accrued_at
    supply_index = accrued(totals.supply_index, got[lending], seconds)
    if idle and mul_div_down(totals.supply, supply_index, INDEX) > got[kept]:
        supply_index = mul_div_down(got[kept], INDEX, totals.supply)
    return Interest(
        supply_index=supply_index,
        borrow_index=accrued(totals.borrow_index, got[borrowing], seconds),
        utilisation=used,
        borrow_rate=got[borrowing],
    )


def _listed(comet: Address, offset: int) -> Plan[Listed]:
    ask = calls.asset_info(comet, offset)
    info = (yield [ask])[ask]
    supplied = calls.totals_collateral(comet, info.asset)
    yield [supplied, calls.price_of(comet, info.feed)]  # the price is for later, and costs no round of its own
    asset = yield from _asset(info.asset, info.scale)
    return Listed(info=info, asset=asset, supplied=(yield [supplied])[supplied])


def _asset(token: Address, scale: int) -> Plan[Asset]:
    """A token under the scale that the market counts it with."""
    decimals = len(str(scale)) - 1
    if scale != 10**decimals:
        raise NotDecodable(f"the scale of {token} is {scale}, which is no power of ten")
    ask = calls.symbol_of(token)
    said = (yield [ask]).outcome(ask)
    symbol = f"{token[:6]}…{token[-4:]}" if isinstance(said, ReadFailed) else said
    return Asset(address=token, symbol=symbol, decimals=decimals)


def _quote(feed: Address) -> Plan[str]:
    """What the market counts in, by the description of its base's feed; empty where that names no pair."""
    ask = description_of(feed)
    said = (yield [ask]).outcome(ask)
    found = None if isinstance(said, ReadFailed) else _QUOTE.search(said)
    return found[1] if found else ""


def _counted_in(base: Asset, price: Outcome[Price]) -> str:
    """A market that pins its base at 1 by a constant feed counts in the base itself: ETH markets do."""
    pinned = not isinstance(price, ReadFailed) and price.low == 10**PRICE_PLACES
    return base.symbol if pinned else "units of price"


def _price(comet: Address, feed: Address, book: FeedBook) -> Plan[Price]:
    """`getPrice`: the answer of the feed with 8 decimals, however old; it refuses one of 0 or less."""
    ask = calls.price_of(comet, feed)
    value = (yield [ask])[ask]
    if value <= 0:
        raise PriceMissing(f"the market prices by {feed} at {value}")
    return (yield from price_from(feed, value, book))
