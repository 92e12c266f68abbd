"""Moonwell's, Benqi's and Compound's oracles, on contracts of the same arithmetic over Chainlink's real proxies."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from tests.oracles.node import DEPLOYER, Node, node
from tests.worlds.abi import calldata
from tests.worlds.artifacts import chainlink, venus_oracle
from tests.worlds.chain import ZERO, RevertError, Tx, named
from tests.worlds.deployment import Feed
from tests.worlds.own import own
from watcher.domain.errors import CallReverted
from watcher.domain.price import Chosen, Fixed, Freshness, Leaf, Opaque, Price, Product, value_of
from watcher.domain.source import Address
from watcher.oracles.compound_v2 import compound_expression, compound_price
from watcher.oracles.sources import expression_from, price_from


@pytest.fixture(scope="module")
def there() -> Iterator[Node]:
    with node() as it:
        yield it


def feed(there: Node, decimals: int, answer: int) -> Feed:
    aggregator = there.deploy(chainlink("MockV3Aggregator"), decimals, answer)
    return Feed(proxy=there.deploy(chainlink("EACAggregatorProxy"), aggregator, ZERO), aggregator=aggregator)


def answers(there: Node, given: Feed, answer: int, *, age: int = 0) -> None:
    [last] = there.chain.view(given.aggregator, "latestRound()(uint256)")
    at = there.chain.next_timestamp() - age
    data = calldata("updateRoundData(uint80,int256,uint256,uint256)", last + 1, answer, at, at)
    there.chain.send_all([Tx(DEPLOYER, given.aggregator, data)])


def theirs(there: Node, oracle: Address, market: Address) -> int | None:
    try:
        return int(there.view(oracle, "getUnderlyingPrice(address)(uint256)", market))
    except RevertError:
        return None


def ours(there: Node, oracle: Address, market: Address) -> Price | None:
    try:
        return Price.of(there.run(compound_expression(oracle, market, {})), source=oracle)
    except CallReverted:
        return None


@pytest.mark.parametrize(("oracle", "coin"), [("MoonwellOracle", "mGLMR"), ("BenqiOracle", "qiAVAX")])
def test_it_finds_the_feed_of_a_markets_symbol(there: Node, oracle: str, coin: str) -> None:
    random = Random(oracle)
    asked = there.deploy(own(oracle), *([coin] if oracle == "MoonwellOracle" else []))
    for decimals in (6, 8, 18):
        for places in (8, 18):
            token = there.deploy(venus_oracle("test/BEP20Harness"), "T", f"T{decimals}{places}", decimals)
            market = there.deploy(own("LentMarket"), "mT", token)
            given = feed(there, places, random.randint(1, 10**places * 5000))
            there.send(asked, "setFeed(string,address)", f"T{decimals}{places}", given.proxy)
            for _ in range(9):
                answers(there, given, random.randint(1, 10**places * 5000), age=random.randint(0, 10**6))
                price = ours(there, asked, market)
                assert price is not None
                assert price.low == theirs(there, asked, market)
                assert [reading.feed for reading in price.feeds] == [given.proxy]
                assert not price.hidden
            there.send(asked, "setDirectPrice(address,uint256)", token, 987654321)
            price = ours(there, asked, market)
            assert price is not None
            assert isinstance(price.expression, Fixed)
            assert price.low == theirs(there, asked, market)
    market = there.deploy(own("CoinMarket"), coin)
    given = feed(there, 8, 25_12345678)
    there.send(asked, "setFeed(string,address)", coin, given.proxy)
    price = ours(there, asked, market)
    assert price is not None
    assert (price.low, price.low) == (theirs(there, asked, market), 25_12345678 * 10**10)
    assert [reading.feed for reading in price.feeds] == [given.proxy]


def test_it_fails_where_moonwell_reverts_and_is_unpositive_where_benqi_does_not(there: Node) -> None:
    token = there.deploy(venus_oracle("test/BEP20Harness"), "T", "T", 18)
    market, given = there.deploy(own("LentMarket"), "mT", token), feed(there, 8, 5)
    moonwell, benqi = there.deploy(own("MoonwellOracle"), "mGLMR"), there.deploy(own("BenqiOracle"))
    for oracle in (moonwell, benqi):
        there.send(oracle, "setFeed(string,address)", "T", given.proxy)
    answers(there, given, 0)
    assert ours(there, moonwell, market) is None
    zero = ours(there, benqi, market)
    assert zero is not None
    assert zero.low == theirs(there, benqi, market) == 0
    assert [reading.answer for reading in zero.feeds] == [0], "what tells that it is no price is there to be seen"


def test_it_sees_through_products_of_feeds_that_claim_to_be_new(there: Node) -> None:
    random = Random(11)
    for _ in range(30):
        count = random.choice((2, 3))
        places = [random.choice((6, 8, 18, 20)) for _ in range(count)]
        feeds = [feed(there, here, random.randint(1, 4 * 10**here)) for here in places]
        addresses = [given.proxy for given in feeds]
        composite = there.deploy(own("MoonwellComposite"), *addresses, *([ZERO] * (3 - count)))
        value = there.chain.view(composite, "latestRoundData()(uint80,int256,uint256,uint256,uint80)")[1]
        price = there.run(price_from(composite, value, {}))
        assert (price.low, price.hidden) == (value, ())
        assert isinstance(price.expression, Product)
        assert [reading.feed for reading in price.feeds] == addresses


def test_it_does_not_explain_a_product_on_which_the_contract_reverts(there: Node) -> None:
    base, other = feed(there, 8, 10**8), feed(there, 8, -5)
    composite = there.deploy(own("MoonwellComposite"), base.proxy, other.proxy, ZERO)
    price = there.run(price_from(composite, 5, {}))
    assert isinstance(price.expression, Opaque)
    assert "reverts" in price.expression.why


def test_it_is_as_old_as_the_round_that_counts_where_the_newest_is_held_back(there: Node) -> None:
    given = feed(there, 8, 100)
    wrapper = there.deploy(own("MoonwellHeldBack"), given.proxy, 3, 60)
    counted = set()
    for answer in (200, 300, 400):
        answers(there, given, answer)
        for step in ("new", "later", "paid"):
            if step == "paid":
                answers(there, given, answer + 1)
                there.send(wrapper, "updatePriceEarly()")
            if step == "later":
                there.chain.increase_time(61)
            said = there.chain.view(wrapper, "latestRoundData()(uint80,int256,uint256,uint256,uint80)")
            found = there.run(expression_from(wrapper, {}))
            assert isinstance(found, Leaf)
            reading = found.reading
            assert (reading.round, reading.answer, reading.updated_at) == (said[0], said[1], said[3]), (answer, step)
            assert reading.feed == given.proxy
            counted.add((step, said[1] - answer))
    assert ("later", 0) in counted
    assert ("paid", 1) in counted
    assert any(step == "new" and apart < 0 for step, apart in counted), "the round before, while it is held back"


def test_it_names_the_feed_that_counts_where_one_is_bounded(there: Node) -> None:
    first, second = feed(there, 8, 10**8), feed(there, 18, 96 * 10**16)
    bounded = there.deploy(own("MoonwellBounded"), first.proxy, second.proxy, 99 * 10**6, 101 * 10**6)
    for answer in (98_999_999, 99_000_000, 10**8, 101_000_000, 101_000_001):
        answers(there, first, answer)
        value = there.chain.view(bounded, "latestRoundData()(uint80,int256,uint256,uint256,uint80)")[1]
        price = there.run(price_from(bounded, value, {}))
        assert isinstance(price.expression, Chosen)
        assert (price.low, value_of(price.expression.of)) == (value, value)
        assert price.feeds[0].feed == (first if 99_000_000 <= answer <= 101_000_000 else second).proxy


def test_it_says_what_compounds_view_keeps_without_a_time(there: Node) -> None:
    view = there.deploy(own("AnchoredView"))
    eth, usdc, tied = (named(f"a market {name}") for name in ("ETH", "USDC", "tied"))
    listing = "list((address,address,bytes32,uint256,uint8,uint256,address,bool))"
    from eth_utils.crypto import keccak

    there.send(view, listing, (eth, ZERO, keccak(b"ETH"), 10**18, 2, 0, ZERO, False))
    there.send(view, listing, (usdc, ZERO, keccak(b"USDC"), 10**6, 1, 10**6, ZERO, False))
    there.send(view, listing, (tied, ZERO, keccak(b"X"), 10**8, 0, 5 * 10**15 + 1, ZERO, False))
    there.send(view, "post(string,uint256)", "ETH", 3123_456789)
    for market, hidden in ((eth, True), (usdc, False), (tied, True)):
        price = ours(there, view, Address(market))
        assert price is not None
        assert price.low == theirs(there, view, Address(market))
        assert bool(price.hidden) == hidden
        assert price.freshness(there.block.timestamp) is (Freshness.UNKNOWN if hidden else Freshness.FRESH)
    assert "no time" in ours(there, view, Address(eth)).hidden[0].why  # type: ignore[union-attr]


def test_it_names_an_oracle_that_it_does_not_know(there: Node) -> None:
    strange = there.deploy(own("Whatever"))
    there.send(strange, "answer(bytes)", (7).to_bytes(32, "big") * 5)
    price = there.run(compound_price(strange, Address(named("a market")), 7, {}))
    assert isinstance(price.expression, Opaque)
    assert (price.low, price.freshness(there.block.timestamp)) == (7, Freshness.UNKNOWN)
    assert price.expression.why
