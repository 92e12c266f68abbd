"""Smart Value Recapture: two proxies before one aggregator, which shows each of them what is meant for it."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from tests.oracles.node import Node, node
from tests.worlds.artifacts import chainlink
from tests.worlds.chain import ZERO
from tests.worlds.own import own
from watcher.domain.price import FeedFacts, Freshness, Leaf
from watcher.domain.source import Address
from watcher.oracles.sources import price_from

CUTOFF, PRICE = 30, 3500_00000000
_LAST = "latestRoundData()(uint80,int256,uint256,uint256,uint80)"


class Recapture:
    """The aggregator, and its proxies: the plain one and the secondary one that Aave asks."""

    def __init__(self, at: Node) -> None:
        self.node = at
        self.aggregator = at.deploy(own("AaveDualAggregator"), CUTOFF)
        self.plain, self.secondary = (
            at.deploy(chainlink("EACAggregatorProxy"), self.aggregator, ZERO) for _ in range(2)
        )
        at.send(self.aggregator, "setSecondaryProxy(address)", self.secondary)
        self.transmit(PRICE, secondary=True)

    def transmit(self, answer: int, *, secondary: bool) -> None:
        self.node.send(self.aggregator, "transmit(int256,bool)", answer, secondary)

    def leaf(self, proxy: Address, known_as: Address | None = None) -> Leaf:
        """What we see behind a proxy, of which the reference data has the address `known_as`."""
        answer = self.node.view(proxy, "latestAnswer()(int256)")
        book = {known_as or proxy: FeedFacts(pair="ETH/USD", heartbeat=3600)}
        price = self.node.run(price_from(proxy, answer, book))
        assert price.freshness(self.node.block.timestamp) is Freshness.FRESH
        assert isinstance(price.expression, Leaf)
        return price.expression


@pytest.fixture(scope="module")
def there() -> Iterator[Recapture]:
    with node() as at:
        yield Recapture(at)


def test_it_reads_through_the_proxy_that_the_protocol_asks(there: Recapture) -> None:
    rng, apart = Random(2), 0
    for _ in range(40):
        there.transmit(rng.randint(PRICE // 2, 2 * PRICE), secondary=rng.random() < 0.4)
        if rng.random() < 0.5:
            there.node.chain.increase_time(rng.randint(1, 2 * CUTOFF))
        seen = []
        for proxy in (there.plain, there.secondary):
            reading = there.leaf(proxy).reading
            number, answer, _, updated_at, _ = there.node.chain.view(proxy, _LAST)
            assert (reading.round, reading.answer, reading.updated_at) == (number, answer, updated_at)
            assert (reading.feed, reading.behind) == (proxy, there.aggregator)
            seen.append(reading.round)
        apart += seen[0] != seen[1]
    assert apart > 5, "the proxies never showed different rounds"


def test_it_knows_the_promise_by_either_address(there: Recapture) -> None:
    for known_as in (there.secondary, there.aggregator):
        assert there.leaf(there.secondary, known_as).reading.heartbeat == 3600
