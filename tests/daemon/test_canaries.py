"""F1. The bot's token and the keys of endpoints, everywhere a key can be: in nothing that anybody gets to see.

The daemon as a process that logs all it can, whose endpoints go wrong in every way, tell its keys back to it where
they can, and meet a bug of ours on the way.
"""

from __future__ import annotations

import asyncio
import os
import sys
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from itertools import cycle
from pathlib import Path
from urllib.parse import quote

import pytest
from aiohttp import web

from tests.bot_api import BotApi
from tests.chain.modes import modes, too_many
from tests.chain.proxy import Exchange, Mode, Proxy
from tests.daemon.process import ROOT, running, scripted
from tests.daemon.scene import Place, standing
from tests.daemon.waiting import eventually
from tests.daemon.world import configure, set_token

CHAT = 5
TOKEN = "7000000007:AAcanaryTokenOfTheBot-x9"
PATH_KEY, QUERY_KEY = "canaryInThePath77", "canaryInTheQuery88-/=="
HEADER_KEY, PASSWORD = "canaryInAHeader99", "canaryPassword66"
SECRETS = {"path_key": PATH_KEY, "query_key": quote(QUERY_KEY, safe=""), "header_key": HEADER_KEY, "password": PASSWORD}
LOGIN = b64encode(f"watcher:{PASSWORD}".encode()).decode()
SENT = (PATH_KEY, "canaryInTheQuery88", HEADER_KEY, LOGIN)
"""What the endpoints have to see."""
CANARIES = (TOKEN, TOKEN.split(":")[1], *SENT, QUERY_KEY, *SECRETS.values(), "canaryIn", "canaryPass", "canaryToken")
WELL = 2
"""Requests between two that go wrong, so that more than the first question is asked."""

IN_A_HURRY = """
import asyncio, logging
from watcher import logs, watch
from watcher.chain.wire import Timeouts
as_usual = logs.configure
logs.configure = lambda: as_usual(logging.DEBUG)
Timeouts.__init__.__kwdefaults__["total"] = 0.1
async def run(self):
    while not self._stopping:
        await self.tick()
        await asyncio.sleep(0.01)
watch.ChainWatch.run = run
from watcher.chain import pinned
decode, calls = pinned.data_bytes, iter(range(10**9))
def stumbles(result, what):
    if next(calls) % 5 == 4:
        raise ZeroDivisionError("a bug of ours, with everything on the stack")
    return decode(result, what)
pinned.data_bytes = stumbles
"""


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with standing() as place:
        yield place


async def told_back(met: Exchange) -> web.StreamResponse:
    """What was asked with, in the text of an error."""
    request = met.request
    return met.says(error={"code": -32000, "message": f"no such project: {request.url} {dict(request.headers)}"})


async def page_with_all(met: Exchange) -> web.StreamResponse:
    return web.Response(status=403, text=f"forbidden: {met.request.url} {dict(met.request.headers)}")


async def redirect(met: Exchange) -> web.StreamResponse:
    return web.Response(status=307, headers={"Location": f"{met.request.url}&again=1"})


async def garbage(met: Exchange) -> web.StreamResponse:
    assert met.request.transport is not None
    met.request.transport.write(f"SSH-2.0 {met.request.path_qs}\r\n".encode())
    return met.hung_up()


def every_way(place: Place) -> dict[str, Mode]:
    """But for the closed door, behind which no other would be met."""
    ways = {**modes(old=place.old, elsewhere=place.elsewhere.world.url), "429 with Retry-After": too_many("0")}
    del ways["refused"]
    return {**ways, "told back": told_back, "page": page_with_all, "redirect": redirect, "garbage": garbage}


def one_after_the_other(ways: dict[str, Mode]) -> Mode:
    """Another way each time, and in between well for a while."""

    async def honestly(met: Exchange) -> web.StreamResponse:
        return met.says(**await met.honest())

    turns = cycle([each for way in ways.values() for each in (way, *[honestly] * WELL)])

    async def mode(met: Exchange) -> web.StreamResponse:
        return await next(turns)(met)

    return mode


@pytest.fixture
async def keyed(place: Place) -> AsyncIterator[tuple[Proxy, ...]]:
    """One that is asked with a key in its path, one with a key in its query, one with keys in headers."""
    async with AsyncExitStack() as stack:
        yield tuple([await stack.enter_async_context(Proxy(place.market.world.url)) for _ in range(3)])


def written(folder: Path, place: Place, api: BotApi, keyed: tuple[Proxy, ...]) -> Path:
    """The configuration; secrets by reference, as it has to be."""
    config = configure(folder, place.market, api=api.base_url, endpoints=["http://127.0.0.1:1/nobody"])
    set_token(folder, TOKEN)
    for name, secret in SECRETS.items():
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(secret)
    path, query, private = (f"http://{proxy.listed_as}" for proxy in keyed)
    in_headers = 'headers = { X-Api-Key = "${file:header_key}" }'
    login = 'auth = { user = "watcher", password = "${file:password}" }'
    config.write_text(f"""{config.read_text()}
[endpoints]
local = [
  "{path}/v2/${{file:path_key}}",
  "{query}/rpc?apikey=${{file:query_key}}",
  {{ url = "{private}/", {in_headers}, {login} }},
]
""")
    return config


def everything_in(folder: Path) -> str:
    """The database and its log."""
    files = list(folder.glob("watcher.db*"))
    assert folder / "watcher.db-wal" in files
    return b"".join(file.read_bytes() for file in files).decode("latin-1")


def carried(keyed: tuple[Proxy, ...]) -> str:
    """All that the endpoints were sent on the outside."""
    return "\n".join(f"{one.path} {dict(one.headers)}" for proxy in keyed for one in proxy.asked)


async def test_it_gives_none_of_its_secrets_away_whatever_goes_wrong(
    tmp_path: Path, place: Place, keyed: tuple[Proxy, ...]
) -> None:
    ways = every_way(place)
    async with BotApi(TOKEN, chats=[CHAT]) as api:
        config = written(tmp_path, place, api, keyed)
        for proxy in keyed:
            proxy.meets(one_after_the_other(ways))
        async with running(config, command=scripted(IN_A_HURRY)) as watcher:
            await watcher.until("daemon.ready")
            await eventually(lambda: all(proxy.count() > (1 + WELL) * len(ways) for proxy in keyed), within=60)
            api.updates.say(CHAT, CHAT, "/status")
            await eventually(lambda: any("Watching 1 wallet" in text for text in api.texts()))
            kept = everything_in(tmp_path)
            for proxy in keyed:
                proxy.is_well()
                proxy.meets(told_back)
            checked = await asyncio.gather(*(asked(config, *words) for words in COMMANDS))
            await watcher.end()
    assert [canary for canary in SENT if canary not in carried(keyed)] == [], "a key that nobody was sent"
    assert len(watcher.said("watch.bug")) > 1, "no traceback was looked at"
    assert "exception" in watcher.text
    everything = {
        "log": watcher.text,
        "messages": "\n".join(api.texts()),
        "database": kept,
        **{" ".join(words): text for words, text in zip(COMMANDS, checked, strict=True)},
    }
    assert all(everything.values())
    assert [(where, canary) for where, text in everything.items() for canary in CANARIES if canary in text] == []


COMMANDS = (("check",), ("check", "--json", "--traceback"), ("validate", "--online"))


async def asked(config: Path, *words: str) -> str:
    """What a command says, on both streams."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "watcher", *words, "--config", str(config)),
        cwd=ROOT,
        env={**os.environ, "WATCHER_DEBUG": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await child.communicate()
    return told.decode()
