"""The daemon as a process: how it starts, stops, reloads and refuses, and what its log gives away."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.bot_api import BotApi
from tests.chain.rpc_stand_in import PATH_KEY, QUERY_KEY, error, on_wire, raw, silence
from tests.daemon.gate import ANY, Gate
from tests.daemon.process import BY_COMMAND, ROOT, Watcher, running, scripted
from tests.daemon.waiting import eventually
from tests.daemon.world import TOKEN, Market, configure, set_token
from tests.store.samples import lose_chat
from watcher.daemon import STOP_WITHIN
from watcher.notify.notices import REPEAT
from watcher.store import Store

CHAT = 5


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi(TOKEN, chats=[CHAT]) as api:
        yield api


def set_up(folder: Path, market: Market, api: BotApi, *endpoints: str) -> Path:
    return configure(folder, market, api=api.base_url, endpoints=endpoints)


async def first_lines(api: BotApi, count: int) -> list[str]:
    """The first line of each of so many messages."""
    async with asyncio.timeout(20):
        return [message.text.splitlines()[0] for message in (await api.until(count))[:count]]


async def stopped_in_time(watcher: Watcher) -> int:
    """The exit code after a SIGTERM. Fails if it takes too long."""
    asked = time.monotonic()
    code = await watcher.end()
    assert time.monotonic() - asked < STOP_WITHIN, watcher.text
    return code


def everything_in(folder: Path) -> bytes:
    """The database, and whatever SQLite left beside it."""
    return b"".join(file.read_bytes() for file in folder.glob("watcher.db*"))


async def test_it_starts_looks_tells_and_stops(tmp_path: Path, borrowers: Market, api: BotApi) -> None:
    async with running(set_up(tmp_path, borrowers, api)) as watcher:
        assert await first_lines(api, 1) == ["WARNING · weak · Aave v3 Local"]
        assert (await watcher.until("snapshot.taken"))["positions"] == 3
        borrowers.move("WETH", 85)
        await first_lines(api, 2)
        assert "LIQUIDATABLE, was WARNING · weak" in api.texts()[1]
        assert await stopped_in_time(watcher) == 0
        names = [event["event"] for event in watcher.events]
        assert names[0] == "daemon.ready"
        assert names[-1] == "daemon.stopped"
        assert {"level", "timestamp", "logger"} <= set(watcher.events[0])


async def test_it_says_only_what_is_new_after_a_restart(tmp_path: Path, borrowers: Market, api: BotApi) -> None:
    config = set_up(tmp_path, borrowers, api)
    async with running(config) as watcher:
        await first_lines(api, 1)
        assert await watcher.end() == 0
    async with running(config) as watcher:
        await watcher.until("snapshot.taken")
        assert await watcher.end() == 0
    assert len(api.accepted) == 1
    borrowers.move("WETH", 85)
    async with running(config) as watcher:
        await first_lines(api, 2)
        assert watcher.said("snapshot.taken")[0]["block"] == borrowers.world.chain.head().number
    assert "LIQUIDATABLE, was WARNING · weak" in api.texts()[1]
    assert "WARNING · thin" in api.texts()[1]


async def test_it_stops_in_time_while_node_and_telegram_hang_and_repeats_with_a_label(
    tmp_path: Path, borrowers: Market, api: BotApi, gate: Gate
) -> None:
    config, release = set_up(tmp_path, borrowers, api, gate.url), asyncio.Event()
    api.fail_next("slow", chat=CHAT)
    async with running(config) as watcher:
        await first_lines(api, 1)
        gate.shut(silence(release))
        asked = len(gate.asked)
        await eventually(lambda: len(gate.asked) > asked)
        assert await stopped_in_time(watcher) == 0
    release.set()
    gate.open()
    async with running(config):
        assert await first_lines(api, 2) == ["WARNING · weak · Aave v3 Local", REPEAT]
        assert api.texts()[1].removeprefix(REPEAT + "\n") == api.texts()[0]


async def test_it_stops_in_time_while_it_asks_whether_a_lost_chat_is_back(
    tmp_path: Path, borrowers: Market, api: BotApi
) -> None:
    config = set_up(tmp_path, borrowers, api)
    with closing(Store.open(tmp_path / "watcher.db")) as store:
        store.register({"desk": str(CHAT)})
        lose_chat(store, "desk", "bot was blocked by the user")
    api.fail_next("slow", method="sendChatAction")
    async with running(config) as watcher:
        await watcher.until("snapshot.taken")
        await eventually(lambda: any(method == "sendChatAction" for method, _, _ in api.requests))
        assert await stopped_in_time(watcher) == 0


async def test_it_stops_in_time_while_names_are_not_resolved(tmp_path: Path, borrowers: Market, api: BotApi) -> None:
    slow_names = "import socket, time; socket.getaddrinfo = lambda *a, **k: time.sleep(30)"
    config = set_up(tmp_path, borrowers, api, borrowers.world.url.replace("127.0.0.1", "localhost"))
    async with running(config, command=scripted(slow_names)) as watcher:
        await watcher.until("daemon.ready")
        assert await stopped_in_time(watcher) == 0


async def test_it_takes_a_new_configuration_whole_or_not_at_all(tmp_path: Path, borrowers: Market, api: BotApi) -> None:
    config = set_up(tmp_path, borrowers, api)
    async with running(config) as watcher:
        await first_lines(api, 1)
        borrowers.borrower("late", "1.2")
        set_up(tmp_path, borrowers, api)
        watcher.signal(signal.SIGHUP)
        assert (await first_lines(api, 2))[1] == "WARNING · late · Aave v3 Local"
        config.write_text(config.read_text() + "\n[wallet]\n")
        watcher.signal(signal.SIGHUP)
        refused = await watcher.until("config.refused")
        assert refused["level"] == "error"
        assert "wallet" in refused["problem"]
        assert (await first_lines(api, 3))[2] == "CONFIGURATION NOT CHANGED"
        borrowers.move("WETH", 95)
        await first_lines(api, 4)
        assert "CRITICAL, was WARNING · weak" in api.texts()[3]
        assert await watcher.end() == 0


async def test_it_refuses_a_database_that_another_one_uses(tmp_path: Path, borrowers: Market, api: BotApi) -> None:
    config = set_up(tmp_path, borrowers, api)
    async with running(config) as first:
        await first.until("daemon.ready")
        async with running(config) as second:
            assert await second.exit_code() == 3
        [line] = second.lines
        assert f"in use by another watcher (process {first.process.pid})" in line
        assert await first.end() == 0


async def test_it_refuses_a_faulty_configuration(tmp_path: Path, borrowers: Market, api: BotApi) -> None:
    config = set_up(tmp_path, borrowers, api)
    config.write_text(config.read_text().replace('chains = ["local"]', 'chains = ["locale"]'))
    async with running(config) as watcher:
        assert await watcher.exit_code() == 3
        assert "locale" in watcher.text
        assert "Traceback" not in watcher.text


async def test_it_ends_when_telegram_does_not_know_it_and_keeps_what_it_had_to_say(
    tmp_path: Path, borrowers: Market, api: BotApi
) -> None:
    config = set_up(tmp_path, borrowers, api)
    set_token(tmp_path, "2:somebody-else")
    async with running(config) as watcher:
        assert await watcher.exit_code() == 1
        assert [event["level"] for event in watcher.said("telegram.down")] == ["critical"]
        assert "@BotFather" in watcher.said("telegram.down")[0]["problem"]
    set_token(tmp_path, TOKEN)
    async with running(config):
        assert await first_lines(api, 1) == ["WARNING · weak · Aave v3 Local"]


async def test_it_speaks_json_to_a_pipe_and_lines_to_a_terminal(tmp_path: Path, borrowers: Market, api: BotApi) -> None:
    config = set_up(tmp_path, borrowers, api)
    terminal, side = pty.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *BY_COMMAND, str(config)),
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=side,
        )
        await first_lines(api, 1)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
        shown = os.read(terminal, 65_536).decode()
    finally:
        os.close(terminal)
        os.close(side)
    assert "daemon.ready" in shown
    with pytest.raises(json.JSONDecodeError):
        json.loads(shown.splitlines()[0])


async def test_it_gives_no_key_away_whatever_goes_wrong(
    tmp_path: Path, borrowers: Market, api: BotApi, gate: Gate
) -> None:
    everything = """
import logging
from watcher import logs
as_usual = logs.configure
logs.configure = lambda: as_usual(logging.DEBUG)
"""
    chats = {"a": 5, "b": 6, "c": 7, "d": 8}
    api.chats |= set(chats.values())
    for chat, refusal in zip(chats.values(), ("portal", "502", "dropped", "parse"), strict=True):
        api.fail_next(refusal, chat=chat)
    config = configure(tmp_path, borrowers, api=api.base_url, chats=chats, endpoints=[gate.url])
    faults = [
        on_wire(),
        on_wire(b"garbage\r\n"),
        raw(f"{gate.url} {PATH_KEY}", status=403, kind="text/plain"),
        raw("<html>", kind="text/html"),
        error(-32000, f"{gate.url} is out of credit, {QUERY_KEY}"),
    ]
    async with running(config, command=scripted(everything)) as watcher:
        for times, fault in enumerate(faults, 1):
            gate.faults[ANY] = fault
            await watcher.until("chain.unseen", times=times)
        gate.open()
        await watcher.until("notify.failed", times=3)
        await first_lines(api, len(chats))
        config.write_text(config.read_text() + f'\n[endpoints]\nlocal = ["{gate.url}", "{gate.url}"]\n[nonsense]\n')
        watcher.signal(signal.SIGHUP)
        await watcher.until("config.refused")
        watcher.signal(signal.SIGTERM)
        await watcher.exit_code()
    kept = everything_in(tmp_path)
    for secret in (TOKEN, PATH_KEY, QUERY_KEY):
        assert secret not in watcher.text
        assert secret.encode() not in kept
        assert not [text for text in api.texts() if secret in text]
