"""F5. Hostile payloads through everything that decodes: a value or an error of ours, at once. More in `tests/long`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzzing import KINDS, Fates, answers, envelopes, programs, protocol
from watcher.domain.errors import CallReverted, NotDecodable
from watcher.reads.codec import decode, encode

AT_MOST = 0.05
"""Seconds of processor time for one payload."""


@pytest.mark.parametrize("opened", [envelopes, programs])
def test_it_opens_hostile_envelopes(opened: Callable[[int], Fates]) -> None:
    fates = opened(500)
    assert fates.slowest <= AT_MOST
    assert fates.refused > 3 * fates.taken > 0
    assert fates.longest < 500


def test_it_decodes_hostile_answers_of_every_type_that_is_read() -> None:
    assert ("address[]",) in KINDS
    fates = answers(1000)
    assert fates.slowest <= AT_MOST
    assert fates.refused > 200
    assert fates.taken > 200
    assert fates.longest < 500


def test_it_reads_a_protocol_through_hostile_answers() -> None:
    """Each snapshot holds what could be read, and says of the rest that it could not."""
    readings = protocol(300)
    assert readings.slowest <= AT_MOST
    assert readings.read
    assert readings.unreadable


@given(st.sampled_from(KINDS), st.binary(max_size=400))
def test_it_has_one_error_for_all_that_it_cannot_decode(kinds: tuple[str, ...], data: bytes) -> None:
    try:
        assert len(decode(kinds, data)) == len(kinds)
    except NotDecodable as problem:
        told = str(problem)
        assert told
        assert len(told) < 500


@given(st.binary(max_size=200))
def test_it_has_words_for_every_revert(data: bytes) -> None:
    told = str(CallReverted("balanceOf on 0x…", data))
    assert told.isprintable()
    assert len(told) < 1000


def test_it_does_not_ask_with_an_answer_that_no_argument_can_be() -> None:
    """A category of an e-mode, say, that a hostile answer put at 2²⁵⁵."""
    with pytest.raises(NotDecodable, match="no argument"):
        encode(("uint8",), (1 << 255,))
