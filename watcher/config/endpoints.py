"""Endpoints: the only place, with the bot token, where a reference to a secret may stand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from watcher.chain.spec import EndpointSpec
from watcher.config.forms import Table, Template
from watcher.config.refusal import Form, Problems, inside, shown, shown_key
from watcher.config.secrets import References, Resolved, literal_part

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,60}")  # RFC 9110 section 5.6.2, token
_SECRET_HEADER = re.compile(r"authorization|cookie|key|token|secret|password", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z0-9_-]{20,}")
_BY_REFERENCE = "secrets only by reference: write ${credential:rpc_key} in its place"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointForm(Form):
    """`{ url = "…", headers = { … } }`, or the URL alone."""

    url: Template
    headers: Table | None = None


def read_endpoints(items: object, where: str, references: References, problems: Problems) -> tuple[EndpointSpec, ...]:
    """A list of endpoints. Their URLs appear in no problem, because they may hold a key."""
    if not isinstance(items, list) or not items:
        problems.add(where, f'{shown(items)} is not a list of endpoints; write ["https://…"]')
        return ()
    read = [_read(item, f"{where}[{index}]", references, problems) for index, item in enumerate(items, 1)]
    endpoints = tuple(endpoint for endpoint in read if endpoint is not None)
    if len({endpoint.url for endpoint in endpoints}) < len(endpoints):
        problems.add(where, "the same URL stands twice; write each endpoint once")
    return endpoints


def joined(*groups: Sequence[EndpointSpec]) -> tuple[EndpointSpec, ...]:
    """All endpoints in order, each URL once, with names told apart: `host`, `host#2`."""
    known: dict[str, EndpointSpec] = {}
    for endpoint in (each for group in groups for each in group):
        known.setdefault(endpoint.url, endpoint)
    counts: dict[str, int] = {}
    named = []
    for endpoint in known.values():
        host = endpoint.name
        counts[host] = counts.get(host, 0) + 1
        named.append(endpoint if counts[host] == 1 else replace(endpoint, name=f"{host}#{counts[host]}"))
    return tuple(named)


def _read(item: object, where: str, references: References, problems: Problems) -> EndpointSpec | None:
    if not isinstance(item, str | dict):
        problems.add(where, f'{shown(item)} is not an endpoint; write "https://…" or {{ url = "https://…" }}')
        return None
    form = problems.fill(EndpointForm, {"url": item} if isinstance(item, str) else item, where)
    if form is None:
        return None
    at = where if isinstance(item, str) else inside(where, "url")
    headers = _headers(form.headers or {}, inside(where, "headers"), references, problems)
    try:
        url = references.resolve(form.url)
        return EndpointSpec(name=_host(form.url, url), url=url.text, headers=headers)
    except ValueError as problem:
        problems.add(at, str(problem))
    return None


def _host(written: str, url: Resolved) -> str:
    """What to call an endpoint: its host, and its port if given. Raises `ValueError` for a URL that we do not take."""
    if any(character.isspace() or not character.isprintable() for character in url.text) or not url.text.isascii():
        raise ValueError("the URL has spaces, line breaks or letters beyond ASCII in it; write it as one plain word")
    parts = _split(url.text)
    if parts.scheme in ("ws", "wss"):
        raise ValueError(f"{parts.scheme}:// endpoints are not supported yet; write the https:// URL of the provider")
    if parts.scheme not in ("http", "https"):
        raise ValueError("the URL does not start with https:// or http:// (IPC paths are not supported yet)")
    if "@" in parts.netloc:
        raise ValueError(
            "the URL carries a user or password before '@'; write"
            ' headers = { Authorization = "Basic ${credential:rpc_login}" } instead'
        )
    if not parts.hostname or parts.port == 0:
        raise ValueError("the URL names no host; write https://host/path")
    if parts.fragment:
        raise ValueError("the URL has a '#', which no server is ever sent; remove it and what follows")
    if _holds_key(_after_host(written)):
        raise ValueError(f"part of the URL looks like a key; {_BY_REFERENCE}")
    name = parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
    for secret in url.secrets:
        name = name.replace(secret.lower(), "…")
    return name


def _split(url: str) -> Any:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        # Not chained: the library's words may quote the URL.
        raise ValueError("the URL has a bad host or port; write https://host/path or https://host:8545") from None
    return parts


def _after_host(written: str) -> str:
    return written.partition("://")[2].partition("/")[2]


def _holds_key(written: str) -> bool:
    """Whether the literal part of a text has a long random-looking word in it."""
    return any(_is_random(word) for word in _WORD.findall(literal_part(written)))


def _is_random(word: str) -> bool:
    digits = sum(character.isdigit() for character in word)
    return digits >= 3 or (digits > 0 and word.lower() != word != word.upper())


def _headers(table: Mapping[str, Any], where: str, references: References, problems: Problems) -> dict[str, str]:
    headers = {}
    for name, value in table.items():
        try:
            headers[name] = _header(name, value, references)
        except ValueError as problem:
            problems.add(inside(where, name), str(problem))
    return headers


def _header(name: str, value: object, references: References) -> str:
    if not _HEADER.fullmatch(name):
        raise ValueError(f"{shown_key(name)} is not the name of an HTTP header; write one such as Authorization")
    if not isinstance(value, str) or not value:
        raise ValueError("the value is not a text; write it in quotes")
    resolved = references.resolve(value)
    if not resolved.text.isprintable():
        raise ValueError("the value has line breaks or unprintable characters; write it on one line")
    if not resolved.secrets and (_SECRET_HEADER.search(name) or _holds_key(value)):
        raise ValueError(f"the value looks like a secret; {_BY_REFERENCE}")
    return resolved.text
