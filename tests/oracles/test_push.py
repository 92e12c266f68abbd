"""Feeds that date their answers by their signers' clocks: RedStone, Pyth and API3."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.oracles.node import Node, node
from tests.worlds.deployment import deploy_feed
from tests.worlds.own import own
from watcher.domain.feed import FeedFacts, FeedKind, FeedReading, Freshness, HeartbeatFrom
from watcher.domain.price import Leaf, Opaque, Price
from watcher.domain.source import ZERO_ADDRESS, Address
from watcher.oracles.shape import FeedBook
from watcher.oracles.signed import dated, words_in
from watcher.oracles.sources import price_from
from watcher.reads import Answers, Plan
from watcher.reads.call import T

ID = b"weETH_FUNDAMENTAL".ljust(32, b"\0")
ANSWER = 1_0512_3456
ADAPTERS = {"PushAdapterOfAll": 1_000, "PushAdapterOfEach": 1_000, "PushAdapterOfFastNodes": 1_000_000}
"""Each kind of RedStone's adapters, and what its clock counts to the second."""


@pytest.fixture(scope="module")
def there() -> Iterator[Node]:
    with node() as it:
        yield it


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def read(there: Node, source: Address, value: int, book: FeedBook | None = None) -> Price:
    return there.run(price_from(source, value, book or {}))


def reading_of(price: Price) -> FeedReading:
    assert isinstance(price.expression, Leaf), price.expression
    return price.expression.reading


def redstone(there: Node, adapter: str) -> tuple[Address, Address]:
    """An adapter of that kind, and a face before it."""
    behind = there.deploy(own(adapter))
    return behind, there.deploy(own("PushFace"), behind, ID)


def write(there: Node, adapter: str, behind: Address, *, ago: int, value: int = ANSWER) -> int:
    """Write a value whose data is from so many seconds before the block that carries it; gives when that was."""
    signed = there.chain.next_timestamp() - ago
    ticks = ADAPTERS[adapter]
    there.send(behind, "write(bytes32,uint256,uint256)", ID, value, signed * ticks + ticks - 1)
    return signed


def test_it_reads_redstone_as_old_as_its_data(there: Node, adapter: str) -> None:
    behind, face = redstone(there, adapter)
    signed = write(there, adapter, behind, ago=170)
    reading = reading_of(read(there, face, ANSWER))
    assert (reading.kind, reading.answer, reading.decimals) == (FeedKind.REDSTONE, ANSWER, 8)
    assert (reading.feed, reading.behind, reading.pair) == (face, behind, "weETH_FUNDAMENTAL")
    assert reading.updated_at == signed, "not when the block brought it"
    assert (reading.heartbeat, reading.heartbeat_from) == (None, HeartbeatFrom.NOBODY)
    assert reading.freshness(there.block.timestamp) is Freshness.UNKNOWN


def test_it_finds_a_published_redstone_feed_stale_by_its_data(there: Node, adapter: str) -> None:
    """Freshly written, and by the block's time fresh: but the data is later than promised."""
    behind, face = redstone(there, adapter)
    book = {face: FeedFacts(pair="weETH/ETH", heartbeat=600, deviation=Decimal("0.5"))}
    write(there, adapter, behind, ago=661)
    late = read(there, face, ANSWER, book)
    assert late.freshness(there.block.timestamp) is Freshness.STALE
    write(there, adapter, behind, ago=660)
    punctual = read(there, face, ANSWER, book)
    assert punctual.freshness(there.block.timestamp) is Freshness.FRESH
    reading = reading_of(punctual)
    assert (reading.kind, reading.pair, reading.deviation) == (FeedKind.REDSTONE, "weETH/ETH", Decimal("0.5"))
    assert reading.heartbeat_from is HeartbeatFrom.PUBLISHED


def test_it_allows_for_signers_whose_clock_runs_ahead(there: Node, adapter: str) -> None:
    behind, face = redstone(there, adapter)
    book = {face: FeedFacts(pair="weETH/ETH", heartbeat=3600)}
    write(there, adapter, behind, ago=-60)
    reading, now = reading_of(read(there, face, ANSWER, book)), there.block.timestamp
    assert (reading.updated_at, reading.freshness(now)) == (now, Freshness.FRESH)
    write(there, adapter, behind, ago=-61)
    assert read(there, face, ANSWER, book).freshness(there.block.timestamp) is Freshness.STALE


def remembering(there: Node, plan: Plan[T], known: Answers) -> T:
    """The plan at the head, with what an earlier one found out."""
    got = Answers(there.block, known=known.known)
    try:
        requests = next(plan)
        while True:
            got.returned.update(there._answer([one for one in requests if one not in got]))
            requests = plan.send(got)
    except StopIteration as stop:
        result: T = stop.value
        return result


def test_it_follows_a_redstone_feed_to_another_adapter_of_another_kind(there: Node) -> None:
    behind, face = redstone(there, "PushAdapterOfAll")
    write(there, "PushAdapterOfAll", behind, ago=30)
    known = Answers(there.block)
    assert reading_of(remembering(there, price_from(face, ANSWER, {}), known)).behind == behind
    other = there.deploy(own("PushAdapterOfFastNodes"))
    there.send(face, "moveTo(address)", other)
    signed = write(there, "PushAdapterOfFastNodes", other, ago=7, value=ANSWER + 1)
    reading = reading_of(remembering(there, price_from(face, ANSWER + 1, {}), known))
    assert (reading.behind, reading.updated_at, reading.round) == (other, signed, 1)
    there.send(face, "moveTo(address)", there.deploy(own("PushPyth")))
    assert isinstance(remembering(there, price_from(face, ANSWER + 1, {}), known).expression, Opaque)


def test_it_takes_no_adapter_that_hides_when_its_data_is_from(there: Node) -> None:
    face = there.deploy(own("PushFace"), there.deploy(own("PushPyth")), ID)
    assert isinstance(read(there, face, ANSWER).expression, Opaque)


def pyth(there: Node, *, price: int, conf: int, expo: int, ago: int) -> tuple[Address, Address]:
    store = there.deploy(own("PushPyth"))
    published = there.chain.next_timestamp() - ago
    there.send(store, "write(bytes32,int64,uint64,int32,uint256)", ID, price, conf, expo, published)
    return store, there.deploy(own("PushPythFace"), store, ID)


@pytest.mark.parametrize(("price", "expo"), [(2512_34567890, -8), (-5, 0), (7, -18), (1, -127)])
def test_it_reads_pyth_with_its_confidence(there: Node, price: int, expo: int) -> None:
    store, face = pyth(there, price=price, conf=1_2345, expo=expo, ago=40)
    reading, now = reading_of(read(there, face, price)), there.block.timestamp
    assert (reading.kind, reading.answer, reading.confidence) == (FeedKind.PYTH, price, 1_2345)
    assert (reading.decimals, reading.behind) == (there.view(face, "decimals()(uint8)"), store)
    assert reading.updated_at == reading.round == there.view(face, "latestTimestamp()(uint256)") == now - 40 - 12
    assert (reading.heartbeat, reading.freshness(now)) == (None, Freshness.UNKNOWN), "nobody promises updates"


def test_it_gives_pyth_the_heartbeat_that_the_user_knows(there: Node) -> None:
    _, face = pyth(there, price=5, conf=0, expo=-2, ago=0)
    book = {face: FeedFacts(pair="A/B", heartbeat=60)}
    price, now = read(there, face, 5, book), there.block.timestamp
    assert reading_of(price).kind is FeedKind.PYTH
    assert (price.freshness(now), price.freshness(now + 110)) == (Freshness.FRESH, Freshness.STALE)


@pytest.mark.parametrize("expo", [1, -128])
def test_it_does_not_read_a_pyth_exponent_that_decimals_cannot_express(there: Node, expo: int) -> None:
    _, face = pyth(there, price=5, conf=0, expo=expo, ago=0)
    expression = read(there, face, 5).expression
    assert isinstance(expression, Opaque)
    assert f"the exponent {expo}" in expression.why


def test_it_reads_no_pyth_price_that_is_not_there(there: Node) -> None:
    face = there.deploy(own("PushPythFace"), there.deploy(own("PushPyth")), ID)
    assert isinstance(read(there, face, 5).expression, Opaque)


def api3(there: Node) -> tuple[Address, Address]:
    server = Address("0x" + "11" * 20)
    return server, there.deploy(own("PushApi3Face"), server, b"ETH/USD".ljust(32, b"\0"))


def test_it_reads_api3_by_the_heartbeat_that_its_contract_demands(there: Node) -> None:
    server, face = api3(there)
    signed = there.chain.next_timestamp() - 86_000
    there.send(face, "write(int224,uint32)", 3000 * 10**18, signed)
    price = read(there, face, 3000 * 10**18)
    reading = reading_of(price)
    assert (reading.kind, reading.decimals, reading.pair) == (FeedKind.API3, 18, "ETH/USD")
    assert (reading.updated_at, reading.behind) == (signed, server)
    assert (reading.heartbeat, reading.heartbeat_from) == (86_400, HeartbeatFrom.CONTRACT)
    limit = signed + 86_400 + 8_640
    assert (price.freshness(limit), price.freshness(limit + 1)) == (Freshness.FRESH, Freshness.STALE)


def test_it_reads_whichever_of_the_two_feeds_api3_answers_with(there: Node) -> None:
    _, face = api3(there)
    now = there.chain.next_timestamp()
    there.send(face, "write(int224,uint32)", 100, now - 50)
    there.send(face, "writeOev(int224,uint32)", 101, now - 10)
    assert reading_of(read(there, face, 101)).updated_at == now - 10
    assert isinstance(read(there, face, 100).expression, Opaque), "the other is not what it answers"


def test_it_prefers_what_is_published_about_an_api3_feed(there: Node) -> None:
    _, face = api3(there)
    there.send(face, "write(int224,uint32)", 100, there.chain.next_timestamp())
    reading = reading_of(read(there, face, 100, {face: FeedFacts(pair="E/U", heartbeat=120)}))
    assert (reading.kind, reading.heartbeat, reading.pair) == (FeedKind.API3, 120, "E/U")
    assert reading.heartbeat_from is HeartbeatFrom.PUBLISHED


def test_it_still_knows_a_published_aggregator_for_what_it_is(there: Node) -> None:
    feed = deploy_feed(there.chain, ANSWER)
    book = {Address(feed.aggregator): FeedFacts(pair="A/B", heartbeat=60)}
    reading = reading_of(read(there, Address(feed.aggregator), ANSWER, book))
    assert (reading.kind, reading.behind, reading.heartbeat) == (FeedKind.CHAINLINK, ZERO_ADDRESS, 60)


def test_it_dates_only_what_is_within_the_allowance_as_of_now() -> None:
    assert [dated(stamp, 60, 1000) for stamp in (0, 999, 1000, 1060, 1061)] == [0, 999, 1000, 1000, 1061]


def test_it_reads_names_and_no_noise() -> None:
    names = [b"ETH/USD", bytes(32), bytes.fromhex("ff41" + "00" * 30), b"a\nb"]
    assert [words_in(name.ljust(32, b"\0")) for name in names] == ["ETH/USD", "", "", ""]
