"""Buttons carry a seal: what one does, in which chat and for which message, is known to be of our making."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.buttons import LONGEST, Action, Pressed, Seal

SEAL = Seal.of_bot("1:token")
_REFS = st.integers(0, 2**63)
_CHATS = st.text(min_size=1, max_size=32)


@given(st.sampled_from(Action), _CHATS, _REFS, st.from_regex(r"[!-~]{0,20}", fullmatch=True))
def test_it_opens_what_it_sealed_for_that_chat_only(action: Action, chat: str, ref: int, arg: str) -> None:
    data = SEAL.sealed(action, chat, ref, arg)
    assert len(data.encode("ascii")) <= LONGEST
    assert SEAL.opened(data, chat) == Pressed(action, ref, arg)
    assert SEAL.opened(data, chat + "x") is None
    assert Seal.of_bot("1:other").opened(data, chat) is None


@given(_REFS, st.integers(0, LONGEST - 1), st.characters())
def test_it_opens_nothing_of_which_a_letter_was_changed(ref: int, place: int, letter: str) -> None:
    data = SEAL.sealed(Action.SNOOZE, "me", ref, "3600")
    place %= len(data)
    forged = data[:place] + letter + data[place + 1 :]
    assert (SEAL.opened(forged, "me") is None) == (forged != data)


@pytest.mark.parametrize("data", ["", "ack", "a" * 16, "A" * 16 + "a١", "A" * 16 + "z1", "A" * 65, "\ud800" * 20])
def test_it_opens_nothing_that_is_no_button(data: str) -> None:
    assert SEAL.opened(data, "me") is None


def test_it_opens_one_writing_of_a_number_only() -> None:
    data = SEAL.sealed(Action.ACK, "me", 7)
    assert SEAL.opened(data[:-1] + "07", "me") is None


@pytest.mark.parametrize(("ref", "arg"), [(1, "a b"), (1, "é"), (1, "x" * 60), (-1, ""), (10**21, "")])
def test_it_refuses_to_seal_what_a_button_cannot_carry(ref: int, arg: str) -> None:
    with pytest.raises(ValueError, match="no button can carry"):
        SEAL.sealed(Action.ACK, "me", ref, arg)


def test_it_shows_no_key() -> None:
    assert repr(SEAL) == "Seal()"
