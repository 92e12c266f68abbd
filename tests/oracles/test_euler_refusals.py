"""Where one of Euler's oracles reverts there is a typed failure that says which and why, never a number."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from tests.oracles.euler_worlds import (
    DAY,
    ETH,
    HOUR,
    SET_PYTH,
    USD,
    World,
    answers,
    by_chronicle,
    by_pyth,
    by_redstone,
    chainlink,
    crossed,
    later,
    rate,
    shaken,
    still,
    token,
)
from tests.oracles.node import Node, node
from tests.worlds.chain import RevertError
from tests.worlds.own import own
from watcher.domain.feed import FeedKind, HeartbeatFrom
from watcher.domain.price import Freshness, Leaf, Opaque, Rate, nodes
from watcher.domain.source import ZERO_ADDRESS
from watcher.oracles.euler import quote_from, quote_of
from watcher.oracles.euler_scale import Unpriced


@pytest.fixture(scope="module")
def there() -> Iterator[Node]:
    with node() as it:
        yield it


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
    by_two = crossed(there, (base, cross, USD, first, second), [still], [])
    there.send(router, "setConfig(address,address,address)", base, USD, by_two.oracle)
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
        there.send(pyth, SET_PYTH, ETH, price, conf, expo, at)
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
    base, scribe = token(there, 18), there.deploy(own("ChronicleOtherScribe"), ETH)
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
