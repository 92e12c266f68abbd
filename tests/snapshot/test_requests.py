"""HTTP requests of a tick on a real market, counted between the watcher and its node."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from benchmarks.requests import SEED, WALLETS, measure, measure_all
from tests.protocols.worlds import watched_in
from tests.worlds.aave_v36 import AaveV36World
from tests.worlds.cache import open_world


async def test_it_sends_as_many_requests_for_forty_wallets_as_for_one() -> None:
    """The head and one batch, though it asks too what those below their target have in hand; only batches of 500 calls,
    for 500 wallets, grow in number.
    """
    with open_world(AaveV36World, accounts=max(WALLETS), seed=SEED) as world:
        one, forty, many = await measure_all(world)
    assert (one.wallets, forty.wallets, many.wallets) == (1, 40, 500)
    assert one.warm.requests == forty.warm.requests == 2
    assert (
        one.cold.requests == forty.cold.requests == 12
    )  # the chain's id, its head, and nine rounds, one of two batches
    assert many.warm.requests == 10
    assert [cost.rounds for cost in (one.warm, forty.warm, many.warm)] == [1, 1, 1]
    assert [cost.rounds for cost in (one.cold, forty.cold, many.cold)] == [9, 9, 9]


async def test_it_sends_no_more_when_every_one_of_forty_is_below_its_target() -> None:
    with open_world(AaveV36World, accounts=max(WALLETS), seed=SEED) as world:
        wallets = world.accounts[:40]
        here = watched_in(world, wallets)
        everyone = replace(here, targets={holder.wallet: Decimal(10**30) for holder in here.holders})
        cost = await measure(world, everyone)
    assert (cost.warm.requests, cost.warm.rounds) == (2, 1)
    assert cost.balances == 110
