"""Venus's prices, seen through: the real contracts over the real proxies, and ours equal to the unit."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from tests.oracles.node import Node, node
from tests.oracles.venus import MAX_STALE, ROLES, UNIT, Token, Venus, ours, settled, three_priced, venus_on
from tests.worlds.chain import ZERO, Tx, named
from watcher.domain.feed import FeedReading, HeartbeatFrom
from watcher.domain.price import Chosen, FeedFacts, Fixed, Freshness, Leaf, Opaque, Price, nodes
from watcher.domain.source import Address
from watcher.oracles.venus import venus_expression, venus_price
from watcher.oracles.venus_sources import within
from watcher.reads import Answers, Finding, Memo

STATES = 240
COIN = Address("0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB")
"""NATIVE_TOKEN_ADDR of VenusProtocol/oracle v2.16.0."""
A_DAY = 86_400


@pytest.fixture(scope="module")
def there() -> Iterator[Node]:
    with node() as it:
        yield it


@pytest.fixture(scope="module")
def venus(there: Node) -> Venus:
    return venus_on(there, native_market=named("vBNB"), vai=named("VAI"))


@pytest.fixture(scope="module")
def tokens(venus: Venus) -> list[Token]:
    return three_priced(venus)


def scramble(random: Random, venus: Venus, token: Token) -> None:
    """Another state of everything that decides a price: switches, bounds, answers, their age, posted prices."""
    oracles = list(venus.oracles.values())
    enabled = tuple(random.random() < odds for odds in (0.95, 0.8, 0.8))
    listed = [oracle if random.random() < 0.95 else ZERO for oracle in oracles]
    listed[0] = oracles[0]
    txs: list[Tx] = venus.listed(token.address, listed, enabled)
    txs += venus.bounded(token.address, random.randint(80, 99) * UNIT // 100, random.randint(101, 120) * UNIT // 100)
    middle = random.randint(10**4, 10**13)
    for role, oracle in venus.oracles.items():
        apart = random.choice((1.0, 1.0, 1.0, 1.0, 0.97, 1.03, 0.7, 1.5, 0.0))
        answer = int(middle * apart) + random.randint(0, 99)
        age = random.choice((5, 5, 5, 5, 5, 600, 600, MAX_STALE - 300, MAX_STALE + 300, -900))
        txs += venus.answering(token.feeds[role], answer if random.random() < 0.95 else -answer, age)
        posted = middle * 10**10 if random.random() < 0.05 else 0
        txs += venus.posted(oracle, token.address, posted)
    venus.node.chain.send_all(txs)


def test_it_is_equal_to_the_unit_and_names_the_source_that_was_used(venus: Venus, tokens: list[Token]) -> None:
    random, reverted, used = Random(20261201), 0, set()
    for state in range(STATES):
        token = random.choice(tokens)
        scramble(random, venus, token)
        theirs, price = venus.theirs(venus.resilient, token.address), ours(venus, token.address)
        assert (None if price is None else price.low) == theirs, f"state {state}"
        if price is None:
            reverted += 1
            refused = venus.node.run(venus_price(venus.resilient, token.address, 1, {})).expression
            assert isinstance(refused, Opaque)
            assert "none of its prices bears out another" in refused.why, f"state {state}"
            continue
        assert not price.hidden, f"state {state}: {price.hidden}"
        assert isinstance(price.expression, Chosen)
        own_prices = {role: venus.theirs(oracle, token.address) for role, oracle in venus.oracles.items()}
        role = price.expression.what.split()[0]
        assert own_prices[role] == theirs, f"state {state}: it names {role}"
        feeds = {node.reading.feed for node in nodes(price.expression.of) if isinstance(node, Leaf)}
        pinned = any(isinstance(node, Fixed) for node in nodes(price.expression.of))
        assert feeds == (set() if pinned else {token.feeds[role].proxy}), f"state {state}"
        used.add(price.expression.what)
    assert 40 < reverted < STATES - 100
    assert used == {
        "main price, held against no other",
        "main price, borne out by the pivot",
        "main price, borne out by the fallback",
        "fallback price, borne out by the pivot",
    }


def test_it_has_the_bounds_of_the_contract_to_the_unit(venus: Venus, tokens: list[Token]) -> None:
    [token, *_] = tokens
    for main in (100_000_001, 100_000_000, 122_222_222, 122_222_221, 122_222_223):
        for pivot in (90_000_000, 110_000_000, 90_000_001, 110_000_001):
            settled(venus, token, (main, pivot, 1))
            price = ours(venus, token.address)
            assert (price and price.low) == venus.theirs(venus.resilient, token.address), (main, pivot)
            assert price is None or not price.hidden, (main, pivot)


def test_it_shows_the_others_beside_and_takes_none_of_their_age(venus: Venus, tokens: list[Token]) -> None:
    [token, *_] = tokens
    settled(venus, token, (10**8, 101 * 10**6, 10**8), (5, 5, MAX_STALE - 60))
    book = {Address(feed.proxy): FeedFacts(pair=role, heartbeat=600) for role, feed in token.feeds.items()}
    value = venus.theirs(venus.resilient, token.address)
    assert value is not None
    price = venus.node.run(venus_price(venus.resilient, token.address, value, book))
    assert {reading.pair for reading in price.feeds} == set(ROLES)
    assert price.freshness(venus.node.block.timestamp) is Freshness.FRESH, "the fallback is late, and only beside"


def test_it_takes_the_age_that_the_contract_allows_where_no_heartbeat_is_published(
    venus: Venus, tokens: list[Token]
) -> None:
    [token, *_] = tokens
    settled(venus, token, (10**8, 10**8, 10**8))
    main = Address(token.feeds["main"].proxy)
    price = ours(venus, token.address)
    assert price is not None
    reading = next(one for one in price.feeds if one.feed == main)
    assert (reading.heartbeat, reading.heartbeat_from) == (MAX_STALE, HeartbeatFrom.CONTRACT)
    book = {main: FeedFacts(pair="A / USD", heartbeat=60)}
    published = Price.of(venus.node.run(venus_expression(venus.resilient, token.address, book)))
    reading = next(one for one in published.feeds if one.feed == main)
    assert (reading.heartbeat, reading.heartbeat_from) == (60, HeartbeatFrom.PUBLISHED)


def test_it_takes_the_allowed_age_before_an_estimate_only_where_it_is_shorter() -> None:
    for estimate, expected in ((600, (600, HeartbeatFrom.LEARNED)), (7200, (MAX_STALE, HeartbeatFrom.CONTRACT))):
        reading = FeedReading(
            feed=Address(named("a feed")),
            pair="A / USD",
            answer=1,
            decimals=8,
            updated_at=1,
            heartbeat=estimate,
            heartbeat_from=HeartbeatFrom.LEARNED,
        )
        found = within(Leaf(reading), MAX_STALE)
        assert isinstance(found, Leaf)
        assert (found.reading.heartbeat, found.reading.heartbeat_from) == expected


def test_it_says_when_a_price_is_not_the_one_that_the_oracle_has(venus: Venus, tokens: list[Token]) -> None:
    [token, *_] = tokens
    settled(venus, token, (10**8, 10**8, 10**8))
    price = venus.node.run(venus_price(venus.resilient, token.address, 7, {}))
    assert isinstance(price.expression, Opaque)
    assert price.low == 7
    assert "comes to" in price.expression.why


def test_it_asks_again_at_once_when_what_it_remembers_no_longer_adds_up(venus: Venus, tokens: list[Token]) -> None:
    [token, *_] = tokens
    known: dict[Memo[Any], Finding] = {}

    def rounds_and_price() -> tuple[int, Price]:
        value = venus.theirs(venus.resilient, token.address)
        assert value is not None
        venus.node.asked.clear()
        answers, plan = Answers(venus.node.block, known=known), venus_price(venus.resilient, token.address, value, {})
        price = venus.node.finished(plan, answers)
        assert price.low == value
        return len(venus.node.asked), price

    settled(venus, token, (10**8, 10**8, 10**8))
    first, price = rounds_and_price()
    assert not price.hidden
    again, price = rounds_and_price()
    assert again < first / 2, "what a source is made of is remembered"
    assert not price.hidden
    venus.node.chain.send_all(venus.posted(venus.oracles["main"], token.address, 105 * UNIT // 100))
    _, price = rounds_and_price()
    assert isinstance(price.expression, Chosen)
    assert isinstance(price.expression.of, Fixed)
    listed = list(venus.oracles.values())
    venus.node.chain.send_all(
        [*venus.posted(venus.oracles["main"], token.address, 0), *venus.listed(token.address, listed[1:])]
    )
    venus.node.chain.send_all(venus.answering(token.feeds["pivot"], 103 * 10**6, 5))
    _, price = rounds_and_price()
    assert not price.hidden
    assert price.feeds[0].feed == token.feeds["pivot"].proxy
