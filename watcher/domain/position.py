"""Positions: one common shape for what a wallet holds, owes, and how near it is to liquidation."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from watcher.domain.health import Health
from watcher.domain.price import FeedReading, Freshness, Price, stalest
from watcher.domain.source import Address, Block, Holder

NOTHING = Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A token as its contract describes itself. `symbol` is the contract's word, not ours: clean it before display."""

    address: Address
    symbol: str
    decimals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Numeraire:
    """What a market counts values in: an integer of value is `10**-decimals` of `symbol`."""

    symbol: str
    decimals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One line of a position. `amount` is in token base units, negative for what is owed.

    Backing is the sum of `amount × price × backing`, required that of `|amount| × price × required`, so both are
    linear in the prices. Lending collateral weighs (threshold, 0); debt weighs (0, 1). `priced_as` is the key of the
    price in its market: most often the asset, but a market may value several assets by one price.
    """

    asset: Asset
    amount: int
    price: Price
    backing: Fraction = NOTHING
    required: Fraction = NOTHING
    priced_as: Address

    def value(self, price: int | None = None) -> Fraction:
        """Signed value in numeraire units, at the leg's own price or another."""
        return Fraction(self.amount * (self.price.low if price is None else price), 10**self.asset.decimals)


class State(StrEnum):
    """What the protocol would do with the position now."""

    NO_DEBT = "no_debt"
    HEALTHY = "healthy"
    LIQUIDATABLE = "liquidatable"
    LIQUIDATABLE_BUT_BLOCKED = "liquidatable_but_blocked"
    DEBT_WITHOUT_COLLATERAL = "debt_without_collateral"
    DUST = "dust"
    """It owes less than anybody can or would liquidate by the protocol's own minimum; its health is as it is."""


class Check(StrEnum):
    """How our numbers stood beside the protocol's own view at the same block."""

    VERIFIED = "verified"
    MISMATCH = "mismatch"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionId:
    """Stable across restarts and prices: which risk unit of which wallet in which deployment."""

    deployment: str
    wallet: Address
    account: Address
    key: str = ""

    def __str__(self) -> str:
        own = () if self.account == self.wallet else (self.account,)
        return "/".join((self.deployment, self.wallet, *own, *((self.key,) if self.key else ())))


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """What the protocol lays down for a position, in words: `what` (a threshold, a pause), `of` which asset.

    `set_by_rule`: somebody has to decide for it to change, so that a change is news (a threshold, a cap, an oracle).
    Otherwise it is a figure of the market that moves by itself (a rate, utilisation).
    """

    what: str
    of: str
    value: str
    set_by_rule: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A health that the protocol itself has in store: at the next price of a delayed oracle, at the end of a ramp.

    `at`: when it comes at the earliest, in Unix seconds; None where that is up to somebody.
    """

    what: str
    health: Health
    at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One risk unit at one block, every number as the protocol itself has it.

    `collateral` and `debt` are values in units of `numeraire`. `slack` bounds how far the legs' health ratio may be
    from `health`, relatively. `regime` is a factor of the protocol's formula that moves in steps (Aave's truncated
    average threshold): health divided by it moves one way with a price or an amount. Most formulas have none: 1.
    """

    id: PositionId
    holder: Holder
    at: Block
    market: str
    state: State
    health: Health
    legs: tuple[Leg, ...]
    collateral: int
    debt: int
    numeraire: Numeraire
    slack: Fraction = Fraction(1, 10**9)
    regime: int = 1
    check: Check = Check.UNCHECKED
    notes: tuple[str, ...] = ()
    terms: tuple[Term, ...] = ()
    scenarios: tuple[Scenario, ...] = ()

    @property
    def feeds(self) -> tuple[FeedReading, ...]:
        """Every feed under the position, each once."""
        return tuple({reading.feed: reading for leg in self.legs for reading in leg.price.feeds}.values())

    @property
    def freshness(self) -> Freshness:
        """As fresh as the stalest price under it, at the pinned block's time."""
        return stalest({leg.price.freshness(self.at.timestamp) for leg in self.legs})

    @property
    def legs_explain_health(self) -> bool:
        """Whether the legs reproduce the health ratio within `slack` and one base unit per leg and per rounding."""
        if self.health.required == 0 or not self.legs:
            return self.health.required == 0
        unit = 2 * len(self.legs)
        backing = sum((leg.value() * leg.backing for leg in self.legs), NOTHING)
        required = sum((abs(leg.value()) * leg.required for leg in self.legs), NOTHING)
        factor = Fraction(self.health.backing, self.health.required)
        low = (backing * (1 - self.slack) - unit) / (required + unit)
        high = (backing * (1 + self.slack) + unit) / (required - unit) if required > unit else None
        step = Fraction(1, self.health.required)
        return low - step <= factor and (high is None or factor <= high + step)


class Because(StrEnum):
    """Why a position could not be read."""

    REVERTED = "reverted"
    UNDECODABLE = "undecodable"
    UNPRICEABLE = "unpriceable"
    MISMATCH = "mismatch"
    ENDPOINT = "endpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A position whose health is not known. Neither healthy nor unhealthy: an alert of its own."""

    id: PositionId
    holder: Holder
    at: Block | None
    market: str
    because: Because
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The protocol's own view of a holder, to hold ours against. None is what that view does not tell.

    `margin`: by how much what backs it is above what is required, where it tells that alone.
    """

    liquidatable: bool
    margin: int | None = None
    health: Health | None = None
    collateral: int | None = None
    debt: int | None = None

    @classmethod
    def valued(cls, health: Health, collateral: int, debt: int) -> Verdict:
        """A view that tells all."""
        return cls(liquidatable=health.liquidatable, health=health, collateral=collateral, debt=debt)

    def agrees_with(self, position: Position) -> bool:
        """Whether it tells nothing else than our position does."""
        health = position.health
        told = (
            (self.margin, health.backing - health.required),
            (self.health, health),
            (self.collateral, position.collateral),
            (self.debt, position.debt),
        )
        same = all(theirs is None or theirs == ours for theirs, ours in told)
        return same and self.liquidatable == health.liquidatable


@dataclass(frozen=True, slots=True)
class Repay:
    """Pay back `amount` base units of `asset`."""

    asset: Address
    amount: int


@dataclass(frozen=True, slots=True)
class TopUp:
    """Supply `amount` base units of `asset` as collateral."""

    asset: Address
    amount: int


Action = Repay | TopUp


@dataclass(frozen=True, slots=True)
class Refused:
    """The protocol would not accept the action, and why."""

    why: str
