"""Venus's own oracles on a local chain, from its package, over Chainlink's real proxies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.oracles.node import DEPLOYER, Node
from tests.worlds.abi import calldata
from tests.worlds.artifacts import chainlink, venus_oracle
from tests.worlds.chain import ZERO, RevertError, Tx
from tests.worlds.deployment import Feed
from tests.worlds.own import own
from watcher.domain.errors import CallReverted
from watcher.domain.price import Price
from watcher.domain.source import Address
from watcher.oracles.venus import venus_expression

ROLES = ("main", "pivot", "fallback")
MAX_STALE = 3600
UNIT = 10**18
_PROXY = "hardhat-deploy/solc_0.8/openzeppelin/proxy/ERC1967/ERC1967Proxy"


@dataclass
class Token:
    """A token with a feed for each role."""

    address: Address
    decimals: int
    feeds: dict[str, Feed]


@dataclass
class Venus:
    """A ResilientOracle, its BoundValidator, and a ChainlinkOracle for each role."""

    node: Node
    permits: Address
    validator: Address
    resilient: Address
    oracles: dict[str, Address]

    def proxied(self, path: str, *values: object, initial: bytes | None = None) -> Address:
        """A contract behind a proxy, initialised, as all of Venus's upgradeable ones are."""
        implementation = self.node.deploy(venus_oracle(path), *values)
        begin = initial or calldata("initialize(address)", self.permits)
        return self.node.deploy(venus_oracle(_PROXY), implementation, begin)

    def token(self, symbol: str, decimals: int, feed_decimals: int = 8) -> Token:
        """A token, priced by a feed in each role."""
        address = self.node.deploy(venus_oracle("test/BEP20Harness"), symbol, symbol, decimals)
        return Token(
            address,
            decimals,
            {role: self.feed(oracle, address, feed_decimals) for role, oracle in self.oracles.items()},
        )

    def feed(self, oracle: Address, token: str, decimals: int = 8) -> Feed:
        """A feed behind the real proxy, which that ChainlinkOracle asks for the token."""
        aggregator = self.node.deploy(chainlink("MockV3Aggregator"), decimals, 10**decimals)
        proxy = self.node.deploy(chainlink("EACAggregatorProxy"), aggregator, ZERO)
        self.node.send(oracle, "setTokenConfig((address,address,uint256))", (token, proxy, MAX_STALE))
        return Feed(proxy=proxy, aggregator=aggregator)

    def listed(self, token: str, oracles: Sequence[str], enabled: Sequence[bool] = (True, True, True)) -> list[Tx]:
        """Which oracles the ResilientOracle asks for a token, in the order of the roles."""
        given = (*oracles, ZERO, ZERO)[:3]
        return [
            self._tx(
                self.resilient, "setTokenConfig((address,address[3],bool[3],bool))", (token, given, enabled, False)
            )
        ]

    def bounded(self, token: str, lower: int, upper: int) -> list[Tx]:
        return [self._tx(self.validator, "setValidateConfig((address,uint256,uint256))", (token, upper, lower))]

    def answering(self, feed: Feed, answer: int, age: int) -> list[Tx]:
        at = self.node.chain.head().timestamp - age
        return [self._tx(feed.aggregator, "updateRoundData(uint80,int256,uint256,uint256)", 7, answer, at, at)]

    def posted(self, oracle: str, token: str, price: int) -> list[Tx]:
        return [self._tx(oracle, "setDirectPrice(address,uint256)", token, price)]

    def theirs(self, oracle: str, token: str) -> int | None:
        """`getPrice`, asked apart from everything under test; None where it reverts."""
        try:
            return int(self.node.view(Address(oracle), "getPrice(address)(uint256)", token))
        except RevertError:
            return None

    def _tx(self, to: str, signature: str, *values: object) -> Tx:
        return Tx(DEPLOYER, to, calldata(signature, *values))


def three_priced(venus: Venus) -> list[Token]:
    """Tokens of different decimals, on feeds of different decimals, each with all three roles."""
    found = [venus.token("A", 18), venus.token("B", 8, feed_decimals=18), venus.token("C", 6)]
    oracles = list(venus.oracles.values())
    venus.node.chain.send_all([tx for token in found for tx in venus.listed(token.address, oracles)])
    return found


def venus_on(node: Node, native_market: str = ZERO, vai: str = ZERO) -> Venus:
    it = Venus(node, node.deploy(own("Permits")), Address(ZERO), Address(ZERO), {})
    it.validator = it.proxied("oracles/BoundValidator")
    it.resilient = it.proxied("ResilientOracle", native_market, vai, it.validator)
    it.oracles = {role: it.proxied("oracles/ChainlinkOracle") for role in ROLES}
    return it


def ours(venus: Venus, token: str) -> Price | None:
    """What the watcher makes of the price at the head; None where the contract refuses to have one."""
    try:
        found = venus.node.run(venus_expression(venus.resilient, Address(token), {}))
    except CallReverted:
        return None
    return Price.of(found, source=venus.resilient)


def settled(venus: Venus, token: Token, answers: tuple[int, int, int], ages: tuple[int, int, int] = (5, 5, 5)) -> None:
    """All three roles on, between 0.9 and 1.1, with these answers."""
    txs = [*venus.listed(token.address, list(venus.oracles.values()))]
    txs += venus.bounded(token.address, 9 * UNIT // 10, 11 * UNIT // 10)
    for role, answer, age in zip(ROLES, answers, ages, strict=True):
        txs += venus.answering(token.feeds[role], answer, age)
        txs += venus.posted(venus.oracles[role], token.address, 0)
    venus.node.chain.send_all(txs)
