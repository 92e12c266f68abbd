"""The database and the ways to people, looked at where they really are."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.bot_api import BotApi
from tests.daemon.dark import configure
from tests.notify.test_webhook import receiving
from tests.store.samples import lose_chat, message
from watcher.config import Settings, load
from watcher.doctor import Finding, Grade, machine, people
from watcher.doctor.machine import look_at_daemon, look_at_database
from watcher.doctor.people import look_at_people
from watcher.store import Store
from watcher.store.schema import VERSION

NOW = 1_760_000_000


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(configure(tmp_path))


def secret(folder: Path, name: str, value: str) -> None:
    (folder / name).touch(mode=0o600)
    (folder / name).write_text(value)


def told_by_telegram(
    folder: Path, api: str = "http://127.0.0.1:1", token: str = "1:stand-in", more: str = ""
) -> Settings:
    secret(folder, "token", token)
    bot = f'[telegram]\ntoken = "${{file:token}}"\napi = "{api.removesuffix("/bot")}"\n'
    return load(configure(folder, f"{bot}[chats.desk]\nid = 5\n{more}"))


def of(part: str, findings: list[Finding]) -> list[tuple[Grade, str]]:
    return [(one.grade, one.words) for one in findings if one.part == part]


# --- The database -----------------------------------------------------------------------------------------------------


def test_it_makes_no_database_by_looking(settings: Settings) -> None:
    [(grade, words)] = of("database", look_at_database(settings, NOW))
    assert grade is Grade.NOTE
    assert words == f"none yet at {settings.state}: the first watcher run makes it"
    assert not settings.state.exists()


def test_it_finds_a_database_whole_beside_the_watcher_that_has_it_open(settings: Settings) -> None:
    assert look_at_daemon(settings).grade is Grade.WARNING
    with closing(Store.open(settings.state)):
        [(grade, words)] = of("database", look_at_database(settings, NOW))
        assert grade is Grade.WELL
        assert words.startswith("whole, ")
        assert words.endswith(f"schema {VERSION}, SQLite {sqlite3.sqlite_version}")
        assert look_at_daemon(settings) == Finding(
            part="watcher", grade=Grade.WELL, words=f"runs as process {os.getpid()}"
        )


def test_it_finds_damage(settings: Settings) -> None:
    with closing(Store.open(settings.state)) as store:
        for _ in range(200):
            store.commit([], [message("x" * 500)])
    with settings.state.open("r+b") as file:
        file.seek(-4096, os.SEEK_END)
        file.write(b"\xaa" * 4096)
    [(grade, words)] = of("database", look_at_database(settings, NOW))
    assert grade is Grade.WRONG
    assert str(settings.state) in words


def test_it_tells_of_what_waits_too_long_and_of_a_chat_that_refused(tmp_path: Path) -> None:
    settings = told_by_telegram(tmp_path)
    with closing(Store.open(settings.state)) as store:
        store.register({"desk": "5"})
        store.commit([], [message("a", chat="desk", created_at=NOW)])
        assert of("outbox", look_at_database(settings, NOW + 60)) == [(Grade.WELL, "1 waiting")]
        assert of("outbox", look_at_database(settings, NOW + 3600)) == [
            (Grade.WRONG, "1 waiting, the oldest for 1 h: they do not get through")
        ]
        lose_chat(store, "desk", "bot was blocked")
        told = of("outbox", look_at_database(settings, NOW + 60))
        assert (Grade.WRONG, "desk is sent nothing, since it refused: bot was blocked") in told


def test_it_says_when_the_volume_is_nearly_full(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert of("volume", look_at_database(settings, NOW))[0][1].endswith("free where the database is")
    monkeypatch.setattr(machine, "SPACE_WARNS", 1 << 62)
    assert of("volume", look_at_database(settings, NOW))[0][0] is Grade.WARNING
    monkeypatch.setattr(machine, "SPACE_WRONG", 1 << 62)
    [(grade, words)] = of("volume", look_at_database(settings, NOW))
    assert grade is Grade.WRONG
    assert words.endswith(": make room, or nothing can be kept")


# --- People -----------------------------------------------------------------------------------------------------------


async def test_it_asks_telegram_for_the_bot_its_chats_and_who_receives_its_messages(tmp_path: Path) -> None:
    async with BotApi("1:stand-in", chats=[5]) as api:
        settings = told_by_telegram(tmp_path, api.base_url, more="[chats.gone]\nid = 6\n")
        assert of("Telegram", await look_at_people(settings)) == [
            (Grade.WELL, "the bot is @watcher_bot"),
            (Grade.WELL, "chat desk (5) can be written to"),
            (Grade.WRONG, "chat gone (6): Chat not found"),
            (Grade.WELL, "no webhook takes the bot's messages"),
        ]
        api.webhook = "https://hooks.example/kEy0inPath7f3a"
        told = of("Telegram", await look_at_people(settings))
        assert told[-1][0] is Grade.WARNING
        assert told[-1][1].startswith("a webhook takes this bot's messages to hooks.example: no command is heard")
        assert "getUpdates" not in {method for method, _, _ in api.requests}  # it would cut off the one who polls
        assert api.accepted == []


async def test_it_says_that_a_token_is_not_known_without_showing_it(tmp_path: Path) -> None:
    async with BotApi("1:stand-in", chats=[5]) as api:
        told = of("Telegram", await look_at_people(told_by_telegram(tmp_path, api.base_url, "2:kEy0inPath7f3a")))
    assert told[0][0] is Grade.WRONG
    assert told[0][1].startswith("the bot's token: Telegram does not know this bot token")
    assert "kEy0" not in str(told)


async def test_it_waits_for_nobody_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "WITHIN", 0.2)
    async with BotApi("1:stand-in", chats=[5]) as api:
        api.fail_next("hung", method="getMe")
        began = time.monotonic()
        told = of("Telegram", await look_at_people(told_by_telegram(tmp_path, api.base_url)))
        assert time.monotonic() - began < 2
    assert (Grade.WRONG, "no answer within 0.2 s") in told


async def test_it_does_not_tell_the_dead_mans_switch_that_all_is_well(tmp_path: Path) -> None:
    async with receiving() as receiver:
        secret(tmp_path, "url", f"http://127.0.0.1:{receiver.port}/kEy0inPath7f3a")
        settings = load(configure(tmp_path, '[deadman]\nurl = "${file:url}"\n'))
        [(grade, words)] = of("dead-man", await look_at_people(settings))
        assert grade is Grade.WELL
        assert words.startswith(f"127.0.0.1:{receiver.port}, every ")
        assert "kEy0" not in words
        assert receiver.got == []


async def test_it_notes_what_is_not_configured_and_warns_where_nobody_is_told(settings: Settings) -> None:
    found = await look_at_people(settings)
    assert [(one.part, one.grade) for one in found] == [
        ("chats", Grade.WARNING),
        ("escalation", Grade.NOTE),
        ("dead-man", Grade.NOTE),
    ]
