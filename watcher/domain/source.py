"""Where and when a reading is from, and whose it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NewType

Address = NewType("Address", str)
"""An account or contract: `0x` and 40 hex digits with the EIP-55 checksum."""

ZERO_ADDRESS = Address("0x" + "0" * 40)

Id32 = NewType("Id32", str)
"""What a contract calls something by in 32 bytes: `0x` and 64 small hex digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The block that everything in one snapshot is read at. `timestamp` is in Unix seconds.

    Blocks are ordered by their numbers: on fast chains several have one timestamp. `parent` is the hash of the block
    before, empty where that is not known.
    """

    chain: str
    number: int
    hash: str
    timestamp: int
    parent: str = field(default="", compare=False)

    def age(self, now: int) -> int:
        """Seconds between this block and `now` (wall clock); negative when the block claims the future."""
        return now - self.timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """What is liquidated on its own, and the wallet it belongs to.

    For most lending pools the two are one. `key` names what an address does not: a sub-account, a vault number,
    a perp market. `account` is the address that the protocol's contracts know.
    """

    wallet: Address
    account: Address
    key: str = ""

    @classmethod
    def of(cls, wallet: Address) -> Holder:
        """The wallet itself, as Aave and most pools see it."""
        return cls(wallet=wallet, account=wallet)
