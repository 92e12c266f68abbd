"""Endpoints: whom to ask about a chain, with the secrets that their URLs and headers refer to."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

from watcher.chain.spec import EndpointSpec
from watcher.config.forms import Table, Template, whole
from watcher.config.refusal import Form, Problems, Right, inside, shown, shown_key
from watcher.config.secrets import References, mentions_secret
from watcher.config.urls import BY_REFERENCE, holds_key, host_of, without_secrets

_SCHEMES: Final = ("https", "http", "wss", "ws")
_IPC: Final = "ipc:"
_LONGEST_PATH: Final = 107  # bytes: sun_path of unix(7) holds 108, one of them the zero at its end
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,60}")  # RFC 9110 section 5.6.2, token
_SECRET_HEADER = re.compile(r"authorization|cookie|key|token|secret|password", re.IGNORECASE)


def _auth(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):  # not shown, because it may be a password
        raise ValueError('is not a table; write { user = "…", password = "${credential:rpc_password}" }')
    return value


def _password(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError('is not a text; write "${credential:rpc_password}"')
    return value


Auth = Annotated[Mapping[str, Any], Right("a table of a user and a password", _auth)]
Password = Annotated[str, Right("a text in quotes", _password, by_reference=True)]
Rate = Annotated[int, Right("a whole number of requests per second from 1 to 10000, such as 20", whole(1, 10_000))]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointForm(Form):
    """`{ url = "…", headers = { … }, auth = { … }, rate = 20 }`, or the URL alone."""

    url: Template
    headers: Table | None = None
    auth: Auth | None = None
    rate: Rate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthForm(Form):
    """`{ user = "…", password = "${credential:…}" }`."""

    user: Template
    password: Password


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
    if form.auth is not None:
        headers |= _login(form.auth, headers, inside(where, "auth"), references, problems)
    try:
        name, url = _named(form.url, references)
    except ValueError as problem:
        problems.add(at, str(problem))
        return None
    if headers and url.startswith(_IPC):
        problems.add(where, "a socket on this machine takes neither headers nor auth; leave them out")
    return EndpointSpec(name=name, url=url, headers=headers, rate=form.rate)


def _named(written: str, references: References) -> tuple[str, str]:
    """What to call an endpoint, and its URL. Raises `ValueError` for a URL that we do not take."""
    url = references.resolve(written)
    if references.blind and mentions_secret(written):
        return "unseen", written
    if url.text.startswith((_IPC, "/")):
        path = _socket(url.text)
        return without_secrets(os.path.basename(path), url), f"{_IPC}//{path}"
    name = host_of(
        written,
        url,
        schemes=_SCHEMES,
        or_else=", and is no path of a socket such as /run/geth/geth.ipc",
        login='write auth = { user = "…", password = "${credential:rpc_password}" } beside it instead',
    )
    return name, url.text


def _socket(url: str) -> str:
    path = url.removeprefix(f"{_IPC}//").removeprefix(_IPC)
    if not path.startswith("/") or path.endswith("/") or not path.isprintable():
        raise ValueError("is not the absolute path of a socket; write one such as /run/geth/geth.ipc")
    if (length := len(os.fsencode(path))) > _LONGEST_PATH:
        raise ValueError(
            f"is a path of {length} bytes, where that of a socket has at most {_LONGEST_PATH}; link to it from nearer"
        )
    return path


def _login(
    table: object, headers: Mapping[str, str], where: str, references: References, problems: Problems
) -> dict[str, str]:
    """The header of HTTP basic authentication, RFC 7617."""
    form = problems.fill(AuthForm, table, where)
    if form is None:
        return {}
    if any(name.lower() == "authorization" for name in headers):
        problems.add(where, "headers has an Authorization already, which is the same thing; write one of them")
    try:
        user, password = references.resolve(form.user).text, references.resolve(form.password)
    except ValueError as problem:
        problems.add(where, str(problem))
        return {}
    if not user.isprintable() or ":" in user:
        problems.add(inside(where, "user"), "has a ':' or an unprintable character, which no user may have")
    if not password.secrets:
        problems.add(inside(where, "password"), f"stands in the open; {BY_REFERENCE}")
    return {"Authorization": f"Basic {b64encode(f'{user}:{password.text}'.encode()).decode()}"}


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
    if not resolved.secrets and (_SECRET_HEADER.search(name) or holds_key(value)):
        raise ValueError(f"the value looks like a secret; {BY_REFERENCE}")
    return resolved.text
