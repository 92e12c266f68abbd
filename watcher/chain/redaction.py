"""What an endpoint says, made fit to show: short, printable, and without the secrets of its URL."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import parse_qsl, unquote, urlsplit

from watcher.chain.spec import EndpointSpec

SHOWN = 160
"""Characters of foreign text in one error."""

_LOOKED_AT = 4096
_ESCAPED = 3  # characters for a byte, percent-encoded
_TOO_SHORT = 4  # "v2" is no secret, and cutting out every "1" would leave nothing to read
_GONE = "…"


class Redactor:
    """Knows every part of an endpoint's URL and headers that could be, or hold, a key."""

    def __init__(self, endpoint: EndpointSpec) -> None:
        found = {form for secret in _secrets(endpoint) for form in (secret, unquote(secret))}
        secrets = sorted((one for one in found if len(one) >= _TOO_SHORT), key=len, reverse=True)
        self._longest = _ESCAPED * len(secrets[0].encode()) if secrets else 0
        self._pattern = re.compile("|".join(map(_in_any_form, secrets)) or r"(?!)", re.IGNORECASE)

    def excerpt(self, text: str) -> str:
        """The beginning of `text`. Cleaned before it is searched, so that nothing invisible can split a key in two."""
        printable = "".join(c if c.isprintable() else " " if c.isspace() else "" for c in text[:_LOOKED_AT])
        shown = self._pattern.sub(_GONE, " ".join(printable.split()))
        if len(text) > _LOOKED_AT:  # the cut may have gone through a secret, of which the rest no longer matches
            shown = shown[: max(0, len(shown) - self._longest)]
        return shown if len(shown) <= SHOWN else shown[:SHOWN] + _GONE


def _in_any_form(secret: str) -> str:
    """A pattern of the text with any of its characters percent-encoded: everybody chooses others, some do it twice."""
    return "".join(
        f"(?:{re.escape(one)}|{''.join(f'%(?:25)*{byte:02x}' for byte in one.encode('utf-8', 'surrogatepass'))})"
        for one in secret
    )


def _secrets(endpoint: EndpointSpec) -> Iterator[str]:
    url = urlsplit(endpoint.url)
    yield endpoint.url
    yield from _of_headers(endpoint)
    if url.scheme in ("", "ipc"):  # where it lies on this machine is nobody's business; what it is called is its name
        path = endpoint.url.removeprefix("ipc://")
        yield from (path, path.rpartition("/")[0])
        return
    yield url.netloc
    yield url.hostname or ""
    yield f"{url.path}?{url.query}"
    yield url.path
    yield from url.path.split("/")
    yield url.query
    for name, value in parse_qsl(url.query):
        yield value or name
    if url.username or url.password:
        pair = f"{url.username or ''}:{url.password or ''}"
        yield from (pair, url.username or "", url.password or "", b64encode(unquote(pair).encode()).decode())


def _of_headers(endpoint: EndpointSpec) -> Iterator[str]:
    for value in endpoint.headers.values():
        yield value
        yield from value.split()  # "Bearer …"
        scheme, _, encoded = value.partition(" ")
        if scheme.lower() == "basic":
            with suppress(ValueError):  # whatever it is, it is not a user and a password
                pair = b64decode(encoded, validate=True).decode()
                yield from (pair, *pair.split(":", 1))
