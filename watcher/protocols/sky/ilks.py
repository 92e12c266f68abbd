"""How one kind of vaults is read at one block: its rate, its price and where that is from, its auctions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from eth_utils.crypto import keccak

from watcher.domain.errors import ReadFailed
from watcher.domain.position import Asset
from watcher.domain.price import Price
from watcher.domain.source import ZERO_ADDRESS, Address
from watcher.oracles.maker import delayed
from watcher.oracles.shape import FeedBook
from watcher.oracles.sources import price_from
from watcher.protocols.sky import calls
from watcher.protocols.sky.maths import Ilk, Pip, price_of, spot_of
from watcher.reads import Answers, Plan, both
from watcher.reads.codec import checksummed

_PLACES: Final = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Modules:
    """The contracts that are asked about every kind, the base fee and par that all share, and what is owed."""

    vat: Address
    spotter: Address
    jug: Address
    dog: Address
    ilk_registry: Address
    base: int
    par: int
    dai: Asset
    usds: Asset
    staked: bytes
    """The kind of the staking engine, whose vaults owe USDS."""


def key_of(ilk: bytes) -> Address:
    """What the price of a kind goes by: several kinds have one collateral and one source, and may differ in price."""
    return checksummed(int.from_bytes(keccak(ilk)[-20:], "big"))


def read_ilk(modules: Modules, ilk: bytes, book: FeedBook) -> Plan[tuple[Ilk, Price | None]]:
    """A kind, and the price that the Vat goes by; None where it has none."""
    vat, spotter = calls.vat_ilk(modules.vat, ilk), calls.spotter_ilk(modules.spotter, ilk)
    jug, dog = calls.jug_ilk(modules.jug, ilk), calls.dog_ilk(modules.dog, ilk)
    got = yield [vat, spotter, jug, dog, calls.info_of(modules.ilk_registry, ilk)]
    source, mat = got[spotter].pip, got[spotter].mat
    if mat == 0 or modules.par == 0:
        raise ReadFailed(f"the Spotter {modules.spotter} has no liquidation ratio for {calls.name_of(ilk)}, or no par")
    stopped, pip = yield from both(_stopped(got[dog].clip), pip_of(source))
    price = yield from _price(got[vat].spot, modules.par, mat, pip, book)
    found = Ilk(
        name=calls.name_of(ilk),
        key=key_of(ilk),
        asset=_asset(got, modules, ilk),
        debt=modules.usds if ilk == modules.staked else modules.dai,
        all_art=got[vat].all_art,
        rate=got[vat].rate,
        spot=got[vat].spot,
        line=got[vat].line,
        dust=got[vat].dust,
        mat=mat,
        fee=modules.base + got[jug].duty,
        rho=got[jug].rho,
        clip=got[dog].clip,
        clip_stopped=stopped,
        chop=got[dog].chop,
        hole=got[dog].hole,
        dirt=got[dog].dirt,
        pip=pip,
    )
    return found, price


def _asset(got: Answers, modules: Modules, ilk: bytes) -> Asset:
    """The collateral as the registry describes it; one that it does not list goes by the name of its kind."""
    told = got.outcome(calls.info_of(modules.ilk_registry, ilk))
    if isinstance(told, ReadFailed) or told.gem == ZERO_ADDRESS:
        return Asset(address=key_of(ilk), symbol=calls.name_of(ilk), decimals=_PLACES)
    return Asset(address=told.gem, symbol=told.symbol, decimals=min(told.decimals, _PLACES))


def _stopped(clip: Address) -> Plan[int]:
    """The level at which auctions are stopped. A kind that has none is not auctioned."""
    if clip == ZERO_ADDRESS:
        return 1
    ask = calls.stopped_of(clip)
    return (yield [ask])[ask]


def pip_of(source: Address) -> Plan[Pip]:
    """What a price source holds for the Spotter: an OSM by its storage, one that answers anybody by its answer."""
    peek = calls.peek_of(source)
    try:
        held = yield from delayed(source)
    except ReadFailed:
        said = (yield [peek]).outcome(peek)
        if isinstance(said, ReadFailed):
            return Pip(source=source, known=False)
        return Pip(source=source, known=True, now=said.price)
    due = None if held.stopped else held.due
    return Pip(source=source, known=True, now=held.now, next=held.next, due=due)


def _price(spot: int, par: int, mat: int, pip: Pip, book: FeedBook) -> Plan[Price | None]:
    """The price in force. Where the Vat's is no longer that of the source, it is nobody's, and of unknown age."""
    if spot == 0:
        return None
    same = pip.known and pip.now and spot_of(pip.now, par, mat) == spot
    value = pip.now if same and pip.now else max(price_of(spot, par, mat), 1)
    return (yield from price_from(pip.source, value, book))
