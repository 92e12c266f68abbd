"""B1. SIGKILL of a worker at two hundred random moments, a send in flight at most of them."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.bot_api import BotApi
from tests.long.measured import write_section
from tests.long.progress import Progress
from tests.notify import kill_child
from tests.notify.support import bare as without_age
from tests.notify.support import message
from watcher.notify.notices import REPEAT
from watcher.store import Store

PARTS, KILLS, EACH = 4, 50, 200
CHATS = {"a": 1, "b": 2, "c": -3, "d": 4, "e": -5}
ANSWER = 0.03
"""The longest answer in seconds: what one worker at a time is quick enough for."""

pytestmark = pytest.mark.long


@pytest.mark.parametrize("part", range(1, PARTS + 1))
async def test_it_loses_nothing_and_repeats_no_more_than_was_cut_off_each_with_its_label(
    tmp_path: Path, part: int
) -> None:
    progress = Progress("delivery-kills", Path(__file__), Path(kill_child.__file__))
    if len(progress.parts) == PARTS:  # a whole run lies behind us, this is another one
        progress.forget()
    if str(part) in progress.parts:
        pytest.skip("done before")
    figures = await killed(tmp_path / "w.db", random.Random(part))
    assert figures["lost"] == figures["unlabelled copies"] == 0, figures
    assert figures["integrity"] == "ok"
    assert figures["extra copies"] <= KILLS, figures
    assert figures["copies of what was not cut off"] == 0, figures
    progress.add(str(part), figures)
    if len(progress.parts) == PARTS:
        record(list(progress.parts.values()))


async def killed(path: Path, dice: random.Random) -> dict[str, Any]:
    """A worker on a full outbox, killed and started again; what the chats got of it."""
    wanted = {f"{name} {number}" for name in CHATS for number in range(EACH)}
    store = Store.open(path)
    texts = sorted(wanted)
    dice.shuffle(texts)
    store.commit([], [message(text, text.split()[0], created_at=int(time.time())) for text in texts])
    store.close()
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([kill_child.__name__])
    cuts, cut_off = [], []
    async with BotApi(chats=CHATS.values(), flood=False, latency=lambda: dice.uniform(0.0, ANSWER / 2)) as api:
        for kill in range(KILLS + 1):
            child = processes.Process(target=kill_child.run, args=(path, api.token, api.base_url, CHATS))
            child.start()
            if kill < KILLS:
                async with asyncio.timeout(60):
                    await api.until(len(api.accepted) + dice.randint(1, 8))
                await asyncio.sleep(dice.uniform(0.0, 0.06))
                child.kill()
            await asyncio.to_thread(child.join, 300)
            assert child.exitcode is not None
            child.close()
            await asyncio.sleep(ANSWER)  # what the dead had sent is taken by now
            cuts.append(len(api.accepted))
            if kill < KILLS:
                cut_off.append(_claims(path))
        received = [sent.text for sent in api.accepted]
    return _figures(received, wanted, cuts, cut_off) | {
        "kills": KILLS,
        "kills that cut a send off": sum(claims > 0 for claims in cut_off),
        "kills that cut off more than one": sum(claims > 1 for claims in cut_off),
        "integrity": _integrity(path),
    }


def _figures(received: list[str], wanted: set[str], cuts: list[int], cut_off: list[int]) -> dict[str, Any]:
    """`cuts` are how many messages had been received at the end of each process, `cut_off` its open claims.

    A copy is owed to the end that came after the one before it.
    """
    seen: dict[str, int] = {}
    copies: Counter[int] = Counter()
    labelled = unlabelled = 0
    for place, text in enumerate(received):
        [bare] = without_age([text.removeprefix(REPEAT + "\n")])
        labelled += text.startswith(REPEAT)
        if bare in seen:
            copies[sum(cut <= seen[bare] for cut in cuts)] += 1
            unlabelled += not text.startswith(REPEAT)
        seen[bare] = place
    return {
        "messages": len(wanted),
        "lost": len(wanted - seen.keys()),
        "extra copies": copies.total(),
        "most copies after one kill": max(copies.values(), default=0),
        "copies of what was not cut off": sum(max(0, copies[n] - claims) for n, claims in enumerate(cut_off)),
        "unlabelled copies": unlabelled,
        "labels": labelled,
    }


def _claims(path: Path) -> int:
    """How many claims are on the disk of which nothing else is known."""
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM outbox WHERE in_flight = 1").fetchone()[0])


def _integrity(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


def record(parts: list[dict[str, Any]]) -> None:
    total = {name: sum(part[name] for part in parts) for name, value in parts[0].items() if isinstance(value, int)}
    total["most copies after one kill"] = max(part["most copies after one kill"] for part in parts)
    total["integrity check"] = f"ok, {sum(part['integrity'] == 'ok' for part in parts)} of {len(parts)}"
    write_section(
        "delivery-kills",
        "The sender killed at any moment",
        f"A sender as a process of its own empties an outbox for {len(CHATS)} chats, through the real Telegram library,"
        f" into a Bot API that answers within {ANSWER * 1000:.0f} ms; after one to eight messages, and up to 60 ms"
        " later, it gets SIGKILL and is started again. A copy is extra when the same text had been taken before.",
        total,
    )
