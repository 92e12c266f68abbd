"""Euler v2 from recorded return data of its own contracts: every number and every verdict equals theirs.

`euler_v2@*` are of one nameless oracle; `euler_v2_router@*` of Euler's router and adapters (Chainlink, cross, rate
provider, a vault within a vault, shares priced by themselves), units of account of 6, 8 and 18 decimals, and a nameless
oracle beside them. `liquidity` and `to_borrow` are what `accountLiquidity` said for a liquidation and for a borrower.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache

import pytest

from tests.protocols.euler import NAMES, Case, everything, tape_cases
from tests.tape import Tape
from watcher.domain.health import Health
from watcher.domain.position import State, Unreadable, Verdict
from watcher.domain.source import Address, Holder
from watcher.protocols.euler_v2 import EulerV2
from watcher.protocols.euler_v2.maths import VIRTUAL_DEPOSIT, collateral_lines, debt_line
from watcher.protocols.euler_v2.outlook import to_borrow
from watcher.protocols.rounding import BPS, mul_div_up

COOL_OFF, DISABLED, TOO_LITTLE = "0x0a1d0efb", "0x750f8817", "0xb2be531b"
"""`E_LiquidationCoolOff`, `E_OperationDisabled`, `E_RepayTooMuch`: a debt of a unit or two moves whole, and what is
left of it in whole units cannot be written off any more."""
REFUSED = "borrowing more and withdrawing collateral are refused"
ROUTED = [name for name in NAMES if "router" in name]


@cache
def priced() -> tuple[Case, ...]:
    return tuple(case for case in everything() if not isinstance(case.reading, Unreadable))


@cache
def owing() -> tuple[Case, ...]:
    return tuple(case for case in priced() if case.position.health.required)


def mismatched(case: Case) -> str:
    """What our reading has otherwise than the contract; empty where nothing."""
    position, verdict, seen = case.position, case.verdict, case.seen
    assert isinstance(verdict, Verdict), verdict
    failed = {one["liquidate_error"] for one in seen["checks"]}
    checks = {
        "the verdict": verdict.agrees_with(position),
        "liquidity": numbers(position.health) == seen.get("liquidity", numbers(position.health))
        or position.state is State.NO_DEBT,
        "legs": position.legs_explain_health,
        "the view": seen["liquidatable_by_view"] is None or _seizable(position.state) >= seen["liquidatable_by_view"],
        "the liquidation": (position.state is State.LIQUIDATABLE) == bool(seen["liquidation_call_succeeds"])
        or TOO_LITTLE in failed,
    }
    return ", ".join(what for what, right in checks.items() if not right)


def numbers(health: Health) -> list[str]:
    return [str(health.backing), str(health.required)]


def _seizable(state: State) -> bool:
    return state in (State.LIQUIDATABLE, State.LIQUIDATABLE_BUT_BLOCKED)


@pytest.mark.parametrize("name", NAMES)
def test_it_equals_the_contract_to_the_last_unit(name: str) -> None:
    read = [case for case in tape_cases(name) if not isinstance(case.reading, Unreadable)]

    assert {case.name: found for case in read if (found := mismatched(case))} == {}


def test_it_reads_hundreds_of_states_of_every_kind() -> None:
    states = Counter(case.position.state for case in priced())

    assert len(everything()) == 162 + 270
    assert len(owing()) > 350
    assert set(states) == {
        *(State.HEALTHY, State.NO_DEBT, State.DUST),
        *(State.LIQUIDATABLE, State.LIQUIDATABLE_BUT_BLOCKED),
    }
    assert states[State.LIQUIDATABLE] > 70


def test_it_is_unreadable_exactly_where_the_contract_has_no_price() -> None:
    cases = [case for name in ROUTED for case in tape_cases(name) if case.account.debt]
    lost = [case for case in cases if isinstance(case.reading, Unreadable)]

    assert {case.name for case in lost} == {case.name for case in cases if case.seen["liquidity"] is None}
    assert len(lost) > 10
    assert {case.name.split(":")[0] for case in lost} == {"euler_v2_router@08_stale"}
    reasons = {case.reading.reason.split(" 0x")[0] for case in lost if isinstance(case.reading, Unreadable)}
    assert reasons == {"ChainlinkOracle", "the oracle"}


def test_it_counts_equality_as_liquidatable() -> None:
    """One was made so on purpose; the what-ifs have many that are one unit beside."""
    [equal] = [case for case in owing() if case.position.health.backing == case.position.health.required]

    assert equal.position.health.liquidatable
    assert equal.seen["liquidation_call_succeeds"]


def test_it_knows_what_a_borrower_would_be_told() -> None:
    """Bid and asked, at the LTV for borrowing. It is no danger, and so a note only, where all else is well."""
    cases = [case for case in owing() if "router" in case.name]
    ours = {case.name: allowed(case) for case in cases}

    assert {name: numbers(health) for name, health in ours.items()} == {
        case.name: case.seen["to_borrow"] for case in cases
    }
    assert len(cases) > 200
    refused = {
        case.name for case in cases if "borrowing more and withdrawing collateral are refused" in case.position.notes
    }
    safe = {case.name for case in cases if not case.position.health.liquidatable}
    assert refused == {name for name, health in ours.items() if health.liquidatable} & safe
    assert 10 < len(refused) < len(safe)


def allowed(case: Case) -> Health:
    debt = debt_line(case.market, case.account)
    assert debt is not None
    health = to_borrow(collateral_lines(case.market, case.account), debt)
    assert health is not None
    return health


def test_it_tells_a_cool_off_from_a_liquidation_that_goes_through() -> None:
    blocked = [case for case in priced() if case.position.state is State.LIQUIDATABLE_BUT_BLOCKED]

    assert Counter(case.name.split(":")[0] for case in blocked) == {
        "euler_v2@08_cooloff": 3,
        "euler_v2_router@06_cool_off": 1,
        "euler_v2_router@07_hooks": 3,
    }
    for case in blocked:
        errors = {one["liquidate_error"] for one in case.seen["checks"]}
        assert errors & {COOL_OFF, DISABLED}, case.name
        waits = [one for one in case.position.scenarios if one.what == "after the cool-off"]
        assert bool(waits) == (COOL_OFF in errors)
        assert all(one.at is not None and one.at > case.market.at.timestamp for one in waits)
        told = any("cool-off" in note or "are disabled" in note for note in case.position.notes)
        assert told or DISABLED in errors


def test_it_tells_where_a_falling_ltv_leads_and_when_it_first_liquidates() -> None:
    falling = [
        case for case in owing() if any(one.what == "when the LTV has fallen" for one in case.position.scenarios)
    ]
    crossing = 0
    for case in falling:
        told = {one.what: one for one in case.position.scenarios}
        end, first = told["when the LTV has fallen"], told.get("as the LTV falls")
        assert end.at is not None
        assert end.at > case.market.at.timestamp
        assert end.health.backing <= case.position.health.backing
        if first is not None:
            crossing += 1
            assert first.at is not None
            assert first.at <= end.at
            assert first.health.liquidatable
            assert not case.position.health.liquidatable
            before = sum(line.backing(first.at - 1) for line in collateral_lines(case.market, case.account))
            assert before > first.health.required
        else:
            assert case.position.health.liquidatable or not end.health.liquidatable

    assert len(falling) > 15
    assert crossing > 3


def test_it_converts_shares_as_the_vault_does() -> None:
    """The formula is what a deposit is reckoned by; as read, the vault itself was asked."""
    held = 0
    for case in priced():
        for stake in case.account.stakes:
            worth = case.market.worths.get((case.account.holder, stake.vault))
            vault = case.market.vaults[stake.vault]
            own = stake.vault == case.account.controller
            if own or worth is None or isinstance(worth, Exception) or isinstance(vault, Exception):
                continue
            if worth.asset == vault.asset:
                held += 1
                virtual = stake.shares * (vault.assets + VIRTUAL_DEPOSIT) // (vault.shares + VIRTUAL_DEPOSIT)
                assert virtual == worth.amount, case.name
    assert held > 400


def test_it_would_be_wrong_with_other_roundings() -> None:
    """The negative controls: exactness above is not an accident of easy numbers."""
    up, whole = 0, 0
    for case in owing():
        now, lines = case.market.at.timestamp, collateral_lines(case.market, case.account)
        up += sum(mul_div_up(line.value, line.ltv.at(now), BPS) for line in lines) != case.position.health.backing
        debt = debt_line(case.market, case.account)
        assert debt is not None
        whole += sum(line.value * line.ltv.at(now) for line in lines) // BPS != case.position.health.backing

    assert up > len(owing()) * 0.7
    assert whole > 5, "each collateral is cut off by itself"


def test_it_counts_in_the_lenders_unit_of_account() -> None:
    units = {(case.position.numeraire.symbol, case.position.numeraire.decimals) for case in priced()}

    assert units == {("USD", 18), ("USDC", 18), ("WETH", 18), ("WBTC", 18)}


def discovered(tape: Tape, reader: EulerV2, owner: str) -> Sequence[Holder]:
    return tape.play(reader.discover(Holder.of(Address(owner)), ()))


def test_it_looks_into_all_sub_accounts_and_returns_those_that_a_vault_controls() -> None:
    tape = Tape.load("euler_v2_router@00_open")
    cases = tape_cases(tape.name)
    reader = cases[0].reader
    for owner in tape.content["addresses"]["owners"]:
        found = discovered(tape, reader, owner)
        assert {holder.key for holder in found} == {"0", "1", "2", "17", "255"}
        assert {holder.account for holder in found} < set(tape.holders)
        assert {holder.wallet for holder in found} == {owner}
