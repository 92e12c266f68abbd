"""Maker's medianizers and the Scribes of Chronicle that replace them: feeds that answer only whom they know.

`read` and all their like revert for anybody who is not on their list, and an `eth_call` by way of Multicall3 comes from
nobody. What they would answer lies in their storage, which keeps nothing from anybody. A slot tells nothing about
itself, so a contract is believed to be laid out as its source says where storage and getters say the same of what both
have: the medianizer's `age`, the Scribe's `bar` and `opChallengePeriod`, which come behind all the others.

No heartbeat of theirs is on chain, so they are neither fresh nor stale by themselves.

Source: makerdao/median @ 0316acd5, src/median.sol; chronicleprotocol/scribe @ 12ff06ca (v2.0.1), src/Scribe.sol and
src/ScribeOptimistic.sol; chronicleprotocol/chronicle-std, src/auth/Auth.sol and src/toll/Toll.sol (two slots each).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from watcher.domain.errors import ReadFailed
from watcher.domain.feed import FeedKind, FeedReading
from watcher.domain.price import Expression, Leaf
from watcher.domain.source import Address
from watcher.oracles.chainlink import promised
from watcher.oracles.opinions import second_words
from watcher.oracles.shape import Kind, Shape, Under, Unseen
from watcher.reads import Plan, Storage
from watcher.reads.abi import interface

WAD: Final = 18
"""Decimals of everything that Maker prices."""

_CHRONICLE = interface("chronicle")
_age_of = _CHRONICLE.function("age", int)
_bar_of = _CHRONICLE.function("bar", int)
_wat_of = _CHRONICLE.function("wat", bytes)
_registration_of = _CHRONICLE.function("feedRegistrationMessage", bytes)
_period_of = _CHRONICLE.function("opChallengePeriod", int)

_MEDIAN_SLOT: Final = 1  # behind wards
_SCRIBE_SLOT: Final = 4  # behind two slots of Auth and two of Toll
_BAR_SLOT: Final = 517  # behind 256 public keys of two words each
_OPTIMISTIC_SLOT: Final = 518


@dataclass(frozen=True, slots=True)
class Poked:
    """`val` (uint128) and `age` (uint32) as both pack them into a word: the value, and when it was written."""

    value: int
    at: int

    @classmethod
    def of(cls, word: int) -> Poked:
        return cls(value=word & (2**128 - 1), at=word >> 128 & (2**32 - 1))


@dataclass(frozen=True, slots=True)
class Median:
    """Maker's medianizer: the median of what its relayers signed."""

    address: Address
    named: str

    def expression(self, under: Under) -> Plan[Expression]:
        word = _slot(self.address, _MEDIAN_SLOT, "the median")
        got = yield [word]
        return (yield from _leaf(self.address, self.named, FeedKind.MAKER, Poked.of(got.word(word)), under))


@dataclass(frozen=True, slots=True)
class Scribe:
    """Chronicle's Scribe. An optimistic one has a second value, which counts once nobody has challenged it in time."""

    address: Address
    named: str
    optimistic: bool

    def expression(self, under: Under) -> Plan[Expression]:
        word, later = _slot(self.address, _SCRIBE_SLOT, "the price"), _optimistic(self.address)
        period = _period_of(self.address)
        got = yield [word, later, period] if self.optimistic else [word]
        poked = Poked.of(got.word(word))
        if self.optimistic:
            poked = _finalized(poked, Poked.of(got.word(later)), got[period], got.at.timestamp)
        return (yield from _leaf(self.address, self.named, FeedKind.CHRONICLE, poked, under))


def _finalized(poked: Poked, later: Poked, period: int, now: int) -> Poked:
    """`ScribeOptimistic._currentPokeData`."""
    return later if later.at + period <= now and later.at > poked.at else poked


def _leaf(source: Address, named: str, kind: FeedKind, poked: Poked, under: Under) -> Plan[Expression]:
    if poked.value == 0:
        raise Unseen(f"{source} has no value: it was never written, or was withdrawn")
    facts = under.facts(source)
    reading = FeedReading(
        feed=source,
        pair=facts.pair if facts else named,
        answer=poked.value,
        decimals=WAD,
        updated_at=poked.at,
        kind=kind,
        **promised(facts, None),
        **(yield from second_words(under.others(source), WAD, under)),
    )
    return Leaf(reading)


def _median(source: Address, age: int, _bar: int, wat: bytes) -> Plan[Shape | None]:
    word = _slot(source, _MEDIAN_SLOT, "the median")
    got = yield [word]
    return Median(source, text(wat)) if Poked.of(got.word(word)).at == age else None


def _scribe(source: Address, bar: int, wat: bytes, _registration: bytes) -> Plan[Shape | None]:
    word, period, later = _slot(source, _BAR_SLOT, "the bar"), _period_of(source), _optimistic(source)
    got = yield [word, period, later]
    said: Any = got.outcome(period)
    optimistic = not isinstance(said, ReadFailed)
    expected = bar | (said << 8 if optimistic else 0)
    return Scribe(source, text(wat), optimistic) if got.word(word) & 0xFFFFFF == expected else None


def _slot(source: Address, slot: int, label: str) -> Storage:
    return Storage(source, slot, label)


def _optimistic(source: Address) -> Storage:
    return _slot(source, _OPTIMISTIC_SLOT, "the price that may be challenged")


def text(word: bytes) -> str:
    """A name in a bytes32, without what cannot be shown."""
    return "".join(one for one in word.rstrip(b"\0").decode("ascii", "ignore") if one.isprintable())


SCRIBE: Final = Kind("Chronicle's Scribe", (_bar_of, _wat_of, _registration_of), _scribe)
MEDIAN: Final = Kind("Maker's medianizer", (_age_of, _bar_of, _wat_of), _median)
