"""Oracles of each of Euler's kinds over what they stand on, and what moves it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from tests.oracles.node import DEPLOYER, Node
from tests.worlds.abi import calldata
from tests.worlds.chain import Tx
from tests.worlds.deployment import Feed, deploy_feed
from tests.worlds.own import own
from watcher.domain.price import Price
from watcher.domain.source import Address
from watcher.oracles.euler import quote_of

USD = Address("0x0000000000000000000000000000000000000348")
HOUR, DAY = 3_600, 86_400
_QUOTE = "getQuote(uint256,address,address)(uint256)"
SET = "set(uint256,uint256)"
SET_PYTH = "set(bytes32,int64,uint64,int32,uint256)"
ETH = b"ETH/USD".ljust(32, b"\0")
SET_ROUND = "updateRoundData(uint80,int256,uint256,uint256)"


Shake = Callable[[Random, int], list[Tx]]
"""The transactions that move everything under an oracle, given the time of the block that will have them."""


@dataclass
class World:
    """One oracle of a pair, and what shakes what is underneath it."""

    there: Node
    oracle: Address
    base: Address
    quote: Address
    shake: Shake
    feeds: list[Feed] = field(default_factory=list)
    whole: int = 10**18

    def quoted(self, amount: int, *, back: bool = False) -> Price:
        pair = (self.quote, self.base) if back else (self.base, self.quote)
        return self.there.run(quote_of(self.oracle, *pair, amount, {}))

    def theirs(self, amount: int, *, back: bool = False) -> int:
        pair = (self.quote, self.base) if back else (self.base, self.quote)
        return int(self.there.view(self.oracle, _QUOTE, amount, *pair))


def still(dice: Random, now: int) -> list[Tx]:
    """Nothing moves."""
    return []


def token(there: Node, decimals: int) -> Address:
    return there.deploy(own("EulerToken"), decimals)


def answers(there: Node, feed: Feed, answer: int, *, age: int = 0) -> None:
    """A new round of a feed behind Chainlink's proxy."""
    there.chain.send_all([answering(feed, answer, there.chain.next_timestamp() - age)])


def answering(feed: Feed, answer: int, at: int) -> Tx:
    return sending(feed.aggregator, SET_ROUND, at, answer, at, at)


def sending(to: str, signature: str, *values: object) -> Tx:
    return Tx(DEPLOYER, to, calldata(signature, *values))


def shaken(world: World, dice: Random) -> None:
    """One block in which everything moves."""
    world.there.chain.send_all(world.shake(dice, world.there.chain.next_timestamp()))


def later(there: Node, seconds: int) -> None:
    there.chain.increase_time(seconds)


def chainlink(there: Node, dice: Random, base: Address, quote: Address, *, most: int = DAY) -> tuple[Address, Feed]:
    """A `ChainlinkOracle` over the real proxy."""
    feed = deploy_feed(there.chain, dice.randrange(1, 10**12))
    name = dice.choice(["ChainlinkOracle", "ChainlinkInfrequentOracle"])
    return there.deploy(own("EulerChainlinkOracle"), name, base, quote, feed.proxy, most, 1), feed


def shaking(*feeds: Feed) -> Shake:
    def shake(dice: Random, now: int) -> list[Tx]:
        return [
            answering(feed, dice.randrange(1, 10 ** dice.randrange(3, 14)), now - dice.randrange(HOUR))
            for feed in feeds
        ]

    return shake


def some(there: Node, dice: Random) -> Address:
    return token(there, dice.choice([6, 8, 18]))


def by_chainlink(there: Node, dice: Random) -> World:
    base, quote = some(there, dice), dice.choice([USD, some(there, dice)])
    oracle, feed = chainlink(there, dice, base, quote)
    return World(there, oracle, base, quote, shaking(feed), [feed])


def by_pyth(there: Node, dice: Random) -> World:
    pyth, base, quote = there.deploy(own("EulerPyth")), some(there, dice), some(there, dice)
    oracle = there.deploy(own("EulerPythOracle"), pyth, base, quote, ETH, 900, 100)

    def shake(dice: Random, now: int) -> list[Tx]:
        price, expo = dice.randrange(10**3, 10**11), dice.randrange(-12, 13)
        at = now + dice.randrange(-800, 60)
        return [sending(pyth, SET_PYTH, ETH, price, price // 150, expo, at)]

    return World(there, oracle, base, quote, shake)


def by_chronicle(there: Node, dice: Random) -> World:
    """A Scribe that answers its adapter and nobody else."""
    base, quote = some(there, dice), some(there, dice)
    optimistic = dice.random() < 0.5
    scribe = there.deploy(own("ChronicleScribeOptimistic" if optimistic else "ChronicleScribe"), ETH)
    oracle = there.deploy(own("EulerChronicleOracle"), base, quote, scribe, DAY)
    there.send(scribe, "kiss(address)", oracle)
    there.send(scribe, "poke(uint128)", 1)

    def shake(dice: Random, now: int) -> list[Tx]:
        poke = "opPoke(uint128)" if optimistic and dice.random() < 0.5 else "poke(uint128)"
        return [sending(scribe, poke, dice.randrange(1, 10 ** dice.randrange(3, 22)))]

    return World(there, oracle, base, quote, shake)


def by_redstone(there: Node, dice: Random) -> World:
    base, quote = some(there, dice), some(there, dice)
    oracle = there.deploy(own("EulerRedstoneOracle"), base, quote, b"ETH".ljust(32, b"\0"), 8, 300)

    def shake(dice: Random, now: int) -> list[Tx]:
        return [sending(oracle, "set(uint208,uint48)", dice.randrange(1, 10**13), now - dice.randrange(-30, 280))]

    return World(there, oracle, base, quote, shake)


def rate(there: Node) -> tuple[Address, Shake]:
    provider = there.deploy(own("EulerRate"))

    def shake(dice: Random, now: int) -> list[Tx]:
        return [sending(provider, SET, dice.randrange(10**18, 10**25), dice.randrange(10**18, 10**25))]

    return provider, shake


def by_rate(there: Node, dice: Random) -> World:
    base, quote = some(there, dice), some(there, dice)
    provider, shake = rate(there)
    family = dice.choice(["EulerRateProviderOracle", "EulerPendleOracle"])
    return World(there, there.deploy(own(family), base, quote, provider), base, quote, shake)


def by_fixed_rate(there: Node, dice: Random) -> World:
    base, quote = some(there, dice), some(there, dice)
    oracle = there.deploy(own("EulerFixedRateOracle"), base, quote, dice.randrange(1, 10**20))
    return World(there, oracle, base, quote, still)


def by_lido(there: Node, dice: Random) -> World:
    steth, shake = rate(there)
    wsteth, weth = token(there, 18), token(there, 18)
    if dice.random() < 0.5:
        return World(there, there.deploy(own("EulerLidoOracle"), steth, wsteth), wsteth, steth, shake)
    oracle = there.deploy(own("EulerLidoFundamentalOracle"), steth, wsteth, weth)
    return World(there, oracle, wsteth, weth, shake)


def by_cross(there: Node, dice: Random) -> World:
    """wstETH by Lido's shares, ether by a feed; or two feeds."""
    if dice.random() < 0.5:
        lido = by_lido(there, dice)
        second, feed = chainlink(there, dice, lido.quote, USD)
        parts = lido.base, lido.quote, USD, lido.oracle, second
        shakes = [lido.shake, shaking(feed)]
        return crossed(there, parts, shakes, [feed])
    base, cross, quote = some(there, dice), some(there, dice), some(there, dice)
    first, one = chainlink(there, dice, base, cross)
    second, other = chainlink(there, dice, quote, cross)  # asked backwards
    return crossed(there, (base, cross, quote, first, second), [shaking(one, other)], [one, other])


def crossed(there: Node, parts: tuple[Address, ...], shakes: Sequence[Shake], feeds: list[Feed]) -> World:
    def shake(dice: Random, now: int) -> list[Tx]:
        return [tx for one in shakes for tx in one(dice, now)]

    return World(there, there.deploy(own("EulerCrossAdapter"), *parts), parts[0], parts[2], shake, feeds)


def by_router(there: Node, dice: Random) -> World:
    """A vault of a vault of a token; the token by a configured cross, or by a fallback that is a router too."""
    inner = by_cross(there, dice) if dice.random() < 0.5 else by_chainlink(there, dice)
    router, vaults = there.deploy(own("EulerRouter")), [there.deploy(own("EulerVault"), 18) for _ in range(2)]
    for vault, asset in zip(vaults, [vaults[1], inner.base], strict=True):
        there.send(router, "setResolvedVault(address,address)", vault, asset)
    if dice.random() < 0.5:
        there.send(router, "setConfig(address,address,address)", inner.quote, inner.base, inner.oracle)
    else:
        fallback = there.deploy(own("EulerRouter"))
        there.send(fallback, "setConfig(address,address,address)", inner.base, inner.quote, inner.oracle)
        there.send(router, "setFallbackOracle(address)", fallback)

    def shake(dice: Random, now: int) -> list[Tx]:
        worths = [(dice.randrange(10**6, 10**24), dice.randrange(10**6, 10**24)) for _ in vaults]
        moved = [sending(vault, SET, *worth) for vault, worth in zip(vaults, worths, strict=True)]
        return [*inner.shake(dice, now), *moved]

    return World(there, router, vaults[0], inner.quote, shake, inner.feeds)


FAMILIES: list[Callable[[Node, Random], World]] = [
    by_chainlink,
    by_chronicle,
    by_pyth,
    by_redstone,
    by_rate,
    by_fixed_rate,
    by_lido,
    by_cross,
    by_router,
]
