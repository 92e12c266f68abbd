"""Aave v4 from recorded states of its own contracts: every number, every flip and every remedy is the contract's."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.protocols.aave_v4 import NAMES, NEWER, Spoke, account_data, read, spoke_of
from tests.tape import Tape
from watcher.domain.errors import ReadFailed
from watcher.domain.position import Because, Position, Refused, Repay, State, TopUp, Unreadable
from watcher.domain.source import Address, Holder
from watcher.protocols.aave_v4 import maths
from watcher.protocols.aave_v4.calls import UserPosition
from watcher.protocols.aave_v4.maths import Account, Market, Reserve, Totals, lines_of, premium_ray, totals
from watcher.protocols.rounding import RAY, WAD, mul_div_up
from watcher.reads import sure
from watcher.reads.abi import Interface
from watcher.risk.liquidation import levers, liquidation_price
from watcher.risk.restore import remedies

FACTORS = ("collateral factor", "newest collateral factor")
_VIEWS = Interface(
    "views of a spoke that the plugin does without",
    [
        "getUserSuppliedAssets(uint256,address) returns (uint256)",
        "getUserTotalDebt(uint256,address) returns (uint256)",
    ],
)
supplied_of, owed_of = _VIEWS.function("getUserSuppliedAssets", int), _VIEWS.function("getUserTotalDebt", int)


def exact(spoke: Spoke, account: Account) -> Totals:
    data = account_data(spoke, account)
    return Totals(collateral=data.collateral, debt_ray=data.debt_ray, health_factor=data.health_factor)


@pytest.mark.parametrize("name", NAMES)
def test_it_equals_the_contract_to_the_last_ray(name: str) -> None:
    spoke = spoke_of(name)
    assert spoke.accounts
    for account, position in spoke.positions():
        assert totals(lines_of(spoke.market, account)) == exact(spoke, account), account.holder
        verdict = spoke.tape.play(spoke.reader.verdict(account.holder))
        assert verdict is not None
        assert verdict.agrees_with(position)
        assert position.legs_explain_health


def test_it_is_put_to_the_test_in_more_than_three_hundred_states() -> None:
    found = [position for name in NAMES for _, position in spoke_of(name).positions()]
    states = [position.state for position in found]
    assert len(found) == 373
    assert states.count(State.HEALTHY) > 200
    assert min(states.count(state) for state in (State.LIQUIDATABLE, State.NO_DEBT)) > 30
    assert states.count(State.LIQUIDATABLE_BUT_BLOCKED) > 3
    assert sum(bool(position.scenarios) for position in found) > 20
    assert len({position.health.backing for position in found}) > 250


@pytest.mark.parametrize("name", NAMES)
def test_it_has_the_supply_and_the_debt_of_every_reserve_as_the_spoke_tells_them(name: str) -> None:
    spoke = spoke_of(name)
    for account in spoke.accounts:
        for held in account.holdings:
            reserve, owner = sure(spoke.market.reserves[held.reserve]), account.holder.account
            liquidity, index = reserve.liquidity, reserve.liquidity.drawn_index
            supplied = spoke.ask(supplied_of(spoke.reader.spoke, held.reserve, owner))
            assert liquidity.assets_of(held.position.supplied_shares) == supplied
            drawn = mul_div_up(held.position.drawn_shares, index, RAY)
            premium = mul_div_up(premium_ray(held.position, index), 1, RAY)
            assert drawn + premium == spoke.ask(owed_of(spoke.reader.spoke, held.reserve, owner))


@pytest.mark.parametrize(
    ("wrong", "at_least"),
    [("newest keys", 50), ("no premium", 100), ("no virtual shares", 3), ("another rounding", 200)],
)
def test_it_would_be_wrong_with_any_other_arithmetic(
    wrong: str, at_least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control. Virtual shares are a millionth of a token: few holders are so small that they show."""
    if wrong == "no premium":
        monkeypatch.setattr(maths, "premium_ray", lambda position, index: 0)
    if wrong == "no virtual shares":
        monkeypatch.setattr(maths, "VIRTUAL", 0)
    if wrong == "another rounding":
        monkeypatch.setattr(maths, "mul_div_down", mul_div_up)
    differ = 0
    for spoke in map(spoke_of, NAMES):
        for account, _ in spoke.positions():
            found = totals(lines_of(spoke.market, account), newest=wrong == "newest keys")
            differ += found != exact(spoke, account)
    assert differ >= at_least


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_the_liquidation_call_would_do(name: str) -> None:
    """Every pair of a collateral and a debt was tried, for the tokens and for the shares of the collateral."""
    spoke = spoke_of(name)
    verdicts = {verdict["holder"].lower(): verdict for verdict in spoke.recorded("verdicts")}
    for account, position in spoke.positions():
        outcome = verdicts[account.holder.account.lower()]["liquidation_call_succeeds"]
        assert (position.state is State.LIQUIDATABLE) == bool(outcome), position
        below = position.state in (State.LIQUIDATABLE, State.LIQUIDATABLE_BUT_BLOCKED)
        assert below == position.health.liquidatable


@pytest.mark.parametrize("name", NEWER)
def test_it_prints_the_unit_at_which_the_contract_flips(name: str) -> None:
    """The contract was asked with each feed at the printed price, and one unit nearer to now."""
    spoke, stood = spoke_of(name), 0
    said = {
        (one["holder"], one["source"], one["answer"]): int(one["health_factor"]) for one in spoke.recorded("what_if")
    }
    for account, position in spoke.positions():
        for lever in levers(position):
            price = liquidation_price(position, lever, lambda prices, who=account: spoke.reprice(who, prices))  # type: ignore[misc]
            if price is not None:
                [source] = lever.keys
                nearer = price.value + (1 if price.value < lever.current else -1)
                theirs = [said[account.holder.account, source, answer] for answer in (price.value, nearer)]
                assert theirs[0] < WAD <= theirs[1], (account.holder, lever)
                assert _healths(spoke, account, source, price.value, nearer) == theirs
                stood += 1
    assert 2 * stood == len(said)
    assert stood > 25


def _healths(spoke: Spoke, account: Account, source: Address, *answers: int) -> list[int]:
    price = sure(spoke.market.prices[source])
    return [spoke.reprice(account, {source: price.at(answer)}).health.backing for answer in answers]


@pytest.mark.parametrize("name", [name for name in NEWER if spoke_of(name).recorded("done")])
def test_it_foretells_the_smallest_remedy_to_the_unit(name: str) -> None:
    """Each was done in place of the recorded block, at the same second; and with one base unit less."""
    spoke, short = spoke_of(name), 0
    accounts = {account.holder.account: account for account in spoke.accounts}
    for done in spoke.recorded("done"):
        account, target = accounts[Address(done["holder"])], Decimal(done["target"])
        kind = Repay if done["verb"] == "repay" else TopUp
        position = spoke.of(account)
        assert isinstance(position, Position)
        found = remedies(position, target, lambda action, who=account: spoke.after(who, action))  # type: ignore[misc]
        [remedy] = [one for one in found if isinstance(one.action, kind) and one.asset.address == done["asset"]][:1]
        for came in done["after"]:
            action = kind(Address(done["asset"]), came["amount"])
            _assert_shares(spoke, account, action, done["reserve"], came)
            assert (Decimal(came["health_factor"]) / WAD >= target) == (
                done["enough"] and came["amount"] == remedy.action.amount
            ), done
        short += len(done["after"]) > 1 and done["enough"]
    assert short > 40


def _assert_shares(spoke: Spoke, account: Account, action: Repay | TopUp, number: int, came: dict[str, Any]) -> None:
    """Shares and health are those foretold."""
    changed = spoke.reader.after(spoke.market, account, action)
    assert isinstance(changed, Account)
    [held] = [held for held in changed.holdings if held.reserve == number]
    assert came["ok"]
    assert held.position == UserPosition(*map(int, came["position"]))
    assert totals(lines_of(spoke.market, changed)).health_factor == int(came["health_factor"])


def test_it_has_the_newest_collateral_factors_in_store() -> None:
    """Where governance has added a key: health by the stored one now, and what the next borrowing would be held to."""
    spoke = spoke_of("aave_v4_2026@02_new_factors")
    found = [(account, position) for account, position in spoke.positions() if position.scenarios]
    assert len(found) > 5
    for account, position in found:
        [scenario] = position.scenarios
        stale = [
            held
            for held in account.holdings
            if held.collateral and _outdated(spoke.market, held.reserve, held.position)
        ]
        assert stale
        assert scenario.health.backing < position.health.backing
        assert scenario.at is None
        terms = {(term.what, term.of): term.value for term in position.terms}
        assert len(terms) == len(position.terms)  # a reserve of each hub has a name of its own
        stored, newest = ({of: value for (what, of), value in terms.items() if what == one} for one in FACTORS)
        assert stored != newest
    refreshed = [position for _, position in spoke.positions() if position.debt and not position.scenarios]
    assert refreshed


def _outdated(market: Market, number: int, position: UserPosition) -> bool:
    return position.dynamic_key != sure(market.reserves[number]).newest_key


def test_it_calls_unpriceable_those_whom_the_contract_cannot_value_and_no_others() -> None:
    spoke = spoke_of("aave_v4_2026@06_no_price")
    lost = [one for account in spoke.accounts if isinstance(one := spoke.of(account), Unreadable)]
    reverted = [verdict["holder"] for verdict in spoke.recorded("verdicts") if verdict["health_factor"] is None]
    assert {one.holder.account for one in lost} == set(reverted)
    assert len(lost) == 12
    assert {one.because for one in lost} == {Because.UNPRICEABLE}
    assert all("no price for WBTC" in one.reason for one in lost)


def without(tape: Tape, label: str) -> Tape:
    """The tape as if these calls had reverted."""
    calls = [{**call, "result": None} if call["label"] == label else call for call in tape.content["calls"]]
    return replace(tape, content={**tape.content, "calls": calls})


def test_it_loses_none_but_its_own_users_to_a_hub_that_reverts() -> None:
    spoke = read(without(Tape.load("aave_v4_2026@01_month_later"), "DAI hub"))
    [dai] = [number for number, reserve in spoke.market.reserves.items() if isinstance(reserve, ReadFailed)]
    whole = spoke_of("aave_v4_2026@01_month_later")
    for account in spoke.accounts:
        if any(held.reserve == dai for held in account.holdings):
            with pytest.raises(ReadFailed, match="aave_v4_hub"):
                spoke.of(account)
        else:
            assert spoke.of(account) == whole.of(account)


def test_it_tells_what_the_spoke_and_its_hubs_lay_down() -> None:
    spoke = spoke_of("aave_v4_2026@05_halted")
    terms = {(term.what, term.of): term for _, position in spoke.positions() for term in position.terms}
    assert terms["status", "WETH (reserve 0)"].value == "halted at its hub"
    assert terms["status", "WETH (reserve 7)"].value == "active"
    assert terms["status", "wstETH"].value == "halted at its hub"
    assert terms["liquidated until health is", "position"].value == "105.00 %"
    assert terms["borrow cap", "DAI"].value == "5,000,000,000"
    assert terms["borrow cap", "WBTC"].value == "none"
    assert {what for (what, _), term in terms.items() if not term.set_by_rule} == {
        "risk premium",
        "borrow rate",
        "utilisation",
    }
    paused = {(t.what, t.of): t.value for _, p in spoke_of("aave_v4_2026@04_paused").positions() for t in p.terms}
    assert paused["status", "WBTC"] == "frozen"


@pytest.mark.parametrize("state", ["04_paused", "05_halted"])
def test_it_refuses_what_the_spoke_would_refuse(state: str) -> None:
    """Paused or halted: neither repaid nor supplied; frozen: repaid, and not supplied."""
    spoke, refused, repaid = spoke_of(f"aave_v4_2026@{state}"), 0, 0
    for account in spoke.accounts:
        for held in account.holdings:
            reserve = sure(spoke.market.reserves[held.reserve])
            if _twice(account, reserve, spoke.market):
                continue
            if held.collateral:
                outcome = spoke.reader.after(spoke.market, account, TopUp(reserve.asset.address, 10**6))
                assert isinstance(outcome, Refused) == (not reserve.payable or reserve.frozen)
                refused += isinstance(outcome, Refused)
            if held.borrowing:
                outcome = spoke.reader.after(spoke.market, account, Repay(reserve.asset.address, 10**3))
                assert isinstance(outcome, Refused) == (not reserve.payable)
                repaid += isinstance(outcome, Account)
    assert refused > 5
    assert repaid > 5
    nothing = spoke.reader.after(spoke.market, spoke.accounts[0], Repay(Address("0x" + "00" * 20), 1))
    assert isinstance(nothing, Refused)


def _twice(account: Account, reserve: Reserve, market: Market) -> bool:
    assets = [sure(market.reserves[held.reserve]).asset.address for held in account.holdings]
    return assets.count(reserve.asset.address) > 1


def test_it_reads_nothing_of_those_who_have_nothing() -> None:
    spoke = spoke_of("aave_v4@00_first_borrow")
    present = {account.holder for account in spoke.accounts}
    absent = [Holder.of(one) for one in spoke.tape.holders if Holder.of(one) not in present]
    assert absent
    for holder in absent:
        assert spoke.tape.play(spoke.reader.account(holder)) is None
        assert account_data(spoke, replace(spoke.accounts[0], holder=holder)).debt_ray == 0
    assert [spoke.tape.play(spoke.reader.discover(one, ())) for one in present] == [(one,) for one in present]


def test_it_expects_an_oracle_and_reserves() -> None:
    spoke = spoke_of(NEWER[0])
    assert spoke.tape.play(spoke.reader.expects()) == []
    silent = without(Tape.load(NEWER[0]), "spoke")
    problems = silent.play(spoke.reader.expects())
    assert len(problems) == 3
    assert "ORACLE" in problems[0]
