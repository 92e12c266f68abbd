"""The process that the kill test kills: a sender on a database, until the outbox is empty."""

from __future__ import annotations

import asyncio
from pathlib import Path

from watcher.notify.pacing import Limits, Rate
from watcher.notify.sender import Sender
from watcher.notify.telegram import TelegramBot
from watcher.store import Store, StoreThread

_UNHURRIED = Limits(overall=Rate(10_000, 1.0), chat=Rate(10_000, 1.0), group=Rate(10_000, 1.0))


def run(path: Path, token: str, base_url: str, chats: dict[str, int]) -> None:
    asyncio.run(_send_all(path, token, base_url, chats))


async def _send_all(path: Path, token: str, base_url: str, chats: dict[str, int]) -> None:
    thread = StoreThread(Store.open(path))
    async with TelegramBot(token, base_url=base_url) as bot:
        channels = {name: bot.chat(str(number)) for name, number in chats.items()}
        sender = Sender(thread, channels, limits=_UNHURRIED)
        running = asyncio.create_task(sender.run())
        while (await thread.do(Store.backlog)).pending:  # noqa: ASYNC110 - the database sets no event
            await asyncio.sleep(0.01)
        await sender.stop(5.0)
        await running
    await thread.close()
