"""Aave v4's own arithmetic over state already read: exact to the unit.

A position keeps the collateral factors of the day on which its owner last took new risk: the contract stores a key of
the reserve's dynamic configuration with it. Liquidation goes by these. The newest keys come into force with the owner's
next borrowing, withdrawal or disabling of a collateral, which reverts where health would then be below one.

Read beside `Spoke._processUserAccountData`, `SpokeUtils.toValue`, `Premium`, `AssetLogic`, `SharesMath` and
`LiquidationLogic._validateLiquidationCall` (aave/aave-v4, as mirrored in alerodriargui/aave-v4 @ 5f0e7cbd).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from watcher.domain.errors import ReadFailed
from watcher.domain.health import Health
from watcher.domain.position import Asset, Leg, Numeraire, State
from watcher.domain.price import Price
from watcher.domain.source import Address, Block, Holder
from watcher.protocols.aave_v4.calls import DynamicConfig, LiquidationConfig, SpokeConfig, UserPosition
from watcher.protocols.reader import PriceMissing
from watcher.protocols.rounding import BPS, RAY, WAD, mul_div_down, mul_div_up
from watcher.reads import Outcome, sure

NO_DEBT: Final = 2**256 - 1
"""What the contract answers as the health factor of an account without debt."""
VALUE_DECIMALS: Final = 18
"""A token's base units are brought to these before they are multiplied with a price."""
VIRTUAL: Final = 10**6
"""Shares and assets that a hub counts beside the real ones (`SharesMath`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What one account has in one reserve of the spoke."""

    reserve: int
    collateral: bool
    borrowing: bool
    position: UserPosition


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One user of the spoke. `risk_premium`: basis points, as they were last set for its debts."""

    holder: Holder
    risk_premium: int
    holdings: tuple[Holding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Liquidity:
    """One asset of one hub at one block, accrued to its time. `spoke` is what the hub allows ours, where it tells."""

    drawn_index: int
    drawn_rate: int
    assets: int
    shares: int
    owed: int
    spoke: Outcome[SpokeConfig]

    def assets_of(self, shares: int) -> int:
        """`previewRemoveByShares`: rounded down."""
        return mul_div_down(shares, self.assets + VIRTUAL, self.shares + VIRTUAL)

    def shares_for(self, amount: int) -> int:
        """`toAddedSharesDown`."""
        return mul_div_down(amount, self.shares + VIRTUAL, self.assets + VIRTUAL)

    @property
    def active(self) -> bool:
        """Whether the spoke may do anything. What a hub does not tell, it does not forbid."""
        return isinstance(self.spoke, ReadFailed) or self.spoke.active

    @property
    def halted(self) -> bool:
        return not isinstance(self.spoke, ReadFailed) and self.spoke.halted


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """One reserve of the spoke. Prices are asked for by its number; `source` is who answers."""

    id: int
    asset: Asset
    hub: Address
    source: Address
    flags: int
    newest_key: int
    configs: Mapping[int, DynamicConfig]
    liquidity: Liquidity

    @property
    def paused(self) -> bool:
        return bool(self.flags & 1)

    @property
    def frozen(self) -> bool:
        return bool(self.flags & 2)

    @property
    def gives_shares(self) -> bool:
        """Whether who liquidates can take the shares of the collateral, for which no liquidity is needed."""
        return bool(self.flags & 8) and not self.frozen

    @property
    def seizable(self) -> bool:
        return not self.paused and self.liquidity.active and (not self.liquidity.halted or self.gives_shares)

    @property
    def payable(self) -> bool:
        return not self.paused and self.liquidity.active and not self.liquidity.halted


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What the accounts at hand share. Prices by their source: reserves that share one share a price."""

    at: Block
    numeraire: Numeraire
    liquidation: LiquidationConfig
    reserves: Mapping[int, Outcome[Reserve]]
    prices: Mapping[Address, Outcome[Price]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One reserve of one account. Values: 10**26 are a dollar; what is owed is in RAYs, of base units and of value."""

    reserve: Reserve
    price: Price
    factor: int
    newest_factor: int
    enabled: int
    """Supplied and enabled as collateral, whatever its factor."""
    owed_ray: int

    def _value(self, amount: int) -> int:
        """`SpokeUtils.toValue`."""
        scale: int = 10 ** (VALUE_DECIMALS - self.reserve.asset.decimals)
        return amount * self.price.low * scale

    def supplied_value(self, factor: int) -> int:
        """What counts as collateral at a factor: all of it, or nothing where that is zero."""
        return self._value(self.enabled) if factor else 0

    @property
    def owed_value_ray(self) -> int:
        return self._value(self.owed_ray)

    @property
    def owed(self) -> int:
        """Whole base units that would pay it."""
        return mul_div_up(self.owed_ray, 1, RAY)

    @property
    def rounding(self) -> int:
        """By how much value, in RAYs, `owed` exceeds the debt itself."""
        return self._value(self.owed * RAY - self.owed_ray)


def premium_ray(position: UserPosition, index: int) -> int:
    """`Premium.calculatePremiumRay`: RAYs of a base unit."""
    return position.premium_shares * index - position.premium_offset


def lines_of(market: Market, account: Account) -> tuple[Line, ...]:
    """Every flagged reserve. Raises `PriceMissing` where one has no price, as the contract would revert."""
    return tuple(_line(market, holding) for holding in account.holdings)


def _line(market: Market, holding: Holding) -> Line:
    if holding.reserve not in market.reserves:
        raise ReadFailed(f"the market was read without reserve {holding.reserve}, which this account uses")
    reserve, held = sure(market.reserves[holding.reserve]), holding.position
    price, index = market.prices[reserve.source], reserve.liquidity.drawn_index
    if isinstance(price, ReadFailed):
        raise PriceMissing(f"no price for {reserve.asset.symbol}: {price}") from price
    owed_ray = held.drawn_shares * index + premium_ray(held, index)
    return Line(
        reserve=reserve,
        price=price,
        factor=reserve.configs[held.dynamic_key].factor if holding.collateral else 0,
        newest_factor=reserve.configs[reserve.newest_key].factor if holding.collateral else 0,
        enabled=reserve.liquidity.assets_of(held.supplied_shares) if holding.collateral else 0,
        owed_ray=owed_ray if holding.borrowing else 0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What `getUserAccountData` would answer, as far as liquidation is concerned."""

    collateral: int
    debt_ray: int
    health_factor: int


def totals(lines: Iterable[Line], *, newest: bool = False) -> Totals:
    """`Spoke._processUserAccountData`, with the stored keys or with the newest ones."""
    weighed = [(line, line.newest_factor if newest else line.factor) for line in lines]
    collateral = sum(line.supplied_value(factor) for line, factor in weighed)
    weighted = sum(line.supplied_value(factor) * factor for line, factor in weighed)
    debt_ray = sum(line.owed_value_ray for line, _ in weighed)
    factor = mul_div_down(weighted * (WAD // BPS), RAY, debt_ray) if debt_ray else NO_DEBT
    return Totals(collateral=collateral, debt_ray=debt_ray, health_factor=factor)


def health_of(factor: int) -> Health:
    """The comparison of `_validateLiquidationCall`: health factor below one WAD."""
    return Health(backing=0, required=0) if factor == NO_DEBT else Health(backing=factor, required=WAD)


def state_of(account: Account, lines: Sequence[Line], found: Totals) -> State:
    """The health, and whether a pause of the reserve or a halt at its hub forbids every liquidation.

    A liquidation renews the premium of every debt that is left (`_notifyRiskPremiumUpdate`), so that a single one at a
    hub where the spoke is inactive is enough to make it revert. Without a premium it may not, and we expect the worse.
    """
    if found.debt_ray == 0:
        return State.NO_DEBT
    if found.collateral == 0:
        return State.DEBT_WITHOUT_COLLATERAL
    if found.health_factor >= WAD:
        return State.HEALTHY
    debts = [line.reserve for line in lines if line.owed_ray]
    seizable = any(line.enabled and line.factor and line.reserve.seizable for line in lines)
    payable = any(reserve.payable for reserve in debts)
    renewable = account.risk_premium == 0 or all(reserve.liquidity.active for reserve in debts)
    return State.LIQUIDATABLE if seizable and payable and renewable else State.LIQUIDATABLE_BUT_BLOCKED


def legs_of(line: Line) -> Iterator[Leg]:
    """The supply, weighted by its stored factor, and the debt in whole base units, below zero."""
    asset, source = line.reserve.asset, line.reserve.source
    if line.enabled and line.factor:
        weight = Fraction(line.factor, BPS)
        yield Leg(asset=asset, amount=line.enabled, price=line.price, priced_as=source, backing=weight)
    if line.owed:
        yield Leg(asset=asset, amount=-line.owed, price=line.price, priced_as=source, required=Fraction(1))


def slack_of(lines: Iterable[Line], found: Totals) -> Fraction:
    """By how much, as a fraction of 1, the legs may miss the health: they owe whole base units."""
    rounding = sum(line.rounding for line in lines)
    return Fraction(1, 10**9) + (Fraction(rounding, found.debt_ray) if found.debt_ray else 0)


def owned(value: int) -> int:
    """A value in the oracle's decimals, as a price has them; rounded down."""
    return mul_div_down(value, 1, 10**VALUE_DECIMALS)


def owed(value_ray: int) -> int:
    """The same of what is owed, which the contract has in RAYs; rounded up."""
    return mul_div_up(value_ray, 1, 10**VALUE_DECIMALS * RAY)
