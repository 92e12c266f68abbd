"""Heartbeats of feeds whose operator publishes none, estimated from the gaps between their own rounds.

The longest of the last gaps is taken for the heartbeat: an estimate, and marked as one wherever it is shown. It tells
too little of a feed that is young, and of one that has been so busy that its heartbeat never came due: a feed that then
calms down is called late too early, not too late.

Source: smartcontractkit/chainlink, contracts v0.6 AggregatorProxy: a proxy's round is `phase << 64 | aggregator round`,
and each phase begins at its aggregator's round 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import Final

from watcher.domain.errors import ReadFailed
from watcher.domain.source import Address
from watcher.oracles.round import Round, round_data
from watcher.reads import Memo, Plan, lasting

LOOKED_AT: Final = 50
"""Rounds before the last one; all of them within its phase."""
FEWEST: Final = 10
"""Rounds without which nothing is learned."""
LONGEST: Final = 30 * 86_400
"""Seconds beyond which a gap is no heartbeat, but a feed that was given up, or lies."""
_BELIEVED: Final = 86_400
_ROUNDS_OF_A_PHASE: Final = 2**64


@dataclass(frozen=True, slots=True)
class Learned:
    """An estimate: `heartbeat` seconds is the longest gap among `rounds` rounds."""

    heartbeat: int
    rounds: int


def learned(feed: Address, last: Round) -> Plan[Learned | None]:
    """What the rounds before `last` tell, which is believed for a day; None where they tell too little."""
    return (yield from lasting(Memo("learned heartbeat", feed), lambda: _walked(feed, last), lasts=_BELIEVED))


def _walked(feed: Address, last: Round) -> Plan[Learned | None]:
    before = last.round_id % _ROUNDS_OF_A_PHASE - 1
    asked = [round_data(feed, last.round_id - back) for back in range(1, min(before, LOOKED_AT) + 1)]
    if len(asked) + 1 < FEWEST:
        return None
    got = yield asked
    there = takewhile(lambda ask: not isinstance(got.outcome(ask), ReadFailed), asked)
    return estimated([last.updated_at, *(got[ask].updated_at for ask in there)], got.at.timestamp)


def estimated(times: Sequence[int], now: int) -> Learned | None:
    """What the times of consecutive rounds tell, the last one first; None where they are too few, or cannot be so."""
    gaps = [later - earlier for later, earlier in pairwise(times)]
    if len(times) < FEWEST or times[0] > now or times[-1] <= 0:
        return None
    longest = max(gaps)
    if min(gaps) < 0 or not 0 < longest <= LONGEST:
        return None
    return Learned(heartbeat=longest, rounds=len(times))
