"""SIGKILL with sends in flight: nothing is lost, and every extra copy says that it may be one."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from tests.bot_api import BotApi
from tests.notify import kill_child
from tests.notify.support import message
from watcher.notify.notices import REPEAT
from watcher.store import Store

KILLS = 8
EACH = 40
CHATS = {"a": 1, "b": 2, "c": -3}


async def test_it_loses_nothing_and_labels_every_extra_copy_when_it_is_killed(tmp_path: Path) -> None:
    path, dice = tmp_path / "w.db", random.Random(20)
    texts = {name: [f"{name} {number}" for number in range(EACH)] for name in CHATS}
    store = Store.open(path)
    store.commit(
        [], [message(text, name, created_at=int(time.time())) for name, some in texts.items() for text in some]
    )
    store.close()
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([kill_child.__name__])
    async with BotApi(chats=CHATS.values(), flood=False, latency=lambda: dice.uniform(0.0, 0.015)) as api:
        for kill in range(KILLS + 1):
            child = processes.Process(target=kill_child.run, args=(path, api.token, api.base_url, CHATS))
            child.start()
            if kill < KILLS:
                async with asyncio.timeout(20):
                    await api.until(len(api.accepted) + dice.randint(1, 8))
                await asyncio.sleep(dice.uniform(0.0, 0.03))  # any moment of a send, not only the one after it
                child.kill()
            await asyncio.to_thread(child.join, 30)
            assert child.exitcode == (-signal.SIGKILL if kill < KILLS else 0)
            child.close()
    for name, number in CHATS.items():
        _check(api.texts(number), texts[name])
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def _check(received: list[str], wanted: list[str]) -> None:
    plain = [text for text in received if not text.startswith(REPEAT)]
    labelled = [text.removeprefix(REPEAT + "\n") for text in received if text.startswith(REPEAT)]
    assert set(plain + labelled) == set(wanted)
    assert max(Counter(plain).values()) == 1
    assert len(labelled) <= KILLS
    assert list(dict.fromkeys(text.removeprefix(REPEAT + "\n") for text in received)) == wanted
