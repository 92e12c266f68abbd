"""B7. A second watcher with the same bot: one clear error, and alerts go on as if nothing were."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from structlog.testing import capture_logs
from telegram import Bot

from tests.bot_api import BotApi
from tests.daemon.dark import configure, dark
from tests.daemon.waiting import eventually
from tests.daemon.world import TOKEN, set_token
from tests.notify.support import message
from watcher.store import Store

CHATS = {f"c{number}": number + 1 for number in range(10)}


async def test_it_sends_on_while_another_poller_takes_its_commands(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    set_token(tmp_path, TOKEN)
    took = []
    async with BotApi(TOKEN, chats=CHATS.values()) as api, Bot(TOKEN, base_url=api.base_url) as other:
        telegram = f'[telegram]\ntoken = "${{file:token}}"\napi = "{api.base_url.removesuffix("/bot")}"\n'
        chats = "".join(f"[chats.{name}]\nid = {number}\n" for name, number in CHATS.items())
        with capture_logs() as logs:
            async with dark(configure(tmp_path, telegram + chats)) as daemon:
                await eventually(lambda: _polls(api) > 0)
                for name, number in CHATS.items():
                    await other.get_updates(timeout=0)
                    began = time.monotonic()
                    await daemon._store.do(Store.commit, [], [message(f"alert for {name}", name)])
                    daemon._sender.wake()
                    await eventually(lambda number=number: _alerts(api, number) == 1)  # type: ignore[misc]
                    took.append(time.monotonic() - began)
                await eventually(lambda: len(api.accepted) == 2 * len(CHATS))
    told = [text for text in api.texts() if "COMMANDS ARE NOT HEARD" in text]
    assert len(told) == len(CHATS)
    assert [log["event"] for log in logs if log["log_level"] == "error"] == ["bot.contested"]
    record_property("B7", f"1 error, told once to each chat; 10 alerts beside it, each within {max(took):.1f} s")
    assert max(took) <= 2.5


def _polls(api: BotApi) -> int:
    return sum(method == "getUpdates" for method, *_ in api.requests)


def _alerts(api: BotApi, chat: int) -> int:
    return sum("alert for" in text for text in api.texts(chat))
