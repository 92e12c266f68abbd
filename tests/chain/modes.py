"""The ways in which an endpoint goes wrong: what it answers instead of the truth."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import orjson
from aiohttp import web

from tests.chain.proxy import Exchange, Mode

MIB: Final = 1024 * 1024
GIANT: Final = 64 * MIB
FUTURE: Final = 3600
"""Seconds by which a head from the future is ahead."""

# It is not there, or not in time


async def refused(met: Exchange) -> web.StreamResponse:
    """Whoever comes next finds the door closed."""
    await met.proxy.close_door()
    return met.hung_up()


async def reset(met: Exchange) -> web.StreamResponse:
    return met.hung_up()


async def timeout(met: Exchange) -> web.StreamResponse:
    await met.proxy.closing.wait()
    return met.hung_up()


async def hang_after_headers(met: Exchange) -> web.StreamResponse:
    response = await met.begun()
    await met.proxy.closing.wait()
    return response


async def slow_drip(met: Exchange) -> web.StreamResponse:
    """An honest answer, a byte at a time."""
    response = await met.begun()
    for byte in orjson.dumps(await met.honest()):
        if met.proxy.closing.is_set():
            break
        await response.write(bytes([byte]))
        await asyncio.sleep(0.2)
    return response


# It does not want to


def too_many(retry_after: str | None = None, *, status: int = 429) -> Mode:
    """HTTP 429, with or without a `Retry-After` of this text."""

    async def mode(met: Exchange) -> web.StreamResponse:
        headers = {"Retry-After": retry_after} if retry_after is not None else {}
        return web.Response(status=status, text="slow down", headers=headers)

    return mode


def error(code: int, message: str, **more: Any) -> Mode:
    """A JSON-RPC error inside HTTP 200."""

    async def mode(met: Exchange) -> web.StreamResponse:
        return met.says(error={"code": code, "message": message, **more})

    return mode


def status(number: int, text: str = "") -> Mode:
    """Any HTTP status with any text."""

    async def mode(met: Exchange) -> web.StreamResponse:
        return web.Response(status=number, text=text)

    return mode


limited = error(-32005, "daily request count exceeded, request rate limited")
pruned = error(-32000, "missing trie node 7fca31 (path 0a) state 0x5be2 is not available")

# What it says is no answer


async def html(met: Exchange) -> web.StreamResponse:
    return web.Response(text="<html><body>Checking your browser</body></html>", content_type="text/html")


async def truncated(met: Exchange) -> web.StreamResponse:
    whole = orjson.dumps(await met.honest())
    return web.Response(body=whole[: len(whole) * 2 // 3], content_type="application/json")


async def wrong_id(met: Exchange) -> web.StreamResponse:
    """An honest answer, as if to somebody else."""
    return met.says(**{**await met.honest(), "id": met.body["id"] + 1})


async def null_result(met: Exchange) -> web.StreamResponse:
    return met.says(result=None)


async def giant_body(met: Exchange) -> web.StreamResponse:
    response = await met.begun()
    await response.write(b'{"jsonrpc":"2.0","id":%d,"result":"0x' % met.body["id"])
    for _ in range(GIANT // MIB):
        await response.write(b"0" * MIB)
    await response.write(b'"}')
    return response


async def gzip_bomb(met: Exchange) -> web.StreamResponse:
    return web.Response(body=bomb(), headers={"Content-Type": "application/json", "Content-Encoding": "gzip"})


@cache
def bomb() -> bytes:
    """Four times the giant, packed into a megabyte or so."""
    packer = zlib.compressobj(1, wbits=31)
    zeros = b"0" * MIB
    return b"".join([*(packer.compress(zeros) for _ in range(4 * GIANT // MIB)), packer.flush()])


# It speaks of another chain, or of another time


def other_chain(upstream: str) -> Mode:
    """The word of another node, whose chain is another."""

    async def mode(met: Exchange) -> web.StreamResponse:
        return met.says(**await met.honest(of=upstream))

    return mode


def lagging(number: int) -> Mode:
    """A node that has seen no block after this one, and answers as if that were the newest."""

    async def mode(met: Exchange) -> web.StreamResponse:
        if met.method != "eth_getBlockByNumber":
            return met.says(**await met.honest())
        at, *rest = met.params
        if at != "latest" and int(at, 16) > number:
            return met.says(result=None)
        return met.says(**await met.honest(params=[hex(number) if at == "latest" else at, *rest]))

    return mode


async def future_head(met: Exchange) -> web.StreamResponse:
    """Honest but for the newest block, which is of a time to come."""
    answer = await met.honest()
    if met.method == "eth_getBlockByNumber" and met.params[0] == "latest":
        for part, more in (("number", FUTURE // 12), ("timestamp", FUTURE)):
            answer["result"][part] = hex(int(answer["result"][part], 16) + more)
    return met.says(**answer)


# What it says is plausible


def false_value(overrides: Mapping[str, Any]) -> Mode:
    """The truth of a state that is not the chain's: calls run with these overrides (as `eth_call` takes them)."""

    async def mode(met: Exchange) -> web.StreamResponse:
        if met.method != "eth_call":
            return met.says(**await met.honest())
        return met.says(**await met.honest(params=[*met.params[:2], dict(overrides)]))

    return mode


SIMPLE: Final[Mapping[str, Mode]] = {
    "refused": refused,
    "reset": reset,
    "timeout": timeout,
    "hang after headers": hang_after_headers,
    "slow drip": slow_drip,
    "429": too_many(),
    "429 with Retry-After": too_many("30"),
    "-32005": limited,
    "HTML": html,
    "truncated JSON": truncated,
    "wrong id": wrong_id,
    "pruned state": pruned,
    "giant body": giant_body,
    "gzip bomb": gzip_bomb,
    "null result": null_result,
    "future head": future_head,
}
"""Those that need to know nothing of the chain."""

HANGING: Final = ("timeout", "hang after headers", "slow drip")
"""Those that are noticed only by the time they take."""


def modes(*, old: int, elsewhere: str) -> dict[str, Mode]:
    """All of them: with a block that is `old`, and a node of another chain."""
    return {**SIMPLE, "wrong chain": other_chain(elsewhere), "lagging head": lagging(old)}


NAMES: Final = (*SIMPLE, "wrong chain", "lagging head")
