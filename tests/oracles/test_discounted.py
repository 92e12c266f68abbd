"""A feed less a discount: Pendle's principal tokens until their maturity and after, and MKR by SKY."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from tests.oracles.aave_prices import Adapters, near
from tests.oracles.node import node
from watcher.domain.source import Address

USDE, SKY, YEAR = 99_987_654, 6_650_503, 365 * 86_400
STATES = 120


@pytest.fixture(scope="module")
def there() -> Iterator[Adapters]:
    with node() as at:
        made = Adapters(at)
        dollar, sky, other = made.feed("USDE/USD", USDE), made.feed("SKY/USD", SKY), made.feed("OTHER/USD", 2 * SKY)
        soon = at.chain.head().timestamp + 60 * 86_400
        made.add("AavePrincipal", dollar, soon, 75 * 10**15)
        made.add("AavePrincipal", dollar, soon + 10 * YEAR, 75 * 10**15, name="far off")
        made.add("AaveMkrAsSet", sky, 24_000_00, 6_00)
        made.add("AaveMkr", sky, 24_000, 2 * 10**16)
        assert other
        yield made


def test_it_equals_every_adapter_to_maturity_and_beyond(there: Adapters) -> None:
    rng, discounts = Random(8), set()
    for _ in range(STATES):
        feed = there.feeds[rng.choice(("SKY/USD", "OTHER/USD"))].proxy
        txs = [there.moving("USDE/USD", near(rng, USDE)), there.moving("SKY/USD", near(rng, SKY))]
        txs += [there.doing(there.sources["AaveMkrAsSet"], "set(address,uint256)", feed, rng.randint(10, 99_90))]
        txs += [there.doing(there.sources["AaveMkr"], "setDiscount(uint256)", rng.randint(0, 10**18))]
        yearly = rng.randint(1, 9 * 10**16)
        txs += [
            there.doing(there.sources[name], "setDiscountRatePerYear(uint64)", yearly)
            for name in ("AavePrincipal", "far off")
        ]
        there.together(txs, later=rng.choice((1, 60, 3 * 86_400)))
        prices = there.prices()
        assert not [price.hidden for price in prices.values() if price.hidden]
        assert {name: price.low for name, price in prices.items()} == there.answers()
        discounts.add(there.node.view(there.sources["AavePrincipal"], "getCurrentDiscount()(uint256)") > 0)
    assert discounts == {True, False}, "one of before and after maturity was not seen"


def test_it_names_the_leaves_and_follows_a_feed_that_is_exchanged(there: Adapters) -> None:
    adapter = there.sources["AaveMkrAsSet"]
    for name in ("SKY/USD", "OTHER/USD"):
        there.node.send(adapter, "set(address,uint256)", there.feeds[name].proxy, 600)
        assert [reading.pair for reading in there.prices()["AaveMkrAsSet"].feeds] == [name]
    prices = there.prices()
    assert [reading.pair for reading in prices["AaveMkr"].feeds] == ["SKY/USD"]
    assert [reading.pair for reading in prices["far off"].feeds] == ["USDE/USD"]


def test_it_foresees_what_the_adapters_answer_when_a_feed_moves(there: Adapters) -> None:
    """But for the seconds that pass, of which a principal token's discount is made: those have passed maturity here."""
    rng = Random(9)
    there.together([], later=YEAR)
    there.node.send(there.sources["far off"], "setDiscountRatePerYear(uint64)", 1)
    for _ in range(20):
        before, moved = there.prices(), {"USDE/USD": near(rng, USDE), "SKY/USD": near(rng, SKY)}
        foreseen = {Address(there.feeds[name].proxy): answer for name, answer in moved.items()}
        there.together([there.moving(name, answer) for name, answer in moved.items()])
        assert {name: price.with_feeds(foreseen).low for name, price in before.items()} == there.answers()
