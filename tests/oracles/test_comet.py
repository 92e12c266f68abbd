"""Compound's wrappers explained from the feeds and rates below, against what the wrappers themselves answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

import pytest

from tests.oracles.feeds import ANSWER, Feeds
from tests.oracles.node import Node, node
from tests.worlds.own import own
from watcher.domain.price import Expression, Fixed, Freshness, Opaque, Product, Rate, nodes
from watcher.domain.source import Address

ROUNDS = 6
"""Random states of each wrapper."""


@pytest.fixture(scope="module")
def there() -> Iterator[Node]:
    with node() as it:
        yield it


@pytest.fixture
def feeds(there: Node) -> Feeds:
    return Feeds(there, Random(7))


def dated_now(there: Node, source: Address) -> bool:
    return bool(there.chain.view(source, ANSWER)[3] == there.block.timestamp)


def rates(expression: Expression) -> Sequence[Rate]:
    return [one for one in nodes(expression) if isinstance(one, Rate)]


@pytest.mark.parametrize("places", [(8, 8, 8), (18, 8, 8), (8, 18, 18), (6, 2, 0)])
@pytest.mark.parametrize("contract", ["CometMultiplicative", "CometReverse", "CometWBTC"])
def test_it_explains_two_feeds_to_the_unit(feeds: Feeds, contract: str, places: tuple[int, int, int]) -> None:
    a, b, own_places = places
    used = [feeds.feed(a), feeds.feed(b)]
    wrapper = feeds.there.deploy(own(contract), *used, own_places)
    for _ in range(ROUNDS):
        feeds.holds(wrapper, used)
    assert feeds.states == ROUNDS


@pytest.mark.parametrize("places", [(8, 8), (18, 8), (8, 18), (0, 8), (8, 0)])
def test_it_explains_a_feed_in_other_places_to_the_unit(feeds: Feeds, places: tuple[int, int]) -> None:
    feed = feeds.feed(places[0])
    wrapper = feeds.there.deploy(own("CometScaling"), feed, places[1])
    for _ in range(ROUNDS):
        feeds.holds(wrapper, [feed])


@pytest.mark.parametrize("places", [(18, 6, 8), (6, 18, 18)])
def test_it_explains_shares_of_a_vault_to_the_unit(feeds: Feeds, places: tuple[int, int, int]) -> None:
    there, (shares, price, own_places) = feeds.there, places
    vault = there.deploy(own("RatesVault"), "sUSDS", shares, there.deploy(own("RatesToken"), "USDS", 18))
    feed = feeds.feed(price)
    there.send(vault, "write(uint256,uint256)", 1, 1)
    wrapper = there.deploy(own("CometVault"), vault, feed, own_places)
    for assets in (0, 1, 7, 10**18, 10**24, 10**24 + 1):
        there.send(vault, "write(uint256,uint256)", assets, 10**24 - 3)
        feeds.holds(wrapper, [feed])
    [rate] = rates(feeds.price(wrapper, feeds.value(wrapper) or 0).expression)
    assert (rate.source, rate.what) == (vault, "sUSDS in USDS")


def test_it_is_zero_by_a_negative_answer_as_the_wrappers_over_two_are(feeds: Feeds) -> None:
    there, feed, other = feeds.there, feeds.feed(8), feeds.feed(8)
    vault = there.deploy(own("RatesVault"), "sUSDS", 18, there.deploy(own("RatesToken"), "USDS", 18))
    there.send(vault, "write(uint256,uint256)", 6, 5)
    wrappers = [there.deploy(own(f"Comet{name}"), feed, other, 8) for name in ("Multiplicative", "Reverse", "WBTC")]
    wrappers.append(there.deploy(own("CometVault"), vault, feed, 8))
    for pair in ((-(10**8), 10**8), (-(10**8), -(10**8))):
        for one, answer in zip((feed, other), pair, strict=True):
            feeds.write(one, answer)
        for wrapper in wrappers:
            price = feeds.price(wrapper, 0)
            assert (price.low, price.hidden, feeds.value(wrapper)) == (0, (), 0)
            assert price.with_feeds({feed: 3 * 10**8, other: 10**8}).low >= 3 * 10**8


@pytest.mark.parametrize("places", [(18, 8), (18, 18), (8, 6)])
def test_it_explains_wsteth_to_the_unit(feeds: Feeds, places: tuple[int, int]) -> None:
    feed, wsteth = feeds.feed(places[0]), feeds.there.deploy(own("RatesWstETH"), 10**18)
    wrapper = feeds.there.deploy(own("CometWstETH"), feed, wsteth, places[1])
    for _ in range(ROUNDS):
        feeds.there.send(wsteth, "write(uint256)", feeds.random.randint(10**17, 10**19))
        feeds.holds(wrapper, [feed])


@pytest.mark.parametrize("places", [(18, 8), (18, 18), (27, 8), (8, 18), (6, 6)])
def test_it_explains_a_rate_in_any_places_to_the_unit(feeds: Feeds, places: tuple[int, int]) -> None:
    there, (theirs, own_places) = feeds.there, places
    provider = there.deploy(own("RatesProvider"), "ezETH", 10**theirs)
    wrapper = there.deploy(own("CometRateBased"), provider, theirs, own_places)
    for _ in range(ROUNDS):
        there.send(provider, "write(uint256)", feeds.random.randint(10**theirs // 2, 10 ** (theirs + 2)))
        feeds.holds(wrapper, [])
        assert dated_now(there, wrapper)
    price = feeds.price(wrapper, feeds.value(wrapper) or 0)
    assert [(rate.source, rate.what) for rate in rates(price.expression)] == [(provider, "rate by getRate")]
    there.send(provider, "write(uint256)", 10**theirs * 3)
    assert price.with_feeds({provider: 10**theirs * 3}).low == feeds.value(wrapper)


@pytest.mark.parametrize("own_places", [8, 18])
def test_it_explains_kelps_price_to_the_unit(feeds: Feeds, own_places: int) -> None:
    kelp = feeds.there.deploy(own("RatesKelp"), 10**18)
    wrapper = feeds.there.deploy(own("CometRsETH"), kelp, own_places)
    for _ in range(ROUNDS):
        feeds.there.send(kelp, "write(uint256)", feeds.random.randint(1, 10**19))
        feeds.holds(wrapper, [])


def test_it_takes_the_likely_places_of_a_rate_of_zero(feeds: Feeds) -> None:
    provider = feeds.there.deploy(own("RatesProvider"), "ezETH", 0)
    wrapper = feeds.there.deploy(own("CometRateBased"), provider, 18, 8)
    price = feeds.price(wrapper, 0)
    assert price.with_feeds({provider: 2 * 10**18}).low == 2 * 10**8


@pytest.mark.parametrize("number", [1, 10**8, 0, -3])
def test_it_shows_a_constant_as_pinned(feeds: Feeds, number: int) -> None:
    wrapper = feeds.there.deploy(own("CometConstant"), 8, number)
    price = feeds.price(wrapper, number)
    assert isinstance(price.expression, Fixed)
    assert price.low == feeds.value(wrapper) == number
    assert price.freshness(feeds.there.block.timestamp) is Freshness.FRESH
    assert dated_now(feeds.there, wrapper)


def test_it_is_as_old_as_the_feed_whose_time_the_wrapper_hides(feeds: Feeds) -> None:
    """The wrapper passes on the time of the second feed, which is new; the first is late."""
    first, second = feeds.feed(8), feeds.feed(8)
    wrapper = feeds.there.deploy(own("CometMultiplicative"), first, second, 8)
    feeds.write(first, 10**8, late=True)
    feeds.write(second, 10**8)
    age = feeds.there.block.timestamp - int(str(feeds.there.chain.view(wrapper, ANSWER)[3]))
    assert age < 60
    assert feeds.price(wrapper, 10**8).freshness(feeds.there.block.timestamp) is Freshness.STALE


def test_it_sees_through_wrappers_of_wrappers(feeds: Feeds) -> None:
    feed, steth = feeds.feed(8), feeds.feed(18)
    wsteth = feeds.there.deploy(own("RatesWstETH"), 12 * 10**17)
    inner = feeds.there.deploy(own("CometWstETH"), steth, wsteth, 18)
    both = feeds.there.deploy(own("CometMultiplicative"), inner, feed, 8)
    outer = feeds.there.deploy(own("CometScaling"), both, 6)
    for _ in range(ROUNDS):
        feeds.holds(outer, [feed, steth])
    price = feeds.price(outer, feeds.value(outer) or 0)
    assert [one.source for one in nodes(price.expression) if isinstance(one, Product)] == [outer, both, inner]


def test_it_does_not_know_a_wrapper_over_nothing(feeds: Feeds) -> None:
    nothing = feeds.there.deploy(own("RatesToken"), "DAI", 18)
    wrapper = feeds.there.deploy(own("CometRateBased"), nothing, 18, 8)
    assert isinstance(feeds.price(wrapper, 7).expression, Opaque)


@pytest.mark.parametrize("theirs", [2**255, 7, 45])
def test_it_does_not_reckon_with_absurd_places(feeds: Feeds, theirs: int) -> None:
    feed, wsteth = feeds.feed(8), feeds.there.deploy(own("RatesWstETH"), 10**18)
    wrapper = feeds.there.deploy(own("CometAbsurd"), feed, wsteth, theirs, 8)
    price = feeds.price(wrapper, 7)
    assert isinstance(price.expression, Opaque)
    assert price.expression.why == "it answers like no source that we know"
