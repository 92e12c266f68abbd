"""Positions: what they are called, how fresh they are, and whether their legs say what their health says."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.alerts.samples import BLOCK, ETH_FEED, ETH_USD, MAIN, USD_FEED, USDC, USDC_USD, WETH, position, reading
from watcher.domain.health import Health
from watcher.domain.position import Leg, Position, PositionId
from watcher.domain.price import Fixed, Freshness, Leaf, Opaque, Price
from watcher.domain.source import Address, Block

ACCOUNT = Address("0x" + "0d" * 20)


@pytest.mark.parametrize(
    ("account", "key", "name"),
    [
        (MAIN, "", f"aave_v3/{MAIN}"),
        (MAIN, "vault 3", f"aave_v3/{MAIN}/vault 3"),
        (ACCOUNT, "", f"aave_v3/{MAIN}/{ACCOUNT}"),
        (ACCOUNT, "ETH", f"aave_v3/{MAIN}/{ACCOUNT}/ETH"),
    ],
)
def test_it_is_named_by_deployment_wallet_account_and_key(account: Address, key: str, name: str) -> None:
    """The name is what the database knows an alert by: it may not change."""
    assert str(PositionId(deployment="aave_v3", wallet=MAIN, account=account, key=key)) == name


def test_it_lists_each_feed_once() -> None:
    found = position("1.5", feeds=(ETH_USD, ETH_USD))
    assert found.feeds == (ETH_USD,)
    assert position("1.5").feeds == (ETH_USD, USDC_USD)
    assert position("1.5", feeds=(Opaque(ETH_FEED, 1), Fixed(1, ""))).feeds == ()


LATE, UNPROMISED = reading(age=10_000), reading(USD_FEED, heartbeat=None)


@pytest.mark.parametrize(
    ("first", "second", "freshness"),
    [
        (Leaf(ETH_USD), Leaf(USDC_USD), Freshness.FRESH),
        (Leaf(ETH_USD), Fixed(1, ""), Freshness.FRESH),
        (Leaf(LATE), Leaf(USDC_USD), Freshness.STALE),
        (Leaf(ETH_USD), Leaf(UNPROMISED), Freshness.UNKNOWN),
        (Leaf(LATE), Leaf(UNPROMISED), Freshness.STALE),
        (Leaf(ETH_USD), Opaque(USD_FEED, 1), Freshness.UNKNOWN),
    ],
)
def test_it_is_as_fresh_as_its_stalest_price(
    first: Leaf | Fixed | Opaque, second: Leaf | Fixed | Opaque, freshness: Freshness
) -> None:
    assert position("1.5", feeds=(first, second)).freshness is freshness


def test_it_measures_freshness_at_its_own_block() -> None:
    later = replace(BLOCK, timestamp=BLOCK.timestamp + 10**6)
    assert replace(position("1.5"), at=later).freshness is Freshness.STALE


def test_it_knows_the_age_of_a_block_even_one_from_the_future() -> None:
    block = Block(chain="base", number=1, hash="0x", timestamp=100)
    assert (block.age(112), block.age(95)) == (12, -5)


def test_it_values_a_leg_at_its_price_or_another() -> None:
    leg = Leg(asset=USDC, amount=-1_500000, price=Price.of(Fixed(2, "")), priced_as=USDC.address)
    assert (leg.value(), leg.value(3)) == (Fraction(-3), Fraction(-9, 2))


# --- Legs and health --------------------------------------------------------------------------------------------------


def explained(backing: int, required: int, legs: tuple[Leg, ...], slack: Fraction = Fraction(1, 10**9)) -> bool:
    found: Position = replace(
        position("1.5"), health=Health(backing=backing, required=required), legs=legs, slack=slack
    )
    return found.legs_explain_health


def legs(collateral: int, debt: int, threshold: Fraction = Fraction(1)) -> tuple[Leg, ...]:
    """Amounts in whole tokens at a price of 10**8."""
    price = Price.of(Fixed(10**8, ""))
    return (
        Leg(asset=WETH, amount=collateral * 10**18, price=price, backing=threshold, priced_as=WETH.address),
        Leg(asset=USDC, amount=-debt * 10**6, price=price, required=Fraction(1), priced_as=USDC.address),
    )


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.integers(1, 10_000))
def test_it_finds_its_health_in_its_legs(collateral: int, debt: int, basis_points: int) -> None:
    threshold = Fraction(basis_points, 10_000)
    health = Fraction(collateral, debt) * threshold
    assert explained(int(health * 10**18), 10**18, legs(collateral, debt, threshold))


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.sampled_from([Fraction(1, 1000), Fraction(-1, 1000)]))
def test_it_sees_a_thousandth_of_difference(collateral: int, debt: int, off: Fraction) -> None:
    health = Fraction(collateral, debt) * (1 + off)
    assert not explained(int(health * 10**18), 10**18, legs(collateral, debt))
    assert explained(int(health * 10**18), 10**18, legs(collateral, debt), slack=Fraction(2, 1000))


def test_it_sees_a_debt_that_no_leg_carries() -> None:
    collateral, _ = legs(10, 5)
    assert not explained(10**18, 10**18, ())
    assert explained(2 * 10**18, 10**18, legs(10, 5))
    assert not explained(2 * 10**18, 10**18, (*legs(10, 5), legs(1, 3)[1]))
    assert explained(1, 0, (collateral,)), "nothing is required, so nothing is to be explained"
