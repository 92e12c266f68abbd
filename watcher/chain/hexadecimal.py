"""The two hex forms of Ethereum's JSON-RPC, read strictly: quantities and data (EIP-1474, "Value encoding").

The errors tell the kind of what was found and never its text, which is an endpoint's word.
"""

from __future__ import annotations

import binascii
import re
from typing import Any

from watcher.domain.errors import NotDecodable
from watcher.domain.source import Block

HASH_BYTES = 32
BLOCK_NUMBERS_BELOW = 1 << 63
CHAIN_IDS_BELOW = 1 << 64
TIMESTAMPS_BELOW = 1 << 40  # in the year 36812; milliseconds and nanoseconds are beyond it

_QUANTITY = re.compile(r"0x(0|[1-9a-fA-F][0-9a-fA-F]{0,63})")


def quantity(value: object, what: str, *, below: int) -> int:
    """A hex quantity, without leading zeros. Raises `NotDecodable`."""
    if not isinstance(value, str) or _QUANTITY.fullmatch(value) is None:
        raise NotDecodable(f"{what} is {_kind(value)}, not a hex quantity")
    number = int(value, 16)
    if number >= below:
        raise NotDecodable(f"{what} is {number.bit_length()} bits long, more than any real one")
    return number


def data_bytes(value: object, what: str) -> bytes:
    """Hex data, two digits a byte. Raises `NotDecodable`."""
    if not isinstance(value, str) or not value.startswith("0x"):
        raise NotDecodable(f"{what} is {_kind(value)}, not hex data")
    try:
        return binascii.unhexlify(value[2:])  # unlike bytes.fromhex, it does not skip white space
    except ValueError:
        why = "an odd number of digits" if len(value) % 2 else "characters that are not hex digits"
        raise NotDecodable(f"{what} has {why}") from None


def hash_text(value: object, what: str) -> str:
    """A 32-byte hash in lower case. Raises `NotDecodable`."""
    raw = data_bytes(value, what)
    if len(raw) != HASH_BYTES:
        raise NotDecodable(f"{what} is {len(raw)} bytes, not {HASH_BYTES}")
    return f"0x{raw.hex()}"


def block_header(result: Any, chain: str) -> Block:
    """The answer of `eth_getBlockByNumber`. Raises `NotDecodable`."""
    if not isinstance(result, dict):
        raise NotDecodable(f"a block is {_kind(result)}, not an object")
    parent = result.get("parentHash")
    return Block(
        chain=chain,
        number=quantity(result.get("number"), "the block's number", below=BLOCK_NUMBERS_BELOW),
        hash=hash_text(result.get("hash"), "the block's hash"),
        timestamp=quantity(result.get("timestamp"), "the block's timestamp", below=TIMESTAMPS_BELOW),
        parent=hash_text(parent, "the hash of the block's parent") if parent is not None else "",
    )


def _kind(value: object) -> str:
    match value:
        case None:
            return "missing or null"
        case str():
            return f"text of {len(value)} characters"
        case bool():
            return "a boolean"
        case int() | float():
            return "a bare number"
        case list():
            return "a list"
    return "an object"
