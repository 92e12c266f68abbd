"""The contract's own answer under prices that never were: `eth_call` at a block with parts of the state replaced.

Nothing else moves: no block is mined, so no interest accrues between what we computed and what the contract says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eth_utils.crypto import keccak

from tests.worlds.aave import AaveWorld
from tests.worlds.abi import calldata
from tests.worlds.chain import named
from watcher.domain.source import Address
from watcher.risk.liquidation import Lever

Overrides = Mapping[str, Mapping[str, Any]]

_STAND_IN = named("a feed that never was")


def as_if(world: AaveWorld, lever: Lever, value: int) -> Overrides:
    """State in which the lever stands at `value`.

    A shared feed answers otherwise to everybody; an asset alone gets a feed of its own in the oracle.
    """
    answering = {"code": _constant(value)}
    if lever.feed is not None:
        return {lever.feed: answering}
    moved = {_source_slot(world, key): _word(int(_STAND_IN, 16)) for key in lever.keys}
    return {world.oracle: {"stateDiff": moved}, _STAND_IN: answering}


def health_if(world: AaveWorld, wallet: str, block_hash: str, states: Sequence[Overrides]) -> list[int]:
    """The health factor that `getUserAccountData` gives at this block in each of these states."""
    call = {"to": world.pool, "data": "0x" + calldata("getUserAccountData(address)", wallet).hex()}
    asked = [("eth_call", (call, {"blockHash": block_hash}, state)) for state in states]
    return [int(answer[2 + 64 * 5 : 2 + 64 * 6], 16) for answer in world.chain.rpc.batch(asked)]


def _constant(value: int) -> str:
    """Code that answers everything with one word: push it, store it, return it."""
    return f"0x7f{value:064x}60005260206000f3"


def _source_slot(world: AaveWorld, asset: Address) -> str:
    """Where the mapping `assetsSources` of AaveOracle keeps this key."""
    return "0x" + keccak(bytes(12) + bytes.fromhex(asset[2:]) + world.sources_slot.to_bytes(32, "big")).hex()


def _word(value: int) -> str:
    return f"0x{value:064x}"
