"""Second opinions: other feeds of the same pair, mean prices of pools, and what is said where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.oracles.node import DEPLOYER, Node, node
from tests.oracles.test_uniswap_v3 import Market
from tests.worlds.artifacts import chainlink, uniswap_v3
from tests.worlds.chain import ZERO
from tests.worlds.own import own
from watcher.domain.feed import Beside, FeedFacts, FeedKind, FeedReading, Freshness, Unheard
from watcher.domain.price import Opaque, Price
from watcher.domain.source import Address
from watcher.oracles.opinions import rescaled
from watcher.oracles.shape import FeedBook
from watcher.oracles.sources import price_from

ETHER = 2000_00000000
NOWHERE = Address("0x" + "11" * 20)


@pytest.fixture(scope="module")
def there() -> Iterator[Node]:
    with node() as it:
        yield it


def feed(there: Node, answer: int, decimals: int = 8) -> Address:
    """Chainlink's real proxy before an aggregator of its own."""
    aggregator = Address(there.chain.deploy(DEPLOYER, chainlink("MockV3Aggregator").creation(decimals, answer)))
    return Address(there.chain.deploy(DEPLOYER, chainlink("EACAggregatorProxy").creation(aggregator, ZERO)))


def facts(*others: Beside, listed: bool = True) -> FeedFacts:
    return FeedFacts(pair="ETH/USD" if listed else "", heartbeat=60 if listed else None, beside=others, listed=listed)


def read(there: Node, source: Address, value: int, book: FeedBook) -> Price:
    return there.run(price_from(source, value, book))


def reading(price: Price) -> FeedReading:
    [only] = price.feeds
    return only


@pytest.mark.parametrize(
    ("answer", "decimals", "value"), [(1990 * 10**18 + 7, 18, 1990_00000000), (1990, 0, 1990 * 10**8)]
)
def test_it_hears_another_feed_of_the_same_pair_in_its_own_units(
    there: Node, answer: int, decimals: int, value: int
) -> None:
    mine, other = feed(there, ETHER), feed(there, answer, decimals)
    book = {mine: facts(Beside(source=other)), other: facts(Beside(source=mine))}
    found = reading(read(there, mine, ETHER, book))
    [opinion] = found.beside
    assert (opinion.value, opinion.by.feed, opinion.by.answer) == (value, other, answer)
    assert opinion.by.freshness(there.block.timestamp) is Freshness.FRESH
    assert (opinion.by.beside, opinion.by.unheard, found.unheard) == ((), (), ()), "an opinion has no opinions"


def test_it_hears_several_side_by_side_and_names_those_that_it_does_not(there: Node) -> None:
    mine, other, opaque = feed(there, ETHER), feed(there, ETHER + 5), there.deploy(own("Whatever"))
    there.send(opaque, "answer(bytes)", (7).to_bytes(32, "big") * 5)
    asked = [Beside(source=one) for one in (NOWHERE, other, opaque)]
    found = reading(read(there, mine, ETHER, {mine: facts(*asked, Beside(source=NOWHERE, base=other, window=60))}))
    assert [opinion.value for opinion in found.beside] == [ETHER + 5]
    assert [silent.source for silent in found.unheard] == [NOWHERE, opaque, NOWHERE]
    whys = [silent.why for silent in found.unheard]
    assert "answers nothing that a price source answers" in whys[0]
    assert "no feed that we can see through" in whys[1]
    assert "uniswap_v3_pool.token0" in whys[2]
    assert found.answer == ETHER, "the feed itself is read all the same"


def test_it_lets_two_feeds_speak_of_each_other_without_end(there: Node) -> None:
    one, two, three = (feed(there, ETHER + step) for step in range(3))
    everyone = {one, two, three}
    book = {source: facts(*(Beside(source=other) for other in everyone - {source})) for source in everyone}
    for source in everyone:
        value = there.view(source, "latestAnswer()(int256)")
        assert {opinion.by.feed for opinion in reading(read(there, source, value, book)).beside} == everyone - {source}


def test_it_asks_nobody_about_a_feed_of_which_no_other_is_known(there: Node) -> None:
    mine = feed(there, ETHER)
    found = reading(read(there, mine, ETHER, {mine: facts()}))
    assert (found.beside, found.unheard) == ((), ())


@pytest.fixture(scope="module")
def market(there: Node) -> Market:
    return Market(
        there,
        there.deploy(uniswap_v3("UniswapV3Factory")),
        there.deploy(own("PushTrader")),
        there.deploy(own("PushConsultant")),
    )


def test_it_hears_the_mean_price_of_a_real_pool(there: Node, market: Market) -> None:
    pool, mine = market.open(-196_000, 18, 6), feed(there, ETHER)
    there.chain.increase_time(4000)
    for n in (0, 1):
        base = Address(there.view(pool, f"token{n}()(address)"))
        found = reading(read(there, mine, ETHER, {mine: facts(Beside(source=pool, base=base, window=1800))}))
        [opinion] = found.beside
        tick, _ = market.consulted(pool, 1800)
        assert tick == -196_000
        assert (opinion.by.kind, opinion.by.feed, opinion.by.decimals) == (FeedKind.TWAP, pool, 8)
        assert opinion.value == opinion.by.answer
        assert found.unheard == ()


def test_it_hears_of_a_feed_that_only_its_getters_tell(there: Node) -> None:
    """It is not published, so that the book knows nothing of it but whom else to ask."""
    mine, other = feed(there, ETHER), feed(there, ETHER - 1)
    price = read(there, mine, ETHER, {mine: facts(Beside(source=other), listed=False)})
    assert [opinion.value for opinion in reading(price).beside] == [ETHER - 1]
    assert reading(price).heartbeat is None
    assert (price.beside, price.unheard) == ((), ()), "said once, of the feed"


def opaque(there: Node, *, decimals: bool) -> Address:
    return there.deploy(own("PushUnknown"), ETHER, 8 if decimals else 255)


def test_it_hears_of_the_whole_price_where_the_source_is_no_feed(there: Node) -> None:
    source, other = opaque(there, decimals=True), feed(there, 2001 * 10**18, 18)
    asked = facts(Beside(source=other), Beside(source=NOWHERE), listed=False)
    price = read(there, source, ETHER, {source: asked})
    assert isinstance(price.expression, Opaque)
    assert [opinion.value for opinion in price.beside] == [2001_00000000]
    assert [silent.source for silent in price.unheard] == [NOWHERE]


def test_it_keeps_what_others_say_when_the_price_is_imagined_otherwise(there: Node) -> None:
    mine = feed(there, ETHER)
    price = replace(read(there, mine, ETHER, {}), unheard=(Unheard(NOWHERE, "why"),))
    moved = price.with_feeds({mine: 1})
    assert (moved.low, moved.beside, moved.unheard) == (1, price.beside, price.unheard)


def test_it_compares_nothing_with_a_source_that_hides_its_decimals(there: Node) -> None:
    source, other = opaque(there, decimals=False), feed(there, ETHER)
    price = read(there, source, ETHER, {source: facts(Beside(source=other), listed=False)})
    assert price.beside == ()
    [silent] = price.unheard
    assert silent.source == other
    assert "how many decimals" in silent.why


def test_it_cuts_off_towards_zero() -> None:
    assert [rescaled(answer, 18, 8) for answer in (10**10, 10**10 - 1, -(10**10) - 1, 1 - 10**10)] == [1, 0, -1, 0]
    assert (rescaled(-7, 0, 8), rescaled(7, 8, 8)) == (-700_000_000, 7)
