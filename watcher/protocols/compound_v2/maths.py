"""The arithmetic of `getAccountLiquidity` over state already read, exact to the unit.

Read beside `getHypotheticalAccountLiquidityInternal` of compound-finance/compound-protocol @a3214f6,
contracts/Comptroller.sol (Moonwell's @45866f4c and Benqi's @e0cfd24 are the same), `_calculateAccountPosition` of
VenusProtocol/venus-protocol 10.3.0, contracts/Lens/ComptrollerLens.sol, and `_getHypotheticalLiquiditySnapshot` of
VenusProtocol/isolated-pools @58b76f81, contracts/Comptroller.sol. Each product is cut off where they cut it off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from watcher.domain.errors import ReadFailed
from watcher.domain.health import Health
from watcher.domain.position import Asset, Leg, Numeraire
from watcher.domain.price import Price
from watcher.domain.source import Address, Block, Holder
from watcher.protocols.compound_v2.vai import Vai
from watcher.protocols.reader import PriceMissing
from watcher.protocols.rounding import WAD, mul_div_down
from watcher.reads import Outcome

DOLLARS: Final = Numeraire(symbol="USD", decimals=36)
"""Oracles answer with 36 - decimals of the token places. A whole token times that has 36: so no price is rounded."""
_VALUE: Final = 10**18
"""From what the contracts count values in, 18 places, to the numeraire."""
_USUAL_SLACK: Final = Fraction(1, 10**9)

# --- State, as the engine keeps it ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """In what the family's members differ as they sum up an account.

    `skips_empty`: a market that is entered with nothing in it is not asked for its price, nor may that fail.
    `weighs_last`: the factor multiplies rate × price, not the rate. `caps_by_shares`: supply caps hold against market
    tokens × rate, not cash + borrows - reserves.
    """

    skips_empty: bool = False
    weighs_last: bool = False
    caps_by_shares: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What the comptroller lays down for one user in one market. Factors are WAD; a `supply_cap` of None is none.

    `forced`: debts in this market may be liquidated whatever the health, and in full.
    """

    limit: int
    threshold: int
    incentive: int
    forced: bool
    liquidation_paused: bool
    seizure_paused: bool
    repayment_paused: bool
    supply_paused: bool
    borrowing_paused: bool
    supply_cap: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One market that an account has entered, accrued to the block: market tokens, and debt in base units.

    `added` and `minted` are what a what-if has supplied on top, in base units and market tokens: they move the rate.
    """

    c_token: Address
    tokens: int
    debt: int
    rule: Rule
    added: int = 0
    minted: int = 0

    @property
    def empty(self) -> bool:
        return not (self.tokens or self.debt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One user: the markets entered, in the contract's own order, and VAI. `pool` is Venus's e-mode, 0 the core."""

    holder: Holder
    holdings: tuple[Holding, ...]
    vai: Vai | None = None
    pool: int = 0

    @property
    def owes(self) -> bool:
        return any(held.debt for held in self.holdings) or (self.vai is not None and self.vai.owed > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """One market accrued to the block, in base units; `tokens` are all market tokens, `rate` what one is worth (WAD).

    `borrow_rate` is WAD, for a second or a block.
    """

    rate: int
    cash: int
    borrows: int
    reserves: int
    tokens: int
    bad_debt: int
    borrow_rate: int
    per_second: bool

    @property
    def net(self) -> int:
        """What all market tokens together are worth."""
        return self.cash + self.borrows + self.bad_debt - self.reserves

    def rate_after(self, held: Holding) -> int:
        """`exchangeRateStoredInternal`, with what a what-if has supplied."""
        if not held.added or not self.tokens + held.minted:
            return self.rate
        return mul_div_down(self.net + held.added, WAD, self.tokens + held.minted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A market: what it lends and how it stands."""

    asset: Asset
    totals: Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What a comptroller lays down for all: the part of a debt that one liquidation may repay (WAD), pauses, minima."""

    oracle: Address
    close_factor: int
    all_paused: bool = False
    least_collateral: int = 0
    liquidator: Address | None = None
    vai: Asset | None = None
    vai_paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What the accounts at hand share. Markets and prices by market token (two may lend the same), VAI's by its own."""

    at: Block
    version: Version
    common: Common
    listed: Mapping[Address, Outcome[Listed]]
    prices: Mapping[Address, Outcome[Price]]


# --- The protocol's own maths -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One market of one account as the contract values it. Values are WAD in dollars; `supplied` is in base units."""

    held: Holding
    asset: Asset
    price: Price
    supplied: int
    value: int
    backing: int
    required: int

    def legs(self) -> Iterator[Leg]:
        """What is supplied, weighted by the factor that liquidation goes by, and what is owed."""
        weight, key = Fraction(self.held.rule.threshold, WAD), self.held.c_token
        if self.held.tokens:
            yield Leg(asset=self.asset, amount=self.supplied, price=self.price, priced_as=key, backing=weight)
        if self.held.debt:
            owed = -self.held.debt
            yield Leg(asset=self.asset, amount=owed, price=self.price, priced_as=key, required=Fraction(1))

    def off(self, rate: int) -> Fraction:
        """By how much the legs' backing may be above the contract's, in numeraire units: its products are cut off."""
        raw = raw_of(self.price, self.asset)
        unit = raw * Fraction(self.held.rule.threshold, WAD)
        cut = Fraction(self.held.tokens * (raw + rate + 3 * WAD), WAD) if self.held.tokens else Fraction(0)
        return unit + cut + _VALUE


def raw_of(price: Price, asset: Asset) -> int:
    """What the oracle answers: 36 - decimals of the token places. One unit is the least that it can, 0 is an error."""
    return max(int(price.low // 10**asset.decimals), 1)


def lines_of(market: Market, account: Account) -> tuple[Line, ...]:
    """The contract's loop over the markets entered. Raises `ReadFailed` where it would fail.

    Who owes nothing is at no risk: then a market without a price is left out.
    """
    return tuple(_lines(market, account))


def _lines(market: Market, account: Account) -> Iterator[Line]:
    for held in account.holdings:
        if held.empty and (market.version.skips_empty or not account.owes):
            continue
        listed, price = market.listed[held.c_token], market.prices[held.c_token]
        if isinstance(listed, ReadFailed):
            raise listed
        if not isinstance(price, ReadFailed):
            yield _line(market.version, held, listed, price)
        elif account.owes:
            raise PriceMissing(f"no price for {listed.asset.symbol}: {price}") from price


def _line(version: Version, held: Holding, listed: Listed, price: Price) -> Line:
    raw, rate, threshold = raw_of(price, listed.asset), listed.totals.rate_after(held), held.rule.threshold
    each = mul_div_down(rate, raw, WAD)
    if version.weighs_last:
        weighed = mul_div_down(threshold, each, WAD)
    else:
        weighed = mul_div_down(mul_div_down(threshold, rate, WAD), raw, WAD)
    return Line(
        held=held,
        asset=listed.asset,
        price=price,
        supplied=mul_div_down(held.tokens, rate, WAD),
        value=mul_div_down(each, held.tokens, WAD),
        backing=mul_div_down(weighed, held.tokens, WAD),
        required=mul_div_down(raw, held.debt, WAD),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """An account summed up. Values are WAD in dollars, `vai` among what is required."""

    health: Health
    collateral: int
    slack: Fraction


def sums_of(market: Market, account: Account, lines: tuple[Line, ...]) -> Sums:
    """`sumCollateral` against `sumBorrowPlusEffects`: liquidatable below, and not at equality."""
    vai = account.vai.owed if account.vai else 0
    health = Health(backing=sum(line.backing for line in lines), required=sum(line.required for line in lines) + vai)
    return Sums(health=health, collateral=sum(line.value for line in lines), slack=_slack(market, lines, health))


def _slack(market: Market, lines: tuple[Line, ...], health: Health) -> Fraction:
    """How far legs in whole base units may be from sums that are cut off: much, where there is little."""
    if not health.required:
        return _USUAL_SLACK
    off = Fraction(0)
    for line in lines:
        listed = market.listed[line.held.c_token]
        if line.held.tokens and not isinstance(listed, ReadFailed):
            off += line.off(listed.totals.rate)
    backing = off / (health.backing * _VALUE) if health.backing else Fraction(1)
    return min(_USUAL_SLACK + backing + Fraction(len(lines), health.required), Fraction(1))


def in_numeraire(value: int) -> int:
    """A value as the contracts count it in units of the numeraire."""
    return value * _VALUE


def legs_of(market: Market, account: Account, lines: tuple[Line, ...]) -> Iterator[Leg]:
    """A leg for everything supplied and everything owed, VAI last."""
    for line in lines:
        yield from line.legs()
    asset, price = market.common.vai, None if market.common.vai is None else market.prices[market.common.vai.address]
    if account.vai and account.vai.owed and asset and isinstance(price, Price):
        owed = -account.vai.owed
        yield Leg(asset=asset, amount=owed, price=price, priced_as=asset.address, required=Fraction(1))
