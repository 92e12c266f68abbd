"""Replays recorded return data to plans: no chain, no event loop, no mock."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_utils.address import to_checksum_address

from watcher.domain.source import Address, Block
from watcher.oracles.kinds import KINDS
from watcher.reads import Bundle, Call, Plan, Request, Returned, drive
from watcher.reads.call import T

TAPES = Path(__file__).parent / "tapes"
PROBES = (
    *(getter.label for kind in KINDS for getter in kind.asks),
    "nothing.answersAnythingAtAll",
    *(f"comet.{name}" for name in ("extendedPauseFlags", "collateralsSupplyPauseFlags", "deactivatedCollaterals")),
    *(f"chainlink_feed.{name}" for name in ("aggregator", "minAnswer", "maxAnswer", "latestAnswer")),
)
"""Functions that plans only try: a contract that was recorded without them did not have them."""


@dataclass(frozen=True)
class Tape:
    """One state of one world, with what its contracts answered."""

    name: str
    content: Mapping[str, Any]

    @classmethod
    def load(cls, name: str) -> Tape:
        return cls(name, json.loads(gzip.decompress((TAPES / f"{name}.json.gz").read_bytes())))

    @property
    def block(self) -> Block:
        block = self.content["block"]
        return Block(chain="tape", number=block["number"], hash=block["hash"], timestamp=block["timestamp"])

    def address(self, name: str) -> Address:
        return Address(to_checksum_address(self.content["addresses"][name]))

    @property
    def holders(self) -> list[Address]:
        names = self.content.get("accounts") or self.content["holders"]
        return [Address(to_checksum_address(name)) for name in names]

    def play(
        self,
        plan: Plan[T],
        bundled: Callable[[Call[Any]], Returned | None] = lambda _: None,
        tried: Collection[str] = (),
    ) -> T:
        """Run a plan against the recording. A call that was never recorded fails the test, probes apart.

        `bundled` is what a call returned within a bundle; None where that is what it returned by itself. `tried` are
        labels of functions that this plan only tries.
        """
        recorded = {(call["to"].lower(), call["data"]): call for call in self.content["calls"]}

        def answer(requests: Sequence[Request]) -> Mapping[Request, Sequence[Returned]]:
            return {request: several(request) for request in requests}

        def several(request: Request) -> Sequence[Returned]:
            calls = request.calls if isinstance(request, Bundle) else ()
            return [bundled(call) or one(call) for call in calls] if calls else [one(request)]

        def one(request: Request) -> Returned:
            assert isinstance(request, Call), "storage is not on tapes"
            found = recorded.get((request.target.lower(), "0x" + request.data.hex()))
            if found is None:
                assert request.label.split("(")[0] in {*PROBES, *tried}, f"{request} is not on the tape {self.name}"
                return Returned(False, b"")
            result = found["result"]
            return Returned(result is not None, bytes.fromhex((result or "0x")[2:]))

        return drive(plan, self.block, answer)
