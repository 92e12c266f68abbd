"""Euler's oracles, read through to their feeds: equal to `getQuote` to the unit, or no number at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import pytest

from tests.oracles.euler_worlds import (
    DAY,
    FAMILIES,
    HOUR,
    SET_ROUND,
    USD,
    World,
    answering,
    answers,
    by_chainlink,
    by_cross,
    by_pyth,
    by_redstone,
    by_router,
    chainlink,
    crossed,
    later,
    shaken,
    shaking,
    still,
    token,
)
from tests.oracles.node import Node, node
from tests.worlds.deployment import Feed, deploy_feed
from tests.worlds.own import own
from watcher.domain.feed import FeedKind, HeartbeatFrom
from watcher.domain.price import FeedFacts, Fixed, Freshness, Opaque, Rate, value_of
from watcher.domain.source import Address
from watcher.oracles.euler import quote_from, quote_of
from watcher.oracles.euler_scale import Unpriced

STATES = 100
"""Random states of each family, asked in both directions, for one whole token and for any amount."""


@pytest.fixture(scope="module")
def there() -> Iterator[Node]:
    with node() as it:
        yield it


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
    there.send(Address(feed.aggregator), SET_ROUND, 9, 7, at * 10**9, at)
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
    world = crossed(there, (base, cross, USD, strange, known), [still], [feed])
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


def by_two_feeds(there: Node, dice: Random) -> World:
    """A cross whose second half is asked backwards."""
    base, cross, quote = (token(there, decimals) for decimals in (18, 6, 8))
    first, one = chainlink(there, dice, base, cross)
    second, other = chainlink(there, dice, quote, cross)
    return crossed(there, (base, cross, quote, first, second), [shaking(one, other)], [one, other])


@pytest.mark.parametrize("family", [by_chainlink, by_two_feeds, by_pyth])
def test_it_keeps_an_amount_that_may_be_another(there: Node, family: Callable[[Node, Random], World]) -> None:
    """Asked of one amount, and held against what the contract says of others under the same feeds."""
    dice = Random(f"amounts {family.__name__}")
    so_much = Address("0x" + "a1" * 20)
    for state in range(20):
        if state % 5 == 0:
            world = family(there, dice)
        shaken(world, dice)
        first, other = dice.randrange(1, 10**24), dice.randrange(1, 10**24)
        amount, pair = Rate(source=so_much, what="so much", value=first, decimals=18), (world.base, world.quote)
        price = there.run(quote_from(world.oracle, *pair, amount=amount, value=world.theirs(first), book={}))
        assert not price.hidden
        assert price.low == world.theirs(first)
        assert price.with_feeds({so_much: other}).low == world.theirs(other)
