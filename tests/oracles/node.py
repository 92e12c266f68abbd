"""Plans driven on a real node at its head: each call is an `eth_call` of its own, each bundle one of Multicall3's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.worlds import multicall3
from tests.worlds.anvil import Anvil
from tests.worlds.artifacts import Artifact
from tests.worlds.chain import Chain, RevertError, named
from tests.worlds.rpc import RpcError
from watcher.domain.source import Address, Block
from watcher.reads import Bundle, Call, Plan, Request, Returned, Storage, drive
from watcher.reads.call import T

DEPLOYER = named("deployer")
_AGGREGATE = "aggregate3((address,bool,bytes)[])((bool,bytes)[])"


@dataclass
class Node:
    """A chain of the tests' own contracts, and what plans find out there."""

    chain: Chain
    multicall3: str
    asked: list[Request] = field(default_factory=list)

    def deploy(self, artifact: Artifact, *values: object) -> Address:
        return Address(self.chain.deploy(DEPLOYER, artifact.creation(*values)))

    def send(self, to: Address, signature: str, *values: object) -> None:
        self.chain.send(DEPLOYER, to, signature, *values)

    def view(self, to: Address, signature: str, *values: object) -> Any:
        """The first result of a view."""
        return self.chain.view(to, signature, *values)[0]

    @property
    def block(self) -> Block:
        head = self.chain.head()
        return Block(chain="local", number=head.number, hash=head.hash, timestamp=head.timestamp)

    def run(self, plan: Plan[T]) -> T:
        """What a plan comes to at the head."""
        return drive(plan, self.block, self._answer)

    def _answer(self, requests: Sequence[Request]) -> Mapping[Request, Sequence[Returned]]:
        self.asked += requests
        return {request: self._returned(request) for request in requests}

    def _returned(self, request: Request) -> Sequence[Returned]:
        match request:
            case Bundle():
                return self._together(request)
            case Storage():
                return [Returned(True, self.chain.stored(request.target, request.slot))]
            case Call():
                return [self._one(request)]

    def _together(self, bundle: Bundle) -> Sequence[Returned]:
        calls = [(call.target, True, call.data) for call in bundle.calls]
        [answers] = self.chain.view(self.multicall3, _AGGREGATE, calls)
        return [Returned(success, data) for success, data in answers]

    def _one(self, request: Call[Any]) -> Returned:
        try:
            return Returned(True, self.chain.call(request.target, request.data))
        except (RevertError, RpcError) as problem:
            return Returned(False, str(problem).encode())


@contextmanager
def node() -> Iterator[Node]:
    """A fresh chain on loopback, gone when the block of code ends."""
    with Anvil() as anvil:
        yield Node(anvil.chain, multicall3.install(anvil.chain))
