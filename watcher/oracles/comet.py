"""The wrappers that Compound v3 puts around feeds, one kind for each contract of its `pricefeeds` folder.

None of them tells how old its answer is: the constant and the rate based ones say `updatedAt = now`, those over two
feeds pass on the time of the second. So nothing here reads the wrapper's own time.

Source: compound-finance/comet @ d5a30b0a, contracts/pricefeeds/*.sol. SimplePriceFeed is for tests only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from watcher.domain.errors import ReadFailed
from watcher.domain.price import Expression, Fixed
from watcher.domain.source import Address
from watcher.oracles.composed import Composed, Part
from watcher.oracles.rates import first_told, get_rate, rseth_told, shares_told, steth_in_wsteth_told, told_by
from watcher.oracles.round import decimals_of, latest_round
from watcher.oracles.shape import Kind, Shape, Under
from watcher.reads import Plan
from watcher.reads.abi import interface

_WAD_PLACES: Final = 18
_MOST_PLACES: Final = 36
_LIKELY_PLACES: Final = (_WAD_PLACES, *range(_MOST_PLACES + 1))

_WRAPPER = interface("comet_price_feeds")
_feed_a, _feed_b = _WRAPPER.function("priceFeedA", Address), _WRAPPER.function("priceFeedB", Address)
_scale_a, _scale_b = _WRAPPER.function("priceFeedAScale", int), _WRAPPER.function("priceFeedBScale", int)
_scale, _combined = _WRAPPER.function("priceFeedScale", int), _WRAPPER.function("combinedScale", int)
_underlying = _WRAPPER.function("underlyingPriceFeed", Address)
_provider = _WRAPPER.function("rateProvider", Address)
_wbtc_feed = _WRAPPER.function("WBTCToBTCPriceFeed", Address)
_btc_feed = _WRAPPER.function("BTCToUSDPriceFeed", Address)
_steth_feed = _WRAPPER.function("stETHtoETHPriceFeed", Address)
_steth_places = _WRAPPER.function("stETHToETHPriceFeedDecimals", int)
_wsteth, _wsteth_scale = _WRAPPER.function("wstETH", Address), _WRAPPER.function("wstETHScale", int)
_constant = _WRAPPER.function("constantPrice", int)


@dataclass(frozen=True, slots=True)
class Constant:
    """ConstantPriceFeed: an immutable number, such as 1 ETH in a market that counts in ETH."""

    price: int

    def expression(self, _under: Under) -> Plan[Expression]:
        """The number, with no feed behind it."""
        yield []
        return Fixed(self.price, "Compound pins it by a constant price feed")


def _pinned(_source: Address, price: int) -> Plan[Shape | None]:
    yield []
    return Constant(price)


def _product_of_two(source: Address, a: Address, b: Address, combined: int, scale: int) -> Plan[Shape | None]:
    """MultiplicativePriceFeed, WBTCPriceFeed: `a × b × scale / combined`, and 0 unless both are above 0."""
    yield []
    return Composed(source=source, what="two feeds", above=(a, b), times=scale, over=combined, positive=True)


def _quotient(source: Address, *given: Address | int) -> Plan[Shape | None]:
    """ReverseMultiplicativePriceFeed: `a × scaleB × scale / b / scaleA`, and 0 unless both are above 0."""
    yield []
    a, b, scale_a, scale_b, scale = given
    return Composed(
        source=source,
        what="one feed by another",
        above=(Address(str(a)),),
        below=(Address(str(b)),),
        times=int(scale_b) * int(scale),
        over=int(scale_a),
        positive=True,
    )


def _of_vault(source: Address, vault: Address, feed: Address, combined: int, scale: int) -> Plan[Shape | None]:
    """PriceFeedWith4626Support: `assets of one share × price × scale / combined`, 0 unless both are above 0."""
    told = yield from shares_told(vault)
    return Composed(
        source=source, what="shares of a vault", above=(told, feed), times=scale, over=combined, positive=True
    )


def _of_wsteth(source: Address, feed: Address, places: int, wsteth: Address, scale: int) -> Plan[Shape | None]:
    """WstETHPriceFeed: `stETH's price × scale / tokensPerStEth / 10^(places it has too many)`."""
    own = decimals_of(source)
    got = yield [own]
    if not 0 <= places - got[own] <= _MOST_PLACES:
        return None  # its constructor refuses fewer, and ten to any number that it may say does not end
    told, over = steth_in_wsteth_told(wsteth), 10 ** (places - got[own])
    return Composed(source=source, what="wstETH by stETH", above=(feed,), below=(told,), times=scale, over=over)


def _scaled(source: Address, underlying: Address) -> Plan[Shape | None]:
    """ScalingPriceFeed where a feed is under it; RateBased…, RsETH… and EzETH… where a rate is."""
    own, theirs, last = decimals_of(source), decimals_of(underlying), latest_round(underlying)
    got = yield [own, theirs, last]
    places = got.outcome(theirs)
    if not isinstance(got.outcome(last), ReadFailed) and not isinstance(places, ReadFailed):
        return _in_places(source, underlying, places, got[own])
    told = yield from first_told((told_by(get_rate, underlying), rseth_told(underlying)))
    if told is None:
        return None
    answer = latest_round(source)
    got = yield [answer, told.ask]
    return _in_places(source, told, _places(got[told.ask], got[answer].answer, got[own]), got[own])


def _places(rate: int, answer: int, own: int) -> int:
    """The places that a rate was declared to have: no getter tells, so it is seen by what the wrapper made of it.

    An answer of 0 fits several; 18, which is usual, is tried first.
    """
    return next((at for at in _LIKELY_PLACES if _rescaled(rate, at, own) == answer), _WAD_PLACES)


def _rescaled(value: int, places: int, own: int) -> int:
    up, down = _factors(places, own)
    return value * up // down


def _factors(places: int, own: int) -> tuple[int, int]:
    """What to multiply and to divide by, to have `own` places of so many: one of them is 1."""
    more: int = 10 ** max(own - places, 0)
    fewer: int = 10 ** max(places - own, 0)
    return more, fewer


def _in_places(source: Address, part: Part, places: int, own: int) -> Composed:
    up, down = _factors(places, own)
    return Composed(source=source, what=f"in {own} places", above=(part,), times=up, over=down)


KINDS: Final[Sequence[Kind]] = (
    Kind("Compound's constant feed", (_constant,), _pinned),
    Kind("Compound's multiplicative feed", (_feed_a, _feed_b, _combined, _scale), _product_of_two),
    Kind("Compound's reverse multiplicative feed", (_feed_a, _feed_b, _scale_a, _scale_b, _scale), _quotient),
    Kind("Compound's WBTC feed", (_wbtc_feed, _btc_feed, _combined, _scale), _product_of_two),
    Kind("Compound's wstETH feed", (_steth_feed, _steth_places, _wsteth, _wsteth_scale), _of_wsteth),
    Kind("Compound's feed of a vault", (_provider, _underlying, _combined, _scale), _of_vault),
    Kind("Compound's scaling feed", (_underlying,), _scaled),
)
