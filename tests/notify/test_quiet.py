"""Quiet hours: what is critical leaves at once, the rest at the end of them, folded."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from pathlib import Path

from tests.notify.support import START, JumpingClock, MemoryChannel, message
from watcher.alerts.message import Level
from watcher.notify.sender import Sender
from watcher.store import Store, StoreThread

ENDS = START + 8 * 3600


async def test_it_holds_all_but_the_critical_until_quiet_hours_end(tmp_path: Path) -> None:
    clock = JumpingClock()
    quiet, loud = MemoryChannel(clock), MemoryChannel(clock)

    def in_quiet_hours() -> Collection[str]:
        return ["quiet"] if clock.now() < ENDS else []

    thread = StoreThread(Store.open(tmp_path / "w.db"))
    queue = [
        message(f"{level.name.lower()} to {chat}", chat=chat, severity=level)
        for chat in ("quiet", "loud")
        for level in Level
    ]
    await thread.do(Store.commit, [], queue)
    sender = Sender(thread, {"quiet": quiet, "loud": loud}, clock=clock, quiet=in_quiet_hours)
    clock.busy = lambda: sender.in_flight > 0
    running = asyncio.create_task(sender.run())
    async with asyncio.timeout(60):
        while len(quiet.sent) < 4 or len(loud.sent) < 4:  # noqa: ASYNC110 - the channels set no event
            await asyncio.sleep(0.002)
    await sender.stop(1.0)
    await running
    await thread.close()
    before = [text for at, text, _ in quiet.sent if at < ENDS]
    assert before == ["liquidatable to quiet", "critical to quiet"]
    assert quiet.texts[2:] == ["warn to quiet", "ok to quiet"]
    assert quiet.sent[2][0] < ENDS + 15
    assert all(at < START + 10 for at, _, _ in loud.sent)
