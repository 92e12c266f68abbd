"""Aave v3.6 and v3.7 from recorded return data: every number equals the contract's own, to the unit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.protocols.aave import tape_cases
from tests.protocols.vectors import case_of
from tests.tape import TAPES, Tape
from watcher.domain.position import State
from watcher.domain.price import Freshness
from watcher.protocols.aave_v3.variants import VARIANTS

VECTORS = Path(__file__).parent.parent / "vectors"
NAMES = sorted(path.name.removesuffix(".json.gz") for path in TAPES.glob("aave_v3*.json.gz"))
REV10 = [name for name in NAMES if "rev10" in name]


@pytest.mark.parametrize("name", NAMES)
def test_it_equals_the_contract_to_the_last_unit(name: str) -> None:
    cases = tape_cases(name)
    assert cases
    for case in cases:
        position, verdict = case.position, case.verdict
        assert verdict is not None
        assert (position.health, position.collateral, position.debt) == (
            verdict.health,
            verdict.collateral,
            verdict.debt,
        ), case.name


def test_it_reads_sixty_accounts_at_three_blocks_of_v36() -> None:
    assert [len(tape_cases(name)) for name in REV10] == [60, 60, 60]


def test_it_would_be_wrong_with_the_rounding_of_the_older_family() -> None:
    """The negative control: exactness above is not an accident of easy numbers."""
    older = VARIANTS[8][0]
    owing = [case for case in tape_cases(REV10[0]) if case.position.debt]
    wrong = [c for c in owing if c.with_variant(older).position.health != c.position.health]
    assert len(wrong) > len(owing) * 0.9


@pytest.mark.parametrize("name", NAMES)
def test_it_keeps_its_legs_within_the_slack_it_states(name: str) -> None:
    for case in tape_cases(name):
        assert case.position.legs_explain_health, case.name


def test_it_says_what_the_liquidation_call_would_do() -> None:
    """On the v3.7 tapes each account was really tried: liquidatable means that `liquidationCall` went through."""
    tried = 0
    for name in (name for name in NAMES if "v37" in name):
        verdicts = {v["holder"].lower(): v for v in Tape.load(name).content["verdicts"]}
        for case in tape_cases(name):
            outcome = verdicts.get(case.account.holder.wallet.lower(), {}).get("liquidation_call_succeeds")
            if outcome is not None:
                tried += 1
                assert (case.position.state is State.LIQUIDATABLE) == outcome, case.name
    assert tried > 50


def test_it_calls_a_feed_stale_by_its_heartbeat_at_the_block() -> None:
    for name in REV10:
        for case in tape_cases(name):
            late = [r for r in case.position.feeds if case.market.at.timestamp - r.updated_at > 3600 + 360]
            assert (case.position.freshness is Freshness.STALE) == bool(late), case.name


@pytest.mark.parametrize(("name", "revision"), [("aave30", 1), ("aave36", 10)])
def test_it_reproduces_the_recorded_single_positions(name: str, revision: int) -> None:
    vector = json.loads((VECTORS / f"{name}.json").read_text())
    case = case_of(vector, revision)
    assert case.verdict is not None
    assert (case.position.health, case.position.collateral, case.position.debt) == (
        case.verdict.health,
        case.verdict.collateral,
        case.verdict.debt,
    )
