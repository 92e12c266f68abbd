"""The Multicall3 envelope, coded by hand: pure functions from calls to calldata and from return data to results.

`aggregate3((address target, bool allowFailure, bytes callData)[]) returns ((bool success, bytes returnData)[])`, from
`Multicall3.sol` of mds1/multicall3. The envelope is most of what a tick codes, and eth-abi takes twelve times as long.
"""

from __future__ import annotations

from collections.abc import Sequence

from watcher.domain.errors import NotDecodable
from watcher.domain.source import Address
from watcher.reads.call import Returned

WORD = 32
MAX_CALLS = 4096
MAX_RETURN = 8 * 1024 * 1024
"""Bytes of one envelope, half of the HTTP cap because an answer is in hex."""

CURRENT_BLOCK_TIMESTAMP = bytes.fromhex("0f28c97d")
"""Calldata of `getCurrentBlockTimestamp()`."""
CHAIN_ID = bytes.fromhex("3408e470")
"""Calldata of `getChainId()`."""

_AGGREGATE3 = bytes.fromhex("82ad56cb")
_CALL_HEAD = 4 * WORD  # target, allowFailure, offset of the calldata, its length
_RESULT_HEAD = 3 * WORD  # success, offset of the return data, its length
_ALLOW_FAILURE_AND_OFFSET = (1).to_bytes(WORD, "big") + (3 * WORD).to_bytes(WORD, "big")
_RETURN_OFFSET = 2 * WORD
_TWELVE_ZEROS = bytes(12)
_PADDING = tuple(bytes(-length % WORD) for length in range(WORD))


def calldata_size(data_length: int) -> int:
    """Bytes that one call with so much calldata takes in the envelope, its offset included."""
    return WORD + _CALL_HEAD + data_length + (-data_length % WORD)


def answer_size(words: int) -> int:
    """Bytes that the answer of so many words to one call takes in the envelope, its offset included."""
    return WORD + _RESULT_HEAD + WORD * words


def encode_aggregate3(calls: Sequence[tuple[Address, bytes]]) -> bytes:
    """Calldata of `aggregate3`, every call allowed to fail. Raises `ValueError` beyond `MAX_CALLS`."""
    if len(calls) > MAX_CALLS:
        raise ValueError(f"{len(calls)} calls in one aggregate3; at most {MAX_CALLS}")
    offsets: list[bytes] = []
    tuples: list[bytes] = []
    offset = WORD * len(calls)
    for target, data in calls:
        offsets.append(offset.to_bytes(WORD, "big"))
        offset += calldata_size(len(data)) - WORD
        tuples += (
            _TWELVE_ZEROS,
            bytes.fromhex(target[2:]),
            _ALLOW_FAILURE_AND_OFFSET,
            len(data).to_bytes(WORD, "big"),
            data,
            _PADDING[len(data) % WORD],
        )
    head = (WORD).to_bytes(WORD, "big"), len(calls).to_bytes(WORD, "big")
    return b"".join((_AGGREGATE3, *head, *offsets, *tuples))


def decode_results(data: bytes, count: int) -> list[Returned]:
    """Return data of `aggregate3` for `count` calls. Raises `NotDecodable`.

    Takes exactly what a Solidity encoder writes: every offset where it has to be, padding of zeros, nothing left over.
    """
    if len(data) > MAX_RETURN:
        raise NotDecodable(f"{len(data)} bytes of results, more than the {MAX_RETURN} we accept")
    if _word(data, 0) != WORD:
        raise NotDecodable("the results do not begin with the offset of an array")
    if (answered := _word(data, WORD)) != count:
        raise NotDecodable(f"{answered if answered <= MAX_CALLS else 'far too many'} results for {count} calls")
    results: list[Returned] = []
    array, position = 2 * WORD, 2 * WORD + WORD * count
    for index in range(count):
        if _word(data, array + WORD * index) != position - array:
            raise NotDecodable(f"result {index} is not where an encoder puts it")
        result, position = _result(data, position, index)
        results.append(result)
    if position != len(data):
        raise NotDecodable(f"{len(data) - position} bytes after the last result")
    return results


def _result(data: bytes, start: int, index: int) -> tuple[Returned, int]:
    """The result at `start`, and where the next one has to begin."""
    success, offset, length = _word(data, start), _word(data, start + WORD), _word(data, start + 2 * WORD)
    if success > 1 or offset != _RETURN_OFFSET:
        raise NotDecodable(f"result {index} is not a flag and its return data")
    first = start + _RESULT_HEAD
    last = first + length
    end = last + (-length % WORD)
    if end > len(data):
        raise NotDecodable(f"result {index} goes on beyond the end of the data")
    if any(data[last:end]):
        raise NotDecodable(f"result {index} has a dirty padding")
    return Returned(bool(success), data[first:last]), end


def _word(data: bytes, start: int) -> int:
    word = data[start : start + WORD]
    if len(word) != WORD:
        raise NotDecodable(f"{len(data)} bytes of results, cut short")
    return int.from_bytes(word, "big")
