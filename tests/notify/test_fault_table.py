"""B3. The thirteen ways in which Telegram fails, laid for real: what arrives, what is kept, who is told, what ends.

Through python-telegram-bot and real sockets. Two chats wait for an alert each, and the fault meets the first one.
"""

from __future__ import annotations

import asyncio
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import pytest

from tests.bot_api import BotApi
from tests.bot_api_rules import Fault
from tests.daemon.dark import configure
from tests.daemon.world import set_token
from tests.notify.support import LABEL, Rig, bare, message, shortened, working
from watcher.alerts.message import bold
from watcher.config import load
from watcher.daemon import EXIT_FAILED, Daemon
from watcher.notify import telegram
from watcher.notify.telegram import TelegramBot

A, B, NEW = -100, 6, -200
ASKED_TO_WAIT = 77
WAITS, MAYBE, DELIVERED, DEAD = "pending", "pending, maybe sent", "delivered", "dead"
COPY = f"{LABEL} x"

Laid = Callable[[BotApi, Path], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`asked`: requests about the alert that reached the server. `shown`: what the chat shows of it.

    `kept`: what the store says of the alert after its tries, `why` of the first; `disabled`, `moved`: of the chat.
    `told`: what else the other chat is told. `waits`: seconds at least until all is over. `ends`: the daemon ends.
    """

    laid: Laid
    asked: int
    shown: list[str]
    kept: list[str]
    why: str = ""
    disabled: bool = False
    moved: bool = False
    styled: bool = True
    told: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=lambda: ["y"])
    waits: float = 0.0
    ends: bool = False


# --- The faults -------------------------------------------------------------------------------------------------------


def answered(fault: Fault) -> Laid:
    """The server does this with the next request for the chat."""

    @asynccontextmanager
    async def laid(api: BotApi, _: Path) -> AsyncIterator[None]:
        api.fail_next(fault, chat=A, retry_after=ASKED_TO_WAIT, new_id=NEW)
        yield

    return laid


@asynccontextmanager
async def nobody_listens(api: BotApi, path: Path) -> AsyncIterator[None]:
    """Nobody listens, for three tries."""
    await api.go_dark()
    yield
    await tried(path, 3)
    await api.come_back()


@asynccontextmanager
async def connect_late(api: BotApi, path: Path) -> AsyncIterator[None]:
    """Somebody listens, and takes no connection."""
    await api.go_dark()
    with socket.create_server(("127.0.0.1", api._port), backlog=0) as full:
        waiting = [socket.socket() for _ in range(3)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        yield
        await tried(path, 2)
        for client in waiting:
            client.close()
    await api.come_back()


@asynccontextmanager
async def pool_late(api: BotApi, path: Path) -> AsyncIterator[None]:
    """The only connection is busy with the other chat, which gets no answer."""
    api.fail_next(Fault.HUNG, chat=B)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(telegram, "_CONNECTIONS", 1)
        yield
        await tried(path, 1)


async def tried(path: Path, times: int) -> None:
    """Until so many tries to reach the chat have failed."""
    with closing(sqlite3.connect(path)) as database:
        query = "SELECT attempt FROM outbox WHERE chat = 'a' AND in_flight = 0 AND problem IS NOT NULL"
        while (database.execute(query).fetchone() or (0,))[0] < times:  # noqa: ASYNC110 - a row sets no event
            await asyncio.sleep(0.005)


LOST = ["Alerts no longer reach the chat a"]
PLAIN = ["Messages to the chat a go out as plain text"]

AGAIN, PERHAPS_AGAIN = [WAITS, DELIVERED], [MAYBE, DELIVERED]

ROWS: dict[str, list[Row]] = {
    "429": [Row(laid=answered(Fault.FLOOD), asked=2, shown=["x"], kept=AGAIN, why="Flood", waits=ASKED_TO_WAIT)],
    "403": [Row(laid=answered(Fault.BLOCKED), asked=1, shown=[], kept=[DEAD], why="blocked", disabled=True, told=LOST)],
    "chat not found": [
        Row(laid=answered(Fault.NO_CHAT), asked=1, shown=[], kept=[DEAD], why="not found", disabled=True, told=LOST)
    ],
    "migrated": [Row(laid=answered(Fault.MIGRATED), asked=2, shown=["x"], kept=AGAIN, moved=True)],
    "parse": [Row(laid=answered(Fault.PARSE), asked=2, shown=["x"], kept=[DELIVERED], styled=False, told=PLAIN)],
    "too long": [Row(laid=answered(Fault.TOO_LONG), asked=2, shown=["x"], kept=[DELIVERED], styled=False, told=PLAIN)],
    "401": [Row(laid=answered(Fault.UNAUTHORIZED), asked=1, shown=[], kept=[WAITS], why="@BotFather", ends=True)],
    "409": [Row(laid=answered(Fault.CONFLICT), asked=2, shown=["x"], kept=AGAIN, why="Conflict")],
    "5xx": [
        Row(laid=answered(Fault.SERVER_ERROR), asked=2, shown=[COPY], kept=PERHAPS_AGAIN, why="in trouble"),
        Row(laid=answered(Fault.BAD_GATEWAY), asked=2, shown=[COPY], kept=PERHAPS_AGAIN, why="Bad Gateway"),
    ],
    "connect refused": [Row(laid=nobody_listens, asked=1, shown=["x"], kept=AGAIN, why="could not connect")],
    "connect or pool timeout": [
        Row(laid=connect_late, asked=1, shown=["x"], kept=AGAIN, why="could not connect"),
        Row(laid=pool_late, asked=1, shown=["x"], kept=AGAIN, why="could not connect", beside=[f"{LABEL} y"]),
    ],
    "response lost": [
        Row(laid=answered(Fault.LOST), asked=2, shown=["x", COPY], kept=PERHAPS_AGAIN, why="no answer"),
        Row(laid=answered(Fault.DROPPED), asked=2, shown=[COPY], kept=PERHAPS_AGAIN, why="no answer"),
    ],
    "read timeout": [
        Row(laid=answered(Fault.SLOW), asked=2, shown=["x", COPY], kept=PERHAPS_AGAIN, why="Timed out"),
        Row(laid=answered(Fault.HUNG), asked=2, shown=[COPY], kept=PERHAPS_AGAIN, why="Timed out"),
    ],
}
"""By the name of the fault; where the same error can mean two things, both."""


# --- The claim --------------------------------------------------------------------------------------------------------


def test_it_has_a_row_for_each_of_the_thirteen(record_property: Callable[[str, object], None]) -> None:
    record_property("B3", f"{len(ROWS)} of 13 rows, in {sum(map(len, ROWS.values()))} variants")
    assert len(ROWS) == 13


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=f"{name} {n}") for name, rows in ROWS.items() for n, row in enumerate(rows, 1)]
)
async def test_it_does_what_the_table_says(tmp_path: Path, row: Row) -> None:
    await happened(tmp_path, row)


async def happened(folder: Path, row: Row) -> None:
    """One row from the fault to its end. Fails where anything is not as it says."""
    path = folder / "w.db"
    async with BotApi(chats=[A, B], flood=False) as api, AsyncExitStack() as fault:
        await fault.enter_async_context(row.laid(api, path))
        async with sending(api, path) as rig:
            noting(path)
            began = rig.clock.now()
            await rig.put(message("y", chat="b"), message(bold("x")))
            await fault.aclose()  # it is mended, where it is not over by itself
            await (rig.until(lambda: _true(rig.fatal)) if row.ends else rig.until_empty())
            assert rig.clock.now() - began >= row.waits
            assert bool(rig.fatal) == row.ends
            states = await rig.chats()
        assert (states["a"].disabled != "", states["b"].disabled) == (row.disabled, "")
        assert sum(method == "sendMessage" and chat in (A, NEW) for method, chat, _ in api.requests) == row.asked
        assert [shortened(text) for text in bare([*api.texts(A), *api.texts(NEW)])] == row.shown
        assert all(bool(sent.entities) == row.styled for sent in api.accepted if sent.chat != B)
        own, told = bare(api.texts(B))[: len(row.beside)], api.texts(B)[len(row.beside) :]
        assert [shortened(text) for text in own] == row.beside
        assert [line.split("\n")[0] for line in told] == row.told
        kept, why = noted(path)
        assert kept == row.kept
        assert row.why in why
        assert (states["a"].address == str(NEW)) == row.moved
        if row.ends:
            assert await exit_code(folder, api) == EXIT_FAILED
            assert noted(path)[0] == row.kept


@asynccontextmanager
async def sending(api: BotApi, path: Path) -> AsyncIterator[Rig]:
    async with (
        TelegramBot(api.token, base_url=api.base_url, connect_timeout=0.2, read_timeout=0.5) as bot,
        working(path, {"a": bot.chat(str(A)), "b": bot.chat(str(B))}) as rig,
    ):
        yield rig


def noting(path: Path) -> None:
    """Has the database itself note what it says of the alert after each try."""
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            """
            CREATE TABLE noted (fate TEXT, maybe_sent INTEGER, problem TEXT);
            CREATE TRIGGER note AFTER UPDATE ON outbox WHEN NEW.text = 'x' AND OLD.in_flight > NEW.in_flight
            BEGIN INSERT INTO noted VALUES (NEW.fate, NEW.maybe_sent, NEW.problem); END;
            """
        )


def noted(path: Path) -> tuple[list[str], str]:
    """What it said, one after the other, and why the first try failed."""
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT fate, maybe_sent, problem FROM noted").fetchall()
    said = [MAYBE if maybe and fate == WAITS else str(fate) for fate, maybe, _ in rows]
    return [one for one, _ in groupby(said)], rows[0][2] or ""


async def exit_code(folder: Path, api: BotApi) -> int:
    """Of the daemon on the same outbox, refused in the same way."""
    api.fail_next(Fault.UNAUTHORIZED, chat=A)
    set_token(folder, api.token)
    telegram = f'[telegram]\ntoken = "${{file:token}}"\napi = "{api.base_url.removesuffix("/bot")}"\n'
    config = configure(folder, f'state = "w.db"\n{telegram}[chats.a]\nid = {A}\n[chats.b]\nid = {B}\n')
    return await Daemon(load(config)).run()


async def _true(value: object) -> bool:
    return bool(value)
