"""How a batch of calls reaches its targets within one `eth_call`: by Multicall3, or by a program of ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from watcher.chain import aggregator, multicall
from watcher.chain.packing import Limits
from watcher.chain.spec import ChainSpec
from watcher.domain.errors import NotDecodable
from watcher.domain.source import Address
from watcher.reads.call import Returned

Calls = Sequence[tuple[Address, bytes]]


@dataclass(frozen=True, slots=True)
class Said:
    """What came back: the block's timestamp, the chain's id, and the results of the calls in their order."""

    time: int
    chain: int
    results: list[Returned]


class Carrier(Enum):
    """In the order in which they are tried at an endpoint. Each does the same with the same calls."""

    MULTICALL3 = "Multicall3"
    OVERRIDE = "a state override"
    CONSTRUCTOR = "a call without a target"

    @property
    def next(self) -> Carrier | None:
        """What to try where this one does not work."""
        every = list(Carrier)
        later = every[every.index(self) + 1 :]
        return later[0] if later else None

    def within(self, limits: Limits) -> Limits:
        """What one batch may hold, carried in this way: a constructor takes and returns no more than a contract may."""
        if self is not Carrier.CONSTRUCTOR:
            return limits
        return Limits(
            gas=limits.gas,
            calls=limits.calls,
            calldata=min(limits.calldata, _CALLDATA),
            answer=min(limits.answer, _ANSWER),
        )

    def params(self, chain: ChainSpec, calls: Calls) -> tuple[dict[str, str], list[Any]]:
        """The transaction of the `eth_call`, and what comes after the block in its parameters."""
        if self is Carrier.MULTICALL3:
            itself = [(chain.multicall3, asked) for asked in (multicall.CURRENT_BLOCK_TIMESTAMP, multicall.CHAIN_ID)]
            return {"to": chain.multicall3, "data": _hex(multicall.encode_aggregate3([*itself, *calls]))}, []
        packed = aggregator.encode_calls(calls)
        if self is Carrier.OVERRIDE:
            return {"to": _SOMEWHERE, "data": _hex(packed)}, [{_SOMEWHERE: {"code": _hex(aggregator.RUNTIME)}}]
        return {"data": _hex(aggregator.CONSTRUCTOR + packed)}, []

    def opened(self, raw: bytes, count: int) -> Said:
        """What came back of `count` calls. Raises `NotDecodable`."""
        if self is not Carrier.MULTICALL3:
            return Said(*aggregator.decode_returned(raw, count))
        time, chain, *results = multicall.decode_results(raw, count + 2)
        return Said(_word(time, "time"), _word(chain, "chain id"), results)


def _word(returned: Returned, what: str) -> int:
    if not returned.success or len(returned.data) != multicall.WORD:
        raise NotDecodable(f"it does not tell the {what} as Multicall3 does")
    return int.from_bytes(returned.data, "big")


_SOMEWHERE: Final = Address("0x" + b"position watcher".rjust(20, b"\xfe").hex())
"""Where a state override puts the program: nobody's, and no contract knows it."""
_ANSWER: Final = aggregator.MAX_CONSTRUCTED - 2 * aggregator.WORD
_CALLDATA: Final = aggregator.MAX_CONSTRUCTOR - len(aggregator.CONSTRUCTOR)


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
