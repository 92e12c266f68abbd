"""HTTP requests of a tick, counted at a proxy between the watcher and the node.

python -m benchmarks.requests
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.proxy import CountingProxy
from tests.protocols.worlds import spec_of, watched_in
from tests.worlds.aave import AaveWorld
from tests.worlds.aave_v36 import AaveV36World
from tests.worlds.cache import open_world
from watcher.chain import Chain
from watcher.snapshot import Snapshot, Watched, take

WALLETS = (1, 40, 500)
SEED = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one tick sent and received. Bytes of HTTP bodies."""

    requests: int
    rounds: int
    bytes_up: int
    bytes_down: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The first tick after a start, and one that knows from the last what to ask; `balances` are told by both."""

    wallets: int
    balances: int
    cold: Cost
    warm: Cost


async def measure(world: AaveWorld, here: Watched) -> Measured:
    """A cold tick and, a block later, a warm one. Fails where any wallet could not be read."""
    wallets = len(here.holders)
    async with CountingProxy(world.url) as proxy, Chain(spec_of(world, proxy.url)) as chain:

        async def tick(last: Snapshot | None) -> tuple[Snapshot, Cost]:
            proxy.reset()
            snapshot = await chain.first(lambda at: take(at, [here], last.asked if last else ()))
            assert len(snapshot.held) == wallets, snapshot.unreadable
            sent = proxy.requests
            return snapshot, Cost(
                requests=sent, rounds=snapshot.rounds, bytes_up=proxy.bytes_up, bytes_down=proxy.bytes_down
            )

        first, cold = await tick(None)
        world.chain.mine()
        second, warm = await tick(first)
        assert first.holdings.keys() == second.holdings.keys()
        return Measured(wallets=wallets, balances=len(second.holdings), cold=cold, warm=warm)


async def measure_all(world: AaveWorld) -> list[Measured]:
    return [await measure(world, watched_in(world, world.accounts[:count])) for count in WALLETS]


def table(results: Sequence[Measured]) -> str:
    """Markdown."""
    lines = [
        "| wallets | balances | cold tick: requests (rounds) | warm tick: requests (rounds) | warm, KB up | KB down |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {one.wallets} | {one.balances} | {one.cold.requests} ({one.cold.rounds})"
        f" | {one.warm.requests} ({one.warm.rounds}) | {one.warm.bytes_up // 1000} | {one.warm.bytes_down // 1000} |"
        for one in results
    ]
    return "\n".join(lines)


def main() -> None:
    with open_world(AaveV36World, accounts=max(WALLETS), seed=SEED) as world:
        print(table(asyncio.run(measure_all(world))))


if __name__ == "__main__":
    main()
