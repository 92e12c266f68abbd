"""The stand-in is as strict as the Bot API, as python-telegram-bot sees it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, MessageEntity, ReplyParameters
from telegram.error import BadRequest, Conflict, InvalidToken, RetryAfter

from tests.bot_api import BotApi
from tests.bot_api_rules import Accepted


@pytest.fixture(autouse=True)
def _as_the_next_major_version_will(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "true")  # without it a flood refusal is a deprecation warning


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi(chats=[5, -6], topics={-6: [9]}) as api:
        yield api


@pytest.fixture
async def bot(api: BotApi) -> AsyncIterator[Bot]:
    async with Bot(api.token, base_url=api.base_url) as bot:
        yield bot


async def test_it_keeps_what_it_accepts_as_the_chat_would_show_it(api: BotApi, bot: Bot) -> None:
    sent = await bot.send_message(5, "  🦊 fox \n", entities=[MessageEntity("bold", 2, 7)], disable_notification=True)
    [kept] = api.accepted
    assert (kept.text, kept.silent, kept.message_id) == ("🦊 fox", True, sent.message_id)
    assert [(e["offset"], e["length"]) for e in kept.entities] == [(0, 6)]


@pytest.mark.parametrize(
    ("chat", "text", "entities", "refusal"),
    [
        (7, "x", [], "Chat not found"),
        (5, " \n ", [], "text is empty"),
        (5, "x" * 4097, [], "too long"),
        (5, "🦊" * 2049, [], "too long"),
        (5, "ab", [MessageEntity("bold", 1, 2)], "Entity_bounds_invalid"),
        (5, "🦊b", [MessageEntity("bold", 1, 2)], "middle of a utf-16"),
        (5, "ab", [MessageEntity("bold", 0, 0)], "wrong offset or length"),
        (5, "ab", [MessageEntity("text_link", 0, 1, url="javascript:x")], "wrong url"),
        (5, "ab", [MessageEntity("font", 0, 1)], "unknown type"),
    ],
)
async def test_it_refuses_what_telegram_refuses(
    bot: Bot, chat: int, text: str, entities: list[MessageEntity], refusal: str
) -> None:
    with pytest.raises(BadRequest, match=f"(?i){refusal}"):
        await bot.send_message(chat, text, entities=entities)


async def test_it_refuses_markup_threads_and_buttons_that_are_wrong(bot: Bot) -> None:
    with pytest.raises(BadRequest, match="speaks no markup"):
        await bot.send_message(5, "<b>x", parse_mode="HTML")
    with pytest.raises(BadRequest, match="thread not found"):
        await bot.send_message(-6, "x", message_thread_id=10)
    for button, said in (
        ({"text": "x", "callback_data": "d" * 65}, "Button_data_invalid"),
        ({"text": "x", "callback_data": ""}, "buttons are unallowed"),
        ({"text": "", "callback_data": "d"}, "must be non-empty"),
    ):
        with pytest.raises(BadRequest, match=said):
            await bot.send_message(5, "x", api_kwargs={"reply_markup": {"inline_keyboard": [[button]]}})


async def test_it_knows_a_wrong_token_from_a_malformed_one(api: BotApi) -> None:
    for token, said in (("2:other", "Unauthorized"), ("nonsense", "Not Found")):
        stranger = Bot(token, base_url=api.base_url)
        with pytest.raises(InvalidToken, match=said):
            await stranger.send_message(5, "x")
        await stranger.request.shutdown()


async def test_it_refuses_a_flood_and_names_the_seconds() -> None:
    now = [100.0]
    async with (
        BotApi(chats=[5, *range(-40, 0)], clock=lambda: now[0]) as api,
        Bot(api.token, base_url=api.base_url) as bot,
    ):
        await bot.send_message(5, "x")
        with pytest.raises(RetryAfter, match="0:00:01"):
            await bot.send_message(5, "x")
        for group in range(1, 30):
            await bot.send_message(-group, "x")
        with pytest.raises(RetryAfter):
            await bot.send_message(-30, "x")
        for second in range(1, 20):
            now[0] = 100.0 + second
            await bot.send_message(-1, "x")
        now[0] = 121.0
        with pytest.raises(RetryAfter, match="0:00:39"):
            await bot.send_message(-1, "x")


async def test_it_polls_long_and_ends_the_first_of_two_pollers(api: BotApi, bot: Bot) -> None:
    async with Bot(api.token, base_url=api.base_url) as other:
        first = asyncio.create_task(other.get_updates(timeout=10))
        while "getUpdates" not in [method for method, *_ in api.requests]:  # noqa: ASYNC110 - the server sets no event
            await asyncio.sleep(0.001)
        second = asyncio.create_task(bot.get_updates(timeout=10))
        with pytest.raises(Conflict):
            await first
    api.updates.say(5, 77, "/status now")
    [update] = await second
    assert update.message is not None
    assert update.message.text == "/status now"
    assert [u.update_id for u in await bot.get_updates(offset=update.update_id)] == [update.update_id]
    assert await bot.get_updates(offset=update.update_id + 1, timeout=0) == ()


@pytest.fixture
async def patient() -> AsyncIterator[tuple[BotApi, Bot]]:
    """One that refuses no flood."""
    async with BotApi(chats=[5], flood=False) as api, Bot(api.token, base_url=api.base_url) as bot:
        yield api, bot


async def test_it_counts_edits_as_messages(api: BotApi, bot: Bot) -> None:
    sent = await bot.send_message(5, "x")
    with pytest.raises(RetryAfter):
        await bot.edit_message_text("y", 5, sent.message_id)


async def test_it_takes_buttons_away_that_an_edit_does_not_name_again(patient: tuple[BotApi, Bot]) -> None:
    api, bot = patient
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("OK", callback_data="ok")]])
    sent = await bot.send_message(5, "x", reply_markup=keyboard)
    await bot.edit_message_text("y", 5, sent.message_id, reply_markup=keyboard)
    await bot.edit_message_text("y", 5, sent.message_id)
    assert [bool(edit.markup) for edit in api.edits] == [True, False]


async def test_it_replies_to_what_there_is(patient: tuple[BotApi, Bot]) -> None:
    api, bot = patient
    sent = await bot.send_message(5, "x")
    await bot.send_message(5, "y", reply_parameters=ReplyParameters(sent.message_id))
    await bot.send_message(5, "z", reply_parameters=ReplyParameters(999, allow_sending_without_reply=True))
    with pytest.raises(BadRequest, match="replied not found"):
        await bot.send_message(5, "z", reply_parameters=ReplyParameters(999))
    assert [message.reply_to for message in api.accepted] == [None, sent.message_id, None]


async def test_it_edits_and_answers_only_what_there_is(patient: tuple[BotApi, Bot]) -> None:
    api, bot = patient
    sent = await bot.send_message(5, "x")
    query = api.updates.press(5, 77, sent.message_id, "ack")
    [update] = await bot.get_updates()
    assert update.callback_query is not None
    assert update.callback_query.id == query
    assert await bot.answer_callback_query(query)
    with pytest.raises(BadRequest, match="too old"):
        await bot.answer_callback_query(query)
    await bot.edit_message_text("y", 5, sent.message_id)
    assert [edit.text for edit in api.edits] == ["y"]
    with pytest.raises(BadRequest, match="not modified"):
        await bot.edit_message_text("y", 5, sent.message_id)
    with pytest.raises(BadRequest, match="not found"):
        await bot.edit_message_text("y", 5, 999)
    assert (await bot.get_chat(5)).first_name == "User 5"


async def test_it_tells_a_callback_of_each_message() -> None:
    told: list[Accepted] = []
    async with BotApi(chats=[5], on_message=told.append) as api:
        async with Bot(api.token, base_url=api.base_url) as bot:
            await bot.send_message(5, "x")
        assert told == api.accepted == await api.until(1)


async def test_it_runs_as_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "tests.bot_api", "--token", "1:abc", "--chat", "5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: ASYNC220 - answers at once
        assert server.stdout is not None
        base_url = json.loads(server.stdout.readline())["base_url"]
        async with Bot("1:abc", base_url=base_url) as bot:
            await bot.send_message(5, "x")
        assert json.loads(server.stdout.readline())["text"] == "x"
        server.kill()


PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


async def test_it_takes_pictures_with_a_caption(api: BotApi, bot: Bot) -> None:
    sent = await bot.send_photo(5, PNG, caption=" a chart ", caption_entities=[MessageEntity("bold", 1, 1)])
    [kept] = api.accepted
    assert (kept.text, kept.photo, kept.entities[0]["offset"]) == ("a chart", len(PNG), 0)
    assert sent.caption == "a chart"


@pytest.mark.parametrize(
    ("photo", "caption", "refusal"),
    [(b"GIF89a", "", "image_process_failed"), (PNG, "x" * 1025, "caption is too long")],
)
async def test_it_refuses_pictures_that_telegram_refuses(bot: Bot, photo: bytes, caption: str, refusal: str) -> None:
    with pytest.raises(BadRequest, match=f"(?i){refusal}"):
        await bot.send_photo(5, photo, caption=caption)


async def test_it_changes_buttons_without_the_text(patient: tuple[BotApi, Bot]) -> None:
    api, bot = patient
    button = InlineKeyboardMarkup([[InlineKeyboardButton("b", callback_data="d")]])
    sent = await bot.send_message(5, "x", reply_markup=button)
    await bot.edit_message_reply_markup(5, sent.message_id)
    with pytest.raises(BadRequest, match="not modified"):
        await bot.edit_message_reply_markup(5, sent.message_id)
    [edit] = api.edits
    assert (edit.text, edit.markup) == ("x", None)
