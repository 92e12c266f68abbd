"""Aave v3's own arithmetic over state already read: exact to the unit, in every revision.

Read beside `GenericLogic.calculateUserAccountData` and `ValidationLogic.validateLiquidationCall`
(aave-dao/aave-v3-origin tags v3.1.0 … v3.7.0; npm @aave/core-v3 1.19.3 for v3.0).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from watcher.domain.errors import ReadFailed
from watcher.domain.health import Health
from watcher.domain.position import Asset, Leg, Numeraire, State
from watcher.domain.price import Price
from watcher.domain.source import ZERO_ADDRESS, Address, Block, Holder
from watcher.protocols.reader import PriceMissing
from watcher.protocols.rounding import BPS, RAY, WAD, mul_div_down, mul_div_half_up, mul_div_up
from watcher.reads import Outcome

NO_DEBT = 2**256 - 1
"""What the contract answers as the health factor of an account without debt."""
SENTINEL_LIMIT = 95 * 10**16
"""Below 0.95 the price oracle sentinel has no say (`MINIMUM_HEALTH_FACTOR_LIQUIDATION_THRESHOLD`)."""

# --- How the revisions differ -----------------------------------------------------------------------------------------


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


_V30 = Variant(
    floors_average=True, rounds_half_up=True, emodes_by_bitmap=False, threshold_required=True, stable_debt=True
)
_V32 = replace(_V30, emodes_by_bitmap=True, stable_debt=False)
_V33 = replace(_V32, whole_debt_without_virtual_accounting=True)
_V35 = replace(_V32, floors_average=False, rounds_half_up=False)
_V36 = replace(_V35, threshold_required=False)
_SPARK = replace(_V30, floors_average=False, rounds_half_up=False)

VARIANTS: Mapping[int, tuple[Variant, ...]] = {
    **dict.fromkeys((1, 2, 3, 4), (_V30, _SPARK)),  # v3.0.x, v3.1, and SparkLend under its own numbers
    **dict.fromkeys((5, 6, 8), (_V32,)),  # v3.2.0, v3.2.1, v3.4
    7: (_V33,),
    9: (_V35,),
    **dict.fromkeys((10, 11), (_V36,)),  # v3.6, v3.7
}
"""Candidates by `POOL_REVISION()`, the likeliest first."""
NEWEST_REVISION = max(VARIANTS)


def variants_of(revision: int) -> tuple[Variant, ...]:
    """The candidates of a revision; a newer one than we know is tried as the newest, and the verdicts will tell.

    Raises `ReadFailed` for a revision that no Aave v3 pool has.
    """
    if revision < 1:
        raise ReadFailed(f"pool revision {revision} is none of Aave v3: we know 1 to {NEWEST_REVISION}")
    return VARIANTS[min(revision, NEWEST_REVISION)]


# --- State, as the engine keeps it ------------------------------------------------------------------------------------


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
    """One reserve at one block. Indices in RAY, accrued to the block's timestamp."""

    id: int
    asset: Asset
    configuration: int
    income: int
    debt_index: int
    grace_until: int

    def _bits(self, start: int, width: int) -> int:
        return self.configuration >> start & (1 << width) - 1

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
        return bool(self._bits(60, 1))

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
    emodes: Mapping[int, EMode]
    sentinel_allows: bool


# --- The protocol's own maths -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One reserve of one account, valued as the contract values it. Amounts in token units, values in base units."""

    reserve: Reserve
    priced_as: Address
    price: Price
    threshold: int
    supplied: int
    supplied_value: int
    owed: int
    owed_value: int


def _in_category(market: Market, account: Account, reserve: Reserve) -> bool:
    if account.emode == 0:
        return False
    bitmap = market.emodes[account.emode].collateral_bitmap
    return reserve.category == account.emode if bitmap is None else bool(bitmap >> reserve.id & 1)


def _price(market: Market, asset: Address) -> Price:
    price = market.prices[asset]
    if isinstance(price, ReadFailed):
        name = market.reserves[asset].asset.symbol if asset in market.reserves else asset
        raise PriceMissing(f"no price for {name}: {price}") from price
    return price


def lines_of(market: Market, account: Account) -> tuple[Line, ...]:
    """Every flagged reserve, valued. Raises `PriceMissing` where one has no price, as the contract would revert.

    The price of an e-mode is asked for before any reserve is looked at, so it has to be there even if no member is held
    (`GenericLogic.calculateUserAccountData` of v3.0).
    """
    if account.emode and (source := market.emodes[account.emode].price_source) != ZERO_ADDRESS:
        _price(market, source)
    return tuple(_line(market, account, holding) for holding in account.holdings)


def _line(market: Market, account: Account, holding: Holding) -> Line:
    reserve, variant = market.reserves[holding.asset], market.variant
    member = _in_category(market, account, reserve)
    source = market.emodes[account.emode].price_source if member else ZERO_ADDRESS
    priced_as = holding.asset if source == ZERO_ADDRESS else source
    price, unit = _price(market, priced_as), 10**reserve.asset.decimals
    counts = holding.collateral and not (variant.threshold_required and reserve.threshold == 0)
    if variant.rounds_half_up:
        supplied = mul_div_half_up(holding.scaled_supply, reserve.income, RAY) if counts else 0
        owed = mul_div_half_up(holding.scaled_debt, reserve.debt_index, RAY)
    else:
        supplied = mul_div_down(holding.scaled_supply, reserve.income, RAY) if counts else 0
        owed = mul_div_up(holding.scaled_debt, reserve.debt_index, RAY)
    if variant.stable_debt:
        owed += holding.stable_debt
    if variant.whole_debt_without_virtual_accounting and not reserve.virtual_accounting:
        owed = holding.whole_debt
    value_of_debt = mul_div_down if variant.rounds_half_up else mul_div_up
    return Line(
        reserve=reserve,
        priced_as=priced_as,
        price=price,
        threshold=market.emodes[account.emode].threshold if member else reserve.threshold,
        supplied=supplied,
        supplied_value=mul_div_down(supplied, price.low, unit),
        owed=owed,
        owed_value=value_of_debt(owed, price.low, unit),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What `getUserAccountData` would answer, as far as liquidation is concerned."""

    collateral: int
    debt: int
    average_threshold: int
    health_factor: int


def totals(variant: Variant, lines: Iterable[Line]) -> Totals:
    """`GenericLogic.calculateUserAccountData`, in the rounding of either family."""
    lines = tuple(lines)
    collateral = sum(line.supplied_value for line in lines)
    weighted = sum(line.supplied_value * line.threshold for line in lines)
    debt = sum(line.owed_value for line in lines)
    average = weighted // collateral if collateral else 0
    if debt == 0:
        factor = NO_DEBT
    elif variant.floors_average:
        factor = mul_div_half_up(mul_div_half_up(collateral, average, BPS), WAD, debt)
    else:
        factor = mul_div_half_up(weighted, WAD, debt) // BPS
    return Totals(collateral=collateral, debt=debt, average_threshold=average, health_factor=factor)


def health_of(factor: int) -> Health:
    """The comparison of `validateLiquidationCall`: health factor below one WAD."""
    return Health(backing=0, required=0) if factor == NO_DEBT else Health(backing=factor, required=WAD)


def state_of(market: Market, lines: Sequence[Line], found: Totals) -> State:
    """The health, and whether the sentinel, a pause or a grace period forbids the liquidation at this block."""
    if found.debt == 0:
        return State.NO_DEBT
    if found.collateral == 0:
        return State.DEBT_WITHOUT_COLLATERAL
    if found.health_factor >= WAD:
        return State.HEALTHY
    now = market.at.timestamp
    seizable = any(line.supplied and not line.reserve.liquidation_blocked(now) for line in lines)
    payable = any(line.owed and not line.reserve.liquidation_blocked(now) for line in lines)
    allowed = market.sentinel_allows or found.health_factor < SENTINEL_LIMIT
    return State.LIQUIDATABLE if seizable and payable and allowed else State.LIQUIDATABLE_BUT_BLOCKED


def legs_of(line: Line) -> Iterable[Leg]:
    """The supply, weighted by its threshold as a fraction of 1, and the debt, below zero; in token base units."""
    asset = line.reserve.asset
    if line.supplied:
        weight = Fraction(line.threshold, BPS)
        yield Leg(asset=asset, amount=line.supplied, price=line.price, priced_as=line.priced_as, backing=weight)
    if line.owed:
        owed = Fraction(1)
        yield Leg(asset=asset, amount=-line.owed, price=line.price, priced_as=line.priced_as, required=owed)


def slack_of(variant: Variant, found: Totals) -> Fraction:
    """By how much, as a fraction of 1, the legs may miss the health: a floored average threshold is up to one basis
    point short of the exact one."""
    tight = Fraction(1, 10**9)
    return tight + Fraction(1, max(found.average_threshold, 1)) if variant.floors_average else tight
