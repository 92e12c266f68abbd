"""Reading at one block of one endpoint, and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, Final

from watcher.chain.carrier import Calls, Carrier, Said
from watcher.chain.endpoint import Endpoint
from watcher.chain.errors import BatchTooLarge, ExecutionFailed, RequestRefused, TimedOut
from watcher.chain.hexadecimal import block_header, data_bytes
from watcher.chain.packing import Batch, Carried, Limits, pack
from watcher.chain.spec import ChainSpec, EndpointSpec
from watcher.domain.errors import EndpointError, NotDecodable
from watcher.domain.source import Block
from watcher.reads.call import Request, Returned, Storage

WORD: Final = 32
_FEW = 16
"""Calls that are asked once more together after failing silently: few enough not to starve one another."""

_SILENCE = (Returned(False, b""),)

_SMALLEST_SHARE = 8
"""Timeouts do not shrink batches below this part of the chain's `call_gas`: it may not be size that takes the time."""


async def read_block(endpoint: Endpoint, chain: ChainSpec, number: int | None = None) -> Block | None:
    """The header at a height, or of the latest block. None where the endpoint has no such block yet."""
    wanted = "latest" if number is None else hex(number)
    result = await endpoint.ask("eth_getBlockByNumber", [wanted, False])
    if result is None and number is not None:
        return None
    try:
        block = block_header(result, chain.name)
    except NotDecodable as problem:
        raise endpoint.fault(f"eth_getBlockByNumber: {problem}") from problem
    if number is not None and block.number != number:
        raise endpoint.fault(f"answered with block {block.number} when asked for block {number}")
    return block


class Pinned:
    """One block at one endpoint. Every read is of the state after that block; a read that fails returns nothing."""

    def __init__(self, chain: ChainSpec, endpoint: Endpoint, block: Block) -> None:
        self.block = block
        self.returned: dict[Request, tuple[Returned, ...]] = {}
        """All that was read so far."""
        self._chain = chain
        self._endpoint = endpoint

    @property
    def endpoint(self) -> str:
        """The endpoint's name."""
        return self._endpoint.spec.name

    @property
    def spec(self) -> EndpointSpec:
        return self._endpoint.spec

    def behind(self, problem: str) -> EndpointError:
        """The error for a block that is no view of the present; its endpoint is asked after the others for a while."""
        return self._endpoint.behind(problem)

    async def read(self, requests: Sequence[Request]) -> dict[Request, tuple[Returned, ...]]:
        """What each request returned, reverts included; a bundle's answers in its order. Equal requests are sent once.

        Raises `EndpointError` where any part of the answer is missing or cannot be of this block.
        """
        read = await _Reading(self._chain, self._endpoint, self.block).of(dict.fromkeys(requests))
        self.returned |= read
        return read

    async def block_hash(self, number: int) -> str | None:
        """The canonical hash at a height, as this endpoint sees it now; None above its head."""
        block = await read_block(self._endpoint, self._chain, number)
        return None if block is None else block.hash


class _NotCarried(Exception):  # noqa: N818 - named for what happened
    """The calls did not get through in the way that was tried; another may do."""


class _Reading:
    """One `read`: batches sent side by side, those too large halved until they pass."""

    def __init__(self, chain: ChainSpec, endpoint: Endpoint, block: Block) -> None:
        self._chain = chain
        self._endpoint = endpoint
        self._learned = endpoint.learned
        self._block = block
        self._results: dict[Request, tuple[Returned, ...]] = {}
        self._stored: dict[Request, tuple[Returned, ...]] = {}
        self._worked = 0
        self._refused = False
        self._by_number = False
        self._burners: set[Carried] = set()
        self._suspects: list[Carried] = []

    async def of(self, requests: Iterable[Request]) -> dict[Request, tuple[Returned, ...]]:
        limits = self._learned.carrier.within(
            Limits(gas=min(self._chain.call_gas, self._learned.gas or self._chain.call_gas))
        )
        asked = list(requests)
        carried = [one for one in asked if not isinstance(one, Storage)]
        batches = [self._send(batch) for batch in pack(carried, limits, self._learned.alone)]
        await _side_by_side([*batches, *(self._look_up(one) for one in asked if isinstance(one, Storage))])
        if self._refused:
            self._learn()
        await self._doubt_the_silent(limits)
        if self._by_number:
            await self._still_canonical()
        return self._results | self._stored

    async def _look_up(self, wanted: Storage) -> None:
        """One word of storage. It is of our block as much as its number or hash is: nothing in it tells more."""
        try:
            raw = await self._at_block("eth_getStorageAt", [wanted.target, hex(wanted.slot)])
        except ExecutionFailed as failure:
            raise self._endpoint.fault(f"eth_getStorageAt failed as only calls do ({failure.problem})") from failure
        if len(raw) != WORD:
            raise self._endpoint.fault(f"eth_getStorageAt: {len(raw)} bytes where a word has {WORD}")
        self._stored[wanted] = (Returned(True, raw),)

    async def _send(self, batch: Batch) -> None:
        try:
            returned = await self._call(batch)
        except BatchTooLarge as refusal:
            self._refused = True
            if halves := batch.halves():
                await _side_by_side(map(self._send, halves))
                return
            if not refusal.out_of_gas:
                raise self._endpoint.fault(f"even a single call is too much for it ({refusal.problem})") from refusal
            self._burners.update(batch.requests)
            returned = [Returned(False, b"")] * len(batch.calls)
        except TimedOut:
            # Not halved on the spot: an endpoint that hangs would take its timeout once more for every half.
            self._learned.at_most(max(batch.gas // 2, self._chain.call_gas // _SMALLEST_SHARE))
            raise
        else:
            self._worked = max(self._worked, batch.gas)
        dealt = batch.deal(returned)
        self._results.update(dealt)
        if len(batch.requests) > 1:
            self._suspects += [request for request in batch.requests if dealt[request] == _SILENCE]

    def _learn(self) -> None:
        """Why batches were too large: for the calls in them that burn all gas, or else for their size."""
        if not self._worked and len(self._results) > 1:
            raise self._endpoint.fault("runs out of gas on every call: its gas cap for eth_call is too low")
        if self._burners:
            self._learned.alone.update(self._burners)
        else:
            self._learned.at_most(self._worked)

    async def _doubt_the_silent(self, limits: Limits) -> None:
        """Ask again, among few, what failed without revert data among many.

        A sub-call that burns its gas leaves a 64th to those after it (EIP-150), and they fail as if by themselves. A
        plan may take such a failure for "this contract has no such function", so it has to be certain.
        """
        doubtful = [request for request in self._suspects if request not in self._learned.silent]
        self._suspects = []
        few = Limits(gas=limits.gas // _FEW, calls=_FEW)
        await _side_by_side(self._send(batch) for batch in pack(doubtful, few, self._learned.alone))
        self._learned.silent.update(one for one in doubtful if not self._results[one][0].success)

    async def _call(self, batch: Batch) -> list[Returned]:
        """One `eth_call`, which also tells the block's time and the chain: they have to be ours."""
        carrier, calls = self._learned.carrier, [(call.target, call.data) for call in batch.calls]
        try:
            said = await self._carried(carrier, calls)
        except _NotCarried as problem:
            if self._learned.carrier is carrier:  # otherwise a batch beside this one has found out already
                if carrier.next is None:
                    raise self._endpoint.fault(
                        f"no Multicall3 at {self._chain.multicall3} at block {self._block.number}, and it runs no"
                        f" program of ours either: {problem}"
                    ) from problem
                self._learned.carrier = carrier.next
            return await self._call(batch)
        if said.time != self._block.timestamp:
            raise self._endpoint.fault(
                f"answered at another block: one of timestamp {said.time}, where block {self._block.number} has"
                f" {self._block.timestamp}"
            )
        if said.chain != self._chain.id:
            raise self._endpoint.fault(
                f"answered for chain {said.chain}, not {self._chain.id} ({self._chain.title}), which it served before"
            )
        return said.results

    async def _carried(self, carrier: Carrier, calls: Calls) -> Said:
        """What came back. Raises `_NotCarried` where it does not work like this here."""
        transaction, rest = carrier.params(self._chain, calls)
        try:
            raw = await self._at_block("eth_call", [transaction], rest)
        except RequestRefused as refusal:
            raise _NotCarried(refusal.problem) from refusal
        except ExecutionFailed as failure:
            if carrier is not Carrier.MULTICALL3:
                raise _NotCarried(failure.problem) from failure
            raise self._endpoint.fault(
                f"the contract at {self._chain.multicall3} failed as Multicall3 never does ({failure.problem})"
            ) from failure
        if not raw:
            raise _NotCarried(f"{carrier.value} returned nothing")
        try:
            return carrier.opened(raw, len(calls))
        except NotDecodable as problem:
            raise self._endpoint.fault(f"{carrier.value} at block {self._block.number}: {problem}") from problem

    async def _at_block(self, method: str, what: list[Any], rest: Sequence[Any] = ()) -> bytes:
        """What is asked, the block behind it, then the rest.

        Calls are given no `gas`: a node then takes its own cap for calls, which a figure of ours could only lower.
        """
        by_hash = self._learned.pins_by_hash
        at = {"blockHash": self._block.hash, "requireCanonical": True} if by_hash else hex(self._block.number)
        try:
            result = await self._endpoint.ask(method, [*what, at, *rest])
            raw = data_bytes(result, f"the result of {method}")
        except RequestRefused as refusal:
            if rest:
                raise  # the block was understood in a call without them
            if not by_hash:
                self._learned.pins_by_hash = True  # so that was not what it minded
                raise self._endpoint.fault(f"refuses {method} ({refusal.problem})") from refusal
            self._learned.pins_by_hash = False
        except NotDecodable as problem:
            raise self._endpoint.fault(str(problem)) from problem
        else:
            self._by_number |= not by_hash
            return raw
        return await self._at_block(method, what, rest)

    async def _still_canonical(self) -> None:
        """What was read by number is of our block only if that is still the one at its height."""
        now = await read_block(self._endpoint, self._chain, self._block.number)
        if now is None or now.hash != self._block.hash:
            raise self._endpoint.fault(f"block {self._block.number} was replaced while it was read")


async def _side_by_side(jobs: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run all, stop all at the first failure, and leave no task behind."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
