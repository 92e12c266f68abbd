"""Liquidation prices and remedies: the protocol's own formula flips within one unit of what we print."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.protocols.aave import Case, tape_cases
from tests.protocols.vectors import case_of
from watcher.domain.position import Position, Refused, Repay, TopUp
from watcher.protocols.aave.state import Variant
from watcher.protocols.aave_v3.variants import VARIANTS
from watcher.risk.liquidation import Lever, levers, liquidation_price
from watcher.risk.restore import remedies

TAPE = "aave_v3_rev10@start"
NEW, OLD = VARIANTS[10][0], VARIANTS[8][0]


def cases(variant: Variant) -> list[Case]:
    return [case.with_variant(variant) for case in tape_cases(TAPE)]


def liquidatable(case: Case, lever: Lever, value: int) -> bool:
    return case.reprice(lever.prices(case.position, value)).health.liquidatable


@pytest.mark.parametrize("variant", [NEW, OLD], ids=["exact sum", "floored average"])
def test_it_flips_within_one_unit_of_the_printed_price(variant: Variant) -> None:
    found = 0
    for case in cases(variant):
        position = case.position
        for lever in levers(position):
            price = liquidation_price(position, lever, case.reprice)
            if price is None:
                continue
            found += 1
            towards_now = 1 if price.value < lever.current else -1
            assert liquidatable(case, lever, price.value), (case.name, lever.name)
            assert not liquidatable(case, lever, price.value + towards_now), (case.name, lever.name)
    assert found > 60


@pytest.mark.parametrize("variant", [NEW, OLD], ids=["exact sum", "floored average"])
def test_it_prints_the_first_flip_on_the_way(variant: Variant) -> None:
    """No sampled value between now and the printed one liquidates."""
    for case in cases(variant)[:40]:
        position = case.position
        for lever in levers(position):
            price = liquidation_price(position, lever, case.reprice)
            if price is None:
                continue
            span = lever.current - price.value
            near = [price.value + (1 if span > 0 else -1) * step for step in range(1, min(50, abs(span)))]
            across = [price.value + span * part // 61 for part in range(1, 61)]
            for value in (value for value in [*near, *across] if value != price.value):
                assert not liquidatable(case, lever, value), (case.name, lever.name, value)


def test_it_says_none_only_where_no_price_liquidates() -> None:
    for case in cases(NEW):
        position = case.position
        if position.health.required == 0 or position.health.liquidatable:
            continue
        for lever in levers(position):
            if liquidation_price(position, lever, case.reprice) is None:
                assert not liquidatable(case, lever, 1)
                assert not liquidatable(case, lever, lever.current * 10**6)


@pytest.mark.parametrize("variant", [NEW, OLD], ids=["exact sum", "floored average"])
@pytest.mark.parametrize("target", [Decimal("1.5"), Decimal("3")])
def test_it_names_the_smallest_amount_that_restores_health(variant: Variant, target: Decimal) -> None:
    tried = 0
    for case in cases(variant):
        for remedy in remedies(case.position, target, case.after):
            tried += 1
            action = remedy.action
            reached = case.after(action)
            assert isinstance(reached, Position)
            assert reached.health.factor == remedy.health
            if not remedy.enough:
                assert isinstance(action, Repay)
                assert remedy.health < target
                continue
            assert remedy.health >= target
            less = case.after(type(action)(action.asset, action.amount - 1))
            assert isinstance(less, Position)
            assert less.health.factor < target, (case.name, action)
    assert tried > 40


def test_it_refuses_to_top_up_what_is_not_collateral() -> None:
    case = next(case for case in cases(NEW) if any(not h.collateral for h in case.account.holdings))
    holding = next(h for h in case.account.holdings if not h.collateral)
    refused = case.after(TopUp(holding.asset, 1))
    assert isinstance(refused, Refused)
    assert "not enabled as collateral" in refused.why


def test_it_finds_the_published_price_of_the_recorded_vector() -> None:
    """One WETH position on real v3.6 bytecode, whose boundary was bisected on chain: 682.47937155."""
    vector = json.loads((Path(__file__).parent.parent / "vectors" / "aave36.json").read_text())
    case = case_of(vector, revision=10)
    position = case.position
    assert position.health.backing == int(vector["expected"]["healthFactor"])
    [lever] = [lever for lever in levers(position) if vector["asset_WETH"] in lever.keys and lever.feed is None]
    price = liquidation_price(position, lever, case.reprice)
    assert price is not None
    assert price.value == int(vector["expected"]["liquidationPriceWETH_largestLiquidatable"])
