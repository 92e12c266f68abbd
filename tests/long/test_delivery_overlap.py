"""What a kill may repeat at most, and what that costs: sends at once, by how many chats wait and how late answers are.

A send waits for the answer to the one before it, and the shorter the more chats wait (`notify/way`). What is on its way
when the process is killed is what may be read twice after it.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.long.measured import write_section
from tests.notify.support import message
from watcher.alerts.message import Message, Text
from watcher.notify.channel import PLAIN, Envelope, Pace
from watcher.notify.sender import Sender
from watcher.store import Store, StoreThread

CHATS, ANSWERS = (2, 5, 10, 30, 50), (0.03, 0.1, 0.3, 1.0)

pytestmark = pytest.mark.long


@dataclass(slots=True)
class Service:
    """Answers so many seconds after it was asked; `most` requests were there at once."""

    answer: float
    now: int = 0
    most: int = 0
    ended: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ServiceChat:
    service: Service

    @property
    def pace(self) -> Pace:
        return Pace.PRIVATE

    def parts(self, body: Text, *, plain: bool = False) -> tuple[Text, ...]:
        return (body,)

    async def send(self, message: Message, *, label: str | None, envelope: Envelope = PLAIN) -> str:
        self.service.now += 1
        self.service.most = max(self.service.most, self.service.now)
        await asyncio.sleep(self.service.answer)
        self.service.now -= 1
        self.service.ended.append(time.monotonic())
        return str(len(self.service.ended))

    def move(self, address: str) -> None:
        raise AssertionError(f"nothing moves here: {address}")


async def test_it_has_one_send_on_its_way_unless_answers_are_late_for_how_many_wait(tmp_path: Path) -> None:
    facts = {}
    for chats in CHATS:
        for answer in ANSWERS:
            most, took = await told(tmp_path / f"{chats} {answer}.db", chats, answer)
            facts[f"{chats} chats, answers after {answer} s"] = f"{most} at once, all told after {took:.1f} s"
            assert took <= 5 + answer
            assert most == 1 or answer > 0.07
            assert most == 1 or chats > 5 or answer > 0.4
    write_section(
        "delivery-overlap",
        "What a kill may repeat",
        "One message to each of so many chats, as far as possible at the same time. What is on its way at once is what"
        " a kill at that moment may repeat: one send, unless answers are late for how many chats wait.",
        facts,
    )


async def told(path: Path, chats: int, answer: float) -> tuple[int, float]:
    """How many sends there were at once at most, and after how many seconds the last one was answered."""
    service, thread = Service(answer), StoreThread(Store.open(path))
    names = [f"c{number}" for number in range(chats)]
    sender = Sender(thread, {name: ServiceChat(service) for name in names})
    await thread.do(Store.register, {name: name for name in names})
    await thread.do(Store.commit, [], [message("x", name, created_at=int(time.time())) for name in names])
    began = time.monotonic()
    running = asyncio.create_task(sender.run())
    async with asyncio.timeout(60):
        while len(service.ended) < chats:  # noqa: ASYNC110 - what a channel did sets no event
            await asyncio.sleep(0.005)
    await sender.stop(5.0)
    await running
    await thread.close()
    return service.most, service.ended[-1] - began
