"""Plans driven on a real node at its head: the calls of a round in one `eth_call` of Multicall3, each bundle in one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.worlds import multicall3
from tests.worlds.anvil import Anvil
from tests.worlds.artifacts import Artifact
from tests.worlds.chain import Chain, named
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
        calls = [request for request in requests if isinstance(request, Call)]
        returned: dict[Request, Sequence[Returned]] = {
            call: [answer] for call, answer in zip(calls, self._together(calls), strict=True)
        }
        for request in requests:
            match request:
                case Bundle():
                    returned[request] = self._together(request.calls)
                case Storage():
                    returned[request] = [Returned(True, self.chain.stored(request.target, request.slot))]
        return returned

    def _together(self, calls: Sequence[Call[Any]]) -> Sequence[Returned]:
        if not calls:
            return []
        asked = [(call.target, True, call.data) for call in calls]
        [answers] = self.chain.view(self.multicall3, _AGGREGATE, asked)
        return [Returned(success, data) for success, data in answers]


@contextmanager
def node() -> Iterator[Node]:
    """A fresh chain on loopback, gone when the block of code ends."""
    with Anvil() as anvil:
        yield Node(anvil.chain, multicall3.install(anvil.chain))
