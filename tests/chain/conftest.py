"""A stand-in endpoint, and a chain that reads from it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from tests.chain.rpc_stand_in import MULTICALL3, RpcStandIn
from watcher.chain import Chain, ChainSpec, EndpointSpec, Timeouts
from watcher.domain.source import Address
from watcher.reads import Call, Storage

SomeCall = Call[Any]


@dataclass(slots=True)
class Clock:
    """Moves when told."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def spec_of(*endpoints: EndpointSpec, call_gas: int = 30_000_000, chain_id: int = 1) -> ChainSpec:
    return ChainSpec(
        name="ethereum",
        id=chain_id,
        title="Ethereum",
        multicall3=Address(MULTICALL3),
        block_time=Decimal(12),
        max_age=60,
        confirmations=2,
        explorer="https://etherscan.io",
        endpoints=endpoints,
        call_gas=call_gas,
    )


def call(number: int, *, gas: int = 50_000, isolated: bool = False) -> SomeCall:
    """A call that no other number gives."""
    return Call(
        target=Address("0x" + f"{number:040x}"),
        data=number.to_bytes(36, "big"),
        outputs=("uint256",),
        label=f"call{number}",
        parse=int,
        gas=gas,
        isolated=isolated,
    )


def stored(number: int) -> Storage:
    """A slot of storage that no other number gives."""
    return Storage(Address("0x" + f"{number:040x}"), number, f"stored{number}")


@pytest.fixture
async def node() -> AsyncIterator[RpcStandIn]:
    async with RpcStandIn() as node:
        yield node


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def chain(node: RpcStandIn, clock: Clock) -> AsyncIterator[Chain]:
    async with Chain(spec_of(node.endpoint), timeouts=Timeouts(connect=1, total=2), clock=clock) as chain:
        yield chain
