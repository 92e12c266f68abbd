"""Requests and broken connections, as the stand-in's server has them."""

from __future__ import annotations

import json

from aiohttp import web


async def params_of(request: web.BaseRequest) -> dict[str, str]:
    """Form fields and query, or a JSON body, as the strings that a form would carry; a file, a character a byte."""
    if request.content_type == "application/json":
        given = await request.json()
        return {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
    fields = {**request.query, **await request.post()}
    return {key: _text(value) for key, value in fields.items()}


def _text(value: object) -> str:
    return value.file.read().decode("latin-1") if isinstance(value, web.FileField) else str(value)


def hang_up(request: web.BaseRequest) -> web.Response:
    if request.transport is not None:
        request.transport.close()
    return web.Response()
