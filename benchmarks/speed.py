"""A warm tick of 500 accounts beside the ordinary ways of reading them, on one node, in one run, by turns.

    python -m benchmarks.speed

Two questions: the health of every account and nothing else, which is what the ordinary way asks; and everything that
a tick reads. CPU is that of our own process; wall time includes the node's work. Requests are counted in a turn of
their own, at a proxy. Ratios are what carries over to another machine.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from benchmarks.ordinary import Health, Ordinary, Way
from benchmarks.proxy import CountingProxy
from tests.protocols.worlds import spec_of, watched_in
from tests.worlds.aave import MAX, AaveWorld
from tests.worlds.aave_v36 import AaveV36World
from tests.worlds.cache import open_world
from watcher.chain import Chain, ChainSpec, EndpointSpec, Pinned
from watcher.domain.source import Address
from watcher.protocols.aave_v3.calls import account_data_of
from watcher.reads import Answers
from watcher.snapshot import Snapshot, take

WALLETS, SEED, TURNS = 500, 7, 5

HEALTH: Final = "the health of every account"
ALL: Final = "everything that a tick reads"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """Medians over the turns, in milliseconds."""

    question: str
    way: str
    requests: int
    cpu: float
    wall: float


@asynccontextmanager
async def ways(world: AaveWorld, wallets: Sequence[str], url: str) -> AsyncIterator[Mapping[tuple[str, str], Way]]:
    """Every way through this URL, by question and name; ours comes first in each question, and is warm."""
    async with AsyncExitStack() as stack:
        ordinary = await stack.enter_async_context(Ordinary.at(world, wallets, url))
        spec = spec_of(world, url)
        one = await stack.enter_async_context(Chain(spec))
        two = await stack.enter_async_context(Chain(_of_two_operators(spec, url)))
        ticks = [await _tick(chain, world, wallets) for chain in (one, two)]
        _, warm = ticks[0]
        yield {
            (HEALTH, "our reader, asked for that alone"): _health_alone(one, world, wallets),
            (HEALTH, "`multicall` 0.15.2"): ordinary.packaged,
            (HEALTH, "web3.py, one `aggregate3`"): ordinary.aggregated,
            (HEALTH, "web3.py, a contract call each, gathered"): ordinary.gathered,
            (ALL, "our tick: positions, legs, prices, feeds, checked against the contract"): ticks[0][0],
            (ALL, "our tick, two operators having to agree"): ticks[1][0],
            (ALL, "web3.py, `aggregate3` of 500, the reads alone"): ordinary.all_aggregated(warm.asked),
            (ALL, "web3.py, a call each, gathered, the reads alone"): ordinary.all_gathered(warm.asked),
        }


async def _tick(chain: Chain, world: AaveWorld, wallets: Sequence[str]) -> tuple[Way, Snapshot]:
    watched = [watched_in(world, wallets)]
    warm = await chain.first(lambda at: take(at, watched))

    async def tick() -> Health:
        snapshot = await chain.first(lambda at: take(at, watched, warm.asked))
        return {p.id.wallet: p.health.backing if p.health.required else MAX for p in snapshot.positions}

    return tick, warm


def _health_alone(chain: Chain, world: AaveWorld, wallets: Sequence[str]) -> Way:
    asked = {wallet: account_data_of(Address(world.pool), Address(wallet)) for wallet in wallets}

    async def read(at: Pinned) -> Health:
        answers = Answers(at.block, dict(await at.read(list(asked.values()))))
        return {wallet: answers[call].health_factor for wallet, call in asked.items()}

    return lambda: chain.first(read)


def _of_two_operators(spec: ChainSpec, url: str) -> ChainSpec:
    endpoints = tuple(EndpointSpec(name=f"node.{operator}", url=url) for operator in ("one", "other"))
    return replace(spec, endpoints=endpoints, agreement=2)


async def measure(world: AaveWorld, wallets: Sequence[str], turns: int) -> list[Timed]:
    """Each way once per turn. Fails where two ways find another health for an account."""
    requests = await _counted(world, wallets)
    spent: dict[tuple[str, str], list[tuple[float, float]]] = {key: [] for key in requests}
    async with ways(world, wallets, world.url) as found:
        for _ in range(turns):
            world.chain.mine()
            told = []
            for key, way in found.items():
                cpu, wall = time.process_time(), time.perf_counter()
                health = await way()
                spent[key].append((time.process_time() - cpu, time.perf_counter() - wall))
                told += [health] if health else []
            assert all(one == told[0] for one in told)
    return [
        Timed(
            question=question,
            way=name,
            requests=requests[question, name],
            cpu=1000 * statistics.median(cpu for cpu, _ in times),
            wall=1000 * statistics.median(wall for _, wall in times),
        )
        for (question, name), times in spent.items()
    ]


async def _counted(world: AaveWorld, wallets: Sequence[str]) -> dict[tuple[str, str], int]:
    """HTTP requests of each way."""
    counts = {}
    async with CountingProxy(world.url) as proxy, ways(world, wallets, proxy.url) as found:
        for key, way in found.items():
            await way()  # what is asked once for all, such as the chain's id, is not counted
            proxy.reset()
            await way()
            counts[key] = proxy.requests
    return counts


def tables(results: Sequence[Timed]) -> str:
    """Markdown: one for each question, each way beside the first."""
    lines = []
    for question in (HEALTH, ALL):
        ours, *others = [one for one in results if one.question == question]
        lines += [
            f"| {question} of {WALLETS} | requests | CPU, ms | wall, ms | CPU ÷ ours | wall ÷ ours |",
            "|---|---:|---:|---:|---:|---:|",
        ]
        lines += [
            f"| {one.way} | {one.requests:,} | {one.cpu:.0f} | {one.wall:.0f} | {one.cpu / ours.cpu:.1f}"
            f" | {one.wall / ours.wall:.1f} |"
            for one in (ours, *others)
        ]
        lines.append("")
    return "\n".join(lines).rstrip()


def main() -> None:
    with open_world(AaveV36World, accounts=WALLETS, seed=SEED) as world:
        print(tables(asyncio.run(measure(world, world.accounts[:WALLETS], TURNS))))


if __name__ == "__main__":
    main()
