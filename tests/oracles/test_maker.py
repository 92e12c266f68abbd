"""What Maker's and Chronicle's contracts tell only to those they know, read from their storage: equal to the unit."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from tests.oracles.node import DEPLOYER, Node, node
from tests.worlds.abi import calldata, results
from tests.worlds.chain import RevertError, named
from tests.worlds.own import own
from watcher.domain.feed import FeedFacts, FeedKind, HeartbeatFrom
from watcher.domain.price import Cap, Freshness, Leaf, Opaque, value_of
from watcher.domain.source import Address
from watcher.oracles.maker import delayed
from watcher.oracles.shape import Unseen
from watcher.oracles.sources import expression_from, price_from
from watcher.reads import Storage

SPOTTER = named("a consumer that is known")
HOUR = 3_600
STATES = 120


@pytest.fixture(scope="module")
def there() -> Iterator[Node]:
    with node() as it:
        yield it


def told(there: Node, to: Address, name: str) -> tuple[int, bool]:
    value, valid = results(f"{name}()(bytes32,bool)", there.chain.call(to, calldata(f"{name}()"), sender=SPOTTER))
    return int.from_bytes(bytes(value), "big"), bool(valid)  # type: ignore[call-overload]


def source(there: Node, name: str = "MakerMedian", *values: object) -> Address:
    it = there.deploy(own(name), *values)
    there.send(it, "kiss(address)", SPOTTER)
    return it


def osm(there: Node, behind: Address) -> Address:
    it = there.deploy(own("MakerOSM"), behind)
    there.send(behind, "kiss(address)", it)
    there.send(it, "kiss(address)", SPOTTER)
    return it


def hop(there: Node, seconds: int = HOUR) -> None:
    there.chain.increase_time(seconds)


def test_it_equals_what_an_osm_tells_those_it_knows(there: Node) -> None:
    dice = Random("OSM")
    median = source(there)
    module = osm(there, median)
    valid = 0
    for _ in range(STATES):
        match dice.randrange(12):
            case 0:
                there.send(module, "void_()")
            case 1:
                there.send(module, "step(uint16)", dice.choice([600, 900, 3600]))
            case 2:
                there.send(module, "stop(bool)", dice.random() < 0.3)
            case _:
                there.send(median, "poke(uint128)", dice.randrange(1, 2 ** dice.randrange(1, 129)))
                hop(there, dice.randrange(HOUR, 3 * HOUR))
                if not there.view(module, "stopped()(uint256)"):
                    there.send(module, "poke()")
        if there.view(module, "stopped()(uint256)") and dice.random() < 0.5:
            there.send(module, "stop(bool)", False)
        held = there.run(delayed(module))
        for ours, name in ((held.now, "peek"), (held.next, "peep")):
            value, good = told(there, module, name)
            assert ours == (value if good else None)
        assert (held.since + held.hop <= there.block.timestamp) == there.view(module, "pass()(bool)")
        assert (held.due <= there.block.timestamp) == there.view(module, "pass()(bool)")
        assert held.stopped == (there.view(module, "stopped()(uint256)") != 0)
        assert held.source == median
        valid += held.now is not None
    assert STATES // 3 < valid < STATES


def test_it_knows_the_price_of_the_next_hour(there: Node) -> None:
    median = source(there)
    module = osm(there, median)
    for value in (7, 8):
        there.send(median, "poke(uint128)", value)
        hop(there)
        there.send(module, "poke()")
    there.send(median, "poke(uint128)", 9)
    held = there.run(delayed(module))
    assert (held.now, held.next, value_of(there.run(expression_from(held.source, {})))) == (7, 8, 9)
    hop(there)
    assert there.block.timestamp >= held.due
    there.send(module, "poke()")
    after = there.run(delayed(module))
    assert (after.now, after.next) == (8, 9)


def test_it_takes_the_hop_for_the_heartbeat_of_an_osm(there: Node) -> None:
    median = source(there)
    module = osm(there, median)
    for _ in range(2):
        there.send(median, "poke(uint128)", 1_234 * 10**18)
        hop(there)
        there.send(module, "poke()")
    price = there.run(price_from(module, 1_234 * 10**18, {}))
    [reading] = price.feeds
    assert (reading.feed, reading.behind, reading.kind) == (module, median, FeedKind.MAKER)
    assert (reading.heartbeat, reading.heartbeat_from, reading.decimals) == (HOUR, HeartbeatFrom.CONTRACT, 18)
    assert reading.updated_at == there.view(module, "zzz()(uint64)")
    assert price.freshness(there.block.timestamp) is Freshness.FRESH
    assert price.freshness(reading.updated_at + 2 * HOUR) is Freshness.STALE
    assert price.with_feeds({module: 5}).low == 5


def test_it_equals_what_a_capped_osm_tells_those_it_knows(there: Node) -> None:
    dice = Random("a capped OSM")
    median = source(there)
    module = osm(there, median)
    capped = there.deploy(own("MakerCappedOSM"), module, 0)
    there.send(module, "kiss(address)", capped)
    there.send(capped, "kiss(address)", SPOTTER)
    active = 0
    for _ in range(STATES // 4):
        there.send(median, "poke(uint128)", dice.randrange(1, 10**18))
        there.send(capped, "file(uint256)", dice.randrange(1, 10**18))
        hop(there)
        there.send(module, "poke()")
        held = there.run(delayed(capped))
        for ours, name in ((held.now, "peek"), (held.next, "peep")):
            value, good = told(there, capped, name)
            assert ours == (value if good else None)
        assert held.osm == module
        if held.now is not None:
            price = there.run(price_from(capped, held.now, {}))
            assert isinstance(price.expression, Cap)
            assert (price.low, [reading.feed for reading in price.feeds]) == (held.now, [module])
            active += price.expression.active
    assert STATES // 16 < active < STATES // 4


def test_it_does_not_see_through_a_capped_osm_of_another_layout(there: Node) -> None:
    capped = there.deploy(own("MakerCappedOSM"), there.deploy(own("MakerOtherOSM")), 7)
    with pytest.raises(Unseen, match="is no OSM as we know it"):
        there.run(delayed(capped))


def test_it_gives_no_price_of_an_osm_without_one(there: Node) -> None:
    module = osm(there, source(there))
    with pytest.raises(Unseen, match=f"the OSM {module} has no price in force"):
        there.run(expression_from(module, {}))
    assert there.run(delayed(module)).now is None


def test_it_does_not_read_storage_that_is_laid_out_otherwise(there: Node) -> None:
    other = there.deploy(own("MakerOtherOSM"))
    with pytest.raises(Unseen, match="is no OSM as we know it"):
        there.run(delayed(other))
    with pytest.raises(Unseen, match="answers nothing that a price source answers"):
        there.run(expression_from(other, {}))
    median = source(there)
    with pytest.raises(Exception, match="reverted"):
        there.run(delayed(median))


@pytest.mark.parametrize("name", ["ChronicleScribe", "ChronicleScribeOptimistic"])
def test_it_equals_what_a_scribe_tells_those_it_knows(there: Node, name: str) -> None:
    dice = Random(name)
    scribe = source(there, name, b"ETH/USD".ljust(32, b"\0"))
    there.send(scribe, "poke(uint128)", 1)
    optimistic = 0
    for _ in range(STATES):
        value = dice.randrange(1, 2 ** dice.randrange(1, 129))
        if name == "ChronicleScribeOptimistic":
            there.send(scribe, dice.choice(["poke(uint128)", "opPoke(uint128)"]), value)
            there.send(scribe, "setOpChallengePeriod(uint16)", dice.choice([300, 1200, 3600]))
        else:
            there.send(scribe, "poke(uint128)", value)
        hop(there, dice.randrange(1, 2_000))
        expression = there.run(expression_from(scribe, {}))
        assert isinstance(expression, Leaf)
        theirs = there.chain.call(scribe, calldata("readWithAge()"), sender=SPOTTER)
        assert (expression.reading.kind, expression.reading.pair) == (FeedKind.CHRONICLE, "ETH/USD")
        assert (expression.reading.answer, expression.reading.updated_at) == results(
            "readWithAge()(uint256,uint256)", theirs
        )
        optimistic += expression.reading.answer != plainly(there, scribe)
    assert (optimistic > STATES // 10) == (name == "ChronicleScribeOptimistic")


def plainly(there: Node, scribe: Address) -> int:
    """What was last written to a Scribe by those who cannot be challenged."""
    return int.from_bytes(there.chain.stored(scribe, 4)[16:], "big")


def test_it_equals_what_a_medianizer_tells_those_it_knows(there: Node) -> None:
    dice, median = Random("median"), source(there)
    for _ in range(STATES):
        value = dice.randrange(1, 2 ** dice.randrange(1, 129))
        there.send(median, "poke(uint128)", value)
        expression = there.run(expression_from(median, {}))
        assert isinstance(expression, Leaf)
        reading = expression.reading
        assert (reading.answer, True) == told(there, median, "peek") == (value, True)
        assert reading.updated_at == there.view(median, "age()(uint32)")
    assert (reading.kind, reading.pair, reading.heartbeat) == (FeedKind.MAKER, "ethusd", None)
    assert reading.heartbeat_from is HeartbeatFrom.NOBODY


def test_it_reads_no_storage_of_a_scribe_that_may_be_laid_out_otherwise(there: Node) -> None:
    scribe = source(there, "ChronicleScribe", b"ETH/USD".ljust(32, b"\0"))
    there.send(scribe, "poke(uint128)", 5)
    assert value_of(there.run(expression_from(scribe, {}))) == 5
    there.chain.rpc.request("anvil_setStorageAt", scribe, hex(517), f"0x{12 << 8 | 13:064x}")
    with pytest.raises(Unseen, match="answers nothing that a price source answers"):
        there.run(expression_from(scribe, {}))


def test_it_is_on_no_list_itself(there: Node) -> None:
    median = source(there)
    module = osm(there, median)
    with pytest.raises(RevertError, match="not-whitelisted"):
        there.chain.call(module, calldata("peek()"), sender=DEPLOYER)


def test_it_asks_for_storage_of_nothing_else_than_what_it_knows(there: Node) -> None:
    strange = there.deploy(own("Whatever"))
    there.send(strange, "answer(bytes)", (7).to_bytes(32, "big") * 5)
    there.asked.clear()
    price = there.run(price_from(strange, 7, {}))
    assert isinstance(price.expression, Opaque)
    assert not [one for one in there.asked if isinstance(one, Storage)]


def test_it_takes_published_facts_of_a_scribe(there: Node) -> None:
    scribe = source(there, "ChronicleScribe", b"ETH/USD".ljust(32, b"\0"))
    there.send(scribe, "poke(uint128)", 5)
    expression = there.run(expression_from(scribe, {scribe: FeedFacts(pair="ETH / USD", heartbeat=HOUR)}))
    assert isinstance(expression, Leaf)
    assert (expression.reading.pair, expression.reading.heartbeat) == ("ETH / USD", HOUR)
