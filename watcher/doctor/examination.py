"""The whole examination: everything at once, as far as one does not disturb the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from watcher.chain import open_session
from watcher.config import Settings
from watcher.doctor.endpoints import look_at_chain
from watcher.doctor.feeds import look_at_feeds
from watcher.doctor.findings import Diagnosis
from watcher.doctor.machine import look_at_clock, look_at_daemon, look_at_database
from watcher.doctor.people import look_at_people


async def examine(settings: Settings, now: Callable[[], float]) -> Diagnosis:
    """Some twenty seconds at most. Positions are read after the endpoints were timed: it would slow them."""
    people = asyncio.create_task(look_at_people(settings))
    database = asyncio.create_task(asyncio.to_thread(look_at_database, settings, int(now())))
    async with open_session() as session:
        chains = await asyncio.gather(*(look_at_chain(spec, session, now) for spec in settings.chains.values()))
    moment = int(now())
    feeds = await look_at_feeds(settings, now)
    clock, daemon = look_at_clock(chains, moment), look_at_daemon(settings)
    return Diagnosis(
        examined_at=moment,
        chains=tuple(chains),
        findings=(*feeds, clock, daemon, *await database, *await people),
    )
