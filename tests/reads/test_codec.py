"""The word-by-word codec beside eth-abi: the same values, the same refusals."""

from __future__ import annotations

import time
from typing import Any

import pytest
from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_abi.exceptions import DecodingError
from eth_utils.address import to_checksum_address
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.domain.errors import NotDecodable
from watcher.reads.codec import MAX_RETURN, decode, encode

ADDRESS = to_checksum_address("0x" + "ab" * 20)
STATIC = ("address", "bool", "uint8", "uint16", "uint40", "uint80", "uint128", "uint256", "int24", "int256", "int8",
          "bytes4", "bytes32", "bytes1")  # fmt: skip
DYNAMIC = ("string", "bytes", "address[]", "uint256[]", "(uint16,uint16,uint16,address,string)", "(uint8,address)[]")

WORDS = st.one_of(
    st.binary(min_size=32, max_size=32),
    st.integers(0, 300).map(lambda value: value.to_bytes(32, "big")),
    st.integers(-300, -1).map(lambda value: value.to_bytes(32, "big", signed=True)),
    st.builds(
        lambda bits, off: ((1 << bits) + off).to_bytes(33, "big")[1:],
        st.sampled_from([1, 7, 8, 15, 16, 23, 24, 40, 80, 127, 128, 160, 248, 255, 256]),
        st.integers(-1, 1),
    ),
    st.binary(min_size=1, max_size=8).map(lambda head: head.ljust(32, b"\0")),
)


def theirs(kinds: tuple[str, ...], data: bytes) -> tuple[Any, ...] | None:
    try:
        return tuple(same(value) for value in abi_decode(kinds, data, strict=True))
    except (DecodingError, OverflowError, UnicodeDecodeError):
        return None


def ours(kinds: tuple[str, ...], data: bytes) -> tuple[Any, ...] | None:
    try:
        return tuple(same(value) for value in decode(kinds, data))
    except NotDecodable:
        return None


def same(value: Any) -> Any:
    """eth-abi gives addresses in lower case; the case of ours is another test's."""
    if isinstance(value, tuple | list):
        return tuple(same(one) for one in value)
    return value.lower() if isinstance(value, str) and value.startswith("0x") else value


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from(STATIC), min_size=1, max_size=5).map(tuple), st.lists(WORDS, max_size=7).map(b"".join))
def test_it_reads_static_words_as_eth_abi_does(kinds: tuple[str, ...], data: bytes) -> None:
    assert ours(kinds, data) == theirs(kinds, data)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(STATIC), WORDS)
def test_it_reads_each_kind_as_eth_abi_does(kind: str, word: bytes) -> None:
    assert ours((kind,), word) == theirs((kind,), word)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(DYNAMIC), st.lists(WORDS, max_size=12).map(b"".join), st.binary(max_size=40))
def test_it_reads_or_refuses_any_dynamic_bytes(kind: str, words: bytes, tail: bytes) -> None:
    head = (32).to_bytes(32, "big")
    for data in (words + tail, head + words + tail):
        assert ours((kind,), data) == theirs((kind,), data)


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("uint8", 256),
        ("uint40", 1 << 40),
        ("uint128", 1 << 128),
        ("bool", 2),
        ("address", 1 << 160),
        ("int24", 1 << 23),
        ("int24", (1 << 256) - (1 << 23) - 1),
        ("int8", 1 << 255),
        ("bytes4", 1),
    ],
)
def test_it_refuses_what_no_solidity_encoder_would_have_written(kind: str, word: int) -> None:
    with pytest.raises(NotDecodable):
        decode((kind,), word.to_bytes(32, "big"))


@pytest.mark.parametrize(
    ("kind", "word", "value"),
    [
        ("uint8", 255, 255),
        ("uint256", (1 << 256) - 1, (1 << 256) - 1),
        ("bool", 1, True),
        ("int24", (1 << 23) - 1, (1 << 23) - 1),
        ("int24", (1 << 256) - (1 << 23), -(1 << 23)),
        ("int256", (1 << 256) - 1, -1),
        ("bytes4", 0xDEADBEEF << 224, b"\xde\xad\xbe\xef"),
        ("address", int(ADDRESS, 16), ADDRESS),
    ],
)
def test_it_reads_up_to_the_edge(kind: str, word: int, value: Any) -> None:
    [found] = decode((kind,), word.to_bytes(32, "big"))
    assert found == value
    assert type(found) is type(value)


def test_it_refuses_an_answer_that_is_cut_short_and_says_by_how_much() -> None:
    with pytest.raises(NotDecodable, match=r"63 bytes returned where \(uint256,bool\) takes 64"):
        decode(("uint256", "bool"), bytes(63))


def test_it_lets_a_newer_contract_return_more() -> None:
    assert decode(("uint256",), bytes(31) + b"\x05" + bytes(96)) == (5,)


@pytest.mark.parametrize("kind", ["uint256", "string"])
def test_it_refuses_a_giant_answer_unread(kind: str) -> None:
    with pytest.raises(NotDecodable, match=f"more than the {MAX_RETURN} we accept"):
        decode((kind,), bytes(MAX_RETURN + 1))


@pytest.mark.parametrize("kind", DYNAMIC)
def test_it_is_quick_with_a_bomb(kind: str) -> None:
    """Lengths and offsets that point everywhere, in the largest answer that is accepted."""
    for word in (32, 64, 1 << 16, (1 << 255) + 1):
        data = (32).to_bytes(32, "big") + word.to_bytes(32, "big") * (MAX_RETURN // 32 - 1)
        started = time.process_time()
        ours((kind,), data)
        assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [
        ("address[]", [ADDRESS.lower()] * 2, (ADDRESS, ADDRESS)),
        ("(uint16,address,string)", (7, ADDRESS.lower(), "ETH"), (7, ADDRESS, "ETH")),
        ("(uint8,address)[]", [(1, ADDRESS.lower())], ((1, ADDRESS),)),
        ("string", "tBTC é", "tBTC é"),
    ],
)
def test_it_gives_addresses_their_checksum_wherever_they_are(kind: str, value: Any, found: Any) -> None:
    assert decode((kind,), abi_encode([kind], [value])) == (found,)


def test_it_refuses_text_that_is_not_utf_8() -> None:
    with pytest.raises(NotDecodable):
        decode(("string",), abi_encode(["bytes"], [b"\xff\xfe"]))


@given(st.lists(st.one_of(st.integers(0, 2**256 - 1), st.binary(min_size=20, max_size=20)), max_size=4))
def test_it_writes_arguments_as_eth_abi_does(values: list[int | bytes]) -> None:
    kinds = tuple("uint256" if isinstance(value, int) else "address" for value in values)
    arguments = [value if isinstance(value, int) else to_checksum_address(value) for value in values]
    assert encode(kinds, arguments) == abi_encode(kinds, arguments)


@pytest.mark.parametrize(
    ("kinds", "values"),
    [
        (("uint8",), (255,)),
        (("address", "bool"), (ADDRESS, True)),
        (("string",), ("x",)),
        (("address[]",), ([ADDRESS],)),
    ],
)
def test_it_leaves_other_arguments_to_eth_abi(kinds: tuple[str, ...], values: tuple[Any, ...]) -> None:
    assert encode(kinds, values) == abi_encode(kinds, values)


@pytest.mark.parametrize(("kind", "value"), [("uint256", 1 << 256), ("uint256", -1), ("uint8", 256)])
def test_it_writes_no_argument_that_does_not_fit(kind: str, value: int) -> None:
    with pytest.raises(NotDecodable, match="no argument"):
        encode((kind,), (value,))
