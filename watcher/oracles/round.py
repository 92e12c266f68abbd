"""What every Chainlink-style contract answers: its last round, and how it describes itself."""

from __future__ import annotations

from dataclasses import dataclass

from watcher.domain.source import Address
from watcher.reads.abi import interface


@dataclass(frozen=True, slots=True)
class Round:
    """`latestRoundData`. `answeredInRound` is deprecated by Chainlink and means nothing any more."""

    round_id: int
    answer: int
    started_at: int
    updated_at: int
    answered_in_round: int


_FEED = interface("chainlink_feed")
latest_round = _FEED.function("latestRoundData", Round, gas=50_000)
round_data = _FEED.function("getRoundData", Round, gas=50_000)
latest_answer = _FEED.function("latestAnswer", int)
decimals_of = _FEED.function("decimals", int)
description_of = _FEED.function("description", str)
aggregator_of = _FEED.function("aggregator", Address)
phase_of = _FEED.function("phaseId", int)
lowest_of = _FEED.function("minAnswer", int)
highest_of = _FEED.function("maxAnswer", int)
