"""Strict ABI coding: words by hand where every type is static, eth-abi for the rest.

Almost every read of a watcher is a few integers, addresses and flags. Those are coded here, word by word and bounds
checked; anything dynamic goes to eth-abi in strict mode. Both refuse what a Solidity encoder would not have produced.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_abi.exceptions import DecodingError, ValueOutOfBounds
from eth_utils.address import to_checksum_address

from watcher.domain.errors import NotDecodable
from watcher.domain.source import Address

WORD = 32
MAX_RETURN = 16 * 1024
"""Bytes. The largest honest answer we read, a full reserve list, is 4 KB; a list of this size takes 15 ms."""

Reader = Callable[[int], Any]

_STATIC = re.compile(r"(u?int|bytes)(\d*)|address|bool")


@lru_cache(maxsize=65536)
def checksummed(address: int) -> Address:
    """The EIP-55 form of a 160-bit integer; cached because hashing costs more than all the rest of a decode."""
    return Address(to_checksum_address(address.to_bytes(20, "big")))


def _uint(bits: int) -> Reader:
    def read(word: int) -> int:
        if word >> bits:
            raise NotDecodable(f"{word:#x} does not fit uint{bits}")
        return word

    return read


def _int(bits: int) -> Reader:
    def read(word: int) -> int:
        value = word - (1 << 256) if word >> 255 else word
        if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
            raise NotDecodable(f"{word:#x} is not a sign-extended int{bits}")
        return value

    return read


def _fixed_bytes(length: int) -> Reader:
    def read(word: int) -> bytes:
        raw = word.to_bytes(WORD, "big")
        if any(raw[length:]):
            raise NotDecodable(f"bytes{length} with a dirty tail: 0x{raw.hex()}")
        return raw[:length]

    return read


def _address(word: int) -> Address:
    if word >> 160:
        raise NotDecodable(f"{word:#x} is not an address")
    return checksummed(word)


def _bool(word: int) -> bool:
    if word > 1:
        raise NotDecodable(f"{word:#x} is not a bool")
    return bool(word)


def _reader(kind: str) -> Reader | None:
    """How to read one static word, or None where the type is not a single word."""
    match = _STATIC.fullmatch(kind)
    if match is None or (match[1] == "bytes" and not match[2]):
        return None
    if kind == "address":
        return _address
    if kind == "bool":
        return _bool
    size = int(match[2] or 256)
    return {"uint": _uint, "int": _int, "bytes": _fixed_bytes}[match[1]](size)


@lru_cache(maxsize=1024)
def _readers(kinds: tuple[str, ...]) -> tuple[Reader, ...] | None:
    readers = tuple(reader for kind in kinds if (reader := _reader(kind)) is not None)
    return readers if len(readers) == len(kinds) else None


def decode(kinds: tuple[str, ...], data: bytes) -> tuple[Any, ...]:
    """Decode return data. Raises `NotDecodable` on short, oversized or out-of-range data.

    Trailing words are allowed, as the ABI does: a newer contract may return more than its interface had.
    """
    if len(data) > MAX_RETURN:
        raise NotDecodable(f"{len(data)} bytes returned, more than the {MAX_RETURN} we accept")
    readers = _readers(kinds)
    if readers is None:
        return _decode_dynamic(kinds, data)
    if len(data) < WORD * len(readers):
        raise NotDecodable(f"{len(data)} bytes returned where ({','.join(kinds)}) takes {WORD * len(readers)}")
    return tuple(
        read(int.from_bytes(data[start : start + WORD], "big"))
        for read, start in zip(readers, range(0, WORD * len(readers), WORD), strict=True)
    )


def _decode_dynamic(kinds: Sequence[str], data: bytes) -> tuple[Any, ...]:
    try:
        values = abi_decode(kinds, data, strict=True)
    except (DecodingError, OverflowError, UnicodeDecodeError) as problem:
        raise NotDecodable(f"not ({','.join(kinds)}): {problem}") from problem
    return tuple(_checksum_all(kind, value) for kind, value in zip(kinds, values, strict=True))


def _checksum_all(kind: str, value: Any) -> Any:
    """eth-abi gives addresses in lower case; make them the one form that we compare."""
    if kind == "address":
        return Address(to_checksum_address(value))
    if kind.endswith("[]"):
        return tuple(_checksum_all(kind[:-2], one) for one in value)
    if kind.startswith("("):
        return tuple(_checksum_all(inner, one) for inner, one in zip(kind[1:-1].split(","), value, strict=True))
    return value


def encode(kinds: tuple[str, ...], values: Sequence[Any]) -> bytes:
    """Encode arguments; addresses and non-negative integers by hand, anything else with eth-abi.

    Raises `NotDecodable` where a value is beyond its type: it came out of an answer, which was not what it should be.
    """
    words = [_word(kind, value) for kind, value in zip(kinds, values, strict=True)]
    if any(word is None for word in words):
        try:
            return bytes(abi_encode(kinds, values))
        except ValueOutOfBounds as problem:
            raise NotDecodable(f"answered with what no argument ({','.join(kinds)}) can be: {values}") from problem
    return b"".join(word for word in words if word is not None)


def _word(kind: str, value: Any) -> bytes | None:
    if kind == "address":
        return bytes(12) + bytes.fromhex(value[2:])
    if kind == "uint256" and 0 <= value < 1 << 256:
        return int(value).to_bytes(WORD, "big")
    return None
