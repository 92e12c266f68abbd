"""The envelope by hand against eth-abi, in both directions, on what hypothesis thinks of."""

from __future__ import annotations

import pytest
from eth_abi.abi import decode, encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from hypothesis import example, given
from hypothesis import strategies as st

from watcher.chain.multicall import (
    CHAIN_ID,
    CURRENT_BLOCK_TIMESTAMP,
    MAX_CALLS,
    MAX_RETURN,
    calldata_size,
    decode_results,
    encode_aggregate3,
)
from watcher.domain.errors import NotDecodable
from watcher.domain.source import Address
from watcher.reads import Returned

RESULTS = "(bool,bytes)[]"
addresses = st.binary(min_size=20, max_size=20).map(lambda raw: Address(to_checksum_address(raw)))
some_bytes = st.one_of(st.binary(max_size=70), st.integers(0, 5).map(lambda words: bytes(32 * words)))
calls = st.lists(st.tuples(addresses, some_bytes), max_size=12)
pairs = st.lists(st.tuples(st.booleans(), some_bytes), max_size=12)


def test_it_uses_the_selectors_of_multicall3() -> None:
    assert encode_aggregate3([])[:4] == keccak(b"aggregate3((address,bool,bytes)[])")[:4]
    assert keccak(b"getCurrentBlockTimestamp()")[:4] == CURRENT_BLOCK_TIMESTAMP
    assert keccak(b"getChainId()")[:4] == CHAIN_ID


@given(calls)
def test_it_encodes_calls_as_eth_abi_does(wanted: list[tuple[Address, bytes]]) -> None:
    abi = encode(["(address,bool,bytes)[]"], [[(target, True, data) for target, data in wanted]])
    assert encode_aggregate3(wanted)[4:] == abi
    assert len(abi) == 64 + sum(calldata_size(len(data)) for _, data in wanted)


@given(pairs)
def test_it_decodes_what_an_encoder_wrote(answered: list[tuple[bool, bytes]]) -> None:
    data = encode([RESULTS], [answered])
    assert decode_results(data, len(answered)) == [Returned(*pair) for pair in answered]


@given(pairs, st.data())
@example([(True, b"\x01")], None)
def test_it_never_reads_damaged_data_otherwise_than_eth_abi(
    answered: list[tuple[bool, bytes]], draw: st.DataObject | None
) -> None:
    """Flip, cut or add bytes: either the envelope is refused, or both decoders see the same in it."""
    damaged = bytearray(encode([RESULTS], [answered]))
    for _ in range(draw.draw(st.integers(1, 3)) if draw else 0):
        place = draw.draw(st.integers(0, len(damaged) - 1)) if draw else 0
        damaged[place] = draw.draw(st.integers(0, 255)) if draw else 0
    if draw and draw.draw(st.booleans()):
        damaged = damaged[: draw.draw(st.integers(0, len(damaged)))]
    assert_refused_or_agreed(bytes(damaged), len(answered))


@given(st.binary(max_size=400), st.integers(0, 3))
def test_it_never_reads_random_data_otherwise_than_eth_abi(data: bytes, count: int) -> None:
    assert_refused_or_agreed(data, count)


@given(st.lists(st.sampled_from([0, 1, 2, 31, 32, 33, 64, 96, 128, 160, 2**255, 2**256 - 1]), max_size=14))
def test_it_never_reads_words_that_look_like_offsets_otherwise_than_eth_abi(words: list[int]) -> None:
    data = b"".join(word.to_bytes(32, "big") for word in words)
    for count in range(3):
        assert_refused_or_agreed(data, count)


def assert_refused_or_agreed(data: bytes, count: int) -> None:
    try:
        results = decode_results(data, count)
    except NotDecodable:
        return
    (expected,) = decode([RESULTS], data, strict=True)
    assert [(one.success, one.data) for one in results] == list(expected)
    assert encode([RESULTS], [expected]) == data


def test_it_refuses_a_dirty_padding() -> None:
    data = encode([RESULTS], [[(True, b"\x01\x02\x03")]])
    with pytest.raises(NotDecodable, match="dirty padding"):
        decode_results(data[:-1] + b"\x01", 1)


@pytest.mark.parametrize("more", [-32, 1, 32])
def test_it_refuses_data_of_any_other_length(more: int) -> None:
    data = encode([RESULTS], [[(True, b"\x01" * 32)]])
    with pytest.raises(NotDecodable, match=r"beyond the end|after the last result"):
        decode_results(data[:more] if more < 0 else data + bytes(more), 1)


def test_it_refuses_more_than_it_should_ever_see() -> None:
    with pytest.raises(NotDecodable, match="more than the"):
        decode_results(bytes(MAX_RETURN + 1), 1)
    with pytest.raises(ValueError, match="at most 4096"):
        encode_aggregate3([(Address("0x" + "11" * 20), b"")] * (MAX_CALLS + 1))
