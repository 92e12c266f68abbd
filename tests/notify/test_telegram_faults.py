"""What the table of faults (`test_fault_table`) does not say of how Telegram can fail, and what is done about it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from telegram.error import TelegramError, TimedOut

from tests.bot_api import BotApi
from tests.bot_api_rules import Fault
from tests.notify.support import LABEL, Rig, bare, message, shortened, telegram, working
from watcher.alerts.message import bold
from watcher.domain.errors import DeliveryError
from watcher.notify.channel import ChannelDown, ChatRefused, FateUnknown, NotSent
from watcher.notify.telegram import TelegramBot

A, B, NEW = -100, 6, -200


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi(chats=[A, B], flood=False) as api:
        yield api


@pytest.fixture
async def bot(api: BotApi) -> AsyncIterator[TelegramBot]:
    async with telegram(api) as bot:
        yield bot


@pytest.fixture
async def rig(tmp_path: Path, bot: TelegramBot) -> AsyncIterator[Rig]:
    async with working(tmp_path / "w.db", {"a": bot.chat(str(A)), "b": bot.chat(str(B))}) as rig:
        yield rig


async def test_it_takes_no_refusal_from_anybody_but_telegram(rig: Rig, api: BotApi) -> None:
    api.fail_next(Fault.PORTAL, chat=A)
    await rig.put(message("x"))
    await rig.until_empty()
    assert [shortened(text) for text in api.texts(A)] == [f"{LABEL} x"]
    assert not (await rig.chats())["a"].disabled
    assert not rig.fatal


async def test_it_holds_only_the_chat_that_telegram_asks_to_wait(rig: Rig, api: BotApi) -> None:
    api.fail_next(Fault.FLOOD, chat=A, retry_after=60)
    await rig.put(message("x"), *[message(f"b{n}", chat="b") for n in range(5)])
    await rig.until_empty()
    assert bare(api.texts()) == ["b0", "b1", "b2", "b3", "b4", "x"]


async def test_it_disables_a_chat_that_refuses_it_and_tells_the_others_once(rig: Rig, api: BotApi) -> None:
    api.fail_next(Fault.BLOCKED, chat=A)
    await rig.put(message("x"), message("y"))
    await rig.until_empty()
    assert api.texts(A) == []
    [notice] = api.texts(B)
    assert "no longer reach the chat a" in notice
    assert "reload" in notice
    disabled = (await rig.chats())["a"].disabled
    assert disabled
    assert disabled in notice
    backlog = await rig.backlog()
    assert (backlog.dead, backlog.refused) == (1, 1)


async def test_it_says_nothing_to_a_chat_about_itself(rig: Rig, api: BotApi) -> None:
    api.fail_next(Fault.BLOCKED, chat=A)
    api.fail_next(Fault.BLOCKED, chat=B)
    await rig.put(message("x"))
    await rig.until_empty()
    assert api.texts() == []
    backlog = await rig.backlog()
    assert (backlog.pending, backlog.dead) == (0, 2)


async def test_it_follows_a_group_that_became_a_supergroup(rig: Rig, api: BotApi) -> None:
    api.fail_next(Fault.MIGRATED, chat=A, new_id=NEW)
    await rig.put(message("x"), message("y"))
    await rig.until_empty()
    assert api.texts(NEW) == ["x", "y"]
    assert (await rig.chats())["a"].address == str(NEW)


@pytest.mark.parametrize("fault", [Fault.PARSE, Fault.TOO_LONG])
async def test_it_sends_a_text_plain_and_shorter_when_its_form_is_refused(rig: Rig, api: BotApi, fault: Fault) -> None:
    api.fail_next(fault, chat=A)
    await rig.put(message(bold("x" * 1_500) + " " + "y" * 1_500))
    await rig.until_empty()
    assert api.texts(A) == ["x" * 1_500, "y" * 1_500]
    assert not any(sent.entities for sent in api.accepted if sent.chat == A)
    assert ["plain text" in text for text in api.texts(B)] == [True]


async def test_it_gives_up_a_text_that_is_refused_in_every_form_but_not_its_chat(rig: Rig, api: BotApi) -> None:
    api.fail_next(Fault.PARSE, chat=A, times=2)
    await rig.put(message("x"), message("y"))
    await rig.until_empty()
    assert (await rig.backlog()).dead == 1
    assert [text.splitlines()[0] for text in api.texts(A)] == ["y", "A message to the chat a could not be shown"]
    assert [text.splitlines()[0] for text in api.texts(B)] == ["A message to the chat a could not be shown"]


async def test_it_labels_all_of_a_plain_text_when_its_second_half_fails(rig: Rig, api: BotApi) -> None:
    api.fail_next(Fault.TOO_LONG, chat=A)
    body = "x" * 1_900 + "\n" + "y" * 1_900
    await rig.put(message(body))

    def fail_the_second(_: object) -> None:
        api.fail_next(Fault.FLOOD, chat=A)
        api._on_message = None

    api._on_message = fail_the_second
    await rig.until_empty()
    first, repeat = bare(api.texts(A))
    assert first == "x" * 1_900
    assert shortened(repeat) == f"{LABEL} {body}"


async def test_it_stops_and_says_so_when_the_token_is_wrong(rig: Rig, api: BotApi) -> None:
    api.fail_next(Fault.UNAUTHORIZED, chat=A)
    await rig.put(message("x"))
    await rig.until(lambda: _true(rig.fatal))
    assert len(rig.fatal) == 1
    assert "@BotFather" in rig.fatal[0]
    await rig.put(message("y", chat="b"))
    await rig.sender.stop(1.0)
    assert api.texts() == []
    assert (await rig.backlog()).pending == 2


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (httpx.PoolTimeout("busy"), NotSent),
        (httpx.ConnectTimeout("late"), NotSent),
        (httpx.ConnectError("refused"), NotSent),
        (httpx.ReadTimeout("late"), FateUnknown),
        (httpx.WriteTimeout("late"), FateUnknown),
        (httpx.ReadError("reset"), FateUnknown),
        (httpx.RemoteProtocolError("gone"), FateUnknown),
        (ValueError("no JSON"), FateUnknown),
    ],
)
def test_it_reads_the_fate_from_what_lies_under_the_library_s_error(cause: Exception, kind: type[Exception]) -> None:
    error = TimedOut()
    error.__cause__ = cause
    assert type(TelegramBot("1:abc").failure(error)) is kind


async def test_it_knows_a_token_that_telegram_does_not(api: BotApi) -> None:
    for token in ("2:other", "malformed"):
        async with telegram(api, token=token) as stranger:
            with pytest.raises(ChannelDown, match="@BotFather"):
                await stranger.username()


async def test_it_proves_that_it_may_write_without_writing(api: BotApi, bot: TelegramBot) -> None:
    assert await bot.username() == "@watcher_bot"
    await bot.chat(str(B)).reach()
    with pytest.raises(ChatRefused, match="Chat not found"):
        await bot.chat("404").reach()
    assert api.accepted == []


async def test_it_says_the_token_nowhere(
    api: BotApi, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    api.token = "77:canary-secret"
    said = []
    async with telegram(api) as bot:
        chat = bot.chat(str(A))
        for fault in Fault:
            api.fail_next(fault, chat=A, new_id=NEW)
            try:
                await chat.send(message("x"), label=None)
            except DeliveryError as error:
                said.append(f"{error!r} {error} {error.__context__!r} {error.__cause__!r}")
        said += [repr(bot), str(bot), repr(chat), str(bot.failure(TelegramError(f"see {api.base_url}{api.token}/x")))]
    await api.go_dark()
    async with telegram(api) as bot, working(tmp_path / "w.db", {"a": bot.chat(str(A))}) as rig:
        await rig.put(message("x"))
        began = rig.clock.now()
        await rig.until(lambda: _true(rig.clock.now() > began + 5))
    assert len(said) >= len(Fault)
    printed = capsys.readouterr()
    kept = (tmp_path / "w.db").read_bytes()
    assert "notify.failed" in printed.out
    assert "canary" not in caplog.text + printed.out + printed.err + "".join(said)
    assert b"canary" not in kept


async def _true(value: object) -> bool:
    return bool(value)
