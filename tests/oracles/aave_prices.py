"""Adapters of Aave and SparkLend over feeds that a test moves, all of them read in one go at every state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.oracles.node import DEPLOYER, Node
from tests.worlds.abi import calldata, results
from tests.worlds.artifacts import chainlink
from tests.worlds.chain import ZERO, Tx
from tests.worlds.deployment import Feed
from tests.worlds.own import own
from watcher.domain.feed import FeedFacts
from watcher.domain.price import Price
from watcher.domain.source import ZERO_ADDRESS, Address
from watcher.oracles.sources import price_from
from watcher.reads import Answers, Bundle, Call, Plan, Request, Returned, drive, together

_AGGREGATE = "aggregate3((address,bool,bytes)[])((bool,bytes)[])"
_ANSWER, _CAPPED = "latestAnswer()(int256)", "isCapped()(bool)"
HEARTBEAT = 3600


@dataclass
class Adapters:
    """What a test has deployed; `sources` are the adapters, by name."""

    node: Node
    sources: dict[str, Address] = field(default_factory=dict)
    feeds: dict[str, Feed] = field(default_factory=dict)
    known: dict[Any, Any] = field(default_factory=dict)
    rate: Address = ZERO_ADDRESS
    """The contract whose rate the test sets."""

    def feed(self, name: str, answer: int, *, decimals: int = 8) -> Address:
        """A feed behind Chainlink's real proxy."""
        aggregator = self.node.deploy(chainlink("MockV3Aggregator"), decimals, answer)
        proxy = self.node.deploy(chainlink("EACAggregatorProxy"), aggregator, ZERO)
        self.feeds[name] = Feed(proxy=proxy, aggregator=aggregator)
        return proxy

    def add(self, contract: str, *values: object, name: str = "") -> Address:
        """One of the tests' own contracts, as an adapter to compare."""
        self.sources[name or contract] = found = self.node.deploy(own(contract), *values)
        return found

    def moving(self, name: str, answer: int) -> Tx:
        """The transaction that is a new round of a feed."""
        return self.doing(self.feeds[name].aggregator, "updateAnswer(int256)", answer)

    def doing(self, to: str, signature: str, *values: object) -> Tx:
        return Tx(DEPLOYER, to, calldata(signature, *values), gas=300_000)

    def together(self, txs: Sequence[Tx], *, later: int = 0) -> None:
        """Mine these in one block, so many seconds after the last one and the usual twelve."""
        if later:
            self.node.chain.increase_time(later)
        self.node.chain.send_all(txs)

    def price(self, name: str, value: int) -> Price:
        """What we make of one adapter, if a protocol took `value` from it."""
        return drive(price_from(self.sources[name], value, self._book), self.node.block, self._answer)

    @property
    def _book(self) -> dict[Address, FeedFacts]:
        return {Address(one.proxy): FeedFacts(pair=name, heartbeat=HEARTBEAT) for name, one in self.feeds.items()}

    def prices(self) -> dict[str, Price]:
        """What we make of each adapter at the head."""
        answers, book = self.answers(), self._book
        plans = [price_from(source, answers[name], book) for name, source in self.sources.items()]
        found = drive(self._remembering(together(plans)), self.node.block, self._answer)
        assert all(isinstance(one, Price) for one in found), found
        return dict(zip(self.sources, found, strict=True))

    def answers(self) -> dict[str, int]:
        """What each adapter answers by itself."""
        return {name: int(one) for name, one in self._views(_ANSWER, self.sources).items()}

    def capped(self, *names: str) -> dict[str, bool]:
        """What each of these says of its own cap."""
        return self._views(_CAPPED, {name: self.sources[name] for name in names})

    def _views(self, signature: str, sources: Mapping[str, Address]) -> dict[str, Any]:
        data = calldata(signature.split(")(")[0] + ")")
        said = self._multicall([(source, data) for source in sources.values()])
        assert all(one.success for one in said), said
        return {name: results(signature, one.data)[0] for name, one in zip(sources, said, strict=True)}

    def _remembering(self, plan: Plan[Any]) -> Plan[Any]:
        """Shapes are remembered from state to state, as the daemon does."""
        got: Answers = yield []
        got.known.update(self.known)
        found = yield from plan
        self.known = dict(got.known)
        return found

    def _answer(self, requests: Sequence[Request]) -> Mapping[Request, Sequence[Returned]]:
        asked = [request for request in requests if isinstance(request, Call)]
        said = self._multicall([(call.target, call.data) for call in asked])
        found: dict[Request, Sequence[Returned]] = {call: [one] for call, one in zip(asked, said, strict=True)}
        bundles = [request for request in requests if isinstance(request, Bundle)]
        return found | {each: self._multicall([(call.target, call.data) for call in each.calls]) for each in bundles}

    def _multicall(self, calls: Sequence[tuple[str, bytes]]) -> list[Returned]:
        if not calls:
            return []
        asked = [(to, True, data) for to, data in calls]
        [answers] = self.node.chain.view(self.node.multicall3, _AGGREGATE, asked)
        return [Returned(success, data) for success, data in answers]


def near(rng: Random, value: int, *, per_mille: int = 50) -> int:
    """A value in the neighbourhood of another, and now and then one that no feed should answer."""
    odd = rng.random()
    if odd < 0.06:
        return rng.choice((0, -1, -value, 1))
    return value * (10**6 + rng.randint(-1000 * per_mille, 1000 * per_mille)) // 10**6
