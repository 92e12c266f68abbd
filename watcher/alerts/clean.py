"""Names that strangers chose, made fit to stand among our own words.

Anybody can deploy a token with any symbol, and write to any wallet with it: "USDС" with a Cyrillic С, text that runs
backwards, a line break and a second message, `t.me/…` that Telegram turns into a link. What we cannot see through
(look-alike letters) stays, so an address has to stand wherever a mistake would cost money.
"""

from __future__ import annotations

import re
import unicodedata

NAMELESS = "(unnamed)"
"""What stands for a name of which nothing is left."""

_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0\ufffc\U0001d159\U00013441\U00013442")
"""Fillers, the empty Braille cell, places held for nothing: letters and signs by category, and invisible."""

_READ = 4_096
"""Characters of a name that are looked at: a contract may return a million, and each costs time."""

_DEFANGED = str.maketrans(
    {
        "\u3002": "\u00b7",  # IDNA takes the ideographic full stop for a dot
        "@": "(at)",  # mentions
        "#": "\u266f",  # hashtags: MUSIC SHARP SIGN
        "$": "\uff04",  # cashtags, which lead into a search: FULLWIDTH DOLLAR SIGN
    }
)


_DOT = re.compile(r"\.(?=\S)")
"""A domain needs one, and not that at the end of a sentence: to be a MIDDLE DOT."""

_SLASH = re.compile("/(?! )")
"""One that may begin a path or a bot's command, unlike that of "ETH / USD"."""

_NUMBER = re.compile(r"(?<![\w.,·])([\d,]*\d\.\d+)(?!\w|[.,·]\w)", re.ASCII)
"""A number with a decimal point that is no part of a name: `1.05`, but nothing of `1.05.example` or `1.2.3.4`."""


def clean(text: str, limit: int = 24) -> str:
    """A token's symbol or a contract's label, of at most `limit` characters, that no client will turn into a link.

    Cleaning twice is cleaning once.
    """
    return _defanged(shortened(_defanged(visible(text[:_READ])), limit)) or NAMELESS


def sentence(text: str, limit: int) -> str:
    """The same for a sentence of ours in which such names stand: decimal points stay, in what is a number and no more.

    Cleaning twice is cleaning once.
    """
    parts = _NUMBER.split(shortened(_defanged_but_numbers(visible(text[:_READ])), limit))
    return "".join(part if place % 2 else _defanged(part) for place, part in enumerate(parts)) or NAMELESS


def _defanged_but_numbers(text: str) -> str:
    return "".join(part if place % 2 else _defanged(part) for place, part in enumerate(_NUMBER.split(text)))


def titled(name: str) -> str:
    """The title of a market or a chain: some markets are named by whoever opened them."""
    return clean(name, 40)


def visible(text: str) -> str:
    """The text on one line, in compatibility form (NFKC), without what is invisible, combining, or turns its direction.

    Links in it are left alone: for a terminal, or to be cut and defanged by `clean`.
    """
    kept = "".join(map(_seen, _compatible(text)))
    return " ".join(_compatible(kept).split())


def shortened(text: str, limit: int) -> str:
    """At most `limit` characters, the last of them "…" where something was cut off."""
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


def _defanged(text: str) -> str:
    return _DOT.sub("\u00b7", _SLASH.sub("\u2215", text.translate(_DEFANGED)))  # MIDDLE DOT, DIVISION SLASH


def _compatible(text: str) -> str:
    """NFKC, except that "…", with which we shorten, does not become three dots."""
    return "…".join(unicodedata.normalize("NFKC", part) for part in text.split("…"))


def _seen(character: str) -> str:
    """The character, a space for any blank or line break, or nothing where there would be nothing to see."""
    if character.isspace():
        return " "
    category = unicodedata.category(character)
    gone = category in ("Mn", "Me") or category.startswith("C") or character in _BLANK_LETTERS
    return "" if gone else character
