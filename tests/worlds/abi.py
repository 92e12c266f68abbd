"""Calldata from human-readable signatures: `"balanceOf(address)(uint256)"` is arguments, then results."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

_ERROR_STRING = keccak(text="Error(string)")[:4]


@dataclass(frozen=True, slots=True)
class Function:
    selector: bytes
    arguments: tuple[str, ...]
    results: tuple[str, ...]


@lru_cache(maxsize=512)
def function(signature: str) -> Function:
    """Parse `name(arguments)` or `name(arguments)(results)`."""
    name, _, rest = signature.partition("(")
    arguments, results = _groups("(" + rest)
    selector = keccak(text=f"{name}({arguments})")[:4]
    return Function(selector, _split(arguments), _split(results))


def calldata(signature: str, *arguments: object) -> bytes:
    called = function(signature)
    return called.selector + abi_encode(called.arguments, arguments)


def arguments(types: Sequence[str], values: Sequence[object]) -> bytes:
    """Encode constructor arguments or an opaque `bytes` parameter."""
    return abi_encode(types, values)


def results(signature: str, data: bytes) -> tuple[object, ...]:
    """Decode return data; addresses come back checksummed, at any depth."""
    types = function(signature).results
    return tuple(_checksummed(kind, value) for kind, value in zip(types, abi_decode(types, data), strict=True))


def revert_reason(data: bytes, names: dict[bytes, str] | None = None) -> str:
    """What a reverting contract said: its string, its error's name if known, else the raw bytes as hex."""
    if data[:4] == _ERROR_STRING:
        return str(abi_decode(["string"], data[4:])[0])
    return (names or {}).get(data[:4], "0x" + data.hex())


def _checksummed(kind: str, value: object) -> object:
    if kind == "address":
        return to_checksum_address(str(value))
    if kind.endswith("]") and isinstance(value, tuple):
        return tuple(_checksummed(kind[: kind.rindex("[")], item) for item in value)
    return value


def _groups(text: str) -> tuple[str, str]:
    """Split `(a,b)(c)` into `a,b` and `c`."""
    depth = 0
    for position, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return text[1:position], text[position + 2 : -1]
    raise ValueError(f"unbalanced signature {text!r}")


def _split(types: str) -> tuple[str, ...]:
    """Split at the commas that no tuple encloses."""
    found, depth, start = [], 0, 0
    for position, character in enumerate(types):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            found.append(types[start:position])
            start = position + 1
    return (*found, types[start:]) if types else ()
