"""HTTP requests of a tick on a real market, counted between the watcher and its node."""

from __future__ import annotations

from benchmarks.requests import SEED, WALLETS, measure_all
from tests.worlds.aave_v36 import AaveV36World
from tests.worlds.cache import open_world


async def test_it_sends_as_many_requests_for_forty_wallets_as_for_one() -> None:
    """The head and one batch; for 500 wallets the batches of 400 calls are the only ones that grow in number."""
    with open_world(AaveV36World, accounts=max(WALLETS), seed=SEED) as world:
        one, forty, many = await measure_all(world)
    assert (one.wallets, forty.wallets, many.wallets) == (1, 40, 500)
    assert one.warm.requests == forty.warm.requests == 2
    assert one.cold.requests == forty.cold.requests == 9  # the chain's id, its head, and seven rounds
    assert many.warm.requests == 10
    assert [cost.rounds for cost in (one.warm, forty.warm, many.warm)] == [1, 1, 1]
    assert [cost.rounds for cost in (one.cold, forty.cold, many.cold)] == [7, 7, 7]
