"""CAPO adapters: equal to the contract to the unit, capped exactly when the contract says so."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from random import Random

import pytest

from tests.oracles.aave_prices import Adapters, near
from tests.oracles.node import node
from tests.worlds.chain import Tx
from tests.worlds.own import own
from watcher.domain.price import Cap, Freshness, Leaf, Opaque, Price, Rate, nodes
from watcher.domain.source import Address

WAD, RATE, BASE, EURO, STABLE = 10**18, 1_193_234_567_890_123_456, 3500_12345678, 1_08765432, 99_987_654
STATES = 150
RATIOS = ("AaveRatioCap", "by feed", "nested", "AaveOldRatioCap")
_SET = "set(uint104,uint48,uint16)"


@pytest.fixture(scope="module")
def capo() -> Iterator[Adapters]:
    with node() as at:
        made = Adapters(at)
        ether, euro, stable = made.feed("ETH/USD", BASE), made.feed("EUR/USD", EURO), made.feed("USDC/USD", STABLE)
        eurc, rate_feed = made.feed("EURC/USD", EURO), made.feed("rETH/ETH", RATE, decimals=18)
        rate = at.deploy(own("AaveRate"), RATE)
        made.add("AaveRatioCap", ether, rate, 18, False)
        made.add("AaveOldRatioCap", ether, rate)
        made.add("AaveRatioCap", ether, rate_feed, 18, True, name="by feed")
        made.add("AaveStableCap", stable, 1_04000000)
        made.add("AaveOldStableCap", stable, 1_04000000)
        made.add("AaveRatioCap", made.sources["AaveStableCap"], rate, 18, False, name="nested")
        made.add("AaveEuroCap", eurc, euro, 4, 1_0400)
        made.rate = rate
        for name in RATIOS:
            at.send(made.sources[name], _SET, RATE, at.chain.head().timestamp - 7 * 86_400, 968)
        yield made


def caps(price: Price) -> list[Cap]:
    return [one for one in nodes(price.expression) if isinstance(one, Cap)]


def own_cap(capo: Adapters, name: str, price: Price) -> Cap:
    [found] = [one for one in caps(price) if one.source == capo.sources[name]]
    return found


def random_state(capo: Adapters, rng: Random) -> None:
    """Prices, rates and parameters move, and time goes on; caps are sometimes met, sometimes missed by one."""
    ratio = near(rng, RATE, per_mille=20)
    now = capo.node.chain.head().timestamp
    txs = [
        capo.moving("ETH/USD", near(rng, BASE)),
        capo.moving("EUR/USD", near(rng, EURO)),
        capo.moving("EURC/USD", near(rng, EURO)),
        capo.moving("USDC/USD", near(rng, STABLE)),
        capo.moving("rETH/ETH", near(rng, RATE, per_mille=20)),
        capo.doing(capo.rate, "set(uint256)", max(ratio, 0)),
    ]
    for name in RATIOS:
        parameters = (rng.randint(1, 2 * RATE), now - rng.randint(0, 180 * 86_400), rng.choice((0, 1, 968, 65_535)))
        if rng.random() < 0.3:
            parameters = (max(ratio, 1), now - rng.randint(0, 60), rng.choice((0, 1, 968)))
        txs.append(capo.doing(capo.sources[name], _SET, *parameters))
    for name in ("AaveStableCap", "AaveOldStableCap"):
        txs.append(capo.doing(capo.sources[name], "setPriceCap(int256)", max(near(rng, STABLE), 0)))
    capo.together(txs, later=rng.choice((1, 60, 5000)))


def test_it_equals_every_adapter_and_is_capped_exactly_when_the_adapter_is(capo: Adapters) -> None:
    rng, seen = Random(11), set()
    for _ in range(STATES):
        random_state(capo, rng)
        prices, answers, capped = capo.prices(), capo.answers(), capo.capped(*capo.sources)
        for name, price in prices.items():
            assert not price.hidden, (name, price.hidden)
            assert price.low == answers[name], name
            assert own_cap(capo, name, price).active is capped[name], name
            seen.add((name, capped[name], price.low <= 0))
    for name in capo.sources:
        assert {(name, True, False), (name, False, False)} <= seen, f"{name} was not seen both ways"
    assert {name for name, _, odd in seen if odd} == set(capo.sources), "nothing that is not positive was seen"


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_it_is_capped_from_the_first_unit_above(capo: Adapters, off: int) -> None:
    """At a growth of 0 the cap is the snapshot itself."""
    now = capo.node.chain.head().timestamp
    txs: list[Tx] = [capo.moving("ETH/USD", BASE), capo.moving("rETH/ETH", RATE + off)]
    txs += [capo.doing(capo.rate, "set(uint256)", RATE + off), capo.moving("USDC/USD", STABLE + off)]
    txs += [capo.doing(capo.sources[name], _SET, RATE, now - 60, 0) for name in RATIOS]
    txs += [
        capo.doing(capo.sources[name], "setPriceCap(int256)", STABLE) for name in ("AaveStableCap", "AaveOldStableCap")
    ]
    euro = EURO * 1_0400 // 10**4
    capo.together([*txs, capo.moving("EUR/USD", EURO), capo.moving("EURC/USD", euro + off)])
    prices, capped = capo.prices(), capo.capped(*capo.sources)
    for name, price in prices.items():
        assert own_cap(capo, name, price).active is (off > 0) is capped[name], name
        assert price.low == capo.answers()[name]


def test_it_names_the_leaves_and_the_rate_with_its_bound(capo: Adapters) -> None:
    now = capo.node.chain.head().timestamp
    capo.together([capo.doing(capo.sources[name], _SET, RATE, now - 60, 968) for name in RATIOS])
    prices = capo.prices()
    named = {name: {reading.pair for reading in price.feeds} for name, price in prices.items()}
    assert named == {
        "AaveRatioCap": {"ETH/USD"},
        "AaveOldRatioCap": {"ETH/USD"},
        "by feed": {"ETH/USD", "rETH/ETH"},
        "AaveStableCap": {"USDC/USD"},
        "AaveOldStableCap": {"USDC/USD"},
        "nested": {"USDC/USD"},
        "AaveEuroCap": {"EURC/USD", "EUR/USD"},
    }
    for name in ("AaveRatioCap", "AaveOldRatioCap", "nested"):
        [rate] = [one for one in nodes(prices[name].expression) if isinstance(one, Rate)]
        assert (rate.source, rate.decimals, rate.growth) == (capo.rate, 18, Decimal("0.0968"))
    assert not [one for one in nodes(prices["by feed"].expression) if isinstance(one, Rate)]


def test_it_is_as_old_as_its_feeds_though_the_adapter_dates_itself_now(capo: Adapters) -> None:
    fresh = [capo.moving("ETH/USD", BASE), capo.moving("EUR/USD", EURO), capo.moving("rETH/ETH", RATE)]
    capo.together([*fresh, capo.moving("EURC/USD", EURO), capo.moving("USDC/USD", STABLE)])
    prices, now = capo.prices(), capo.node.block.timestamp
    assert {price.freshness(now) for price in prices.values()} == {Freshness.FRESH}
    capo.together([capo.moving("ETH/USD", BASE)], later=2 * 3600)
    prices, now = capo.prices(), capo.node.block.timestamp
    stale = {name for name, price in prices.items() if price.freshness(now) is Freshness.STALE}
    assert stale == set(capo.sources) - {"AaveRatioCap", "AaveOldRatioCap"}


def test_it_foresees_what_the_adapters_answer_when_a_feed_moves(capo: Adapters) -> None:
    """A what-if of feeds and rate is held against the contracts after they moved, at the same cap."""
    now = capo.node.chain.head().timestamp
    capo.together([capo.doing(capo.sources[name], _SET, RATE, now - 60, 0) for name in RATIOS])
    rng, starts = Random(5), {"ETH/USD": BASE, "EUR/USD": EURO, "EURC/USD": EURO, "USDC/USD": STABLE, "rETH/ETH": RATE}
    for _ in range(40):
        before = capo.prices()
        moved = {name: near(rng, start) for name, start in starts.items()}
        rate = abs(near(rng, RATE))
        foreseen = {Address(capo.feeds[name].proxy): answer for name, answer in moved.items()} | {capo.rate: rate}
        txs = [capo.moving(name, answer) for name, answer in moved.items()]
        capo.together([*txs, capo.doing(capo.rate, "set(uint256)", rate)])
        assert {name: price.with_feeds(foreseen).low for name, price in before.items()} == capo.answers()


def test_it_does_not_take_a_feed_for_the_ratio_that_is_not_it(capo: Adapters) -> None:
    """A provider that answers like a feed, of which the adapter takes something else."""
    ether = capo.feeds["ETH/USD"].proxy
    strange = Adapters(capo.node, feeds=capo.feeds)
    fixed = capo.node.deploy(own("AaveRateThatAnswers"), RATE)
    adapter = strange.add("AaveRatioCap", ether, fixed, 18, False)
    capo.node.send(adapter, _SET, RATE, capo.node.chain.head().timestamp - 60, 0)
    [price] = strange.prices().values()
    assert isinstance(price.expression, Opaque)
    assert str(RATE) in price.expression.why


def test_it_sees_the_feed_of_a_ratio_as_a_leaf(capo: Adapters) -> None:
    cap = own_cap(capo, "by feed", capo.prices()["by feed"])
    assert isinstance(cap.of, Leaf)
    assert (cap.of.reading.pair, cap.of.reading.decimals) == ("rETH/ETH", 18)
