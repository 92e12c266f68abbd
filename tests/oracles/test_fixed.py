"""Fixed prices pass for fixed, and nothing that moves does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.oracles.aave_prices import Adapters
from tests.oracles.node import node
from watcher.domain.price import Fixed, Freshness, Opaque

PINNED = {
    "AaveFixedPrice": 99_00000000,
    "AaveGhoOracle": 10**8,
    "AaveOneUsd": 10**8,
    "AaveRep": 462569569300000,
    "AaveSparkFixed": 98_765_432,
}


@pytest.fixture(scope="module")
def there() -> Iterator[Adapters]:
    with node() as at:
        made = Adapters(at)
        made.add("AaveFixedPrice", PINNED["AaveFixedPrice"])
        made.add("AaveGhoOracle")
        made.add("AaveOneUsd")
        made.add("AaveRep")
        made.add("AaveSparkFixed", PINNED["AaveSparkFixed"])
        yield made


def test_it_knows_a_price_that_is_pinned(there: Adapters) -> None:
    prices, now = there.prices(), there.node.block.timestamp
    assert {name: price.low for name, price in prices.items()} == PINNED == there.answers()
    for price in prices.values():
        assert isinstance(price.expression, Fixed)
        assert price.expression.why
        assert price.freshness(now) is Freshness.FRESH


@pytest.mark.parametrize("to", [0, 1, 12_345])
def test_it_follows_governance(there: Adapters, to: int) -> None:
    there.node.send(there.sources["AaveFixedPrice"], "setPrice(int256)", to)
    assert there.prices()["AaveFixedPrice"].low == to


def test_it_does_not_take_a_price_that_moves_for_a_fixed_one(there: Adapters) -> None:
    strange = Adapters(there.node)
    moving = strange.add("AaveMovingPrice")
    there.node.send(moving, "set(int256)", 5)
    [price] = strange.prices().values()
    assert isinstance(price.expression, Opaque)
    assert price.freshness(there.node.block.timestamp) is Freshness.UNKNOWN
