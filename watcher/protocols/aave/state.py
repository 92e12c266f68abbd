"""What is kept of a market and of an account in it, as Aave v2 and v3 (and the forks of v3) have it in common.

Amounts are token base units, scaled ones shares of them; indices and rates RAY; thresholds and borrow limits basis
points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from watcher.domain.position import Asset, Numeraire
from watcher.domain.price import Price
from watcher.domain.source import Address, Block, Holder
from watcher.reads import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way in which some revision computes account data."""

    floors_average: bool
    """Health from the average threshold truncated to a basis point (v3.0–v3.4), not from the exact sum."""
    rounds_half_up: bool
    """`rayMul` to nearest, values down; otherwise supply down and debt up (v3.5)."""
    emodes_by_bitmap: bool
    """Liquid e-modes (v3.2): membership by bitmap and no price source; otherwise the reserve names its category."""
    threshold_required: bool
    """Collateral counts only where its base threshold is not zero (until v3.5)."""
    stable_debt: bool = False
    whole_debt_without_virtual_accounting: bool = False
    """GHO's discount model (v3.3 only): debt by `balanceOf` where bit 252 of the configuration is not set."""


V30 = Variant(
    floors_average=True, rounds_half_up=True, emodes_by_bitmap=False, threshold_required=True, stable_debt=True
)
"""Aave v3.0 and v3.1, and Aave v2, which knows no e-modes: the variant that has most of the others' exceptions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What one account has in one reserve. Scaled amounts are shares: times the index, they are token base units."""

    asset: Address
    reserve: int
    collateral: bool
    borrowing: bool
    scaled_supply: int = 0
    scaled_debt: int = 0
    stable_debt: int = 0
    whole_debt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One user of the pool: e-mode category and the reserves flagged in the user configuration bitmap."""

    holder: Holder
    emode: int
    holdings: tuple[Holding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """One reserve at one block. Indices in RAY, accrued to the block's timestamp; rates RAY a year.

    The bits of `configuration` are those of `ReserveConfiguration.sol`; `pool_paused`: a pause of all reserves (v2).
    """

    id: int
    asset: Asset
    configuration: int
    income: int
    debt_index: int
    supply_rate: int
    borrow_rate: int
    rate_model: Address
    grace_until: int = 0
    pool_paused: bool = False

    def _bits(self, start: int, width: int) -> int:
        return self.configuration >> start & (1 << width) - 1

    @property
    def ltv(self) -> int:
        return self._bits(0, 16)

    @property
    def threshold(self) -> int:
        return self._bits(16, 16)

    @property
    def active(self) -> bool:
        return bool(self._bits(56, 1))

    @property
    def frozen(self) -> bool:
        return bool(self._bits(57, 1))

    @property
    def paused(self) -> bool:
        return self.pool_paused or bool(self._bits(60, 1))

    @property
    def borrow_cap(self) -> int:
        """In whole tokens; 0 where there is none, as in all of v2."""
        return self._bits(80, 36)

    @property
    def supply_cap(self) -> int:
        return self._bits(116, 36)

    @property
    def category(self) -> int:
        return self._bits(168, 8)

    @property
    def virtual_accounting(self) -> bool:
        return bool(self._bits(252, 1))

    def liquidation_blocked(self, now: int) -> bool:
        """Inactive, paused, or within its grace period (v3.1), with or for this reserve."""
        return not self.active or self.paused or self.grace_until >= now


@dataclass(frozen=True, slots=True, kw_only=True)
class EMode:
    """One e-mode category. `price_source` is asked like an asset, and replaces its members' prices (until v3.1)."""

    ltv: int
    threshold: int
    collateral_bitmap: int | None
    price_source: Address
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What the accounts at hand share. Reserves by asset, prices by what the oracle is asked for, e-modes by number."""

    at: Block
    revision: int
    variant: Variant
    numeraire: Numeraire
    reserves: Mapping[Address, Reserve]
    prices: Mapping[Address, Outcome[Price]]
    emodes: Mapping[int, EMode] = field(default_factory=dict)
    sentinel_allows: bool = True
