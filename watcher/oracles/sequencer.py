"""Chainlink's L2 sequencer uptime feeds: `answer` is 0 up and 1 down, `startedAt` the time of the last change.

`startedAt` is 0 where the feed was never initialised. `updatedAt` promises nothing: there is no heartbeat.
Source: smartcontractkit/documentation @ 59e5cde7, src/content/data-feeds/l2-sequencer-feeds.mdx.
"""

from __future__ import annotations

from typing import Final

from watcher.domain.errors import ReadFailed
from watcher.domain.sequencer import Running, Sequencer
from watcher.domain.source import Address
from watcher.oracles.round import latest_round
from watcher.reads import Plan

_STATES: Final = {0: Running.UP, 1: Running.DOWN}


def sequencer_by(feed: Address | None) -> Plan[Sequencer | None]:
    """What the feed says; None where the chain has none. A feed that fails or makes no sense is unknown, no failure."""
    if feed is None:
        return None
    ask = latest_round(feed)
    got = yield [ask]
    said = got.outcome(ask)
    if isinstance(said, ReadFailed):
        return Sequencer(state=Running.UNKNOWN, problem=f"Its uptime feed cannot be read: {said}")
    state = _STATES.get(said.answer)
    if state is None:
        return Sequencer(state=Running.UNKNOWN, problem=f"Its uptime feed answers {said.answer}, neither 0 nor 1")
    if not 0 < said.started_at <= got.at.timestamp:
        return Sequencer(state=Running.UNKNOWN, problem=f"Its uptime feed dates its answer {said.started_at}")
    return Sequencer(state=state, since=said.started_at)
