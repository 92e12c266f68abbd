"""RedStone's push feeds: a Chainlink-like face before an adapter, which keeps when the data was signed.

The face dates its answers by the block that brought them; the adapter knows when the data is from, and that is their
age. There are three kinds of adapters: one time for all feeds, in milliseconds; one for each feed, in milliseconds;
and that of the fast nodes, one for each feed, in microseconds, as are the times of its face.

Source: redstone-finance/redstone-oracles-monorepo, packages/on-chain-relayer/contracts: price-feeds/PriceFeedBase.sol
@ 1b103644, core/RedstoneAdapterBase.sol @ 8d6be776, price-feeds/without-rounds/MultiFeedAdapterWithoutRounds.sol
@ 295c25c2, price-feeds/fast-node/ @ 8d2b7caa; packages/evm-connector/contracts/core/RedstoneDefaultsLib.sol @ 0ab0281b.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from watcher.domain.errors import ReadFailed
from watcher.domain.feed import FeedKind, FeedReading, HeartbeatFrom
from watcher.domain.price import Expression
from watcher.domain.source import Address
from watcher.oracles.learned import learned
from watcher.oracles.round import decimals_of, description_of, latest_round
from watcher.oracles.shape import Kind, Shape, Under, Unseen
from watcher.oracles.signed import dated, told, words_in
from watcher.reads import Call, Outcome, Plan
from watcher.reads.abi import interface

AHEAD: Final = 60
"""Seconds (RedstoneDefaultsLib, DEFAULT_MAX_DATA_TIMESTAMP_AHEAD). Fast nodes are allowed one."""

_MILLI, _MICRO = 1_000, 1_000_000


def _first(data_timestamp: int, *_others: int) -> int:
    return data_timestamp


_FACE, _ADAPTER = interface("redstone_feed"), interface("redstone_adapter")
adapter_of = _FACE.function("getPriceFeedAdapter", Address)
feed_id_of = _FACE.function("getDataFeedId", bytes)
_time_of_all = _ADAPTER.function("getTimestampsFromLatestUpdate", _first)
_time_of_one = _ADAPTER.function("getLastUpdateDetailsUnsafe", _first)
_rounds_of_one = _ADAPTER.function("getLatestRoundId", int)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedStone:
    """One feed; `signed` asks its adapter when its data is from, `ticks` to the second."""

    address: Address
    named: str
    decimals: int
    feed_id: bytes
    adapter: Address
    signed: Call[int]
    ticks: int

    def expression(self, under: Under) -> Plan[Expression]:
        """Its last answer, as old as its data."""
        last, behind = latest_round(self.address), adapter_of(self.address)
        got = yield [last, behind, self.signed]
        if got[behind] != self.adapter:
            return (yield from self._moved(got[behind], under))
        said, now = got[last], got.at.timestamp
        reading = FeedReading(
            feed=self.address,
            pair=self.named,
            answer=said.answer,
            decimals=self.decimals,
            updated_at=dated(got[self.signed] // self.ticks, AHEAD, now),
            kind=FeedKind.REDSTONE,
            heartbeat_from=HeartbeatFrom.NOBODY,
            round=said.round_id,
            behind=self.adapter,
        )
        published = under.facts(self.address) is not None
        return (yield from told(reading, under, None if published else (yield from learned(self.address, said))))

    def _moved(self, adapter: Address, under: Under) -> Plan[Expression]:
        """The same feed behind another adapter than the one that is remembered."""
        shape = yield from _recognised(self.address, adapter, self.feed_id)
        if shape is None:
            raise Unseen(f"the adapter {adapter} behind {self.address} does not say when its data is from")
        return (yield from shape.expression(under))


def _recognised(source: Address, adapter: Address, feed_id: bytes) -> Plan[Shape | None]:
    places, words = decimals_of(source), description_of(source)
    one, rounds, all_ = _time_of_one(adapter, feed_id), _rounds_of_one(adapter, feed_id), _time_of_all(adapter)
    got = yield [places, words, one, rounds, all_]
    answered = {call: not isinstance(got.outcome(call), ReadFailed) for call in (one, rounds, all_)}
    if not answered[one] and not answered[all_]:
        return None
    said: Outcome[str] = got.outcome(words)
    return RedStone(
        address=source,
        named=words_in(feed_id) or ("" if isinstance(said, ReadFailed) else said),
        decimals=got[places],
        feed_id=feed_id,
        adapter=adapter,
        signed=one if answered[one] else all_,
        ticks=_MICRO if answered[one] and answered[rounds] else _MILLI,
    )


FEED: Final = Kind("RedStone feed", (adapter_of, feed_id_of), _recognised, feed=True)
