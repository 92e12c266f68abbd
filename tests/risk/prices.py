"""Prices to doubt: feeds, trees and positions in as few words as a test needs."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any

from watcher.domain.feed import FeedReading, Opinion
from watcher.domain.health import Health
from watcher.domain.position import Asset, Leg, Numeraire, Position, PositionId, State
from watcher.domain.price import Expression, Fixed, Leaf, Price
from watcher.domain.source import Address, Block, Holder

WALLET = Address("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
START = 1_700_000_000
USD8 = Numeraire(symbol="USD", decimals=8)
ONE = Price.of(Fixed(10**8, "one dollar"))


@cache
def named(name: str) -> Address:
    """An address that tells whose it is."""
    return Address("0x" + name.encode().hex().ljust(40, "0")[:40])


def feed(pair: str, answer: float | int, at: int, *, age: int = 30, decimals: int = 8, **more: Any) -> FeedReading:
    """A reading; `answer` in whole units, `age` at the block time `at`."""
    scaled = round(answer * 10**decimals)
    known: dict[str, Any] = {"feed": named(pair), "heartbeat": 3600, "round": at - age}
    return FeedReading(pair=pair, answer=scaled, decimals=decimals, updated_at=at - age, **(known | more))


def says(pair: str, value: float, at: int, *, decimals: int = 8, **more: Any) -> tuple[Opinion, ...]:
    """What one second source says, in units of `decimals` places."""
    return (Opinion(feed(pair, value, at, **more), round(value * 10**decimals)),)


def price(of: Expression | FeedReading, source: str = "", beside: tuple[Opinion, ...] = ()) -> Price:
    expression = Leaf(of) if isinstance(of, FeedReading) else of
    return Price.of(expression, source=named(source or "source"), beside=beside)


def block(at: int) -> Block:
    return Block(chain="ethereum", number=at // 12, hash=hex(at), timestamp=at)


def position(
    collateral: Price,
    debt: Price | None = ONE,
    *,
    at: int = START,
    deployment: str = "market",
    wallet: Address = WALLET,
    numeraire: Numeraire = USD8,
    assets: tuple[str, str] = ("COLL", "DEBT"),
) -> Position:
    """One collateral at 80 %, and half as much debt; None owes nothing."""
    legs = [_leg(assets[0], 10**18, collateral, backing=Fraction(4, 5))]
    if debt is not None:
        owed = collateral.low * 10**18 // (2 * max(debt.low, 1))
        legs.append(_leg(assets[1], -max(owed, 1), debt, required=Fraction(1)))
    return Position(
        id=PositionId(deployment=deployment, wallet=wallet, account=wallet),
        holder=Holder.of(wallet),
        at=block(at),
        market="Market",
        state=State.HEALTHY if debt is not None else State.NO_DEBT,
        health=Health(backing=16 * 10**17, required=10**18 if debt is not None else 0),
        legs=tuple(legs),
        collateral=collateral.low,
        debt=collateral.low // 2 if debt is not None else 0,
        numeraire=numeraire,
    )


def _leg(name: str, amount: int, of: Price, **weights: Fraction) -> Leg:
    asset = Asset(address=named(name), symbol=name, decimals=18)
    return Leg(asset=asset, amount=amount, price=of, priced_as=asset.address, **weights)
