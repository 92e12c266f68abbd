"""API3's reader proxies: a value and when its sources signed it, always with 18 decimals.

Updates are due daily at the latest: a data feed that is older than a day cannot be had in API3's market
(`MAXIMUM_DAPI_UPDATE_AGE` of Api3MarketV2).

Source: api3dao/contracts v40.0.0 @ 682e1f19, contracts/api3-server-v1: proxies/Api3ReaderProxyV1.sol,
Api3MarketV2.sol, DataFeedServer.sol.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from watcher.domain.feed import FeedKind, FeedReading, HeartbeatFrom
from watcher.domain.price import Expression
from watcher.domain.source import Address
from watcher.oracles.shape import Kind, Shape, Under
from watcher.oracles.signed import dated, told, words_in
from watcher.reads import Plan
from watcher.reads.abi import interface

HEARTBEAT: Final = 86_400
"""Seconds (Api3MarketV2.MAXIMUM_DAPI_UPDATE_AGE)."""

AHEAD: Final = 3_600
"""Seconds by which a stamp may lie ahead of its block (DataFeedServer.processBeaconUpdate)."""

DECIMALS: Final = 18


@dataclass(frozen=True, slots=True)
class Value:
    """What `read` answers; `timestamp` in Unix seconds."""

    value: int
    timestamp: int


_PROXY = interface("api3_reader_proxy")
server_of = _PROXY.function("api3ServerV1", Address)
name_of = _PROXY.function("dapiName", bytes)
_read = _PROXY.function("read", Value, gas=80_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A proxy of one data feed on API3's server."""

    address: Address
    server: Address
    named: str

    def expression(self, under: Under) -> Plan[Expression]:
        """Its value, as old as its sources say."""
        ask = _read(self.address)
        got = yield [ask]
        said = got[ask]
        reading = FeedReading(
            feed=self.address,
            pair=self.named,
            answer=said.value,
            decimals=DECIMALS,
            updated_at=dated(said.timestamp, AHEAD, got.at.timestamp),
            kind=FeedKind.API3,
            heartbeat=HEARTBEAT,
            heartbeat_from=HeartbeatFrom.CONTRACT,
            behind=self.server,
        )
        return (yield from told(reading, under))


def _shape(source: Address, server: Address, name: bytes, _value: Value) -> Plan[Shape | None]:
    yield []
    return Reader(address=source, server=server, named=words_in(name))


READER: Final = Kind("API3 reader proxy", (server_of, name_of, _read), _shape, feed=True)
