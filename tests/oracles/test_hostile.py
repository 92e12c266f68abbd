"""Sources that misbehave under a real market: what rests on one is never called healthy, and nothing else suffers.

Each way of misbehaving is tried at three places: as the source that the market's oracle asks, as a part under an
adapter, and at the address of a feed that is published; and each both thoroughly and politely, which is to say with a
good answer to AaveOracle's own question and to none of ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from enum import IntEnum

import pytest

from tests.protocols.worlds import look, numbers_or_revert, ours
from tests.worlds.aave_v30 import AaveV30World
from tests.worlds.artifacts import chainlink
from tests.worlds.cache import open_world
from tests.worlds.chain import ZERO, Address, named
from tests.worlds.deployment import ADMIN
from tests.worlds.own import own
from watcher.domain.position import Because, Position
from watcher.domain.price import Freshness
from watcher.domain.source import Address as WatchedAddress
from watcher.snapshot import Held, Snapshot

VICTIM, OTHER = WatchedAddress(named("rests on the source")), WatchedAddress(named("rests on others"))
PRICE = 3_512 * 10**8
DEEP = 7


class Way(IntEnum):
    """As `Misbehaving.Way` has them."""

    NONE = 0
    REVERTS = 1
    THIRTY_ONE_BYTES = 2
    SIXTY_FOUR_KIB = 3
    NEGATIVE = 4
    FROM_THE_FUTURE = 5
    ROUND_ZERO = 6
    ZERO = 7
    BURNS_GAS = 8
    ANSWERS_ANYTHING = 9
    ANSWERS_NOTHING = 10
    UNDATED = 11


@pytest.fixture(scope="module")
def opened() -> Iterator[AaveV30World]:
    with open_world(AaveV30World) as world:
        world.supply(VICTIM, "WETH", 10 * 10**18)
        world.borrow(VICTIM, "USDC", 9_600 * 10**6)
        world.supply(OTHER, "wstETH", 2 * 10**18)
        world.borrow(OTHER, "DAI", 1_000 * 10**18)
        world.touch_feeds()
        yield world


@pytest.fixture
def world(opened: AaveV30World) -> Iterator[AaveV30World]:
    with opened.chain.undone():
        yield opened


def deploy(world: AaveV30World, name: str, *values: object) -> Address:
    return world.chain.deploy(ADMIN, own(name).creation(*values))


def behave(world: AaveV30World, source: Address, way: Way, *, polite: bool) -> None:
    world.chain.send(ADMIN, source, "behave(uint8,bool,int256)", int(way), polite, PRICE)


def asked(world: AaveV30World, source: Address) -> None:
    """Make it the source of WETH."""
    token = world.tokens["WETH"].address
    world.chain.send(ADMIN, world.oracle, "setAssetSources(address[],address[])", [token], [source])


def one(world: AaveV30World) -> Address:
    """A feed of 1, in answers of ten decimals: times this, eighteen become eight."""
    aggregator = world.chain.deploy(ADMIN, chainlink("MockV3Aggregator").creation(10, 1))
    return world.chain.deploy(ADMIN, chainlink("EACAggregatorProxy").creation(aggregator, ZERO))


def misplaced(world: AaveV30World, place: str, way: Way, *, polite: bool) -> None:
    source = deploy(world, "Misbehaving")
    if place == "published":
        world.chain.set_code(world.tokens["WETH"].feed, world.chain.code(source))
        source = world.tokens["WETH"].feed
    behave(world, source, way, polite=polite)
    if place == "source":
        asked(world, source)
    if place == "part":
        asked(world, deploy(world, "Composed", source, one(world), PRICE if polite else 0))


def seen(world: AaveV30World) -> tuple[Held | str, Position]:
    """What became of the victim (held, or why not) and the other, whose numbers have to be the contract's."""
    snapshot: Snapshot = asyncio.run(look(world, [VICTIM, OTHER]))
    held = {each.position.holder.wallet: each for each in snapshot.held}
    unreadable = {each.holder.wallet: each for each in snapshot.unreadable}
    numbers = numbers_or_revert(world, [VICTIM, OTHER])
    assert {*held, *unreadable} == {VICTIM, OTHER}
    assert OTHER in held, "others do not suffer"
    assert ours(held[OTHER].position) == numbers[OTHER]
    assert held[OTHER].position.freshness is Freshness.FRESH
    if VICTIM in held:
        assert ours(held[VICTIM].position) == numbers[VICTIM]
        return held[VICTIM], held[OTHER].position
    assert unreadable[VICTIM].because is Because.UNPRICEABLE
    assert unreadable[VICTIM].reason
    return unreadable[VICTIM].reason, held[OTHER].position


@pytest.mark.parametrize("polite", [False, True], ids=["thorough", "polite"])
@pytest.mark.parametrize("place", ["source", "part", "published"])
@pytest.mark.parametrize("way", [way for way in Way if way is not Way.NONE], ids=lambda way: way.name.lower())
def test_it_never_calls_healthy_what_rests_on_a_source_that_misbehaves(
    world: AaveV30World, way: Way, place: str, polite: bool
) -> None:
    misplaced(world, place, way, polite=polite)
    victim, _ = seen(world)
    if isinstance(victim, str):
        assert "WETH" in victim
        return
    assert victim.position.freshness is not Freshness.FRESH, victim.position.legs


@pytest.mark.parametrize("place", ["source", "part", "published"])
def test_it_is_fresh_over_the_same_contracts_while_they_behave(world: AaveV30World, place: str) -> None:
    misplaced(world, place, Way.NONE, polite=False)
    victim, _ = seen(world)
    assert isinstance(victim, Held)
    known = Freshness.FRESH if place == "published" else Freshness.UNKNOWN
    assert victim.position.freshness is known, "of the others nobody published a heartbeat"
    [price] = [leg.price for leg in victim.position.legs if leg.asset.symbol == "WETH"]
    assert not price.hidden


@pytest.mark.parametrize("polite", [0, PRICE], ids=["thorough", "polite"])
def test_it_ends_where_sources_go_round_in_circles(world: AaveV30World, polite: int) -> None:
    asked(world, deploy(world, "Circular", polite))
    victim, _ = seen(world)
    if polite:
        assert isinstance(victim, Held)
        assert victim.position.freshness is Freshness.UNKNOWN
    else:
        assert isinstance(victim, str)


def test_it_ends_where_sources_stand_on_one_another_too_deep(world: AaveV30World) -> None:
    source = world.tokens["WETH"].feed
    unit = world.chain.deploy(ADMIN, chainlink("MockV3Aggregator").creation(8, 10**8))
    for _ in range(DEEP):
        source = deploy(world, "Composed", source, unit, 0)
    asked(world, source)
    victim, _ = seen(world)
    assert isinstance(victim, Held)
    assert victim.position.freshness is Freshness.UNKNOWN
    [price] = [leg.price for leg in victim.position.legs if leg.asset.symbol == "WETH"]
    assert "too deep" in price.hidden[0].why
