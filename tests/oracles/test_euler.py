"""Euler's oracles, read through to their feeds: equal to `getQuote` to the unit, or no number at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

import pytest

from tests.oracles.node import DEPLOYER, Node, node
from tests.worlds.abi import calldata
from tests.worlds.chain import RevertError, Tx
from tests.worlds.deployment import Feed, deploy_feed
from tests.worlds.own import own
from watcher.domain.feed import FeedKind, HeartbeatFrom
from watcher.domain.price import FeedFacts, Fixed, Freshness, Leaf, Opaque, Price, Rate, nodes, value_of
from watcher.domain.source import ZERO_ADDRESS, Address
from watcher.oracles.euler import quote_from, quote_of
from watcher.oracles.euler_scale import Unpriced

USD = Address("0x0000000000000000000000000000000000000348")
STATES = 100
"""Random states of each family, asked in both directions, for one whole token and for any amount."""
HOUR, DAY = 3_600, 86_400
_QUOTE = "getQuote(uint256,address,address)(uint256)"
_SET = "set(uint256,uint256)"
_PYTH = "set(bytes32,int64,uint64,int32,uint256)"
_ETH = b"ETH/USD".ljust(32, b"\0")
_ROUND = "updateRoundData(uint80,int256,uint256,uint256)"


@pytest.fixture(scope="module")
def there() -> Iterator[Node]:
    with node() as it:
        yield it


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
    return sending(feed.aggregator, _ROUND, at, answer, at, at)


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
    oracle = there.deploy(own("EulerPythOracle"), pyth, base, quote, _ETH, 900, 100)

    def shake(dice: Random, now: int) -> list[Tx]:
        price, expo = dice.randrange(10**3, 10**11), dice.randrange(-12, 3)
        at = now + dice.randrange(-800, 60)
        return [sending(pyth, _PYTH, _ETH, price, price // 150, expo, at)]

    return World(there, oracle, base, quote, shake)


def by_chronicle(there: Node, dice: Random) -> World:
    """A Scribe that answers its adapter and nobody else."""
    base, quote = some(there, dice), some(there, dice)
    optimistic = dice.random() < 0.5
    scribe = there.deploy(own("ChronicleScribeOptimistic" if optimistic else "ChronicleScribe"), _ETH)
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
        return [sending(provider, _SET, dice.randrange(10**18, 10**25), dice.randrange(10**18, 10**25))]

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
        return _crossed(there, parts, shakes, [feed])
    base, cross, quote = some(there, dice), some(there, dice), some(there, dice)
    first, one = chainlink(there, dice, base, cross)
    second, other = chainlink(there, dice, quote, cross)  # asked backwards
    return _crossed(there, (base, cross, quote, first, second), [shaking(one, other)], [one, other])


def _crossed(there: Node, parts: tuple[Address, ...], shakes: Sequence[Shake], feeds: list[Feed]) -> World:
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
        moved = [sending(vault, _SET, *worth) for vault, worth in zip(vaults, worths, strict=True)]
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


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_it_equals_the_contracts_own_quote(there: Node, family: Callable[[Node, Random], World]) -> None:
    dice = Random(family.__name__)
    forwards_only = family is by_router
    for state in range(STATES):
        if state % 10 == 0:
            world = family(there, dice)
        shaken(world, dice)
        amount, back = dice.choice([10**18, dice.randrange(1, 10**24)]), state % 2 == 1 and not forwards_only
        price = world.quoted(amount, back=back)
        assert price.low == price.high == value_of(price.expression) == world.theirs(amount, back=back)
        assert not price.hidden, price.hidden


@pytest.mark.parametrize("family", [by_chainlink, by_cross, by_router], ids=lambda family: family.__name__)
def test_it_moves_with_its_feeds_as_the_contract_does(there: Node, family: Callable[[Node, Random], World]) -> None:
    dice = Random(family.__name__ + " moves")
    for state in range(STATES // 2):
        if state % 10 == 0:
            world = family(there, dice)
            shaken(world, dice)
        price, moved = world.quoted(10**18), {}
        for feed in world.feeds:
            moved[Address(feed.proxy)] = dice.randrange(1, 10**12)
        now = there.chain.next_timestamp()
        there.chain.send_all([answering(feed, moved[Address(feed.proxy)], now) for feed in world.feeds])
        assert price.with_feeds(moved).low == world.theirs(10**18)


def test_it_prices_a_unit_of_account_by_itself(there: Node) -> None:
    router = there.deploy(own("EulerRouter"))
    price = there.run(quote_of(router, USD, USD, 5, {}))
    assert (price.low, type(price.expression)) == (5, Fixed)
    assert price.freshness(there.block.timestamp) is Freshness.FRESH


def test_it_takes_what_the_adapter_allows_for_the_heartbeat_that_nobody_published(there: Node) -> None:
    base = token(there, 18)
    oracle, feed = chainlink(there, Random(1), base, USD, most=7_200)
    answers(there, feed, 5)
    [reading] = there.run(quote_of(oracle, base, USD, 10**18, {})).feeds
    assert (reading.feed, reading.heartbeat, reading.heartbeat_from) == (feed.proxy, 7_200, HeartbeatFrom.CONTRACT)
    facts = {Address(feed.proxy): FeedFacts(pair="A / USD", heartbeat=HOUR)}
    [reading] = there.run(quote_of(oracle, base, USD, 10**18, facts)).feeds
    assert (reading.pair, reading.heartbeat, reading.heartbeat_from) == ("A / USD", HOUR, HeartbeatFrom.PUBLISHED)


def test_it_knows_the_leaves_that_are_brought_along(there: Node) -> None:
    for family, kind, heartbeat in ((by_pyth, FeedKind.PYTH, 900), (by_redstone, FeedKind.REDSTONE, 300)):
        world = family(there, Random(7))
        shaken(world, Random(7))
        [reading] = world.quoted(10**18).feeds
        assert (reading.kind, reading.feed, reading.heartbeat) == (kind, world.oracle, heartbeat)
        assert reading.heartbeat_from is HeartbeatFrom.CONTRACT
        assert reading.freshness(there.block.timestamp) is Freshness.FRESH


def test_it_dates_a_feed_in_nanoseconds_by_its_seconds(there: Node) -> None:
    base, feed = token(there, 18), deploy_feed(there.chain, 7)
    oracle = there.deploy(
        own("EulerChainlinkOracle"), "ChainlinkInfrequentNanosecondOracle", base, USD, feed.proxy, DAY, 10**9
    )
    at = there.chain.next_timestamp()
    there.send(Address(feed.aggregator), _ROUND, 9, 7, at * 10**9, at)
    [reading] = there.run(quote_of(oracle, base, USD, 10**18, {})).feeds
    assert reading.updated_at == at
    later(there, DAY + 1)
    with pytest.raises(Unpriced, match=rf"is {there.block.timestamp - at:,} s old"):
        there.run(quote_of(oracle, base, USD, 10**18, {}))


def test_it_names_an_oracle_that_it_does_not_know_and_keeps_what_is_around_it(there: Node) -> None:
    base, cross = token(there, 6), token(there, 8)
    strange = there.deploy(own("EulerStrangeOracle"), base, cross)
    there.send(strange, "set(uint256)", 3_14159265)
    known, feed = chainlink(there, Random(5), cross, USD)
    world = _crossed(there, (base, cross, USD, strange, known), [still], [feed])
    answers(there, feed, 77)
    price = world.quoted(10**9)
    assert price.low == world.theirs(10**9)
    [hidden] = price.hidden
    assert (hidden.source, "StrangeOracle" in hidden.why) == (strange, True)
    assert [reading.feed for reading in price.feeds] == [feed.proxy]
    assert price.freshness(there.block.timestamp) is Freshness.UNKNOWN
    there.send(strange, "set(uint256)", 0)
    with pytest.raises(Unpriced, match=rf"{strange} gives no price: what it is answered is no price"):
        world.quoted(10**9)


def test_it_does_not_explain_a_number_that_the_oracle_does_not_answer(there: Node) -> None:
    world = by_chainlink(there, Random(3))
    right = world.theirs(10**18)
    price = there.run(quote_from(world.oracle, world.base, world.quote, amount=10**18, value=right + 1, book={}))
    assert isinstance(price.expression, Opaque)
    assert (price.low, price.source) == (right + 1, world.oracle)
    assert f"comes to {right}, and it answers {right + 1}" in price.expression.why


def test_it_follows_a_router_that_is_set_up_anew(there: Node) -> None:
    base, router = token(there, 18), there.deploy(own("EulerRouter"))
    known: list[Feed] = []
    for _ in range(2):
        oracle, feed = chainlink(there, Random(len(known)), base, USD)
        answers(there, feed, 5 + len(known))
        there.send(router, "setConfig(address,address,address)", base, USD, oracle)
        [reading] = there.run(quote_of(router, base, USD, 10**18, {})).feeds
        assert reading.feed == feed.proxy
        known.append(feed)


# --- No price ---------------------------------------------------------------------------------------------------------


def refused(world: World, words: str, *, back: bool = False) -> None:
    """The contract reverts, and so there is a typed failure in words, never a number."""
    with pytest.raises(RevertError):
        world.theirs(10**18, back=back)
    with pytest.raises(Unpriced, match=words):
        world.quoted(10**18, back=back)


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_it_gives_no_price_one_second_after_the_adapter_stops_to(there: Node, late: int) -> None:
    base = token(there, 18)
    oracle, feed = chainlink(there, Random(2), base, USD, most=HOUR)
    world = World(there, oracle, base, USD, still)
    answers(there, feed, 5)
    later(there, HOUR + late)
    if late <= 0:
        assert world.quoted(10**18).low == world.theirs(10**18) == 5 * 10**10
    else:
        words = r"Chainlink\w*Oracle 0x\w+ gives no price: what it has is 3,601 s old, and it takes at most 3,600 s"
        refused(world, words)


def test_it_says_which_of_many_oracles_gives_no_price(there: Node) -> None:
    dice = Random(11)
    base, cross, router = token(there, 18), token(there, 18), there.deploy(own("EulerRouter"))
    first, one = chainlink(there, dice, base, cross, most=HOUR)
    second, other = chainlink(there, dice, cross, USD, most=DAY)
    crossed = _crossed(there, (base, cross, USD, first, second), [still], [])
    there.send(router, "setConfig(address,address,address)", base, USD, crossed.oracle)
    world = World(there, router, base, USD, still)
    answers(there, one, 5)
    answers(there, other, 5)
    assert world.quoted(10**18).low == world.theirs(10**18)
    later(there, 2 * HOUR)
    refused(world, rf"{first} gives no price: what it has is .* s old, and it takes at most 3,600 s")
    answers(there, one, -5)
    refused(world, rf"{first} gives no price: its feed {one.proxy} answers -5")
    answers(there, one, 5)
    answers(there, other, 5, age=-500)
    refused(world, rf"{second} gives no price: its feed dates its answer 500 s in the future")


def test_it_gives_no_price_where_none_is_configured(there: Node) -> None:
    router, base = there.deploy(own("EulerRouter")), token(there, 18)
    world = World(there, router, base, USD, still)
    refused(world, f"the router {router} has no oracle for {base} in {USD}, and no fallback")
    other, _ = chainlink(there, Random(1), token(there, 6), USD)
    there.send(router, "setFallbackOracle(address)", other)
    refused(world, f"{other} prices 0x.* in {USD}, and is asked for {base} in {USD}")


def test_it_gives_no_price_that_pyth_is_not_sure_of(there: Node) -> None:
    world = by_pyth(there, Random(1))
    pyth = there.view(world.oracle, "pyth()(address)")
    for price, conf, expo, age, words in (
        (1000, 11, -8, 0, r"Pyth says 1000 ± 11, and it takes ± 1 % at most"),
        (0, 0, -8, 0, r"Pyth says 0 ± 0"),
        (-5, 0, -8, 0, r"Pyth says -5 ± 0"),
        (1000, 1, -21, 0, r"exponent is -21"),
        (1000, 1, 13, 0, r"exponent is 13"),
        (1000, 1, -8, 901, r"what it has is 901 s old, and it takes at most 900 s"),
        (1000, 1, -8, -61, r"dated 61 s in the future"),
    ):
        at = there.chain.next_timestamp() - age
        there.send(pyth, _PYTH, _ETH, price, conf, expo, at)
        refused(world, words)


def test_it_gives_no_price_that_nobody_brought_along_lately(there: Node) -> None:
    world = by_redstone(there, Random(1))
    refused(world, r"RedstoneCoreOracle 0x\w+ gives no price: what it has is [\d,]+ s old, and it takes at most 300 s")
    there.send(world.oracle, "set(uint208,uint48)", 0, there.chain.next_timestamp())
    assert world.quoted(10**18).low == world.theirs(10**18) == 0
    refused(world, "it would have to divide by a price of 0", back=True)


def test_it_gives_no_price_that_its_scribe_wrote_too_long_ago(there: Node) -> None:
    world = by_chronicle(there, Random(1))
    later(there, 12)
    shaken(world, Random(1))
    [reading] = world.quoted(10**18).feeds
    assert (reading.kind, reading.heartbeat, reading.heartbeat_from) == (
        FeedKind.CHRONICLE,
        DAY,
        HeartbeatFrom.CONTRACT,
    )
    later(there, DAY + HOUR)
    refused(world, r"ChronicleOracle 0x\w+ gives no price: what it has is [\d,]+ s old, and it takes at most 86,400 s")


def test_it_says_what_it_does_not_know_of_a_scribe_that_keeps_its_price_elsewhere(there: Node) -> None:
    base, scribe = token(there, 18), there.deploy(own("ChronicleOtherScribe"), _ETH)
    oracle = there.deploy(own("EulerChronicleOracle"), base, USD, scribe, DAY)
    there.send(scribe, "kiss(address)", oracle)
    there.send(scribe, "poke(uint128)", 5)
    there.send(scribe, "pokeElsewhere(uint128)", 2 * 10**18)
    price = there.run(quote_of(oracle, base, USD, 10**18, {}))
    [hidden] = price.hidden
    assert (price.low, hidden.source, hidden.value) == (2 * 10**18, scribe, 2 * 10**18)
    assert "at most 86400 s old" in hidden.why
    assert price.freshness(there.block.timestamp) is Freshness.UNKNOWN


def test_it_gives_no_price_by_a_rate_of_nothing(there: Node) -> None:
    base, quote = token(there, 18), token(there, 18)
    provider, _ = rate(there)
    there.send(provider, "set(uint256,uint256)", 0, 1)
    world = World(there, there.deploy(own("EulerRateProviderOracle"), base, quote, provider), base, quote, still)
    refused(world, f"the rate of {provider} is 0")


def test_it_names_oracles_that_ask_each_other_in_circles(there: Node) -> None:
    one, other, base = there.deploy(own("EulerRouter")), there.deploy(own("EulerRouter")), token(there, 18)
    there.send(one, "setFallbackOracle(address)", other)
    there.send(other, "setFallbackOracle(address)", one)
    with pytest.raises(Unpriced):
        there.run(quote_of(one, base, USD, 10**18, {}))
    price = there.run(quote_from(one, base, USD, amount=1, value=9, book={}))
    assert isinstance(price.expression, Opaque)
    assert "round in circles" in price.expression.why


def test_it_shows_what_a_vault_is_worth_as_a_rate(there: Node) -> None:
    base, router, vault = token(there, 6), there.deploy(own("EulerRouter")), there.deploy(own("EulerVault"), 6)
    there.send(router, "setResolvedVault(address,address)", vault, base)
    there.send(vault, "set(uint256,uint256)", 105, 100)
    oracle, feed = chainlink(there, Random(1), base, USD)
    there.send(router, "setConfig(address,address,address)", base, USD, oracle)
    answers(there, feed, 2_00000000)
    price = there.run(quote_of(router, vault, USD, 10**6, {}))
    [shares] = [one for one in nodes(price.expression) if isinstance(one, Rate)]
    [leaf] = [one for one in nodes(price.expression) if isinstance(one, Leaf)]
    assert (shares.source, shares.value, shares.decimals) == (vault, 1_050_000, 6)
    assert leaf.reading.feed == feed.proxy
    assert price.low == 2_100_000_000_000_000_000
    assert price.with_feeds({vault: 10**6}).low == 2 * 10**18
    assert shares.source != ZERO_ADDRESS
