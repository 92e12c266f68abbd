"""A sender as a process of its own, killed again and again on the way to an empty outbox; and what the chats got."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from tests.bot_api import BotApi
from tests.notify import kill_child
from tests.notify.support import bare as without_age
from tests.notify.support import message
from watcher.notify.notices import REPEAT
from watcher.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Killing:
    """How often it is killed: after one to eight more messages, and up to `late` seconds later."""

    chats: Mapping[str, int]
    each: int
    kills: int
    answer: float
    late: float

    @property
    def wanted(self) -> dict[str, list[str]]:
        """The texts of each chat, in their order."""
        return {name: [f"{name} {number}" for number in range(self.each)] for name in self.chats}


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """What came of it. A copy is extra when the same text had been taken before; `torn` counts spoilt databases."""

    messages: int
    lost: int
    out_of_order: int
    extra: int
    most_after_one_kill: int
    most_of_one_message: int
    of_what_was_not_cut_off: int
    unlabelled: int
    labels: int
    kills: int
    kills_in_a_send: int
    kills_in_several_sends: int
    torn: int

    def __add__(self, other: Self) -> Copies:
        ours, theirs = asdict(self), asdict(other)
        return Copies(**{name: (max if name.startswith("most") else _sum)(ours[name], theirs[name]) for name in ours})

    @property
    def clean(self) -> bool:
        """Nothing lost, nothing unlabelled, and of each kill at most one copy: of a send that it cut off."""
        faults = (self.lost, self.out_of_order, self.unlabelled, self.of_what_was_not_cut_off, self.torn)
        return not any(faults) and self.most_after_one_kill <= 1


def _sum(one: int, other: int) -> int:
    return one + other


async def killed(path: Path, dice: random.Random, plan: Killing) -> Copies:
    """Fills an outbox at `path`, and empties it through as many processes as it takes."""
    texts = [text for some in plan.wanted.values() for text in some]
    store = Store.open(path)
    store.commit([], [message(text, text.split()[0], created_at=int(time.time())) for text in texts])
    store.close()
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([kill_child.__name__])
    ends: list[int] = []
    cut_off: list[int] = []
    async with BotApi(
        chats=plan.chats.values(), flood=False, latency=lambda: dice.uniform(0.0, plan.answer / 2)
    ) as api:
        for kill in range(plan.kills + 1):
            child = processes.Process(target=kill_child.run, args=(path, api.token, api.base_url, dict(plan.chats)))
            child.start()
            if kill < plan.kills:
                async with asyncio.timeout(60):
                    await api.until(len(api.accepted) + dice.randint(1, 8))
                await asyncio.sleep(dice.uniform(0.0, plan.late))  # any moment of a send, not only the one after it
                child.kill()
            await asyncio.to_thread(child.join, 300)
            assert child.exitcode == (-signal.SIGKILL if kill < plan.kills else 0)
            child.close()
            await asyncio.sleep(plan.answer)  # what the dead had sent is taken by now
            ends.append(len(api.accepted))
            if kill < plan.kills:
                cut_off.append(_claims(path))
        received = {name: api.texts(number) for name, number in plan.chats.items()}
        return _counted(api.texts(), received, plan, ends, cut_off, torn=_is_torn(path))


def _counted(
    texts: Sequence[str],
    received: Mapping[str, Sequence[str]],
    plan: Killing,
    ends: Sequence[int],
    cut_off: Sequence[int],
    *,
    torn: bool,
) -> Copies:
    """`ends` are how many texts had been received at the end of each process, `cut_off` its open claims.

    A copy is owed to the end that came after the one before it.
    """
    seen: dict[str, int] = {}
    copies: Counter[int] = Counter()
    unlabelled = 0
    for place, text in enumerate(texts):
        bare = _bare(text)
        if bare in seen:
            copies[sum(end <= seen[bare] for end in ends)] += 1
            unlabelled += not text.startswith(REPEAT)
        seen[bare] = place
    return Copies(
        messages=len(plan.chats) * plan.each,
        lost=len({text for some in plan.wanted.values() for text in some} - seen.keys()),
        out_of_order=sum(list(dict.fromkeys(map(_bare, received[name]))) != plan.wanted[name] for name in plan.chats),
        extra=copies.total(),
        most_after_one_kill=max(copies.values(), default=0),
        most_of_one_message=max(Counter(map(_bare, texts)).values()),
        of_what_was_not_cut_off=sum(max(0, copies[n] - claims) for n, claims in enumerate(cut_off)),
        unlabelled=unlabelled,
        labels=sum(text.startswith(REPEAT) for text in texts),
        kills=plan.kills,
        kills_in_a_send=sum(claims > 0 for claims in cut_off),
        kills_in_several_sends=sum(claims > 1 for claims in cut_off),
        torn=torn,
    )


def _bare(text: str) -> str:
    [bare] = without_age([text.removeprefix(REPEAT + "\n")])
    return bare


def _claims(path: Path) -> int:
    """How many claims are on the disk of which nothing else is known."""
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM outbox WHERE in_flight = 1").fetchone()[0])


def _is_torn(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        return bool(connection.execute("PRAGMA integrity_check").fetchone() != ("ok",))
