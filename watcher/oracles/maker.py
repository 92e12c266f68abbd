"""Maker's Oracle Security Module: a price that is put in force one hop after it is known.

An OSM holds two prices of its source: `cur`, which is in force, and `nxt`, which takes its place at the next poke, no
sooner than `hop` seconds after the last. So the price to come is known up to an hour ahead. `peek`, `peep` and `read`
answer only whom the OSM knows, so both are read from its storage, once the slot in front of them has shown that it is
laid out as its source says: `src`, `hop` and `zzz` share it, and have getters.

Sky's staking vaults are priced by an OSM behind a wrapper that lets no more than a cap through.

Source: makerdao/osm @ e36c874b, src/osm.sol; makerdao/lockstake @ 6058ded5, src/LockstakeCappedOsmWrapper.sol.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from watcher.domain.errors import ReadFailed
from watcher.domain.feed import FeedKind, FeedReading, HeartbeatFrom
from watcher.domain.price import Cap, Expression, Fixed, Leaf
from watcher.domain.source import Address
from watcher.oracles.chronicle import WAD
from watcher.oracles.shape import Kind, Shape, Under, Unseen
from watcher.reads import Memo, Plan, Storage, lasting
from watcher.reads.abi import interface

_OSM = interface("maker_osm")
_src_of = _OSM.function("src", Address)
_hop_of = _OSM.function("hop", int)
_zzz_of = _OSM.function("zzz", int)
_stopped_of = _OSM.function("stopped", int)
_CAPPED = interface("lockstake_capped_osm")
_osm_of = _CAPPED.function("osm", Address)
_cap_of = _CAPPED.function("cap", int)

_A_DAY: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Delayed:
    """What an OSM holds, both values of 18 decimals; None where it has none that is valid.

    `now` is in force since `since`; `next` will be at the first poke from `due` on. Nothing moves while `stopped`.
    `source` is the contract that `next` was read from: what it says now (`expression_from`) comes after `next`.
    """

    osm: Address
    source: Address
    now: int | None
    next: int | None
    since: int
    hop: int
    stopped: bool

    @property
    def due(self) -> int:
        """Unix seconds from which anybody may put the next price in force (`pass`)."""
        return self.since + self.hop

    @property
    def leaf(self) -> Leaf:
        """The price in force, whose heartbeat is the hop. Raises `Unseen` where there is none."""
        if self.now is None:
            raise Unseen(f"the OSM {self.osm} has no price in force: it was never poked, or was voided")
        return Leaf(
            FeedReading(
                feed=self.osm,
                pair="Maker's OSM",
                answer=self.now,
                decimals=WAD,
                updated_at=self.since,
                heartbeat=self.hop,
                kind=FeedKind.MAKER,
                heartbeat_from=HeartbeatFrom.CONTRACT,
                behind=self.source,
            )
        )


@dataclass(frozen=True, slots=True)
class Osm:
    """An OSM that is laid out as we know it."""

    address: Address

    def expression(self, under: Under) -> Plan[Expression]:
        """The price in force. The source behind it has no part in that, and does not make it older."""
        return (yield from _read(self.address)).leaf


@dataclass(frozen=True, slots=True)
class Capped:
    """An OSM behind a wrapper with a cap that governance sets."""

    address: Address
    osm: Osm

    def expression(self, under: Under) -> Plan[Expression]:
        """The smaller of the price in force and the cap."""
        cap = _cap_of(self.address)
        got = yield [cap]
        of = yield from self.osm.expression(under)
        return Cap(of=of, at=Fixed(got[cap], "set by governance"), source=self.address, what="at most the cap")


def delayed(source: Address) -> Plan[Delayed]:
    """What an OSM, or a capped one, answers now and next. Raises `ReadFailed` where it is none as we know it."""
    shape = yield from lasting(Memo("OSM", source), lambda: _known(source), lasts=_A_DAY)
    if shape is None:
        raise Unseen(f"{source} is no OSM as we know it: its storage and its getters do not say the same")
    if isinstance(shape, Osm):
        return (yield from _read(source))
    cap = _cap_of(source)
    got = yield [cap]
    held = yield from _read(shape.osm.address)
    most = got[cap]
    return replace(held, now=_at_most(held.now, most), next=_at_most(held.next, most))


def _at_most(value: int | None, cap: int) -> int | None:
    return None if value is None else min(value, cap)


def _read(osm: Address) -> Plan[Delayed]:
    current, following = Storage(osm, _CURRENT, "the price in force"), Storage(osm, _NEXT, "the next price")
    src, hop, zzz, stopped = _src_of(osm), _hop_of(osm), _zzz_of(osm), _stopped_of(osm)
    got = yield [current, following, src, hop, zzz, stopped]
    return Delayed(
        osm=osm,
        source=got[src],
        now=_valid(got.word(current)),
        next=_valid(got.word(following)),
        since=got[zzz],
        hop=got[hop],
        stopped=got[stopped] != 0,
    )


_SHARED: Final = 2  # behind wards and stopped
_CURRENT: Final = 3
_NEXT: Final = 4


def _valid(word: int) -> int | None:
    """`Feed`: the value in the lower half of the word, and in the upper 1 where it has one."""
    return word & (2**128 - 1) if word >> 128 == 1 else None


def _known(source: Address) -> Plan[Osm | Capped | None]:
    src, hop, zzz, behind = _src_of(source), _hop_of(source), _zzz_of(source), _osm_of(source)
    got = yield [src, hop, zzz, behind]
    osm = got.outcome(behind)
    if not isinstance(osm, ReadFailed):
        return (yield from _capped(source, osm, 0))
    return (yield from _laid_out(source, got[src], got[hop], got[zzz]))


def _capped(source: Address, osm: Address, _cap: int) -> Plan[Capped | None]:
    src, hop, zzz = _src_of(osm), _hop_of(osm), _zzz_of(osm)
    got = yield [src, hop, zzz]
    inner = yield from _laid_out(osm, got[src], got[hop], got[zzz])
    return None if inner is None else Capped(source, inner)


def _laid_out(osm: Address, src: Address, hop: int, zzz: int) -> Plan[Osm | None]:
    word = Storage(osm, _SHARED, "src, hop and zzz")
    got = yield [word]
    return Osm(osm) if got.word(word) == int(src, 16) | hop << 160 | zzz << 176 else None


def _shape(source: Address, src: Address, hop: int, zzz: int) -> Plan[Shape | None]:
    return (yield from _laid_out(source, src, hop, zzz))


OSM: Final = Kind("Maker's OSM", (_src_of, _hop_of, _zzz_of), _shape)
CAPPED: Final = Kind("a capped OSM", (_osm_of, _cap_of), _capped)
