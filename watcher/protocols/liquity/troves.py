"""What the versions of Liquity share: a trove, its ratio, and how it looks in the common model.

A trove is liquidated below a minimum ratio of collateral to debt, with the debt's token counted as one dollar whatever
it is worth. Beside liquidation there is redemption: anybody may pay the debt of the troves that stand first in line and
take collateral of the same value. That makes no trove less healthy, but it takes its collateral away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from watcher.domain.errors import ReadFailed
from watcher.domain.health import Health
from watcher.domain.position import (
    Action,
    Asset,
    Because,
    Leg,
    Numeraire,
    Position,
    PositionId,
    Refused,
    Repay,
    Scenario,
    State,
    Term,
    Unreadable,
)
from watcher.domain.price import Fixed, Price
from watcher.domain.source import Address, Block, Holder
from watcher.oracles.liquity import fetch_price
from watcher.oracles.sources import price_from
from watcher.protocols.figures import amount
from watcher.protocols.reader import Place, PriceMissing
from watcher.protocols.rounding import WAD, mul_div_down
from watcher.reads import Bundle, Outcome, Plan

PLACES: Final = 18
"""Decimals of everything in Liquity."""
DOLLARS: Final = Numeraire(symbol="USD", decimals=PLACES)
_AT_PAR: Final = Price.of(Fixed(WAD, "Liquity counts its own token as one dollar"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trove:
    """Debt and collateral with all that has accrued and is pending, at the block that they were read at.

    `rate` is the interest a year that its owner chose, as WAD; v1 has none.
    """

    holder: Holder
    debt: int
    coll: int
    rate: int = 0
    zombie: bool = False


def ratio(coll: int, debt: int, price: int) -> int:
    """`LiquityMath._computeCR`, as WAD. Of a debt above zero."""
    return mul_div_down(coll, price, debt)


def health_of(own: int, debt: int, threshold: int) -> Health:
    """A ratio against the threshold, both as WAD. A redemption can take all of a trove's debt and leave it there."""
    return Health(backing=own, required=threshold) if debt else Health(backing=0, required=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What is put up, and what is owed."""

    collateral: Asset
    debt: Asset

    @classmethod
    def of(cls, collateral: Address, collateral_symbol: str, debt: Address, debt_symbol: str) -> Tokens:
        """Both have 18 decimals: Liquity counts in nothing else."""
        return cls(
            collateral=Asset(address=collateral, symbol=collateral_symbol, decimals=PLACES),
            debt=Asset(address=debt, symbol=debt_symbol, decimals=PLACES),
        )


def asked_price(feed: Address, place: Place) -> Plan[Price]:
    """What `fetchPrice` would answer now. It writes what it finds, so it is asked where nobody else sees that.

    Raises `PriceMissing` where it answers no price, and `CallReverted` where it does not answer.
    """
    bundle = Bundle((fetch_price(feed),))
    got = yield [bundle]
    [value] = got.bundle(bundle)
    if isinstance(value, ReadFailed):
        raise PriceMissing(f"the price feed {feed} has no price: {value}") from value
    if value <= 0:
        raise PriceMissing(f"the price feed {feed} answers {value}")
    return (yield from price_from(feed, value, place.feeds))


def priced(prices: Mapping[Address, Outcome[Price]], tokens: Tokens) -> Price:
    """The price of the collateral. Raises `PriceMissing` where there is none."""
    price = prices[tokens.collateral.address]
    if isinstance(price, ReadFailed):
        raise PriceMissing(str(price)) from price
    return price


def identified(place: Place, holder: Holder) -> PositionId:
    return PositionId(deployment=place.deployment, wallet=holder.wallet, account=holder.account, key=holder.key)


def unpriceable(place: Place, holder: Holder, at: Block, problem: ReadFailed) -> Unreadable:
    return Unreadable(
        id=identified(place, holder),
        holder=holder,
        at=at,
        market=place.title,
        because=Because.UNPRICEABLE,
        reason=str(problem),
    )


def position_of(
    place: Place,
    at: Block,
    trove: Trove,
    tokens: Tokens,
    price: Price,
    threshold: int,
    *,
    blocked: bool = False,
    terms: Iterable[Term] = (),
    scenarios: Iterable[Scenario] = (),
    notes: Iterable[str] = (),
) -> Position:
    """A trove as a position: its ratio against the `threshold` below which it may be liquidated now, both as WAD."""
    own = ratio(trove.coll, trove.debt, price.low) if trove.debt else 0
    health = health_of(own, trove.debt, threshold)
    return Position(
        id=identified(place, trove.holder),
        holder=trove.holder,
        at=at,
        market=place.title,
        state=_state(trove, health, blocked=blocked),
        health=health,
        legs=_legs(trove, tokens, price, threshold),
        collateral=mul_div_down(trove.coll, price.low, WAD),
        debt=trove.debt,
        numeraire=DOLLARS,
        terms=tuple(terms),
        scenarios=tuple(scenarios),
        notes=tuple(notes),
    )


def _state(trove: Trove, health: Health, *, blocked: bool) -> State:
    if not trove.debt:
        return State.NO_DEBT
    if not trove.coll:
        return State.DEBT_WITHOUT_COLLATERAL
    if not health.liquidatable:
        return State.HEALTHY
    return State.LIQUIDATABLE_BUT_BLOCKED if blocked else State.LIQUIDATABLE


def _legs(trove: Trove, tokens: Tokens, price: Price, threshold: int) -> tuple[Leg, ...]:
    collateral, debt, weight = tokens.collateral, tokens.debt, Fraction(threshold, WAD)
    held = Leg(asset=collateral, amount=trove.coll, price=price, backing=Fraction(1), priced_as=collateral.address)
    if not trove.debt:
        return (held,)
    owed = Leg(asset=debt, amount=-trove.debt, price=_AT_PAR, required=weight, priced_as=debt.address)
    return held, owed


def after(trove: Trove, tokens: Tokens, action: Action, least: int) -> Trove | Refused:
    """The trove after its owner pays debt back or adds collateral; `least` is the debt that has to be left."""
    if isinstance(action, Repay):
        if action.asset != tokens.debt.address:
            return Refused(f"a trove owes {tokens.debt.symbol} only")
        left = trove.debt - action.amount
        if left < least:
            return Refused(f"a trove keeps a debt of {amount(least, PLACES)} {tokens.debt.symbol}, or is closed")
        return replace(trove, debt=left)
    if action.asset != tokens.collateral.address:
        return Refused(f"a trove holds {tokens.collateral.symbol} only")
    return replace(trove, coll=trove.coll + action.amount)


# --- Redemption -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """The troves of one market in the order in which redemptions take them: the name of each, and its debt."""

    troves: tuple[tuple[object, int], ...]

    def ahead_of(self, name: object) -> tuple[int, int] | None:
        """How many stand before a trove, and what they owe together; None where it is not in the line."""
        before = 0
        for place, (other, debt) in enumerate(self.troves):
            if other == name:
                return place, before
            before += debt
        return None


def redemption(line: Outcome[Line], name: object, tokens: Tokens) -> Sequence[Term]:
    """What is known of how soon redemptions reach a trove."""
    ahead = None if isinstance(line, ReadFailed) else line.ahead_of(name)
    if ahead is None:
        return (Term(what="redemption", of=tokens.debt.symbol, value="place in line not known", set_by_rule=False),)
    place, debt = ahead
    value = f"{place} troves and {amount(debt // WAD * WAD, PLACES)} {tokens.debt.symbol} ahead"
    return (Term(what="redemption", of=tokens.debt.symbol, value=value, set_by_rule=False),)
