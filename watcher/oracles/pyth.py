"""Pyth behind its Chainlink-like wrapper: the price that Pyth's contract holds, with its confidence.

Nobody promises updates: a price moves on when somebody pays for it. So there is no heartbeat but one that is published
for the wrapper or given by the user.

Source: pyth-network/pyth-crosschain @ 7c915eb1, target_chains/ethereum/sdk/solidity: PythAggregatorV3.sol, IPyth.sol.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from watcher.domain.feed import FeedKind, FeedReading, HeartbeatFrom
from watcher.domain.price import Expression
from watcher.domain.source import Address
from watcher.oracles.shape import Kind, Shape, Under, Unseen
from watcher.oracles.signed import dated, told
from watcher.reads import Plan
from watcher.reads.abi import interface

AHEAD: Final = 60
"""Seconds: Pyth's own `getPrice` takes what is so far from the block's time either way (`validTimePeriod`)."""


@dataclass(frozen=True, slots=True)
class Held:
    """`PythStructs.Price`: `price` ± `conf`, both times 10 ** `expo`; `publish_time` in Unix seconds."""

    price: int
    conf: int
    expo: int
    publish_time: int


_PYTH = interface("pyth")
pyth_of = _PYTH.function("pyth", Address)
price_id_of = _PYTH.function("priceId", bytes)
held_of = _PYTH.function("getPriceUnsafe", Held)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapper:
    """A wrapper of one price of Pyth's."""

    address: Address
    pyth: Address
    price_id: bytes

    def expression(self, under: Under) -> Plan[Expression]:
        """What Pyth holds. Raises `Unseen` for an exponent that no number of decimals expresses."""
        ask = held_of(self.pyth, self.price_id)
        got = yield [ask]
        held = got[ask]
        if not -127 <= held.expo <= 0:
            raise Unseen(f"Pyth gives {self.address} the exponent {held.expo}, which is no number of decimals")
        reading = FeedReading(
            feed=self.address,
            pair="",
            answer=held.price,
            decimals=-held.expo,
            updated_at=dated(held.publish_time, AHEAD, got.at.timestamp),
            kind=FeedKind.PYTH,
            heartbeat_from=HeartbeatFrom.NOBODY,
            round=held.publish_time,
            behind=self.pyth,
            confidence=held.conf,
        )
        return (yield from told(reading, under))


def _shape(source: Address, pyth: Address, price_id: bytes) -> Plan[Shape | None]:
    ask = held_of(pyth, price_id)
    got = yield [ask]
    _ = got[ask]  # a contract of the same getters that holds no such price is something else
    return Wrapper(address=source, pyth=pyth, price_id=price_id)


WRAPPER: Final = Kind("Pyth wrapper", (pyth_of, price_id_of), _shape, feed=True)
