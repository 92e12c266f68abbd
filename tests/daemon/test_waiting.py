"""A start without a network: ready at once, says what it waits for, once in the log, and speaks when all is there."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.bot_api import BotApi
from tests.chain.rpc_stand_in import on_wire
from tests.daemon.gate import Gate
from tests.daemon.process import running
from tests.daemon.waiting import PATIENCE
from tests.daemon.world import TOKEN, Market, configure
from watcher.status import StatusLine
from watcher.unseen import Unseen

WATCHING = "watching 3 wallets on local"


@dataclass(slots=True)
class Systemd:
    """The socket that systemd listens at, and what came there."""

    socket: socket.socket
    told: list[str] = field(default_factory=list)

    async def until(self, there: Callable[[str], bool]) -> str:
        """The first datagram that is so."""
        async with asyncio.timeout(PATIENCE):
            while not (found := [one for one in self.told if there(one)]):
                self.told.append((await asyncio.get_running_loop().sock_recv(self.socket, 65_536)).decode())
        return found[0]

    @property
    def lines(self) -> list[str]:
        """The status lines so far."""
        return [line.removeprefix("STATUS=") for one in self.told for line in one.splitlines() if "STATUS=" in line]


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systemd]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield Systemd(listening)


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi(TOKEN, chats=[5]) as api:
        yield api


async def test_it_is_ready_without_an_endpoint_says_what_it_waits_for_and_watches_once_it_is_there(
    tmp_path: Path, borrowers: Market, api: BotApi, gate: Gate, systemd: Systemd
) -> None:
    gate.shut(on_wire())
    config = configure(tmp_path, borrowers, api=api.base_url, endpoints=[gate.url])
    async with running(config) as watcher:
        assert "READY=1" in await systemd.until(lambda told: "READY=1" in told)
        await systemd.until(lambda told: "no endpoint answered" in told)
        looks = len(gate.asked)
        async with asyncio.timeout(PATIENCE):
            while len(gate.asked) < looks + 2:  # noqa: ASYNC110 - a request at a server sets no event
                await asyncio.sleep(0.01)
        assert api.accepted == []
        gate.open()
        await systemd.until(lambda told: told == f"STATUS={WATCHING}")
        assert (await api.until(1))[0].text.startswith("WARNING · weak")
        await watcher.until("daemon.watching")
        assert await watcher.end() == 0
    at = gate.url.split("/")[2]
    assert systemd.lines == [
        "waiting for local (first look)",
        f"waiting for local (local: no endpoint answered ({at}: the connection was closed before an answer))",
        WATCHING,
    ]
    assert len(watcher.said("chain.unseen")) == 1


async def test_it_is_ready_without_telegram_and_tells_there_what_it_saw_meanwhile(
    tmp_path: Path, borrowers: Market, api: BotApi, systemd: Systemd
) -> None:
    config = configure(tmp_path, borrowers, api=api.base_url)
    await api.go_dark()
    async with running(config) as watcher:
        assert "READY=1" in await systemd.until(lambda told: "READY=1" in told)
        await systemd.until(lambda told: told == f"STATUS={WATCHING}; waiting for Telegram (no answer: NetworkError)")
        await watcher.until("notify.failed")
        await api.come_back()
        assert (await api.until(1))[0].text.startswith("WARNING · weak")
        await systemd.until(lambda told: told == f"STATUS={WATCHING}")
        assert await watcher.end() == 0
    assert len(watcher.said("bot.unreachable")) == 1
    assert [one for one in api.texts() if "WARNING" in one] == api.texts()


def test_its_line_tells_what_is_there_from_what_is_waited_for() -> None:
    missing = {"base": "", "ethereum": "no endpoint answered: \n" + 400 * "x", "arbitrum": "first look"}
    text = StatusLine(lambda: 1, lambda: missing).text
    assert text.startswith("watching 1 wallet on base; waiting for ethereum (no endpoint answered: xxx")
    assert text.endswith("x…), arbitrum (first look)")
    assert "\n" not in text


def test_its_log_is_told_of_other_words_and_not_of_other_figures() -> None:
    unseen = Unseen()
    problems = ["3 s left", "2 s left", "refused", "1 s left", "refused", "", "refused", ""]
    assert [unseen.because(one) for one in problems] == [True, False, True, False, False, False, True, False]
