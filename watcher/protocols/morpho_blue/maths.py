"""Morpho Blue's own arithmetic over state already read, exact to the unit.

Read beside `_accrueInterest`, `_isHealthy`, `repay` and `supplyCollateral` of morpho-org/morpho-blue v1.0.0,
src/Morpho.sol, and libraries/MathLib.sol, SharesMathLib.sol.

Prices are in units of the market's numeraire: loan tokens with so many decimals that Morpho's price (loan base units
for a base unit of collateral, times 1e36) is, as it stands, what one whole token of collateral is worth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final

from watcher.domain.errors import ReadFailed
from watcher.domain.health import Health
from watcher.domain.position import Asset, Leg, Numeraire, Refused, State
from watcher.domain.price import Price
from watcher.domain.source import Address, Block, Holder
from watcher.protocols.morpho_blue.calls import MOST, Params, PreParams, Totals
from watcher.protocols.reader import PriceMissing
from watcher.protocols.rounding import WAD, mul_div_down, mul_div_up
from watcher.reads import Outcome

PRICE_PLACES: Final = 36
"""`ORACLE_PRICE_SCALE` is ten to this."""
_SCALE: Final = 10**PRICE_PLACES
_VIRTUAL_SHARES, _VIRTUAL_ASSETS = 10**6, 1
_MOST_128: Final = 2**128 - 1

# --- State, as the engine keeps it ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A pre-liquidation of one market: a contract that whoever authorises it lets sell of his collateral earlier."""

    contract: Address
    market: str
    params: PreParams


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What one account has in one market, and the guards that it authorises there.

    `repaid` are assets and shares that a what-if takes off the debt of the whole market.
    """

    holder: Holder
    params: Params
    borrow_shares: int
    collateral: int
    guards: tuple[Guard, ...] = ()
    repaid: tuple[int, int] = (0, 0)

    @property
    def oracles(self) -> tuple[Address, ...]:
        """The market's own first; each once."""
        return tuple(dict.fromkeys([self.params.oracle, *(guard.params.oracle for guard in self.guards)]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """One market with its interest accrued to the block; `rate` is per second, as WAD."""

    id: str
    params: Params
    loan: Asset
    collateral: Asset
    totals: Totals
    rate: int

    @property
    def numeraire(self) -> Numeraire:
        """The loan token, in the steps of the price of one whole token of collateral."""
        return Numeraire(symbol=self.loan.symbol, decimals=PRICE_PLACES + self.loan.decimals - self.collateral.decimals)

    @property
    def priced_as(self) -> Address:
        """The key of the loan token's own price: how many steps make one depends on the collateral's decimals."""
        return Address(self.id)

    @property
    def utilisation(self) -> int:
        """As WAD."""
        return mul_div_down(self.totals.borrow_assets, WAD, self.totals.supply_assets or WAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Markets:
    """What the accounts at hand share. Markets by id; prices by oracle, and those of loan tokens by market."""

    at: Block
    markets: Mapping[str, Outcome[Market]]
    prices: Mapping[Address, Outcome[Price]] = field(default_factory=dict)


# --- Interest ---------------------------------------------------------------------------------------------------------


def accrued(totals: Totals, rate: int, now: int) -> Totals:
    """`_accrueInterest`: compounded by three terms of its series. Raises `ReadFailed` where that overflows, and with it
    whatever the contract is asked to do.

    The shares that the fee makes are left out: they are of suppliers, and change nobody's debt.
    """
    first = rate * (now - totals.updated_at)
    second = mul_div_down(first, first, 2 * WAD)
    third = mul_div_down(second, first, 3 * WAD)
    interest = mul_div_down(totals.borrow_assets, first + second + third, WAD)
    if max(totals.borrow_assets, totals.supply_assets) + interest > _MOST_128:
        raise ReadFailed(f"the interest at {rate} a second overflows: every transaction of this market reverts")
    return replace(
        totals,
        borrow_assets=totals.borrow_assets + interest,
        supply_assets=totals.supply_assets + interest,
        updated_at=now,
    )


def owed(totals: Totals, account: Account) -> int:
    """`toAssetsUp` of the borrow shares: loan base units."""
    assets, shares = account.repaid
    left = max(totals.borrow_assets - assets, 0)
    return mul_div_up(account.borrow_shares, left + _VIRTUAL_ASSETS, totals.borrow_shares - shares + _VIRTUAL_SHARES)


# --- The protocol's own maths -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One way in which the position may be liquidated: from which LTV on, by which price, and how far it is from it.

    `guard` is None for Morpho's own.
    """

    guard: Guard | None
    lltv: int
    oracle: Address
    price: Price
    health: Health


def price_of(markets: Markets, key: Address) -> Price:
    """A price that the contract would go by. Raises `PriceMissing`."""
    price = markets.prices[key]
    if isinstance(price, ReadFailed):
        raise PriceMissing(f"no price from oracle {key}: {price}") from price
    return price


def debt_of(markets: Markets, market: Market, account: Account) -> int:
    """What is owed, in loan base units of today: more where a what-if makes the loan token dearer."""
    price, unit = price_of(markets, market.priced_as), 10**market.numeraire.decimals
    return mul_div_up(owed(market.totals, account), price.low, unit)


def lines_of(markets: Markets, market: Market, account: Account) -> tuple[Line, ...]:
    """Morpho's own line, and that of each guard that could act now.

    Raises `PriceMissing` where Morpho would revert. A guard whose own oracle fails, or values the position beyond the
    market's LLTV, refuses to act (`PreLiquidation.preLiquidate`), and has no line.
    """
    debt = debt_of(markets, market, account)
    lines = [_line(markets, account, None, debt)]
    for guard in account.guards:
        try:
            line = _line(markets, account, guard, debt)
        except PriceMissing:
            continue
        if debt <= _most(account.collateral, line.price.low, market.params.lltv):
            lines.append(line)
    return tuple(lines)


def _line(markets: Markets, account: Account, guard: Guard | None, debt: int) -> Line:
    by = account.params if guard is None else guard.params
    price = price_of(markets, by.oracle)
    health = Health(backing=_most(account.collateral, price.low, by.lltv), required=debt)
    return Line(guard=guard, lltv=by.lltv, oracle=by.oracle, price=price, health=health)


def _most(collateral: int, price: int, lltv: int) -> int:
    """The most that may be owed, in loan base units. Raises `PriceMissing` where the contract's product overflows."""
    if collateral * price > MOST:
        raise PriceMissing(f"the price {price} is so high that Morpho's product with the collateral overflows")
    return mul_div_down(mul_div_down(collateral, price, _SCALE), lltv, WAD)


def nearest(lines: tuple[Line, ...]) -> Line:
    """The line that is crossed first; of equals Morpho's own."""
    return min(lines, key=lambda line: line.health.factor)


def state_of(account: Account, line: Line) -> State:
    """Morpho can pause nothing, and liquidates any amount: what can be liquidated is never dust nor blocked."""
    if not account.borrow_shares:
        return State.NO_DEBT
    if not account.collateral:
        return State.DEBT_WITHOUT_COLLATERAL
    return State.LIQUIDATABLE if line.health.liquidatable else State.HEALTHY


def legs_of(markets: Markets, market: Market, account: Account, line: Line) -> Iterator[Leg]:
    """The collateral by the line's price and LTV, and the debt at a price that is the numeraire's own."""
    if account.collateral:
        weight = Fraction(line.lltv, WAD)
        yield Leg(
            asset=market.collateral,
            amount=account.collateral,
            price=line.price,
            priced_as=line.oracle,
            backing=weight,
        )
    if debt := owed(market.totals, account):
        price = price_of(markets, market.priced_as)
        yield Leg(asset=market.loan, amount=-debt, price=price, priced_as=market.priced_as, required=Fraction(1))


def debt_value(market: Market, account: Account, price: int) -> int:
    """What is owed, in units of the numeraire, where one whole loan token is worth `price` of them."""
    return mul_div_down(owed(market.totals, account), price, 10**market.loan.decimals)


def slack_of(health: Health) -> Fraction:
    """By how much, as a fraction of 1, the legs may miss the health: it is cut off twice to whole loan base units, and
    they are not."""
    return min(Fraction(1, 10**9) + Fraction(2, max(min(health.backing, health.required), 1)), Fraction(1))


# --- Actions ----------------------------------------------------------------------------------------------------------


def after_repay(market: Market, account: Account, asset: Address, amount: int) -> Account | Refused:
    """`repay` of assets, or of all shares where they are covered: Morpho refuses assets beyond the debt."""
    debt = owed(market.totals, account)
    if asset != market.loan.address or not debt:
        return Refused(f"{asset} is not owed here")
    if amount >= debt:
        return replace(account, borrow_shares=0, repaid=_sum(account.repaid, (debt, account.borrow_shares)))
    assets, shares = account.repaid
    burnt = mul_div_down(
        amount,
        market.totals.borrow_shares - shares + _VIRTUAL_SHARES,
        max(market.totals.borrow_assets - assets, 0) + _VIRTUAL_ASSETS,
    )
    return replace(account, borrow_shares=account.borrow_shares - burnt, repaid=_sum(account.repaid, (amount, burnt)))


def _sum(before: tuple[int, int], more: tuple[int, int]) -> tuple[int, int]:
    return before[0] + more[0], before[1] + more[1]


def after_top_up(market: Market, account: Account, asset: Address, amount: int) -> Account | Refused:
    """`supplyCollateral`: there is no cap but that of the number's size."""
    if asset != market.collateral.address:
        return Refused(f"{asset} is not the collateral of this market")
    if account.collateral + amount > _MOST_128:
        return Refused("more than Morpho can count")
    return replace(account, collateral=account.collateral + amount)
