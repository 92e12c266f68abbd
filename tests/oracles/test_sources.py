"""Sources are recognised by what they answer, on the real proxy of Chainlink and on contracts that answer nonsense."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.oracles.node import Node, node
from tests.worlds.deployment import deploy_feed
from tests.worlds.own import own
from watcher.domain.price import FeedFacts, Freshness, Leaf, Opaque
from watcher.domain.source import ZERO_ADDRESS, Address
from watcher.oracles.sources import price_from

ANSWER = 2000_00000000


@pytest.fixture(scope="module")
def there() -> Iterator[Node]:
    with node() as it:
        yield it


def test_it_sees_through_the_real_proxy_to_its_aggregator(there: Node) -> None:
    feed = deploy_feed(there.chain, ANSWER)
    price = there.run(price_from(Address(feed.proxy), ANSWER, {}))
    assert isinstance(price.expression, Leaf)
    reading = price.expression.reading
    assert (reading.feed, reading.behind, reading.answer) == (feed.proxy, feed.aggregator, ANSWER)
    assert (price.low, price.source) == (ANSWER, feed.proxy)
    assert reading.round == there.view(reading.feed, "latestRound()(uint256)")
    assert price.freshness(there.block.timestamp) is Freshness.UNKNOWN, "nobody published a heartbeat of it"


def test_it_knows_a_published_feed_by_the_aggregator_behind_it(there: Node) -> None:
    feed = deploy_feed(there.chain, ANSWER)
    price = there.run(
        price_from(Address(feed.proxy), ANSWER, {Address(feed.aggregator): FeedFacts(pair="A/B", heartbeat=60)})
    )
    [reading] = price.feeds
    assert (reading.pair, reading.heartbeat) == ("A/B", 60)


def test_it_names_a_source_that_it_cannot_see_through_and_never_takes_it_for_fresh(there: Node) -> None:
    strange = there.deploy(own("Whatever"))
    there.send(strange, "answer(bytes)", (7).to_bytes(32, "big") * 5)
    price = there.run(price_from(strange, 7, {}))
    assert isinstance(price.expression, Opaque)
    assert (price.expression.source, price.low) == (strange, 7)
    assert price.expression.why
    assert price.freshness(there.block.timestamp) is Freshness.UNKNOWN


def test_it_does_not_explain_a_price_that_is_not_what_the_feed_answers(there: Node) -> None:
    feed = deploy_feed(there.chain, ANSWER)
    price = there.run(price_from(Address(feed.proxy), ANSWER + 1, {}))
    assert isinstance(price.expression, Opaque)
    assert str(ANSWER) in price.expression.why


def test_it_names_a_missing_source(there: Node) -> None:
    price = there.run(price_from(ZERO_ADDRESS, 5, {}))
    assert isinstance(price.expression, Opaque)
    assert price.low == 5
