"""A text cut into messages loses nothing, and its styles stay on the words that they were on."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.bot_api_rules import checked_text
from watcher.alerts.message import Span, Style, Text, bold, link, utf16_length
from watcher.notify.notices import REPEAT
from watcher.notify.split import split, visible
from watcher.notify.telegram import TelegramBot

LETTERS = st.sampled_from(
    [*"ab 🦊👩\u200d\U0001f3fd\né\u0301אבג\u202e\t<&*_[", "word ", "line\n", "👨\u200d👩\u200d👧"]
)


@st.composite
def texts(draw: st.DrawFn) -> Text:
    """Pieces of text, some of them styled, never a half of a surrogate pair."""
    whole = Text()
    for piece in draw(st.lists(st.lists(LETTERS, max_size=30).map("".join), max_size=8)):
        whole = whole + draw(st.sampled_from([Text(piece), bold(piece), link(piece, "https://example.org/")]))
    return whole


def covered(text: Text, span: Span) -> str:
    encoded = text.text.encode("utf-16-le")
    return encoded[2 * span.offset : 2 * (span.offset + span.length)].decode("utf-16-le")


def styled(text: Text) -> list[tuple[str, Style]]:
    """Every character with its style, in order: what a reader sees of the spans."""
    return [(character, span.style) for span in text.spans for character in covered(text, span)]


@given(texts(), st.integers(12, 60))
@example(bold("🦊" * 40), 13)
def test_it_keeps_every_visible_part_in_order_and_within_the_limit(text: Text, limit: int) -> None:
    parts = split(text, limit)
    assert all(utf16_length(part.text) <= limit for part in parts)
    rest = text.text
    for part in parts:
        place = rest.index(part.text)
        assert not visible(rest[:place])
        rest = rest[place + len(part.text) :]
    assert not visible(rest)


@given(texts(), st.integers(12, 60))
def test_it_keeps_the_styles_on_the_same_characters(text: Text, limit: int) -> None:
    parts = split(text, limit)
    assume("".join(part.text for part in parts) == text.text)  # no blank part was left out
    assert [pair for part in parts for pair in styled(part)] == styled(text)


@given(texts(), st.integers(12, 60))
def test_it_gives_nothing_that_telegram_would_refuse(text: Text, limit: int) -> None:
    for part in split(text, limit):
        entities = [
            {"type": s.style.value, "offset": s.offset, "length": s.length} | ({"url": s.url} if s.url else {})
            for s in part.spans
        ]
        checked_text({"text": part.text, "entities": json.dumps(entities)})


@given(texts())
def test_it_leaves_alone_what_fits(text: Text) -> None:
    assert split(text, 10_000) == ((text,) if visible(text.text) else ())


def test_it_cuts_at_the_end_of_a_line_before_the_end_of_a_word() -> None:
    parts = split(Text("first line\nsecond line is long"), 20)
    assert [part.text for part in parts] == ["first line\n", "second line is long"]
    assert [part.text for part in split(Text("one two three"), 9)] == ["one two ", "three"]


def test_it_does_not_tear_an_emoji_or_an_accent_apart() -> None:
    family = "👨\u200d👩\u200d👧"
    assert [part.text for part in split(Text("x" * 15 + family), 20)] == ["x" * 15, family]
    assert [part.text for part in split(Text("x" * 11 + "e\u0301"), 12)] == ["x" * 11, "e\u0301"]


def test_it_cuts_in_bounded_time() -> None:
    assert len(split(Text("🦊" * 10_000), 4_000)) == 5


@pytest.mark.parametrize("blank", ["", " \n\t", "\u200b\u200d", "\u3164", "\u2800\n", "\u202e"])
def test_it_sees_that_there_is_nothing_to_see(blank: str) -> None:
    assert split(Text(blank), 100) == ()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), st.integers(1, 800), st.booleans())
@settings(max_examples=200)
def test_it_makes_messages_of_any_text_that_telegram_takes_with_their_label(text: str, times: int, plain: bool) -> None:
    chat = TelegramBot("1:abc").chat("5")
    for part in chat.parts(bold(text * times), plain=plain):
        checked_text({"text": f"{REPEAT}\n{part.text}"})
        checked_text({"text": part.text})
