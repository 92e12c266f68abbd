"""Euler v2 where things are not as they should be: recorded states with parts of what was answered replaced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, Final

import pytest

from tests.protocols.euler import NAMES, Case, cases_of, reader_of, tape_cases
from tests.tape import Tape
from watcher.domain.errors import CallReverted, ReadFailed
from watcher.domain.position import Because, Position, Refused, Repay, State, TopUp, Unreadable
from watcher.domain.price import Price
from watcher.domain.source import ZERO_ADDRESS, Address, Holder
from watcher.protocols.euler_v2 import calls
from watcher.protocols.euler_v2.calls import Hooks, Ltv
from watcher.protocols.euler_v2.maths import OP_LIQUIDATE, OP_TRANSFER, OP_VAULT_STATUS_CHECK, Vault, closed
from watcher.protocols.euler_v2.reader import sub_account
from watcher.protocols.euler_v2.worths import price_key
from watcher.reads import Call

OPEN: Final = Tape.load("euler_v2_router@00_open")
VAULTS: Final[Mapping[str, str]] = OPEN.content["addresses"]["vaults"]


def doctored(*changes: tuple[Call[Any], str | None], tape: Tape = OPEN) -> list[Case]:
    """The cases of a tape on which these calls answered otherwise; None is a revert."""
    return list(cases_of(altered(tape, *changes)))


def altered(tape: Tape, *changes: tuple[Call[Any], str | None]) -> Tape:
    content = deepcopy(dict(tape.content))
    for call, result in changes:
        [found] = [
            one
            for one in content["calls"]
            if one["to"].lower() == call.target.lower() and one["data"] == "0x" + call.data.hex()
        ]
        found["result"] = result
    return Tape(tape.name, content)


def word(*values: int) -> str:
    return "0x" + "".join(f"{value:064x}" for value in values)


def lent_by(cases: list[Case], name: str) -> list[Case]:
    return [case for case in cases if case.account.controller == VAULTS[name]]


def reading(case: Case) -> Position | Unreadable | ReadFailed:
    try:
        return case.reading
    except ReadFailed as problem:
        return problem


def vault(name: str) -> Address:
    return Address(VAULTS[name])


def test_it_loses_the_accounts_of_a_lender_that_cannot_be_read_and_no_others() -> None:
    cases = doctored((calls.oracle_of(vault("lUSDC")), None))
    lost = [case for case in cases if isinstance(reading(case), CallReverted)]

    assert {case.account.controller for case in lost} == {VAULTS["lUSDC"]}
    assert len(lost) == len(lent_by(cases, "lUSDC"))
    assert all(isinstance(reading(case), Position) for case in cases if case not in lost)


def test_it_loses_what_is_backed_by_a_vault_that_cannot_be_read_and_nothing_else() -> None:
    broken = vault("cwstETH")
    cases = doctored((calls.asset_of_vault(broken), None))
    lost = {case.name for case in cases if not isinstance(reading(case), Position)}

    assert lost == {
        case.name for case in tape_cases(OPEN.name) if any(s.vault == broken and s.shares for s in case.account.stakes)
    }
    assert 0 < len(lost) < len(cases)


def test_it_takes_a_collateral_that_knows_neither_hooks_nor_caps() -> None:
    other = vault("cWETH")
    plain, same = doctored((calls.hooks_of(other), None), (calls.supply_cap_of(other), None)), tape_cases(OPEN.name)

    assert [case.position.health for case in plain] == [case.position.health for case in same]


def test_it_says_that_a_price_is_missing_and_never_that_all_is_well() -> None:
    lost = [case for case in tape_cases("euler_v2_router@08_stale") if isinstance(case.reading, Unreadable)]

    assert {case.reading.because for case in lost if isinstance(case.reading, Unreadable)} == {Because.UNPRICEABLE}
    assert all(isinstance(case.verdict, CallReverted) for case in lost), "the contract refuses in the same places"


def test_it_needs_no_price_for_an_account_that_owes_nothing() -> None:
    idle = [case for case in tape_cases("euler_v2_router@08_stale") if not case.account.debt]

    assert len(idle) >= 2
    assert all(case.position.state is State.NO_DEBT for case in idle)
    assert any("the collateral is not valued" in note for case in idle for note in case.position.notes)


def test_it_refuses_an_account_that_two_vaults_control() -> None:
    holder = OPEN.holders[0]
    both = word(32, 2, int(VAULTS["lUSDC"], 16), int(VAULTS["lWETH"], 16))
    evc = OPEN.address("evc")
    tape = altered(OPEN, (calls.controllers_of(evc, holder), both))

    with pytest.raises(ReadFailed, match=f"2 vaults control {holder}"):
        tape.play(reader_of(tape).account(Holder.of(holder)))


def test_it_has_nothing_of_an_account_that_no_vault_controls() -> None:
    holder, evc = OPEN.holders[0], OPEN.address("evc")
    tape = altered(OPEN, (calls.controllers_of(evc, holder), word(32, 0)))
    reader = reader_of(tape)

    assert tape.play(reader.account(Holder.of(holder))) is None
    verdict = tape.play(reader.verdict(Holder.of(holder)))
    assert verdict is not None
    assert not verdict.liquidatable


def some(name: str, accept: Callable[[Case], bool]) -> Case:
    return next(case for case in tape_cases(name) if accept(case))


def test_it_calls_a_debt_that_nothing_backs_by_its_name() -> None:
    case = some("euler_v2@00_open", lambda one: one.position.state is State.HEALTHY)
    gone = [(calls.shares_of(stake.vault, case.account.holder.account), word(0)) for stake in case.account.stakes]
    [found] = [one for one in doctored(*gone, tape=Tape.load("euler_v2@00_open")) if one.name == case.name]

    assert found.position.state is State.DEBT_WITHOUT_COLLATERAL
    assert found.position.health.backing == 0
    assert found.position.health.liquidatable


def test_it_does_not_count_collateral_without_an_ltv_yet_lets_it_be_seized() -> None:
    """One that fell to 0 is recognised still; one that the lender was never told of is not."""
    tape = Tape.load("euler_v2@00_open")
    case = some(tape.name, lambda one: one.position.state is State.HEALTHY and len(one.account.stakes) == 1)
    lender, [stake] = case.account.controller, case.account.stakes

    def with_ltv(*ltv: int) -> Position:
        cases = doctored((calls.ltv_of(lender, stake.vault), word(*ltv)), tape=tape)
        [found] = [one for one in cases if one.name == case.name]
        return found.position

    fallen, unknown = with_ltv(0, 0, 8000, 5, 0), with_ltv(0, 0, 0, 0, 0)
    assert (fallen.state, unknown.state) == (State.LIQUIDATABLE, State.DEBT_WITHOUT_COLLATERAL)
    assert any(note.startswith("not counted, as its LTV is 0: e") for note in fallen.notes)
    assert [leg.amount < 0 for leg in fallen.legs] == [True]


def test_it_lets_an_ltv_fall_evenly_and_cut_off() -> None:
    ltv = Ltv(borrow=7000, liquidation=7001, initial=8004, target_at=1_000, ramp=900)

    assert [ltv.at(now) for now in (100, 101, 550, 999, 1_000, 5_000)] == [8004, 8002, 7502, 7002, 7001, 7001]
    assert [ltv.ramping(now) for now in (100, 999, 1_000)] == [True, True, False]
    assert not Ltv(7000, 9000, 8000, 1_000, 900).ramping(500), "one that was raised counts at once"
    assert Ltv(7000, 9000, 8000, 1_000, 900).at(500) == 9000


def test_it_takes_an_operation_for_closed_where_its_hook_is_no_contract() -> None:
    hook = Address("0x" + "11" * 20)

    assert closed(Hooks(ZERO_ADDRESS, OP_LIQUIDATE), OP_LIQUIDATE)
    assert closed(Hooks(ZERO_ADDRESS, OP_VAULT_STATUS_CHECK), OP_LIQUIDATE), "it comes with every other operation"
    assert not closed(Hooks(ZERO_ADDRESS, OP_TRANSFER), OP_LIQUIDATE)
    assert not closed(Hooks(hook, OP_LIQUIDATE), OP_LIQUIDATE), "only the hook knows"


def test_it_reads_a_cap_as_the_vault_resolves_it() -> None:
    cap = calls.supply_cap_of(vault("cWETH")).parse

    assert cap(0, 0) == 2**256 - 1, "no cap at all"
    assert cap(1, 0) == 0
    assert cap(100 << 6 | 18, 0) == 10**18
    assert cap(1023 << 6 | 63, 0) == 1023 * 10**63 // 100


def test_it_refuses_a_deposit_above_the_cap_and_one_too_small_for_a_share() -> None:
    case = some("euler_v2_router@00_open", lambda one: one.account.stakes[0].vault == VAULTS["cWBTC"])
    cases = doctored((calls.supply_cap_of(vault("cWBTC")), word(1, 0)))
    [capped] = [one for one in cases if one.name == case.name]
    asset = Address(OPEN.content["addresses"]["assets"]["WBTC"])

    refused = capped.after(TopUp(asset, 1))
    assert isinstance(refused, Refused)
    assert "accepts no more: its supply cap is 0" in refused.why
    assert isinstance(capped.after(TopUp(asset, 0)), Position)
    assert isinstance(case.after(TopUp(asset, 1)), Position)


def test_it_refuses_what_the_account_does_not_have() -> None:
    case = some("euler_v2_router@00_open", lambda one: one.position.state is State.HEALTHY)

    for action in (Repay(ZERO_ADDRESS, 1), TopUp(ZERO_ADDRESS, 1)):
        assert isinstance(case.after(action), Refused)


def test_it_counts_two_deposits_like_one_after_the_other() -> None:
    case = some(
        "euler_v2_router@01_idle",
        lambda one: one.account.stakes[0].vault == VAULTS["cWETH"] and one.position.state is State.HEALTHY,
    )
    weth = Address(OPEN.content["addresses"]["assets"]["WETH"])
    first = case.reader.after(case.market, case.account, TopUp(weth, 10**18))
    assert not isinstance(first, Refused)
    second = case.reader.after(case.market, first, TopUp(weth, 5 * 10**17))
    at_once = case.reader.after(case.market, case.account, TopUp(weth, 15 * 10**17))
    assert not isinstance(second, Refused)
    assert not isinstance(at_once, Refused)
    assert second.stakes[0].deposited == at_once.stakes[0].deposited
    assert at_once.stakes[0].shares - second.stakes[0].shares in (0, 1), "each deposit is cut off by itself"


def test_it_prices_the_same_token_apart_for_each_lender() -> None:
    weth = Address(OPEN.content["addresses"]["assets"]["WETH"])
    market = tape_cases(OPEN.name)[0].market
    prices = {name: market.prices[price_key(vault(name), weth)] for name in ("lWETH", "lWETHe", "lUSDCt")}

    assert len({price_key(vault(name), weth) for name in VAULTS}) == len(VAULTS)
    assert all(isinstance(price, Price) for price in prices.values())
    assert len({price.low for price in prices.values() if isinstance(price, Price)}) == 3
    own = prices["lWETHe"]
    assert isinstance(own, Price)
    assert own.low == 10**18, "the unit of account itself"


def test_it_shows_shares_as_what_is_held_where_the_oracle_prices_shares() -> None:
    shares = vault("sWETH")
    legs = [leg for case in tape_cases(OPEN.name) for leg in case.position.legs if leg.asset.address == shares]

    assert legs
    assert all(leg.asset.symbol.startswith("eWETH") for leg in legs)
    assert all([reading.pair for reading in leg.price.feeds] == ["eWETH/USD"] for leg in legs)


def test_it_numbers_sub_accounts_by_their_last_byte() -> None:
    owner = Address("0x4ADdEcA5a3A4bcc85C7C9132572B92c6164eA8D0")

    assert sub_account(owner, 0) == owner
    assert sub_account(owner, 1) == "0x4addeCa5a3a4BCc85c7C9132572b92C6164ea8d1"
    assert {sub_account(owner, number)[:-2].lower() for number in range(256)} == {owner[:-2].lower()}


def test_it_says_what_is_laid_down_and_what_moves_by_itself() -> None:
    case = some(
        "euler_v2_router@00_open", lambda one: one.account.controller == VAULTS["lUSDCt"] and one.account.debt > 0
    )
    rules = {(term.what, term.of): term.value for term in case.position.terms if term.set_by_rule}
    figures = {term.what for term in case.position.terms if not term.set_by_rule}

    assert figures == {"borrow rate", "utilisation"}
    assert ("liquidation LTV", "eWETH-1") in rules or ("liquidation LTV", "eWBTC-1") in rules
    [source] = [value for (what, _), value in rules.items() if what == "price source"]
    assert source == OPEN.content["addresses"]["table"]


def test_it_recognises_an_evc_and_nothing_else() -> None:
    evc = OPEN.address("evc")
    asked = [ask(evc, evc) for ask in (calls.controllers_of, calls.collaterals_of, calls.checked_at)]
    reader = reader_of(OPEN)

    assert OPEN.play(reader.expects()) == []
    broken = altered(OPEN, *((ask, None) for ask in asked))
    assert len(broken.play(reader.expects())) == 3
    odd = altered(OPEN, (asked[0], word(32, 1, int(VAULTS["lUSDC"], 16))))
    assert odd.play(reader.expects()) == [f"{evc} says that vaults control it, which no EVC lets happen to itself"]


def test_it_mints_for_a_deposit_what_the_vault_says_it_would() -> None:
    """`convertToShares` is on the first tapes; a deposit rounds like it."""
    minted = 0
    for name in (name for name in NAMES if "router" not in name):
        tape = Tape.load(name)
        told = {
            one["to"].lower(): int(one["result"], 16)
            for one in tape.content["calls"]
            if one["function"] == "convertToShares(uint256)"
        }
        for case in tape_cases(name):
            for stake in case.account.stakes:
                holds = case.market.vaults[stake.vault]
                assert isinstance(holds, Vault)
                after = case.reader.after(case.market, case.account, TopUp(holds.asset.address, 10**18))
                if not isinstance(after, Refused):
                    new = next(one for one in after.stakes if one.minted)
                    assert new.minted == told[new.vault.lower()]
                    minted += 1

    assert minted > 150


def test_it_finds_a_liquidation_blocked_where_no_collateral_can_be_moved() -> None:
    tape = Tape.load("euler_v2@03_boundary_minus1")
    case = some(tape.name, lambda one: one.position.state is State.LIQUIDATABLE and len(one.account.stakes) == 1)
    [stake] = case.account.stakes
    cases = doctored((calls.hooks_of(stake.vault), word(0, OP_TRANSFER)), tape=tape)
    [found] = [one for one in cases if one.name == case.name]

    assert found.position.state is State.LIQUIDATABLE_BUT_BLOCKED
    [hooked] = [
        one for one in doctored((calls.hooks_of(stake.vault), word(1, OP_TRANSFER)), tape=tape) if one.name == case.name
    ]
    assert hooked.position.state is State.LIQUIDATABLE, "what a hook would say is not known"
