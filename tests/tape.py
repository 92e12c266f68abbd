"""Replays recorded return data to plans: no chain, no event loop, no mock."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_utils.address import to_checksum_address

from watcher.domain.source import Address, Block
from watcher.oracles import compound_v2, venus, venus_sources
from watcher.oracles.kinds import KINDS
from watcher.reads import Bundle, Call, Finding, Memo, Plan, Request, Returned, Storage, drive
from watcher.reads.call import T

TAPES = Path(__file__).parent / "tapes"
EULER_ORACLES = (
    *(
        "name",
        "base",
        "quote",
        "feed",
        "maxStaleness",
        "cross",
        "oracleBaseCross",
        "oracleCrossQuote",
        "pyth",
        "feedId",
    ),
    *("maxConfWidth", "feedDecimals", "rateProvider", "rate", "STETH", "WSTETH", "WETH", "pendleMarket", "twapWindow"),
)
BY_TOKEN = (*compound_v2.KINDS, venus.RESILIENT, *venus_sources.SOURCES)
PROBES = (
    *(getter.label for kind in KINDS for getter in kind.asks),
    *(getter.label for kind in BY_TOKEN for getter in (*kind.asks, *kind.of_token)),
    *(f"venus_resilient_oracle.{name}" for name in ("nativeMarket", "NATIVE_TOKEN_ADDR", "vai")),
    "nothing.answersAnythingAtAll",
    *("aave_v4_hub.getSpokeConfig", "aave_v4_oracle.decimals"),  # not asked of v0.5.9
    *(f"comet.{name}" for name in ("extendedPauseFlags", "collateralsSupplyPauseFlags", "deactivatedCollaterals")),
    *(f"euler_oracle.{name}" for name in EULER_ORACLES),
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
        known: dict[Memo[Any], Finding] | None = None,
        tried: Collection[str] = (),
    ) -> T:
        """Run a plan against the recording. A call that was never recorded fails the test, probes apart.

        `bundled` is what a call returned within a bundle; None where that is what it returned by itself. `known` is
        what lasts from plan to plan, and grows. `tried` are labels of functions that this plan only tries.
        """
        return drive(plan, self.block, lambda requests: self.answers(requests, bundled, tried), known)

    def answers(
        self,
        requests: Sequence[Request],
        bundled: Callable[[Call[Any]], Returned | None] = lambda _: None,
        tried: Collection[str] = (),
    ) -> Mapping[Request, Sequence[Returned]]:
        """What was recorded for these requests."""
        recorded = {(call["to"].lower(), call["data"]): call for call in self.content["calls"]}
        together = {_sequence(one["calls"]): one["results"] for one in self.content.get("bundles", ())}
        words = {(one["to"].lower(), one["slot"]): one["word"] for one in self.content.get("storage", ())}

        def several(request: Request) -> Sequence[Returned]:
            calls = request.calls if isinstance(request, Bundle) else ()
            results = together.get(_sequence([call.target, "0x" + call.data.hex()] for call in calls))
            if results is not None:
                return [_returned(result) for result in results]
            return [bundled(call) or one(call) for call in calls] if calls else [one(request)]

        def one(request: Request) -> Returned:
            if isinstance(request, Storage):
                return _returned(words[request.target.lower(), request.slot])
            assert isinstance(request, Call)
            found = recorded.get((request.target.lower(), "0x" + request.data.hex()))
            if found is None:
                assert request.label.partition("(")[0] in {*PROBES, *tried}, f"{request} is not on the tape {self.name}"
                return Returned(False, b"")
            return _returned(found["result"], found.get("revert"))

        return {request: several(request) for request in requests}


def _sequence(calls: Iterable[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((to.lower(), data) for to, data in calls)


def _returned(result: str | None, revert: str | None = None) -> Returned:
    """`revert` is the payload of a failure, recorded where it matters how a call fails."""
    return Returned(result is not None, bytes.fromhex((result or revert or "0x")[2:]))
