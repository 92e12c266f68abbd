"""Texts come out of a stream as they went in, wherever it was cut."""

from __future__ import annotations

import time
from contextlib import suppress
from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.chain.framing import Framer, Unframed

words = st.text(alphabet='"\\{}[],: \n\x00é😀a', max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=20,
)
texts = st.lists(values, max_size=4) | st.dictionaries(st.text(max_size=3), values, max_size=4)


def fed(framer: Framer, data: bytes, cuts: list[int]) -> list[bytes]:
    got: list[bytes] = []
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    for begin, end in pairwise(places):
        framer.feed(data[begin:end], got.append)
    return got


@settings(max_examples=60)
@given(st.lists(texts, max_size=5), st.sampled_from([b"", b"\n", b" \r\n\t"]), st.booleans(), st.data())
def test_it_gives_each_text_back_wherever_the_stream_was_cut(
    sent: list[Any], between: bytes, spacious: bool, data: st.DataObject
) -> None:
    stream = between.join(orjson.dumps(one, option=orjson.OPT_INDENT_2 if spacious else 0) for one in sent) + between
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=12) | st.just(list(range(len(stream)))))

    assert [orjson.loads(one) for one in fed(Framer(10_000, 10_000), stream, cuts)] == sent


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=6))
def test_it_gives_back_or_refuses_any_bytes(noise: bytes, cuts: list[int]) -> None:
    got: list[bytes] = []
    with suppress(Unframed):
        got = fed(Framer(200, 50), b"{" + noise, cuts)
    assert all(len(one) <= 200 for one in got)


@pytest.mark.parametrize("length", [100, 101])
@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_it_takes_a_text_of_the_longest_and_none_longer(length: int, piece: int) -> None:
    text = b'["' + b"x" * (length - 4) + b'"]'
    cuts = list(range(0, length, piece))
    if length == 100:
        assert fed(Framer(100, 10), text, cuts) == [text]
    else:
        with pytest.raises(Unframed, match="longer than"):
            fed(Framer(100, 10), text, cuts)


def test_it_looks_at_each_byte_once() -> None:
    """16 MiB in 64 KiB pieces: a search that began anew with each would look at 2 GiB."""
    framer, got = Framer(1 << 24, 10), list[bytes]()
    began = time.perf_counter()
    framer.feed(b'["', got.append)
    for _ in range(255):
        framer.feed(b"0" * 65_536, got.append)
    framer.feed(b'"]', got.append)
    assert len(got[0]) == 255 * 65_536 + 4
    assert time.perf_counter() - began < 1
