"""Hostile payloads through everything that decodes them, and what became of each."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Final

from eth_abi.abi import encode

from tests.payloads import damaged
from tests.tape import Tape
from watcher.chain.aggregator import decode_returned
from watcher.chain.multicall import decode_results
from watcher.config import Deployment
from watcher.domain.errors import NotDecodable
from watcher.domain.position import Check
from watcher.domain.source import Block, Holder
from watcher.protocols.aave_v3 import AaveV3
from watcher.protocols.reader import Place
from watcher.reads import Bundle, Call, Request, Returned
from watcher.reads.abi import interface
from watcher.reads.codec import decode
from watcher.snapshot import Snapshot, Watched, take

KINDS: Final = sorted(
    {
        outputs
        for path in (Path(__file__).parents[1] / "abis").glob("*.json")
        for _, outputs in interface(path.stem)._found.values()
    }
)
"""Whatever any function that is read returns."""


@dataclass(slots=True)
class Fates:
    """How many payloads were taken for an answer and how many refused, and the most that one cost, in seconds of
    processor time. Any other end of one is raised."""

    taken: int = 0
    refused: int = 0
    slowest: float = 0.0
    longest: int = 0
    """Characters of an error."""

    def meet(self, decoder: Callable[[Any, Any], Sequence[object]], *arguments: Any) -> None:
        gc.disable()  # going through all that a test run holds in memory takes longer than any payload
        began = time.process_time()
        try:
            decoder(*arguments)
        except NotDecodable as problem:
            self.refused += 1
            self.longest = max(self.longest, len(str(problem)))
        else:
            self.taken += 1
        self.slowest = max(self.slowest, time.process_time() - began)
        gc.enable()


def envelopes(times: int, seed: int = 1) -> Fates:
    """Results of `aggregate3`."""
    dice, fates = Random(seed), Fates()
    honest = {count: _envelope(count, dice) for count in (1, 2, 20, 500)}
    for _ in range(times):
        count = dice.choice(list(honest))
        fates.meet(decode_results, damaged(honest[count], dice), count)
    return fates


def _envelope(count: int, dice: Random) -> bytes:
    results = [(dice.random() < 0.9, dice.randbytes(dice.choice((0, 32, 33)))) for _ in range(count)]
    return encode(["(bool,bytes)[]"], [results])


def programs(times: int, seed: int = 4) -> Fates:
    """What our own aggregator returns."""
    dice, fates = Random(seed), Fates()
    honest = {count: _program_output(count, dice) for count in (1, 2, 20, 500)}
    for _ in range(times):
        count = dice.choice(list(honest))
        fates.meet(decode_returned, damaged(honest[count], dice), count)
    return fates


def _program_output(count: int, dice: Random) -> bytes:
    results = [dice.randbytes(dice.choice((0, 32, 33))) for _ in range(count)]
    return dice.randbytes(64) + b"".join(b"\x01" + len(one).to_bytes(4, "big") + one for one in results)


def answers(times: int, seed: int = 2) -> Fates:
    """Return data of every type that is read."""
    dice, fates = Random(seed), Fates()
    for _ in range(times):
        kinds = dice.choice(KINDS)
        fates.meet(decode, kinds, damaged(encode(kinds, [_sample(kind, dice) for kind in kinds]), dice))
    return fates


def _sample(kind: str, dice: Random) -> Any:
    """An honest value of an ABI type."""
    if kind.endswith("[]"):
        return [_sample(kind[:-2], dice) for _ in range(dice.randint(0, 40))]
    if kind.startswith("("):
        return tuple(_sample(inner, dice) for inner in kind[1:-1].split(","))
    if kind.startswith(("uint", "int")):
        return dice.getrandbits(int(kind.lstrip("uint") or 256) - 1)
    if kind.startswith("bytes"):
        return dice.randbytes(int(kind[5:] or dice.randint(0, 100)))
    return {"address": "0x" + dice.randbytes(20).hex(), "bool": True, "string": "Wrapped Ether"}[kind]


# --- A whole protocol -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Readings:
    """What snapshots of one account each showed while so many of their answers were `spoilt`; `slowest` for one
    answer, in seconds of processor time."""

    spoilt: int = 0
    read: int = 0
    unreadable: int = 0
    mismatched: int = 0
    slowest: float = 0.0

    def count(self, snapshot: Snapshot) -> None:
        self.read += len(snapshot.held)
        self.unreadable += len(snapshot.unreadable)
        self.mismatched += sum(one.check is Check.MISMATCH for one in snapshot.positions)


@dataclass(slots=True)
class SpoiltTape:
    """A block whose answers are recorded ones, some of them damaged."""

    tape: Tape
    dice: Random
    odds: float
    recorded: Mapping[tuple[str, str], Returned]
    spoilt: int = 0
    answered: int = 0
    endpoint: str = "tape"
    block: Block = field(init=False)

    def __post_init__(self) -> None:
        self.block = self.tape.block

    async def read(self, requests: Sequence[Request]) -> Mapping[Request, Sequence[Returned]]:
        return {
            request: tuple(map(self._answer, request.calls if isinstance(request, Bundle) else (request,)))
            for request in requests
        }

    def _answer(self, request: Request) -> Returned:
        assert isinstance(request, Call)
        self.answered += 1
        honest = self.recorded.get((request.target.lower(), request.data.hex()), Returned(False, b""))
        if self.dice.random() >= self.odds:
            return honest
        self.spoilt += 1
        return Returned(self.dice.random() < 0.9, damaged(honest.data, self.dice))


def protocol(times: int, seed: int = 3) -> Readings:
    """Aave v3 through so many spoilt answers, at least."""
    tape, dice, readings = Tape.load("aave_v3_rev10@start"), Random(seed), Readings()
    recorded = _recorded(tape)
    place = Place(deployment="tape", title="Aave v3", feeds={})
    reader = AaveV3(place=place, pool=tape.address("pool"), provider=tape.address("provider"))
    deployment = Deployment(id="tape", protocol="aave_v3", chain="tape", title="Aave v3", reader=reader)
    while readings.spoilt < times:
        wallet = dice.choice(tape.holders)
        watched = Watched(deployment=deployment, holders=(Holder.of(wallet),), targets={wallet: Decimal("1.5")})
        at = SpoiltTape(tape, dice, dice.choice((0.02, 0.1, 0.5)), recorded)
        began = time.process_time()
        readings.count(asyncio.run(take(at, [watched])))
        readings.slowest = max(readings.slowest, (time.process_time() - began) / at.answered)
        readings.spoilt += at.spoilt
    return readings


def _recorded(tape: Tape) -> dict[tuple[str, str], Returned]:
    return {
        (one["to"].lower(), one["data"][2:]): Returned(
            one["result"] is not None, bytes.fromhex((one["result"] or "0x")[2:])
        )
        for one in tape.content["calls"]
    }
