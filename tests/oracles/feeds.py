"""Feeds behind Chainlink's real proxy, in any number of places, and what wrappers over them are held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from tests.oracles.node import Node
from tests.worlds.artifacts import chainlink
from tests.worlds.chain import ZERO, RevertError
from watcher.domain.feed import lateness_limit
from watcher.domain.price import FeedFacts, Freshness, Opaque, Price
from watcher.domain.source import Address
from watcher.oracles.sources import price_from

HEARTBEAT = 3600
LATE = lateness_limit(HEARTBEAT) + 1000
ANSWER, PRICE = "latestRoundData()(uint80,int256,uint256,uint256,uint80)", "price()(uint256)"


@dataclass
class Feeds:
    """Feeds that the tests write, all with the same published heartbeat, and the random states they were put in."""

    there: Node
    random: Random
    book: dict[Address, FeedFacts] = field(default_factory=dict)
    behind: dict[Address, Address] = field(default_factory=dict)
    states: int = 0
    explained: int = 0
    most: int = 19
    """Answers are below ten to this."""

    def feed(self, places: int) -> Address:
        """A new one, of so many places."""
        aggregator = self.there.deploy(chainlink("MockV3Aggregator"), places, 1)
        proxy = self.there.deploy(chainlink("EACAggregatorProxy"), aggregator, ZERO)
        self.book[proxy] = FeedFacts(pair=f"feed {len(self.book)}", heartbeat=HEARTBEAT)
        self.behind[proxy] = aggregator
        return proxy

    def write(self, feed: Address, answer: int, *, late: bool = False) -> None:
        """Its next round, which is older than its heartbeat allows if `late`."""
        at = self.there.chain.head().timestamp - (LATE if late else 0)
        aggregator = self.behind[feed]
        latest = self.there.view(aggregator, "latestRound()(uint256)")
        self.there.send(aggregator, "updateRoundData(uint80,int256,uint256,uint256)", latest + 1, answer, at, at)

    def answer(self) -> int:
        """Any answer: now and then 0 or below."""
        size = 10 ** self.random.randint(2, self.most)
        return self.random.choice([0, -1, -size]) if self.random.random() < 0.15 else self.random.randint(1, size)

    def value(self, source: Address, signature: str = ANSWER) -> int | None:
        """What the contract itself answers; None where it reverts."""
        try:
            values = self.there.chain.view(source, signature)
        except RevertError:
            return None
        return int(str(values[1] if len(values) > 1 else values[0]))

    def price(self, source: Address, value: int) -> Price:
        return self.there.run(price_from(source, value, self.book))

    def holds(self, source: Address, used: Sequence[Address], signature: str = ANSWER) -> None:
        """In a random state of the feeds: the value, the leaves, the age, and what a moved leaf makes of it."""
        late = {feed: self.random.random() < 0.3 for feed in used}
        for feed in used:
            self.write(feed, self.answer(), late=late[feed])
        value = self.value(source, signature)
        price = self.price(source, 7 if value is None else value)
        self.states += 1
        if value is None:
            assert isinstance(price.expression, Opaque), "what reverts has no price"
            return
        self.explained += 1
        assert not price.hidden, price.hidden
        assert price.low == value
        assert {reading.feed for reading in price.feeds} == set(used)
        assert {reading.pair for reading in price.feeds} == {self.book[feed].pair for feed in used}
        assert price.freshness(self.there.block.timestamp) is stalest_of(late)
        if used:
            self._moves(source, price, used, signature)

    def _moves(self, source: Address, price: Price, used: Sequence[Address], signature: str) -> None:
        moved, to = self.random.choice(used), self.answer()
        self.write(moved, to)
        value = self.value(source, signature)
        if value is not None:
            assert price.with_feeds({moved: to}).low == value


def stalest_of(late: Mapping[Address, bool]) -> Freshness:
    return Freshness.STALE if any(late.values()) else Freshness.FRESH
