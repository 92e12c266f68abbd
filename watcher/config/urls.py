"""URLs that requests are sent to: plain words, a host, and no secret in the open."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from watcher.config.secrets import Resolved, literal_part

BY_REFERENCE = "secrets only by reference: write ${credential:rpc_key} in its place"

_WORD = re.compile(r"[A-Za-z0-9_-]{20,}")


def host_of(
    written: str,
    url: Resolved,
    *,
    schemes: Sequence[str] = ("https", "http"),
    or_else: str = "",
    login: str = "write it without them",
) -> str:
    """What to call the other side: its host, and its port if given. Raises `ValueError` for a URL that we do not take.

    `written` is the URL as the file has it, `schemes` what it may begin with. `or_else` and `login` go on in the words
    of two refusals.
    """
    if any(character.isspace() or not character.isprintable() for character in url.text) or not url.text.isascii():
        raise ValueError("the URL has spaces, line breaks or letters beyond ASCII in it; write it as one plain word")
    parts = _split(url.text)
    if parts.scheme not in schemes:
        *several, last = (f"{scheme}://" for scheme in schemes)
        raise ValueError(f"the URL does not start with {', '.join(several)} or {last}{or_else}")
    if "@" in parts.netloc:
        raise ValueError(f"the URL carries a user or password before '@'; {login}")
    if not parts.hostname or parts.port == 0:
        raise ValueError("the URL names no host; write https://host/path")
    if parts.fragment:
        raise ValueError("the URL has a '#', which no server is ever sent; remove it and what follows")
    if holds_key(written.partition("://")[2].partition("/")[2]):
        raise ValueError(f"part of the URL looks like a key; {BY_REFERENCE}")
    return without_secrets(parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}", url)


def without_secrets(name: str, url: Resolved) -> str:
    """A part of the URL, as far as it was written in the open."""
    for secret in url.secrets:
        name = re.sub(re.escape(secret), "…", name, flags=re.IGNORECASE)
    return name


def holds_key(written: str) -> bool:
    """Whether the literal part of a text has a long random-looking word in it."""
    return any(_is_random(word) for word in _WORD.findall(literal_part(written)))


def _is_random(word: str) -> bool:
    digits = sum(character.isdigit() for character in word)
    return digits >= 3 or (digits > 0 and word.lower() != word != word.upper())


def _split(url: str) -> Any:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        # Not chained: the library's words may quote the URL.
        raise ValueError("the URL has a bad host or port; write https://host/path or https://host:8545") from None
    return parts
