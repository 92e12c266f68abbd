"""Endpoints: whom to ask about a chain, with the secrets that their URLs and headers refer to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from watcher.chain.spec import EndpointSpec
from watcher.config.forms import Table, Template
from watcher.config.refusal import Form, Problems, inside, shown, shown_key
from watcher.config.secrets import References, Resolved, mentions_secret
from watcher.config.urls import BY_REFERENCE, holds_key, host_of

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,60}")  # RFC 9110 section 5.6.2, token
_SECRET_HEADER = re.compile(r"authorization|cookie|key|token|secret|password", re.IGNORECASE)


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
        if references.blind and mentions_secret(form.url):
            references.resolve(form.url)
            return EndpointSpec(name="unseen", url=form.url, headers=headers)
        url = references.resolve(form.url)
        return EndpointSpec(name=_host(form.url, url), url=url.text, headers=headers)
    except ValueError as problem:
        problems.add(at, str(problem))
    return None


def _host(written: str, url: Resolved) -> str:
    scheme = url.text.partition(":")[0].lower()
    if scheme in ("ws", "wss"):
        raise ValueError(f"{scheme}:// endpoints are not supported yet; write the https:// URL of the provider")
    return host_of(
        written,
        url,
        schemes=" (IPC paths are not supported yet)",
        login='write headers = { Authorization = "Basic ${credential:rpc_login}" } instead',
    )


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
