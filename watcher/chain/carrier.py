"""How a batch of calls reaches its targets within one `eth_call`: by Multicall3, or by a program of ours."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, Final

from watcher.chain import aggregator, multicall
from watcher.chain.packing import Limits
from watcher.chain.spec import ChainSpec
from watcher.domain.errors import NotDecodable
from watcher.domain.source import Address
from watcher.reads.call import Returned

Calls = Sequence[tuple[Address, bytes]]


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
        return Limits(gas=limits.gas, calls=min(limits.calls, _CALLS), calldata=min(limits.calldata, _CALLDATA))

    def params(self, chain: ChainSpec, calls: Calls) -> tuple[dict[str, str], list[Any]]:
        """The transaction of the `eth_call`, and what comes after the block in its parameters."""
        if self is Carrier.MULTICALL3:
            timed = [(chain.multicall3, multicall.CURRENT_BLOCK_TIMESTAMP), *calls]
            return {"to": chain.multicall3, "data": _hex(multicall.encode_aggregate3(timed))}, []
        packed = aggregator.encode_calls(calls)
        if self is Carrier.OVERRIDE:
            return {"to": _SOMEWHERE, "data": _hex(packed)}, [{_SOMEWHERE: {"code": _hex(aggregator.RUNTIME)}}]
        return {"data": _hex(aggregator.CONSTRUCTOR + packed)}, []

    def opened(self, raw: bytes, count: int) -> tuple[int, list[Returned]]:
        """The block's timestamp and the results of `count` calls. Raises `NotDecodable`."""
        if self is not Carrier.MULTICALL3:
            return aggregator.decode_returned(raw, count)
        time, *results = multicall.decode_results(raw, count + 1)
        if not time.success or len(time.data) != multicall.WORD:
            raise NotDecodable("it does not tell the time as Multicall3 does")
        return int.from_bytes(time.data, "big"), results


_SOMEWHERE: Final = Address("0x" + b"position watcher".rjust(20, b"\xfe").hex())
"""Where a state override puts the program: nobody's, and no contract knows it."""
_CALLS: Final = 120
_CALLDATA: Final = aggregator.MAX_CONSTRUCTOR - len(aggregator.CONSTRUCTOR)


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
