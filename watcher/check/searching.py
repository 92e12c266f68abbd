"""The searches of a check: what a daemon's database knows of them, and a few seconds of carrying on with the rest.

Nothing is stored: the database is the daemon's.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from watcher.chain import Chain, ChainSpec
from watcher.config import Settings
from watcher.domain.errors import EndpointError, NotDecodable, WatcherError
from watcher.domain.searched import Searched
from watcher.searches import Place, Searches, wanted
from watcher.snapshot import Snapshot, watched_on

SEARCHES_WITHIN: Final = 4.0
"""Seconds for logs, the newest first; what is left then is told to be unsearched."""

Take = Callable[[], Awaitable[Snapshot]]


def recalled(spec: ChainSpec, settings: Settings) -> Searches:
    """What a daemon has found on this chain so far; nothing where none has run, or its database is of no use to us."""
    searches = Searches(spec.confirmations)
    everybody = [(each.deployment.reader, one) for each in watched_on(spec.name, settings) for one in each.holders]
    if not settings.state.exists() or all(reader.search(owner) is None for reader, owner in everybody):
        return searches  # most checks need no database, which takes a while to load
    here = {each.id for each in settings.deployments if each.chain == spec.name}
    searches.recall({place: one for place, one in _kept(settings.state).items() if place[0] in here})
    return searches


def _kept(path: Path) -> Mapping[Place, Searched]:
    from watcher.store import Store
    from watcher.store.searched import searches_kept

    try:
        store = Store.read_only(path)
        try:
            return searches_kept(store)
        finally:
            store.close()
    except WatcherError:  # of another version, or of something else: what it knows can be searched for
        return {}


async def with_searches(
    chain: Chain, settings: Settings, searches: Searches, take: Take, clock: Callable[[], float] = time.monotonic
) -> Snapshot:
    """What `take` reads, after as much searching as there is time for. Raises `EndpointError` where it does."""
    snapshot = await take()
    searches.want(wanted(settings.deployments, snapshot.owners), snapshot.block.number, 0.0, 0.0)
    until, searched = clock() + SEARCHES_WITHIN, False
    while (left := until - clock()) > 0 and (task := searches.next(clock())) is not None:
        try:
            searches.took(task, await chain.logs(task.search, task.first, task.last, within=left))
        except (EndpointError, NotDecodable) as failure:
            searches.failed(task, str(failure), clock())
        searched = True
    return await take() if searched else snapshot
