"""A warm tick beside the ordinary ways of reading the same wallets, on one node, in one run, by turns.

    python -m benchmarks.speed

CPU is that of our own process; wall time includes the node's work. Ratios are what carries over to another machine.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode
from web3 import HTTPProvider, Web3
from web3.contract import Contract

from tests.protocols.worlds import spec_of, watched_in
from tests.worlds.aave import AaveWorld
from tests.worlds.aave_v36 import AaveV36World
from tests.worlds.cache import open_world
from watcher.chain import Chain
from watcher.reads import Bundle, Request
from watcher.snapshot import Snapshot, take

WALLETS, SEED, TURNS = 200, 7, 9

_UINTS = ("totalCollateralBase", "totalDebtBase", "availableBorrowsBase", "threshold", "ltv", "healthFactor")
_POOL_ABI = [
    {
        "type": "function",
        "name": "getUserAccountData",
        "stateMutability": "view",
        "inputs": [{"name": "user", "type": "address"}],
        "outputs": [{"name": name, "type": "uint256"} for name in _UINTS],
    }
]
_CALL = (("target", "address"), ("allowFailure", "bool"), ("callData", "bytes"))
_RESULT = (("success", "bool"), ("returnData", "bytes"))


def _tuples(fields: Sequence[tuple[str, str]]) -> dict[str, object]:
    parts = [{"name": name, "type": kind} for name, kind in fields]
    return {"name": "", "type": "tuple[]", "components": parts}


_MULTICALL_ABI = [
    {
        "type": "function",
        "name": "aggregate3",
        "stateMutability": "payable",
        "inputs": [_tuples(_CALL)],
        "outputs": [_tuples(_RESULT)],
    }
]

Health = Mapping[str, int]
Way = Callable[[], Awaitable[Health]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """Medians over the turns, in milliseconds."""

    way: str
    cpu: float
    wall: float


@dataclass(frozen=True, slots=True)
class Ordinary:
    """The same node through web3.py as its documentation shows it."""

    w3: Web3
    pool: Contract
    multicall: Contract
    wallets: Sequence[str]

    @classmethod
    def at(cls, world: AaveWorld, wallets: Sequence[str]) -> Ordinary:
        w3 = Web3(HTTPProvider(world.url))
        pool = w3.eth.contract(address=Web3.to_checksum_address(world.pool), abi=_POOL_ABI)
        multicall = w3.eth.contract(address=Web3.to_checksum_address(world.multicall3), abi=_MULTICALL_ABI)
        return cls(w3, pool, multicall, wallets)

    async def one_by_one(self) -> Health:
        """A request for each wallet's `getUserAccountData`: health and nothing else."""
        block = self.w3.eth.block_number
        read = self.pool.functions.getUserAccountData
        return {wallet: read(wallet).call(block_identifier=block)[5] for wallet in self.wallets}

    async def aggregated(self) -> Health:
        """The same in one `aggregate3`, coded by web3's contract."""
        block = self.w3.eth.block_number
        calls = [(self.pool.address, True, self.pool.encode_abi("getUserAccountData", [w])) for w in self.wallets]
        results = self.multicall.functions.aggregate3(calls).call(block_identifier=block)
        rows = [decode(["uint256"] * 6, data) for _, data in results]
        return {wallet: int(row[5]) for wallet, row in zip(self.wallets, rows, strict=True)}

    def same_reads(self, asked: Collection[Request]) -> Way:
        """Everything that our tick reads, a request for each; its maths not included."""
        calls: list[Any] = [call for one in asked for call in (one.calls if isinstance(one, Bundle) else (one,))]

        async def read() -> Health:
            block = self.w3.eth.block_number
            for call in calls:
                try:
                    self.w3.eth.call({"to": call.target, "data": "0x" + call.data.hex()}, block)
                except ValueError:
                    continue  # reads that may revert
            return {}

        return read


async def measure(world: AaveWorld, wallets: Sequence[str], turns: int) -> list[Timed]:
    """Each way once per turn. Fails where two ways find another health for a wallet."""
    watched, ordinary = [watched_in(world, wallets)], Ordinary.at(world, wallets)
    async with Chain(spec_of(world)) as chain:
        last: Snapshot = await chain.first(lambda at: take(at, watched))
        warm = last.asked

        async def tick() -> Health:
            snapshot = await chain.first(lambda at: take(at, watched, warm))
            return {p.id.wallet: p.health.backing if p.health.required else 2**256 - 1 for p in snapshot.positions}

        ways: dict[str, Way] = {
            "warm tick: positions, legs, prices, feeds, checked against the contract": tick,
            "web3.py, `getUserAccountData`, one request a wallet": ordinary.one_by_one,
            "web3.py, `getUserAccountData` in one `aggregate3`": ordinary.aggregated,
            "web3.py, everything the tick reads, one request each": ordinary.same_reads(warm),
        }
        spent: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for _ in range(turns):
            world.chain.mine()
            found = []
            for name, way in ways.items():
                cpu, wall = time.process_time(), time.perf_counter()
                found.append(await way())
                spent[name].append((time.process_time() - cpu, time.perf_counter() - wall))
            assert found[0] == found[1] == found[2]
    return [
        Timed(
            way=name,
            cpu=1000 * statistics.median(cpu for cpu, _ in times),
            wall=1000 * statistics.median(wall for _, wall in times),
        )
        for name, times in spent.items()
    ]


def table(results: Sequence[Timed]) -> str:
    """Markdown, each beside the first."""
    ours = results[0]
    lines = ["| way | CPU, ms | wall, ms | CPU ÷ ours | wall ÷ ours |", "|---|---:|---:|---:|---:|"]
    lines += [
        f"| {one.way} | {one.cpu:.0f} | {one.wall:.0f} | {one.cpu / ours.cpu:.1f} | {one.wall / ours.wall:.1f} |"
        for one in results
    ]
    return "\n".join(lines)


def main() -> None:
    with open_world(AaveV36World, accounts=500, seed=SEED) as world:
        print(table(asyncio.run(measure(world, world.accounts[:WALLETS], TURNS))))


if __name__ == "__main__":
    main()
