"""The ordinary ways of reading the same from the same node, as their documentation shows them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

from eth_abi.abi import decode
from multicall import Call, Multicall, utils
from web3 import AsyncHTTPProvider, AsyncWeb3, Web3
from web3.contract import AsyncContract

from tests.worlds.aave import AaveWorld
from watcher.reads import Bundle, Request

IN_FLIGHT: Final = 32
"""Requests at a time, where each wallet takes one."""
BATCH: Final = 500
"""Calls in one `aggregate3`."""

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
_SIGNATURE = f"getUserAccountData(address)({','.join(['uint256'] * len(_UINTS))})"
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


@dataclass(frozen=True, slots=True)
class Ordinary:
    """Ways to the health factors of wallets through one URL: `async with Ordinary.at(world, wallets, url) as there:`"""

    w3: AsyncWeb3[AsyncHTTPProvider]
    pool: AsyncContract
    multicall: AsyncContract
    for_package: Web3
    wallets: Sequence[str]

    @classmethod
    def at(cls, world: AaveWorld, wallets: Sequence[str], url: str) -> Ordinary:
        w3 = AsyncWeb3(AsyncHTTPProvider(url))
        pool = w3.eth.contract(address=Web3.to_checksum_address(world.pool), abi=_POOL_ABI)
        multicall = w3.eth.contract(address=Web3.to_checksum_address(world.multicall3), abi=_MULTICALL_ABI)
        for_package = Web3(Web3.HTTPProvider(url))
        utils.chainids[for_package] = 1  # it knows no private chains; its contract has the same address on this one
        return cls(w3, pool, multicall, for_package, wallets)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.w3.provider.disconnect()
        its_own: Any = utils.get_async_w3(self.for_package).provider
        await its_own.disconnect()

    async def gathered(self) -> Health:
        """A contract call for each wallet."""
        block, turns = await self.w3.eth.block_number, asyncio.Semaphore(IN_FLIGHT)

        async def health(wallet: str) -> int:
            async with turns:
                row = await self.pool.functions.getUserAccountData(wallet).call(block_identifier=block)
                return int(row[5])

        found = await asyncio.gather(*map(health, self.wallets))
        return dict(zip(self.wallets, found, strict=True))

    async def aggregated(self) -> Health:
        """The same in one `aggregate3`, coded by web3's contract."""
        block = await self.w3.eth.block_number
        calls = [(self.pool.address, True, self.pool.encode_abi("getUserAccountData", [w])) for w in self.wallets]
        results = await self.multicall.functions.aggregate3(calls).call(block_identifier=block)
        rows = [decode(["uint256"] * len(_UINTS), data) for _, data in results]
        return {wallet: int(row[5]) for wallet, row in zip(self.wallets, rows, strict=True)}

    async def packaged(self) -> Health:
        """The same by the `multicall` package."""
        returns = [[(f"{wallet} {name}", None) for name in _UINTS] for wallet in self.wallets]
        calls = [
            Call(self.pool.address, [_SIGNATURE, wallet], named)  # type: ignore[arg-type]
            for wallet, named in zip(self.wallets, returns, strict=True)
        ]
        found = await Multicall(calls, _w3=self.for_package, block_id=await self.w3.eth.block_number)
        return {wallet: found[f"{wallet} healthFactor"] for wallet in self.wallets}

    def all_gathered(self, asked: Collection[Request]) -> Way:
        """Everything that our tick reads, a request for each; its maths not included."""
        calls = _calls(asked)

        async def read() -> Health:
            block, turns = await self.w3.eth.block_number, asyncio.Semaphore(IN_FLIGHT)

            async def one(call: Any) -> None:
                async with turns:
                    await self.w3.eth.call({"to": call.target, "data": "0x" + call.data.hex()}, block)

            await asyncio.gather(*map(one, calls), return_exceptions=True)  # reads that may revert
            return {}

        return read

    def all_aggregated(self, asked: Collection[Request]) -> Way:
        """The same in as few `aggregate3` as hold `BATCH` calls each."""
        calls = [(Web3.to_checksum_address(call.target), True, call.data) for call in _calls(asked)]

        async def read() -> Health:
            block = await self.w3.eth.block_number
            for start in range(0, len(calls), BATCH):
                batch = calls[start : start + BATCH]
                await self.multicall.functions.aggregate3(batch).call(block_identifier=block)
            return {}

        return read


def _calls(asked: Collection[Request]) -> list[Any]:
    return [call for one in asked for call in (one.calls if isinstance(one, Bundle) else (one,))]
