"""Hearing commands from a Bot API over HTTP, by python-telegram-bot as it is."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from structlog.testing import capture_logs
from telegram import Bot

from tests.bot.seen import SEAL, Untouched, hands, view
from tests.bot_api import BotApi
from tests.bot_api_rules import Fault
from tests.daemon.waiting import eventually
from tests.notify.support import telegram
from watcher.alerts.message import Text
from watcher.bot import receive
from watcher.bot.access import Place, places
from watcher.bot.commands import COMMANDS
from watcher.bot.desk import WAITING, Desk
from watcher.bot.presses import MAY_ONLY_ASK, OUT_OF_DATE
from watcher.bot.receive import CONTESTED, TOO_OLD, Receiver
from watcher.bot.reply import Reply
from watcher.bot.view import View
from watcher.buttons import Action, Keyboard
from watcher.config import Chat

ME, GROUP, ANN, STRANGER = 5, -100, 7, 66
CHATS = {"me": Chat(name="me", id=ME), "desk": Chat(name="desk", id=GROUP, users=(ANN,))}
TOKEN = "1:stand-in"


@dataclass
class Ears:
    """A receiver at work, and all that it did."""

    api: BotApi
    said: list[tuple[str, str]] = field(default_factory=list)
    shown: list[tuple[str, str, str]] = field(default_factory=list)
    nods: list[tuple[str, str]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    looked: int = 0
    untouched: Untouched = field(default_factory=Untouched)
    now: float = 0.0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    broken: bool = False
    awake: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    async def places(self) -> Sequence[Place]:
        return places(CHATS, {})

    async def view(self, _: Chat) -> View:
        self.looked += 1
        if self.broken:
            raise ZeroDivisionError
        return view()

    async def say(self, chat: str, reply: Reply, reply_to: str | None = None) -> None:
        await self.gate.wait()
        self.said.append((chat, str(reply.body)))

    async def show(self, chat: str, message: str, body: Text | None, keyboard: Keyboard) -> None:
        self.shown.append((chat, message, str(body)))

    async def nod(self, query: str, text: str) -> None:
        self.nods.append((query, text))

    async def tell(self, title: str, text: str) -> None:
        self.told.append(f"{title}\n{text}")

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self.awake.wait()

    async def heard(self, count: int) -> list[tuple[str, str]]:
        await eventually(lambda: len(self.said) >= count)
        return self.said

    async def polled(self) -> None:
        """Until everything that was written so far has been taken."""
        before = self.polls
        await eventually(lambda: self.polls > before)

    @property
    def polls(self) -> int:
        return sum(method == "getUpdates" for method, *_ in self.api.requests)


@asynccontextmanager
async def listening(api: BotApi, *, open_gate: bool = True) -> AsyncIterator[Ears]:
    ears = Ears(api)
    if open_gate:
        ears.gate.set()
    async with telegram(api) as bot:
        desk = Desk(voice=ears, view=ears.view, hands=hands(ears.untouched))
        receiver = Receiver(
            bot.library,
            places=ears.places,
            seal=SEAL,
            take=desk.take,
            tell=ears.tell,
            now=lambda: ears.now,
            sleep=ears.sleep,
        )
        ears.task = asyncio.create_task(receiver.run())
        try:
            yield ears
        finally:
            ears.task.cancel()
            await asyncio.gather(ears.task, return_exceptions=True)
            await desk.close()


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi(TOKEN, chats=[ME, GROUP, STRANGER]) as api:
        yield api


async def test_it_answers_where_it_was_asked_and_offers_its_commands(api: BotApi) -> None:
    async with listening(api) as ears:
        api.updates.say(ME, ME, "/health main")
        api.updates.say(GROUP, ANN, "/health@watcher_bot desk")
        said = dict(await ears.heard(2))
    assert said["me"].startswith("1.0416 CRITICAL · main")
    assert said["desk"].startswith("1.0797 CRITICAL · desk")
    assert [method for method, *_ in api.requests].count("setMyCommands") == 1


async def test_it_gives_strangers_no_answer_and_does_nothing_for_them(api: BotApi) -> None:
    dice = random.Random(1)
    async with listening(api) as ears:
        for _ in range(1000):
            chat, user = dice.choice([(STRANGER, STRANGER), (GROUP, STRANGER), (ME, STRANGER), (-9, ANN), (GROUP, ME)])
            api.updates.say(chat, user, f"/{dice.choice([*COMMANDS, 'start', 'ack'])} {dice.randrange(99)}")
        api.updates.say(ME, ME, "/help")
        await ears.heard(1)
    assert len(ears.said) == ears.looked == 1
    assert api.accepted == []
    assert {method for method, *_ in api.requests} == {"getMe", "setMyCommands", "getUpdates"}


async def test_it_does_nothing_for_any_of_a_thousand_presses_that_are_not_right(api: BotApi) -> None:
    dice = random.Random(5)
    listed = {(ME, ME), (GROUP, ANN)}
    by_number = {ME: "me", GROUP: "desk"}
    async with listening(api) as ears:
        strangers, ours = 0, 0
        for _ in range(1000):
            chat, user = dice.choice([ME, GROUP, STRANGER, -9]), dice.choice([ME, ANN, STRANGER])
            right = dice.choice(["me", "desk"])
            data = SEAL.sealed(dice.choice(tuple(Action)), right, dice.randrange(9), dice.choice(["", "3600", "0"]))
            if (chat, user) in listed and by_number[chat] == right and dice.random() < 0.5:
                data = _forged(data, dice)
            api.updates.press(chat, user, dice.randrange(1, 9), data)
            strangers, ours = strangers + ((chat, user) not in listed), ours + ((chat, user) in listed)
            if (chat, user) in listed:
                await eventually(lambda: len(ears.nods) == ours)  # noqa: B023 - awaited in this turn of the loop
        api.updates.say(ME, ME, "/help")
        await ears.heard(1)
    assert strangers > 700
    assert ears.untouched.done == []
    assert len(ears.said) == 1
    assert ears.shown == []
    assert {text for _, text in ears.nods} == {OUT_OF_DATE, MAY_ONLY_ASK}
    assert {method for method, *_ in api.requests} == {"getMe", "setMyCommands", "getUpdates"}


def _forged(data: str, dice: random.Random) -> str:
    """The same with one character another, or cut, or with something behind."""
    place = dice.randrange(len(data))
    other = dice.choice("abcXYZ019-_:")
    return dice.choice(
        [data[:place] + other + data[place + 1 :] if data[place] != other else "", data[:place], data + other]
    )


async def test_it_does_not_answer_what_was_asked_long_ago(api: BotApi) -> None:
    async with listening(api) as ears:
        await eventually(lambda: ears.polls == 1)
        ears.now = 10_000_000_000.0
        api.updates.say(ME, ME, "/status")
        await ears.polled()
        ears.now = 0.0
        api.updates.say(ME, ME, "/help")
        [(_, only)] = await ears.heard(1)
    assert only.startswith("/status\nWhat is watched")
    assert TOO_OLD == 120


async def test_it_gives_way_to_another_poller_with_one_clear_error(api: BotApi) -> None:
    with capture_logs() as logs:
        async with listening(api) as ears:
            await eventually(lambda: ears.polls == 1)
            async with Bot(TOKEN, base_url=api.base_url) as other:
                await other.get_updates(timeout=0)
                await eventually(lambda: bool(ears.slept))
                polls = ears.polls
                assert ears.slept == [CONTESTED]
                await other.get_updates(timeout=0)
                assert ears.polls == polls + 1  # the other's own
            api.fail_next(Fault.CONFLICT, method="getUpdates")
            ears.awake.set()
            await eventually(lambda: len(ears.slept) == 2)
            ears.now = 2 * 3600
            api.updates.say(ME, ME, "/help")
            await ears.heard(1)
            assert [log["event"] for log in logs if log["log_level"] == "error"] == ["bot.contested"]
            api.fail_next(Fault.CONFLICT, method="getUpdates")
            api.updates.say(ME, ME, "/help")
            await eventually(lambda: len(ears.told) == 2)  # news again, hours later
    told, _ = ears.told
    assert told.startswith("COMMANDS ARE NOT HEARD\nSomething else receives this bot's messages: a second watcher")
    assert "Alerts go on." in told


async def test_it_comes_back_after_trouble_on_the_way(api: BotApi) -> None:
    with capture_logs() as logs:
        for fault in (Fault.SERVER_ERROR, Fault.BAD_GATEWAY, Fault.DROPPED, Fault.PORTAL, Fault.LOST):
            api.fail_next(fault, method="getUpdates")
        api.fail_next(Fault.BAD_GATEWAY, method="getMe")
        async with listening(api) as ears:
            ears.awake.set()
            api.updates.say(ME, ME, "/help")
            await ears.heard(1)
    assert ears.slept[:6] == [1, 2, 4, 8, 16, 32]
    assert [log["event"] for log in logs] == ["bot.unreachable"]
    assert TOKEN not in str(logs)


async def test_it_waits_as_long_as_telegram_asks_for(api: BotApi) -> None:
    api.fail_next(Fault.FLOOD, method="getUpdates", retry_after=17)
    async with listening(api) as ears:
        ears.awake.set()
        api.updates.say(ME, ME, "/help")
        await ears.heard(1)
    assert ears.slept == [17]


async def test_it_ends_when_telegram_refuses_the_token(api: BotApi) -> None:
    api.fail_next(Fault.UNAUTHORIZED, method="getUpdates")
    with capture_logs() as logs:
        async with listening(api) as ears:
            assert ears.task is not None
            await asyncio.wait_for(ears.task, 10)
    assert [log["event"] for log in logs] == ["bot.token_refused"]


async def test_it_listens_without_a_menu(api: BotApi) -> None:
    api.fail_next(Fault.SERVER_ERROR, method="setMyCommands")
    with capture_logs() as logs:
        async with listening(api) as ears:
            api.updates.say(ME, ME, "/help")
            await ears.heard(1)
    assert [log["event"] for log in logs] == ["bot.no_menu"]


async def test_it_lets_nobody_pile_up_answers(api: BotApi) -> None:
    with capture_logs():
        async with listening(api, open_gate=False) as ears:
            for _ in range(50):
                api.updates.say(ME, ME, "/help")
            api.updates.say(GROUP, ANN, "/help")
            await eventually(lambda: ears.looked >= WAITING + 1)
            ears.gate.set()
            await ears.heard(WAITING + 1)
            api.updates.say(ME, ME, "/status")
            await ears.heard(WAITING + 2)
    assert [chat for chat, _ in ears.said].count("desk") == 1
    assert len(ears.said) == WAITING + 2


async def test_it_says_that_it_has_a_fault_and_goes_on(api: BotApi) -> None:
    with capture_logs() as logs:
        async with listening(api) as ears:
            ears.broken = True
            api.updates.say(ME, ME, "/status")
            await ears.heard(1)
            ears.broken = False
            api.updates.say(ME, ME, "/help")
            await ears.heard(2)
    assert "an internal error, see the log. Alerts go on." in ears.said[0][1]
    assert [log["event"] for log in logs] == ["bot.bug"]


async def test_it_takes_no_notice_of_what_is_no_text(api: BotApi, monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(api) as ears:
        photo: dict[str, Any] = {
            "message_id": 9,
            "date": 1,
            "chat": {"id": ME, "type": "private"},
            "caption": "/status",
        }
        api.updates._add(message=photo)
        api.updates._add(edited_message={**photo, "text": "/status"})
        api.updates._add(channel_post={**photo, "text": "/status"})
        api.updates.say(ME, ME, "/help")
        await ears.heard(1)
    assert len(ears.said) == 1
    assert receive.POLL < 50  # the longest that Telegram holds a poll open
