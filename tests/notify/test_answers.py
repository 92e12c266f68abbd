"""Answers to commands: at once where nothing speaks against it, and never in the way of an alert."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from tests.daemon.waiting import eventually
from tests.notify.support import JumpingClock, MemoryChannel, message, working
from watcher.alerts.message import Level
from watcher.notify.channel import ChatRefused, NotSent
from watcher.store import Store


@pytest.fixture
def clock() -> JumpingClock:
    return JumpingClock()


async def test_it_sends_an_answer_and_keeps_nothing(tmp_path: Path, clock: JumpingClock) -> None:
    a = MemoryChannel(clock)
    async with working(tmp_path / "w.db", {"a": a}, clock=clock) as rig:
        await rig.sender.answer(message("an answer"))
        assert a.texts == ["an answer"]
        assert (await rig.backlog()).pending == 0


async def test_it_sends_alerts_that_wait_before_any_answer(tmp_path: Path, clock: JumpingClock) -> None:
    a = MemoryChannel(clock)
    alerts = [message(f"alert {n}", severity=Level.CRITICAL) for n in range(3)]
    async with working(tmp_path / "w.db", {"a": a}, clock=clock, before=alerts) as rig:
        await rig.sender.answer(message("an answer"))
    assert a.texts == ["alert 0", "alert 1", "alert 2", "an answer"]
    assert all(later - before >= 1 for (before, *_), (later, *_) in pairwise(a.sent))


async def test_it_holds_the_chat_as_long_as_telegram_asks_for(tmp_path: Path, clock: JumpingClock) -> None:
    a, began = MemoryChannel(clock, errors=[NotSent("flood", 30.0)]), clock.now()
    async with working(tmp_path / "w.db", {"a": a}, clock=clock) as rig:
        with pytest.raises(NotSent):
            await rig.sender.answer(message("an answer"))
        await rig.put(message("an alert"))
        await rig.until_empty()
    assert [(at - began, text) for at, text, _ in a.sent] == [(30.0, "an alert")]


async def test_it_refuses_a_chat_that_is_not_configured(tmp_path: Path, clock: JumpingClock) -> None:
    async with working(tmp_path / "w.db", {"a": MemoryChannel(clock)}, clock=clock) as rig:
        with pytest.raises(ChatRefused, match="no chat b"):
            await rig.sender.answer(message("an answer", "b"))


async def test_it_wakes_what_an_answer_kept_waiting(tmp_path: Path, clock: JumpingClock) -> None:
    a = MemoryChannel(clock, gate=asyncio.Event())
    async with working(tmp_path / "w.db", {"a": a}, clock=clock) as rig:
        idle, clock.busy = clock.busy, lambda: True  # the worker looks only when woken
        answering = asyncio.create_task(rig.sender.answer(message("an answer")))
        await eventually(lambda: bool(a.sent))
        await rig.thread.do(Store.commit, [], [message("an alert")])
        assert a.gate is not None
        a.gate.set()
        await answering
        clock.busy = idle
        await rig.until_empty()
    assert a.texts == ["an answer", "an alert"]
