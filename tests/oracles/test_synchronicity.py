"""Synchronicity adapters and SparkLend's: two feeds, or a feed and a rate, equal to the contract to the unit."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from tests.oracles.aave_prices import Adapters, near
from tests.oracles.node import node
from tests.worlds.own import own
from watcher.domain.price import Cap, Freshness, Opaque, Rate, nodes
from watcher.domain.source import Address

RATE, BASE, PEG, RAY_RATE = 1_193_234_567_890_123_456, 3500_12345678, 1_00023456, 1_153_234_567_890_123_456_789_012_345
STATES = 120
RATED = {
    "AaveWstEth": "wstETH in stETH",
    "AaveREth": "rETH in ETH",
    "AaveCbEth": "cbETH in ETH",
    "AaveMatic": "staked MATIC in MATIC",
    "AaveSDai": "sDAI in DAI",
    "AaveGnosisSDai": "sDAI in xDAI",
    "AaveSparkWstEth": "wstETH in stETH",
    "AaveSparkREth": "rETH in ETH",
    "AaveSparkWeEth": "weETH in eETH",
    "AaveSparkSpEth": "spETH in ETH",
    "AaveSparkRsEth": "rsETH in ETH",
    "AaveSparkEzEth": "ezETH in ETH",
}
MOST = 1_01000000


@pytest.fixture(scope="module")
def there() -> Iterator[Adapters]:
    with node() as at:
        made = Adapters(at)
        ether, peg = made.feed("ETH/USD", BASE), made.feed("USDC/USD", PEG)
        asset = made.feed("STETH/ETH", RATE, decimals=18)
        made.rate = at.deploy(own("AaveRate"), RATE)
        for name in RATED:
            made.add(name, ether, made.rate)
        made.add("AavePegToBase", ether, asset, 8)
        made.add("AavePegToBase", ether, asset, 18, name="in more places")
        made.add("AaveBaseToPeg", ether, peg, 18)
        made.add("AaveFixedRatio", ether, 10_00, 18)
        made.add("AaveSparkCapped", peg, MOST)
        yield made


def test_it_equals_every_adapter(there: Adapters) -> None:
    rng, seen = Random(3), set()
    for _ in range(STATES):
        rate = rng.choice((0, 1, RATE, RAY_RATE, abs(near(rng, RATE))))
        txs = [there.moving("ETH/USD", near(rng, BASE)), there.moving("USDC/USD", near(rng, PEG))]
        txs += [there.moving("STETH/ETH", near(rng, RATE)), there.doing(there.rate, "set(uint256)", rate)]
        txs.append(there.doing(there.rate, "setSupply(uint256)", rng.randint(1, 3 * 10**18)))
        there.together(txs, later=rng.choice((1, 60)))
        prices, answers = there.prices(), there.answers()
        assert not [price.hidden for price in prices.values() if price.hidden]
        assert {name: price.low for name, price in prices.items()} == answers
        seen |= {(name, answer > 0) for name, answer in answers.items()}
    assert {name for name, positive in seen if positive} == set(there.sources)
    assert {name for name, positive in seen if not positive} == set(there.sources)


def test_it_names_the_leaves_and_the_rate(there: Adapters) -> None:
    prices = there.prices()
    for name, what in RATED.items():
        [rate] = [one for one in nodes(prices[name].expression) if isinstance(one, Rate)]
        assert (rate.what, rate.source) == (what, there.rate)
        assert {reading.pair for reading in prices[name].feeds} == {"ETH/USD"}
    assert [reading.pair for reading in prices["AavePegToBase"].feeds] == ["STETH/ETH", "ETH/USD"]
    assert [reading.pair for reading in prices["AaveBaseToPeg"].feeds] == ["USDC/USD", "ETH/USD"]
    assert [reading.pair for reading in prices["AaveFixedRatio"].feeds] == ["ETH/USD"]
    assert [reading.pair for reading in prices["AaveSparkCapped"].feeds] == ["USDC/USD"]


def test_it_is_as_old_as_the_older_of_two_feeds(there: Adapters) -> None:
    there.together([there.moving(name, 10**8) for name in there.feeds])
    there.together([there.moving("ETH/USD", BASE)], later=2 * 3600)
    now = there.node.block.timestamp
    stale = {name for name, price in there.prices().items() if price.freshness(now) is Freshness.STALE}
    assert stale == {"AavePegToBase", "in more places", "AaveBaseToPeg", "AaveSparkCapped"}


def test_it_foresees_what_the_adapters_answer_when_a_feed_moves(there: Adapters) -> None:
    rng, starts = Random(4), {"ETH/USD": BASE, "USDC/USD": PEG, "STETH/ETH": RATE}
    there.together([there.doing(there.rate, "setSupply(uint256)", 10**18)])
    for _ in range(30):
        before = there.prices()
        moved, rate = {name: near(rng, start) for name, start in starts.items()}, abs(near(rng, RATE))
        foreseen = {Address(there.feeds[name].proxy): answer for name, answer in moved.items()} | {there.rate: rate}
        txs = [there.moving(name, answer) for name, answer in moved.items()]
        there.together([*txs, there.doing(there.rate, "set(uint256)", rate)])
        assert {name: price.with_feeds(foreseen).low for name, price in before.items()} == there.answers()


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_sparks_cap_is_active_from_the_first_unit_above(there: Adapters, off: int) -> None:
    there.together([there.moving("USDC/USD", MOST + off)])
    expression = there.prices()["AaveSparkCapped"].expression
    assert isinstance(expression, Cap)
    assert expression.active is (off > 0)


def test_it_has_no_rate_of_shares_that_nobody_holds(there: Adapters) -> None:
    """The adapter itself fails then: what is asked for nevertheless is not explained."""
    with there.node.chain.undone():
        there.node.send(there.rate, "setSupply(uint256)", 0)
        alone = Adapters(there.node, sources={"ezETH": there.sources["AaveSparkEzEth"]}, feeds=there.feeds)
        price = alone.price("ezETH", BASE)
    assert isinstance(price.expression, Opaque)
    assert "answers 0" in price.expression.why
