"""Morpho's oracles explained from the feeds and vaults below, against what `price()` itself answers."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from tests.oracles.feeds import PRICE, Feeds
from tests.oracles.node import Node, node
from tests.worlds.chain import ZERO
from tests.worlds.own import own
from watcher.domain.price import Freshness, Opaque, Product, Rate, nodes
from watcher.domain.source import Address
from watcher.oracles.sources import expression_from

NOTHING = Address(ZERO)
ROUNDS = 6
"""Random states of each oracle."""


@pytest.fixture(scope="module")
def there() -> Iterator[Node]:
    with node() as it:
        yield it


@pytest.fixture
def feeds(there: Node) -> Feeds:
    return Feeds(there, Random(11), most=12)


def vault(feeds: Feeds) -> Address:
    asset = feeds.there.deploy(own("RatesToken"), "USDC", 6)
    made = feeds.there.deploy(own("RatesVault"), "mUSDC", 18, asset)
    feeds.there.send(made, "write(uint256,uint256)", feeds.random.randint(10**9, 10**13), 10**24)
    return made


def four(feeds: Feeds, used: str) -> list[Address]:
    """Feeds where `used` has an x, nothing elsewhere."""
    return [feeds.feed(feeds.random.choice([6, 8, 18])) if one == "x" else NOTHING for one in used]


def real(some: list[Address]) -> list[Address]:
    return [one for one in some if one != NOTHING]


@pytest.mark.parametrize("vaults", ["..", "x.", ".x", "xx"])
@pytest.mark.parametrize("used", ["x.x.", "xxxx", "x...", "..x.", "....", "xx.x"])
def test_it_explains_the_oracle_to_the_unit(feeds: Feeds, used: str, vaults: str) -> None:
    parts, shares = four(feeds, used), [vault(feeds) if one == "x" else NOTHING for one in vaults]
    samples = [1 if one == NOTHING else 10 ** feeds.random.randint(12, 20) for one in shares]
    scale = 10 ** feeds.random.randint(0, 14) * feeds.random.choice([1, 1, 3])
    oracle = feeds.there.deploy(own("MorphoSecond"), parts, shares, samples, scale)
    for _ in range(ROUNDS):
        for one in real(shares):
            feeds.there.send(one, "write(uint256,uint256)", feeds.random.randint(10**9, 10**13), 10**24 + 7)
        feeds.holds(oracle, real(parts), PRICE)
    assert feeds.states == ROUNDS


@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize("used", ["x.x.", "xxxx", "..x."])
def test_it_explains_the_first_oracle_to_the_unit(feeds: Feeds, used: str, share: bool) -> None:
    parts, of = four(feeds, used), vault(feeds) if share else NOTHING
    oracle = feeds.there.deploy(own("MorphoFirst"), parts, of, 10**18 if share else 1, 10**14)
    for _ in range(ROUNDS):
        feeds.holds(oracle, real(parts), PRICE)


def test_it_names_what_is_divided_and_by_what(feeds: Feeds) -> None:
    parts, shares = four(feeds, "xxxx"), [vault(feeds), vault(feeds)]
    for feed in parts:
        feeds.write(feed, 10**8)
    oracle = feeds.there.deploy(own("MorphoSecond"), parts, shares, [10**18, 10**18], 10**14)
    price = feeds.price(oracle, feeds.value(oracle, PRICE) or 0)
    assert isinstance(price.expression, Product)
    above, below = ([next(nodes(part)) for part in side] for side in (price.expression.above, price.expression.below))
    assert [part.source for part in (above[0], below[0]) if isinstance(part, Rate)] == shares
    assert [reading.feed for reading in price.feeds] == parts
    assert price.expression.source == price.source == oracle


def test_it_moves_with_a_vaults_rate(feeds: Feeds) -> None:
    parts, share = four(feeds, "x.x."), vault(feeds)
    for feed in real(parts):
        feeds.write(feed, feeds.random.randint(10**7, 10**9))
    oracle = feeds.there.deploy(own("MorphoSecond"), parts, [share, NOTHING], [10**18, 1], 10**20)
    price = feeds.price(oracle, feeds.value(oracle, PRICE) or 0)
    feeds.there.send(share, "write(uint256,uint256)", 7 * 10**12 + 1, 10**24)
    moved = feeds.there.view(share, "convertToAssets(uint256)(uint256)", 10**18)
    assert price.with_feeds({share: moved}).low == feeds.value(oracle, PRICE)


@pytest.mark.parametrize(("base", "quote"), [(-1, 1), (1, -1), (1, 0), (-1, -1)])
def test_it_does_not_explain_what_the_oracle_refuses(feeds: Feeds, base: int, quote: int) -> None:
    parts = four(feeds, "x.x.")
    oracle = feeds.there.deploy(own("MorphoSecond"), parts, [NOTHING, NOTHING], [1, 1], 1)
    for feed, answer in zip(real(parts), (base, quote), strict=True):
        feeds.write(feed, answer)
    assert feeds.value(oracle, PRICE) is None
    price = feeds.price(oracle, 1)
    assert isinstance(price.expression, Opaque)
    assert "by which it reverts" in price.expression.why


def test_it_takes_the_rate_that_dates_itself_never_for_a_rate_without_age(feeds: Feeds) -> None:
    steth = feeds.there.deploy(own("RatesStETH"), 12 * 10**17)
    adapter, feed = feeds.there.deploy(own("MorphoStEthRate"), steth), feeds.feed(8)
    oracle = feeds.there.deploy(own("MorphoSecond"), [adapter, feed, NOTHING, NOTHING], [NOTHING] * 2, [1, 1], 10**10)
    for _ in range(ROUNDS):
        feeds.there.send(steth, "write(uint256)", feeds.random.randint(10**17, 10**19))
        feeds.holds(oracle, [feed], PRICE)
    feeds.write(feed, 10**8)
    price = feeds.price(oracle, feeds.value(oracle, PRICE) or 0)
    assert [(one.source, one.what) for one in nodes(price.expression) if isinstance(one, Rate)] == [
        (steth, "wstETH in stETH")
    ]


def test_it_keeps_the_price_of_an_oracle_that_nobody_knows(feeds: Feeds) -> None:
    strange = feeds.there.deploy(own("MorphoStrange"))
    price = feeds.price(strange, 123)
    assert isinstance(price.expression, Opaque)
    assert (price.low, price.source, price.expression.source) == (123, strange, strange)
    assert price.expression.why == "it answers like no source that we know"
    assert price.freshness(feeds.there.block.timestamp) is Freshness.UNKNOWN
    assert feeds.there.run(expression_from(strange, {})) == price.expression
