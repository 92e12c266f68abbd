"""What Morpho says itself: it has no view of health, but liquidations that fail in telling ways.

An impossible liquidation of a healthy position fails with `HEALTHY_POSITION` (libraries/ErrorsLib.sol); of any other it
fails later, at an amount that no number holds. See `calls.liquidation`.
"""

from __future__ import annotations

from typing import Any, Final

from eth_abi.abi import encode

from watcher.domain.errors import CallReverted, ReadFailed
from watcher.reads import Outcome


def _error(text: str) -> bytes:
    return bytes.fromhex("08c379a0") + encode(["string"], [text])


_HEALTHY: Final = _error("position is healthy")
_OVERFLOW: Final = bytes.fromhex("4e487b71") + (0x11).to_bytes(32, "big")
_TOO_LARGE: Final = _error("max uint128 exceeded")


def liquidatable(answer: Outcome[Any]) -> bool:
    """Whether Morpho would liquidate. Raises `ReadFailed` where it fails for another reason: then nobody can."""
    if isinstance(answer, CallReverted):
        if answer.data == _HEALTHY:
            return False
        if answer.data in (_OVERFLOW, _TOO_LARGE):
            return True
    raise ReadFailed(f"a liquidation fails otherwise than by health: {answer}")


def pre_liquidatable(answer: Outcome[Any]) -> bool:
    """Whether a pre-liquidation would act. It refuses for many reasons, and is then no danger."""
    return isinstance(answer, CallReverted) and answer.data == _OVERFLOW
