"""What Venus's oracle asks: tokens worth others, the chain's coin, Binance and Pyth, on the real contracts."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from tests.oracles.node import Node, node
from tests.oracles.venus import UNIT, Token, Venus, ours, settled, three_priced, venus_on
from tests.worlds.abi import calldata
from tests.worlds.artifacts import venus_oracle
from tests.worlds.chain import ZERO, named
from tests.worlds.own import own
from watcher.domain.feed import FeedKind
from watcher.domain.price import Cap, Freshness, Rate, nodes
from watcher.domain.source import Address
from watcher.oracles.venus import venus_asset

STATES = 150
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


def test_it_prices_a_token_by_another_one_within_the_growth_that_governance_allows(
    venus: Venus, tokens: list[Token]
) -> None:
    random = Random(7)
    capped = 0
    for round_, other in enumerate(tokens * 8):
        settled(venus, other, (random.randint(10**6, 10**12),) * 3)
        decimals = random.choice((6, 8, 18))
        rate = random.randint(10**other.decimals // 2, 3 * 10**other.decimals)
        token = venus.node.deploy(own("WorthOthers"), "wX", decimals, rate)
        snapshot = rate * random.choice((80, 99, 101, 140)) // 100
        growth, interval = random.choice(((0, 0), (UNIT // 10, 3600), (UNIT // 100, A_DAY)))
        since = venus.node.chain.head().timestamp - random.randint(0, 90 * A_DAY)
        oracle = venus.node.deploy(
            venus_oracle("oracles/ERC4626Oracle"),
            *(token, other.address, venus.resilient, growth, interval, snapshot, since, venus.permits, 0),
        )
        venus.node.chain.send_all(venus.listed(token, [oracle]))
        price = ours(venus, token)
        assert price is not None
        assert price.low == venus.theirs(venus.resilient, token), f"round {round_}"
        assert not price.hidden
        caps = [node for node in nodes(price.expression) if isinstance(node, Cap)]
        assert any(cap.active for cap in caps) == venus.node.view(oracle, "isCapped()(bool)")
        capped += any(cap.active for cap in caps)
        [amount] = [node for node in nodes(price.expression) if isinstance(node, Rate)]
        assert (amount.value, amount.decimals, amount.what) == (
            rate,
            other.decimals,
            f"wX in {chr(65 + tokens.index(other))}",
        )
        assert (amount.growth is not None) == (interval != 0)
        assert {reading.feed for reading in price.feeds} >= {other.feeds["main"].proxy}
    assert 3 < capped < 20


def test_it_finds_the_second_feed_where_the_amount_comes_from_another_oracle(venus: Venus, tokens: list[Token]) -> None:
    for other in tokens:
        settled(venus, other, (3333_33333333,) * 3)
        token = venus.token("ez", 18)
        rates = venus.proxied("oracles/ChainlinkOracle")
        feed = venus.feed(rates, token.address, 18)
        venus.node.chain.send_all(venus.answering(feed, 1_037_123456789012345, 30))
        oracle = venus.node.deploy(
            venus_oracle("oracles/OneJumpOracle"),
            *(token.address, other.address, venus.resilient, rates, 0, 0, 0, 0, venus.permits, 0),
        )
        venus.node.chain.send_all(venus.listed(token.address, [oracle]))
        price = ours(venus, token.address)
        assert price is not None
        assert price.low == venus.theirs(venus.resilient, token.address)
        assert not price.hidden
        assert {feed.proxy, other.feeds["main"].proxy} <= {reading.feed for reading in price.feeds}


def test_it_prices_the_chains_own_coin_and_what_is_staked_of_it(venus: Venus) -> None:
    feed = venus.feed(venus.oracles["main"], COIN)
    venus.node.chain.send_all([*venus.listed(COIN, [venus.oracles["main"]]), *venus.answering(feed, 612_34567890, 3)])
    price = ours(venus, COIN)
    assert price is not None
    assert price.low == venus.theirs(venus.resilient, COIN) == 612_34567890 * 10**10
    staked = venus.node.deploy(own("WorthOthers"), "slisBNB", 18, 1_013_000000000000007)
    oracle = venus.node.deploy(
        venus_oracle("oracles/SlisBNBOracle"), staked, staked, venus.resilient, 0, 0, 0, 0, venus.permits, 0
    )
    venus.node.chain.send_all(venus.listed(staked, [oracle]))
    price = ours(venus, staked)
    assert price is not None
    assert (price.low, price.hidden) == (venus.theirs(venus.resilient, staked), ())
    assert [reading.feed for reading in price.feeds] == [feed.proxy]


def test_it_knows_which_token_a_market_is_priced_by(venus: Venus, tokens: list[Token]) -> None:
    def asset(market: str) -> str:
        return venus.node.run(venus_asset(venus.resilient, Address(market)))

    market = venus.node.deploy(venus_oracle("test/VBEP20Harness"), "vA", "vA", 8, tokens[0].address)
    assert asset(market) == tokens[0].address
    assert asset(named("vBNB")) == COIN
    assert asset(named("VAI")) == named("VAI")


def test_it_reads_binances_and_pyths_prices_and_keeps_each_apart(venus: Venus) -> None:
    registry = venus.node.deploy(venus_oracle("oracles/mocks/MockBinanceFeedRegistry"))
    binance = venus.proxied(
        "oracles/BinanceOracle", initial=calldata("initialize(address,address)", ZERO, venus.permits)
    )
    venus.node.send(binance, "setFeedRegistryAddress(address)", registry)
    token = venus.token("WFDUSD", 18)
    venus.node.send(binance, "setSymbolOverride(string,string)", "WFDUSD", "FDUSD")
    venus.node.send(binance, "setMaxStalePeriod(string,uint256)", "FDUSD", 1500)
    venus.node.send(registry, "setAssetPrice(string,uint256)", "FDUSD", 99_970_123)
    pyth = venus.node.deploy(own("LocalPyth"))
    by_pyth = venus.node.deploy(own("VenusPythOracle"), pyth)
    name = bytes(range(32))
    venus.node.send(by_pyth, "setTokenConfig((bytes32,address,uint64))", (name, token.address, 120))
    venus.node.chain.send_all(
        [*venus.listed(token.address, [binance, by_pyth]), *venus.bounded(token.address, UNIT // 2, 2 * UNIT)]
    )
    for price, exponent in ((99_990_111, -8), (1_000_000_000_000_000_001, -18), (3, 1), (123456789, -20)):
        now = venus.node.chain.head().timestamp
        venus.node.send(pyth, "set(bytes32,(int64,uint64,int32,uint256))", name, (price, 5, exponent, now))
        for oracles in ([binance, by_pyth], [by_pyth, binance], [by_pyth]):
            venus.node.chain.send_all(venus.listed(token.address, oracles))
            theirs, found = venus.theirs(venus.resilient, token.address), ours(venus, token.address)
            assert (found.low if found else None) == theirs, (price, exponent, oracles)
            if found is not None:
                assert not found.hidden
                kinds = {reading.kind: reading for reading in found.feeds}
                assert set(kinds) == {FeedKind.PYTH, FeedKind.BINANCE} if len(oracles) == 2 else {FeedKind.PYTH}
                assert kinds[FeedKind.PYTH].heartbeat == 120
                assert (kinds[FeedKind.PYTH].confidence, kinds[FeedKind.PYTH].behind) == (5, pyth)


def test_it_names_what_tells_no_time(venus: Venus) -> None:
    frax = venus.node.deploy(venus_oracle("oracles/mocks/MockSFrxEthFraxOracle", "MockSfrxEthFraxOracle"))
    venus.node.send(frax, "setPrices(bool,uint256,uint256)", False, 300 * 10**12, 301 * 10**12)
    token = venus.token("sfrxETH", 18)
    oracle = venus.proxied(
        "oracles/SFrxETHOracle",
        *(frax, token.address),
        initial=calldata("initialize(address,uint256)", venus.permits, 2 * UNIT),
    )
    venus.node.chain.send_all(venus.listed(token.address, [oracle]))
    price = ours(venus, token.address)
    assert price is not None
    assert price.low == venus.theirs(venus.resilient, token.address)
    [hidden] = price.hidden
    assert frax in hidden.why
    assert price.freshness(venus.node.block.timestamp) is Freshness.UNKNOWN
