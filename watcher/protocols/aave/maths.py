"""Aave's own arithmetic over state already read: exact to the unit, in v2 and in every revision of v3.

Read beside `GenericLogic.calculateUserAccountData` and `ValidationLogic.validateLiquidationCall`
(aave-dao/aave-v3-origin tags v3.1.0 … v3.7.0; npm @aave/core-v3 1.19.3 for v3.0, @aave/protocol-v2 1.0.1 for v2).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from watcher.domain.errors import ReadFailed
from watcher.domain.health import Health
from watcher.domain.position import Leg, State
from watcher.domain.price import Price
from watcher.domain.source import ZERO_ADDRESS, Address
from watcher.protocols.aave.state import Account, Holding, Market, Reserve, Variant
from watcher.protocols.reader import PriceMissing
from watcher.protocols.rounding import BPS, RAY, WAD, mul_div_down, mul_div_half_up, mul_div_up

NO_DEBT = 2**256 - 1
"""What the contract answers as the health factor of an account without debt."""
SENTINEL_LIMIT = 95 * 10**16
"""Below 0.95 the price oracle sentinel has no say (`MINIMUM_HEALTH_FACTOR_LIQUIDATION_THRESHOLD`)."""


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
