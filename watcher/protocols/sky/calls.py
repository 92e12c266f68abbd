"""What is read of Sky's contracts: their functions, the shapes of their answers, and how kinds of vaults are named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from watcher.domain.source import Address
from watcher.reads.abi import Function, interface


@dataclass(frozen=True, slots=True)
class VatIlk:
    """`Vat.ilks`: normalised debt of all WAD, rate and spot RAY, ceiling and floor of the debt RAD."""

    all_art: int
    rate: int
    spot: int
    line: int
    dust: int


@dataclass(frozen=True, slots=True)
class Urn:
    """`Vat.urns`: collateral and normalised debt, both WAD."""

    ink: int
    art: int


@dataclass(frozen=True, slots=True)
class SpotterIlk:
    """`Spotter.ilks`: who is asked for the price, and the liquidation ratio, RAY."""

    pip: Address
    mat: int


@dataclass(frozen=True, slots=True)
class JugIlk:
    """`Jug.ilks`: the fee per second beside the one of all, RAY, and when it was last taken, Unix seconds."""

    duty: int
    rho: int


@dataclass(frozen=True, slots=True)
class DogIlk:
    """`Dog.ilks`: who auctions, the penalty WAD, how much may be in auction at once and how much is, RAD."""

    clip: Address
    chop: int
    hole: int
    dirt: int


@dataclass(frozen=True, slots=True)
class Info:
    """`IlkRegistry.info`. All empty for a kind that it does not list."""

    name: str
    symbol: str
    kind: int
    decimals: int
    gem: Address
    pip: Address
    join: Address
    clip: Address


@dataclass(frozen=True, slots=True)
class Cdps:
    """`GetCdps.getCdpsAsc`: vault numbers, the urns they stand for, and their kinds."""

    numbers: Sequence[int]
    urns: Sequence[Address]
    ilks: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Peek:
    """`peek` of a price source: the price WAD, and whether it is one."""

    value: bytes
    valid: bool

    @property
    def price(self) -> int | None:
        """The price; None where there is none."""
        return int.from_bytes(self.value, "big") if self.valid else None


_VAT, _SPOTTER, _JUG, _DOG = (interface(f"maker_{name}") for name in ("vat", "spotter", "jug", "dog"))
_CDPS, _REGISTRY, _ENGINE = (interface(name) for name in ("maker_cdps", "maker_ilk_registry", "lockstake_engine"))

vat_ilk: Final = _VAT.function("ilks", VatIlk)
urn_of: Final = _VAT.function("urns", Urn)
vat_live: Final = _VAT.function("live", int)
spotter_ilk: Final = _SPOTTER.function("ilks", SpotterIlk)
par_of: Final = _SPOTTER.function("par", int)
jug_ilk: Final = _JUG.function("ilks", JugIlk)
base_of: Final = _JUG.function("base", int)
drip: Final = _JUG.function("drip", int, gas=200_000)
dog_ilk: Final = _DOG.function("ilks", DogIlk)
hole_of: Final = _DOG.function("Hole", int)
dirt_of: Final = _DOG.function("Dirt", int)
dog_live: Final = _DOG.function("live", int)
stopped_of: Final = interface("maker_clipper").function("stopped", int)
peek_of: Final = interface("maker_pip").function("peek", Peek)
cdps_of: Final = _CDPS.function("getCdpsAsc", Cdps, gas=1_000_000)
ilks_listed: Final = _REGISTRY.function("list", tuple, gas=300_000)
info_of: Final = _REGISTRY.function("info", Info, gas=100_000)
urns_count: Final = _ENGINE.function("ownerUrnsCount", int)
urn_at: Final = _ENGINE.function("ownerUrns", Address)
engine_ilk: Final = _ENGINE.function("ilk", bytes)
engine_usds: Final = _ENGINE.function("usds", Address)

VAT_OF: Final[dict[str, Function[Any]]] = {
    "spotter": _SPOTTER.function("vat", Address),
    "jug": _JUG.function("vat", Address),
    "dog": _DOG.function("vat", Address),
    "cdp_manager": _CDPS.function("vat", Address),
    "ilk_registry": _REGISTRY.function("vat", Address),
    "lockstake": _ENGINE.function("vat", Address),
}
"""By the field that is configured: the getter of the Vat that it works for."""


def name_of(ilk: bytes) -> str:
    """The name of a kind of vaults, which its 32 bytes spell; those bytes in hexadecimal where they spell none."""
    text = ilk.rstrip(b"\0")
    plain = text and all(33 <= byte < 127 and byte != ord("/") for byte in text) and not text.startswith(b"0x")
    return text.decode("ascii") if plain else "0x" + ilk.hex()


def ilk_named(name: str) -> bytes:
    """The 32 bytes of a kind of vaults."""
    return bytes.fromhex(name[2:]) if name.startswith("0x") else name.encode("ascii").ljust(32, b"\0")
