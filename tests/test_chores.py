"""What comes round by itself comes round in time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from watcher.chores import Chores


async def test_it_keeps_house_soon_after_a_start_however_often_it_is_restarted() -> None:
    nobody: Any = None
    chores = Chores(
        store=nobody,
        sender=nobody,
        handling=nobody,
        recorder=nobody,
        escalator=nobody,
        digests=nobody,
        settings=nobody,
        watches=nobody,
        files=None,
        changed=nobody,
        now=nobody,
    )
    scheduler = AsyncIOScheduler()
    scheduler.start(paused=True)
    chores.start(scheduler)
    first = scheduler.get_job("housekeeping").next_run_time
    scheduler.shutdown(wait=False)
    assert first - datetime.now(UTC) < timedelta(minutes=15)
