"""An aggregator of our own, for blocks without a Multicall3: a program of the EVM that travels with the call.

It is never deployed. Either the node runs it as the constructor of a contract that nobody keeps (an `eth_call` without
`to`), or it pretends for one call that some address holds it (the state override of `eth_call`, as go-ethereum has it).
Both do what `aggregate3` does: a CALL to each target in turn, each allowed to fail, in one state.

What goes in, for each call: 20 bytes of target, 4 of the length of its calldata, the calldata. What comes out: 32 bytes
of the block's timestamp, 32 of the chain's id, then for each call: 1 byte of success, 4 of the length of its return
data, the return data.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from watcher.domain.errors import NotDecodable
from watcher.domain.source import Address
from watcher.reads.call import Returned

MAX_CONSTRUCTED: Final = 24_576
"""Bytes that a constructor may return (EIP-170): what comes out of a call without `to` is no longer than this."""
MAX_CONSTRUCTOR: Final = 49_152
"""Bytes that a constructor with its input may have (EIP-3860)."""

WORD: Final = 32
_LENGTH, _SUCCESS = 4, 1

# Yellow Paper, appendix H.2; SHL and SHR are EIP-145's, CHAINID is EIP-1344's. No PUSH0: some chains lack it.
_OPCODES: Final = {
    "ADD": 0x01,
    "SUB": 0x03,
    "LT": 0x10,
    "ISZERO": 0x15,
    "SHL": 0x1B,
    "SHR": 0x1C,
    "CALLDATASIZE": 0x36,
    "CALLDATACOPY": 0x37,
    "CODESIZE": 0x38,
    "CODECOPY": 0x39,
    "RETURNDATASIZE": 0x3D,
    "RETURNDATACOPY": 0x3E,
    "TIMESTAMP": 0x42,
    "CHAINID": 0x46,
    "POP": 0x50,
    "MLOAD": 0x51,
    "MSTORE": 0x52,
    "MSTORE8": 0x53,
    "JUMP": 0x56,
    "JUMPI": 0x57,
    "GAS": 0x5A,
    "JUMPDEST": 0x5B,
    "DUP1": 0x80,
    "DUP2": 0x81,
    "DUP3": 0x82,
    "DUP4": 0x83,
    "DUP5": 0x84,
    "DUP7": 0x86,
    "SWAP1": 0x90,
    "CALL": 0xF1,
    "RETURN": 0xF3,
}

# Both begin with the input in memory from 0, and its length n on the stack. `:name` marks a place, `@name` pushes it.
_FROM_CALLDATA: Final = "CALLDATASIZE 0 0 CALLDATACOPY CALLDATASIZE"
_FROM_CODE: Final = "@input CODESIZE SUB DUP1 @input 0 CODECOPY"

# The stack is written with its top at the right. q is where the output goes on, p where the input does.
_PROGRAM: Final = """
    DUP1 TIMESTAMP DUP2 MSTORE                              # n q        the output begins behind the input
    32 ADD CHAINID DUP2 MSTORE
    32 ADD 0                                                # n q p
:next
    DUP3 DUP2 LT ISZERO @end JUMPI                          # n q p      until p = n
    DUP1 20 ADD MLOAD 224 SHR                               # n q p len
    0 0 DUP3                                                #            no output area; the input's size
    DUP5 24 ADD 0                                           #            where it is; no value
    DUP7 MLOAD 96 SHR GAS CALL                              # n q p len success
    DUP4 MSTORE8                                            # n q p len
    ADD 24 ADD                                              # n q p'
    RETURNDATASIZE 224 SHL DUP3 1 ADD MSTORE                #            the length; what it writes too much is overlaid
    RETURNDATASIZE 0 DUP4 5 ADD RETURNDATACOPY              #            the return data
    SWAP1 RETURNDATASIZE ADD 5 ADD SWAP1 @next JUMP         # n q' p'
:end
    POP DUP2 DUP2 SUB DUP3 RETURN                           #            from n, q - n bytes
:input
"""


def _assembled(listing: str) -> bytes:
    """Two passes: lengths and places first. Places are pushed in two bytes, small numbers in one."""
    lines = (line.partition("#")[0] for line in listing.splitlines())
    words = [word for line in lines for word in line.split()]
    places: dict[str, int] = {}
    at = 0
    for word in words:
        if word[0] == ":":
            places[word[1:]] = at
        at += _length(word)
    return b"".join(_coded(word, places) for word in words)


def _length(word: str) -> int:
    if word[0] == ":":
        return 0 if word == ":input" else 1
    return 3 if word[0] == "@" else 2 if word.isdigit() else 1


def _coded(word: str, places: dict[str, int]) -> bytes:
    if word[0] == ":":
        return b"" if word == ":input" else bytes([_OPCODES["JUMPDEST"]])
    if word[0] == "@":
        return b"\x61" + places[word[1:]].to_bytes(2, "big")
    return bytes([0x60, int(word)]) if word.isdigit() else bytes([_OPCODES[word]])


RUNTIME: Final = _assembled(_FROM_CALLDATA + _PROGRAM)
"""The program that finds its input in the calldata: to be put at an address by a state override."""
CONSTRUCTOR: Final = _assembled(_FROM_CODE + _PROGRAM)
"""The program that finds its input behind itself: to be called without `to`."""


def encode_calls(calls: Sequence[tuple[Address, bytes]]) -> bytes:
    """The input of either program."""
    return b"".join(
        part for target, data in calls for part in (bytes.fromhex(target[2:]), len(data).to_bytes(_LENGTH, "big"), data)
    )


def decode_returned(data: bytes, count: int) -> tuple[int, int, list[Returned]]:
    """The timestamp, the chain's id and the results of `count` calls.

    Raises `NotDecodable` on what the program never gives.
    """
    if len(data) < 2 * WORD:
        raise NotDecodable(f"{len(data)} bytes, too few for a timestamp and a chain id")
    time, chain = (int.from_bytes(data[at : at + WORD], "big") for at in (0, WORD))
    results: list[Returned] = []
    position = 2 * WORD
    for index in range(count):
        start = position + _SUCCESS + _LENGTH
        if start > len(data):
            raise NotDecodable(f"the results end before result {index} of {count}")
        success, length = data[position], int.from_bytes(data[position + _SUCCESS : start], "big")
        position = start + length
        if success > 1 or position > len(data):
            raise NotDecodable(f"result {index} is not a flag and its return data")
        results.append(Returned(bool(success), data[start:position]))
    if position != len(data):
        raise NotDecodable(f"{len(data) - position} bytes after the last result")
    return time, chain, results
