"""Health: two integers, compared exactly."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.domain.health import INFINITE, Health

AMOUNTS = st.integers(min_value=-(2**255), max_value=2**256 - 1)
REQUIRED = st.integers(min_value=1, max_value=2**256 - 1)


@given(AMOUNTS, REQUIRED)
def test_it_rounds_the_factor_down_in_the_sixtieth_digit(backing: int, required: int) -> None:
    exact, factor = Fraction(backing, required), Health(backing=backing, required=required).factor
    step = Decimal(1).scaleb(factor.adjusted() - 59) if factor else Decimal(0)
    assert Fraction(factor) <= exact
    assert exact < Fraction(factor) + Fraction(step) or exact == Fraction(factor)


@given(REQUIRED, st.integers(-3, 3), st.booleans())
def test_it_compares_with_one_as_the_protocol_does(required: int, off: int, inclusive: bool) -> None:
    health = Health(backing=required + off, required=required, inclusive=inclusive)
    assert health.liquidatable == (off < 0 or (inclusive and off == 0))
    assert (health.factor < 1) == (off < 0)
    assert (health.factor == 1) == (off == 0) or required > 10**59


@given(AMOUNTS, REQUIRED, st.decimals(min_value="0.5", max_value=5, places=18))
def test_it_keeps_the_comparison_with_a_limit_exact(backing: int, required: int, limit: Decimal) -> None:
    assert (Health(backing=backing, required=required).factor < limit) == (
        Fraction(backing, required) < Fraction(limit)
    )


def test_it_sees_one_wei_where_a_float_sees_none() -> None:
    health = Health(backing=10**24 - 1, required=10**24)
    assert float(10**24 - 1) / float(10**24) == 1.0
    assert health.factor < 1
    assert health.liquidatable


def test_it_is_infinite_where_nothing_is_required() -> None:
    for backing in (0, 1):
        health = Health(backing=backing, required=0, inclusive=True)
        assert (health.factor, health.liquidatable) == (INFINITE, False)


def test_it_is_liquidatable_where_equity_is_negative_and_nothing_is_required() -> None:
    health = Health(backing=-1, required=0)
    assert (health.factor, health.liquidatable) == (-INFINITE, True)


@pytest.mark.parametrize(("inclusive", "liquidatable"), [(False, False), (True, True)])
def test_it_knows_who_liquidates_at_equality(inclusive: bool, liquidatable: bool) -> None:
    assert Health(backing=5, required=5, inclusive=inclusive).liquidatable is liquidatable


def test_it_does_not_depend_on_the_context_around_it() -> None:
    health = Health(backing=10**39 - 1, required=10**39)
    with localcontext() as context:
        context.prec = 5
        assert health.factor == Decimal("0." + "9" * 39)
