"""Liquidation values of feeds under caps and quotients, held against a walk over all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.domain.health import Health
from watcher.domain.position import Asset, Leg, Numeraire, Position, PositionId, State
from watcher.domain.price import Cap, Expression, FeedReading, Fixed, Leaf, Price, Product
from watcher.domain.source import Address, Block, Holder
from watcher.risk.levers import levers
from watcher.risk.liquidation import liquidation_price

FEED, WALLET = Address("0x" + "fe" * 20), Address("0x" + "aa" * 20)
NOW = 10**6
READING = FeedReading(feed=FEED, pair="X/USD", answer=NOW, decimals=6, updated_at=1)
STEPS = range(-990, 9000, 7)
"""Where the walk stands still, in thousandths of the feed's answer away from it."""


def key(number: int) -> Address:
    return Address("0x" + f"{number:02x}" * 20)


def leg(number: int, amount: int, expression: Expression) -> Leg:
    """Collateral counts 8/10; what is owed counts in full."""
    return Leg(
        asset=Asset(address=key(number), symbol=f"T{number}", decimals=0),
        amount=amount,
        price=Price.of(expression),
        backing=Fraction(8, 10) if amount > 0 else Fraction(0),
        required=Fraction(1) if amount < 0 else Fraction(0),
        priced_as=key(number),
    )


def position(legs: tuple[Leg, ...]) -> Position:
    backing = sum((one.value() * one.backing for one in legs), Fraction(0))
    required = sum((-one.value() * one.required for one in legs), Fraction(0))
    return Position(
        id=PositionId(deployment="toy", wallet=WALLET, account=WALLET),
        holder=Holder.of(WALLET),
        at=Block(chain="toy", number=1, hash="0x1", timestamp=2),
        market="Toy",
        state=State.HEALTHY,
        health=Health(backing=int(backing), required=int(required)),
        legs=legs,
        collateral=0,
        debt=0,
        numeraire=Numeraire(symbol="USD", decimals=6),
    )


def repriced(before: Position, prices: Mapping[Address, Price]) -> Position:
    return position(tuple(replace(one, price=prices.get(one.priced_as, one.price)) for one in before.legs))


def times(thousandths: int) -> Expression:
    return Product(above=(Leaf(READING),), times=thousandths, over=1000)


def found(legs: tuple[Leg, ...]) -> int | None:
    whole = position(legs)
    [lever] = [one for one in levers(whole) if one.feed == FEED]
    price = liquidation_price(whole, lever, lambda prices: repriced(whole, prices))
    return None if price is None else price.value


def liquidatable(legs: tuple[Leg, ...], value: int) -> bool:
    whole = position(legs)
    moved = {one.priced_as: one.price.with_feeds({FEED: value}) for one in whole.legs}
    return repriced(whole, moved).health.liquidatable


def test_it_finds_the_dip_before_a_cap_sets_in() -> None:
    """A debt that rises with its feed as far as its cap, beside collateral that goes on rising."""
    steady = Product(above=(Fixed(NOW, "as it stands"),))
    legs = (
        leg(1, 1000, times(500)),
        leg(2, 1400, steady),
        leg(3, -1000, Cap(of=Leaf(READING), at=Fixed(3 * NOW, "at most"))),
    )
    value = found(legs)
    assert value is not None
    assert liquidatable(legs, value)
    assert not liquidatable(legs, value - 1)
    assert not liquidatable(legs, 1000 * NOW), "far beyond the cap all is well again"


def test_what_falls_when_its_feed_rises_is_liquidated_by_a_rise() -> None:
    inverse = Product(above=(Fixed(2 * NOW * NOW, "two"),), below=(Leaf(READING),))
    legs = (leg(1, 1000, inverse), leg(2, -500, Fixed(NOW, "steady")))
    value = found(legs)
    assert value is not None
    assert value > NOW
    assert liquidatable(legs, value)
    assert not liquidatable(legs, value - 1)


AMOUNTS = st.integers(10**4, 10**6)


@settings(max_examples=150, deadline=None)
@given(AMOUNTS, AMOUNTS, AMOUNTS, st.integers(200, 3000), st.integers(200, 3000), st.integers(1010, 4000))
def test_no_value_on_the_way_to_it_liquidates(
    first: int, steady: int, owed: int, part: int, other: int, cap: int
) -> None:
    legs = (
        leg(1, first, times(part)),
        leg(2, steady, Fixed(NOW, "steady")),
        leg(3, -owed, Cap(of=times(other), at=Fixed(NOW * cap // 1000, "at most"))),
    )
    if position(legs).health.liquidatable:
        return
    value = found(legs)
    walked = [NOW + NOW * step // 1000 for step in STEPS]
    lost = [one for one in walked if liquidatable(legs, one)]
    if value is None:
        assert not lost
        return
    assert liquidatable(legs, value)
    assert not liquidatable(legs, value + (1 if value < NOW else -1))
    assert all(abs(one - NOW) >= abs(value - NOW) for one in lost)
