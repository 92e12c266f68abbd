"""What the Compound v3 plugin makes of single states: one vector, empty accounts, pauses, caps, deactivation."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.protocols.comet import Case, ask, reader_of, tape_cases
from tests.tape import Tape
from watcher.domain.errors import ReadFailed
from watcher.domain.health import Health
from watcher.domain.position import Asset, Because, Position, Refused, Repay, State, TopUp, Unreadable
from watcher.domain.source import Address, Holder
from watcher.protocols.comet import calls
from watcher.protocols.comet.maths import Market, accrued, borrow_refusal, lent, owed, utilisation_of
from watcher.protocols.reader import PriceMissing
from watcher.protocols.rounding import WAD, mul_div_down
from watcher.reads import Call, Returned, together

VECTOR = json.loads((Path(__file__).parent.parent / "vectors" / "comet.json").read_text())
OPEN, PATCHED = "comet@0_open", "comet_patched@3_paused"
STRANGER = Address("0x00000000000000000000000000000000DeaDBeef")


def first(name: str, state: State, *, collaterals: int = 1, title: str = "") -> Case:
    return next(
        case
        for case in tape_cases(name)
        if case.position.state is state and len(case.account.collaterals) >= collaterals and title in case.name
    )


def test_it_reproduces_the_recorded_single_position() -> None:
    """Over a year without a transaction the plain view calls it safe, and an absorption would go through."""
    told, asset = VECTOR["totals"], VECTOR["collateral"][0]
    totals = calls.Totals(
        supply_index=int(told["baseSupplyIndex"]),
        borrow_index=int(told["baseBorrowIndex"]),
        tracking_supply_index=0,
        tracking_borrow_index=0,
        supply=int(told["totalSupplyBase"]),
        borrow=int(told["totalBorrowBase"]),
        accrued_at=int(told["lastAccrualTime"]),
        pause_flags=0,
    )
    index = accrued(
        totals.borrow_index, int(VECTOR["borrowRatePerSecond"]), int(VECTOR["timestamp"]) - totals.accrued_at
    )
    owing = mul_div_down(-int(VECTOR["principal"]), index, 10**15)
    debt = mul_div_down(owing, int(VECTOR["basePrice"]), int(VECTOR["baseScale"]))

    def backing(price: int) -> int:
        value = mul_div_down(int(asset["balance"]), price, int(asset["scale"]))
        return mul_div_down(value, int(asset["liquidateCollateralFactor"]), WAD)

    edge = int(VECTOR["expected"]["largestLiquidatablePrice"])
    assert utilisation_of(totals) == int(VECTOR["utilization"])
    assert owing == int(VECTOR["expected"]["borrowBalanceOf"])
    assert Health(backing=backing(int(asset["price"])), required=debt).liquidatable
    assert [Health(backing=backing(price), required=debt).liquidatable for price in (edge, edge + 1)] == [True, False]


# --- Who holds what ---------------------------------------------------------------------------------------------------


def of_stranger(principal: int = 0, rewards: int = 0, assets_in: int = 0) -> tuple[Tape, Mapping[str, Any]]:
    """A tape in which a wallet that was never seen has this in the first market."""
    tape = Tape.load(OPEN)
    told = next(iter(tape.content["addresses"]["markets"].values()))
    content = copy.deepcopy(dict(tape.content))
    words = (principal % 2**256, 0, rewards, assets_in, 0)
    for call, answer in (
        (calls.user_basic(told["comet"], STRANGER), b"".join(word.to_bytes(32, "big") for word in words)),
        (calls.liquidatable(told["comet"], STRANGER), bytes(32)),
        (calls.borrow_balance(told["comet"], STRANGER), bytes(32)),
    ):
        content["calls"].append({"to": call.target, "data": "0x" + call.data.hex(), "result": "0x" + answer.hex()})
    return replace(tape, content=content), told


def test_it_holds_nothing_where_only_rewards_are_left() -> None:
    tape, told = of_stranger(rewards=12_345)
    reader = reader_of(tape, "cUSDCv3", told)

    assert tape.play(reader.discover(Holder.of(STRANGER), ())) == ()
    assert tape.play(reader.account(Holder.of(STRANGER))) is None


def test_it_owes_nothing_where_only_base_is_lent() -> None:
    tape, told = of_stranger(principal=5_000_000)
    reader = reader_of(tape, "cUSDCv3", told)
    assert tape.play(reader.discover(Holder.of(STRANGER), ())) == (Holder.of(STRANGER),)
    account = tape.play(reader.account(Holder.of(STRANGER)))
    assert account is not None
    market = tape.play(reader.market([account]))
    [position] = reader.positions(market, account)

    assert isinstance(position, Position)
    assert position.state is State.NO_DEBT
    assert (position.debt, position.collateral, position.health.liquidatable) == (0, 0, False)
    [leg] = position.legs
    assert (leg.asset.symbol, leg.amount) == ("USDC", lent(market, account))
    assert leg.backing == leg.required == 0
    assert leg.amount >= 5_000_000
    verdict = tape.play(reader.verdict(account.holder))
    assert verdict is not None
    assert verdict.agrees_with(position)


def test_it_counts_no_more_than_the_collaterals_that_the_market_lists() -> None:
    """The loop of the contract goes to `numAssets`, whatever the bits say."""
    tape, told = of_stranger(principal=1, assets_in=1 << 12)

    account = tape.play(reader_of(tape, "cUSDCv3", told).account(Holder.of(STRANGER)))

    assert account is not None
    assert account.collaterals == ()


def test_it_owes_without_collateral_where_nothing_is_left() -> None:
    case = first(OPEN, State.HEALTHY)
    bare = replace(case, account=replace(case.account, collaterals=()))

    assert bare.position.state is State.DEBT_WITHOUT_COLLATERAL
    assert bare.position.health.liquidatable


def test_it_is_dust_what_is_worth_nothing_at_all() -> None:
    """A debt whose value is cut off to nothing cannot be liquidated: the contract finds liquidity of 0."""
    case = first(OPEN, State.HEALTHY, title="cWETHv3")
    tiny = replace(case, account=replace(case.account, collaterals=(), principal=-1))

    assert owed(case.market, tiny.account) == 1
    assert (tiny.position.state, tiny.position.debt, tiny.position.health.liquidatable) == (State.DUST, 0, False)


def test_it_is_dust_below_the_least_that_may_be_borrowed_and_not_at_it() -> None:
    case = first(OPEN, State.HEALTHY)
    debt = owed(case.market, case.account)
    markets = [replace(case.market, borrow_min=least) for least in (debt, debt + 1)]

    assert [replace(case, market=market).position.state for market in markets] == [State.HEALTHY, State.DUST]


def test_it_asks_the_contract_behind_an_accrual_where_anything_is_owed() -> None:
    """All in one call, in this order: alone, `isLiquidatable` goes by the index of the last transaction."""
    case, tape = first(OPEN, State.HEALTHY), Tape.load(OPEN)
    comet, wallet = case.reader.comet, case.account.holder.account
    asked: list[Call[Any]] = []

    def watched(call: Call[Any]) -> Returned | None:
        asked.append(call)
        return Returned(True, bytes(32))

    tape.play(case.reader.verdict(case.account.holder), watched)

    assert asked == [
        calls.accrue_account(comet, wallet),
        calls.liquidatable(comet, wallet),
        calls.borrow_balance(comet, wallet),
    ]


# --- Prices that fail -------------------------------------------------------------------------------------------------


def without_price(market: Market, asset: Address) -> Market:
    return replace(market, prices={**market.prices, asset: PriceMissing("its feed reverts")})


def test_it_cannot_read_a_debt_without_the_price_of_its_base() -> None:
    case = first(OPEN, State.HEALTHY)

    found = case.under(without_price(case.market, case.market.base.address))

    assert isinstance(found, Unreadable)
    assert (found.because, found.reason) == (Because.UNPRICEABLE, "no price for USDC: its feed reverts")


def test_it_needs_no_price_where_nothing_is_owed() -> None:
    case = next(c for c in tape_cases(OPEN) if c.account.principal > 0)

    found = case.under(without_price(case.market, case.market.base.address))

    assert isinstance(found, Position)
    assert found.state is State.NO_DEBT
    assert case.market.base.address not in [leg.asset.address for leg in found.legs]


def test_it_leaves_out_what_the_contract_does_not_come_to_and_says_so() -> None:
    """One without a price in the middle: the contract is content before it, or fails at it, but never goes past it."""
    case = next(c for c in tape_cases("comet_24@0_open") if c.account.principal < 0 and len(c.account.collaterals) > 3)
    before, broken, *behind = [held.asset for held in case.account.collaterals]
    owing_little = replace(case, account=replace(case.account, principal=-1_000))
    left_out = ", ".join(case.market.listed[asset].asset.symbol for asset in (broken, *behind))

    position = replace(owing_little, market=without_price(case.market, broken)).position

    assert position.state is State.DUST
    assert [leg.asset.address for leg in position.legs] == [before, case.market.base.address]
    assert position.legs_explain_health
    assert position.notes == (f"not counted, as the contract gets no price at or before it: {left_out}",)


def test_it_loses_no_account_to_the_feed_of_another() -> None:
    """Everybody in a market whose feed of one collateral reverts: those who do not have it are as they were."""
    cases = [case for case in tape_cases("comet_24@2_moved") if case.account.principal < 0]
    broken = max(
        {one.asset for case in cases for one in case.account.collaterals}, key=lambda asset: _held(cases, asset)
    )
    market = without_price(cases[0].market, broken)

    others = [case for case in cases if broken not in [one.asset for one in case.account.collaterals]]
    assert 0 < len(others) < len(cases)
    assert [case.under(market) for case in others] == [case.position for case in others]


def _held(cases: list[Case], asset: Address) -> int:
    return sum(asset in [one.asset for one in case.account.collaterals] for case in cases)


def test_it_reads_forty_markets_side_by_side_and_loses_the_broken_ones_alone() -> None:
    tape, told = of_stranger(principal=7)
    reader = reader_of(tape, "cUSDCv3", told)
    nowhere = [replace(reader, comet=Address(f"0x{number:040x}")) for number in range(1, 21)]
    content = copy.deepcopy(dict(tape.content))
    content["calls"] += [
        {"to": ask_.target, "data": "0x" + ask_.data.hex(), "result": None}
        for one in nowhere
        for ask_ in (calls.user_basic(one.comet, STRANGER), calls.asset_count(one.comet))
    ]
    readers = [one for pair in zip(nowhere, [reader] * 20, strict=True) for one in pair]

    found = replace(tape, content=content).play(together(one.account(Holder.of(STRANGER)) for one in readers))

    assert [isinstance(one, ReadFailed) for one in found] == [True, False] * 20


# --- Pauses, caps, deactivation ---------------------------------------------------------------------------------------


def test_it_refuses_what_is_paused_or_above_the_cap_or_not_there() -> None:
    case = first(OPEN, State.HEALTHY)
    held, base = case.account.collaterals[0], case.market.base.address
    listed = case.market.listed[held.asset]
    room = listed.info.supply_cap - listed.supplied
    paused = replace(case, market=replace(case.market, pause_flags=1))

    assert not isinstance(case.after(TopUp(held.asset, room)), Refused)
    assert isinstance(case.after(TopUp(held.asset, room + 1)), Refused)
    assert isinstance(case.after(TopUp(STRANGER, 1)), Refused)
    assert isinstance(case.after(Repay(held.asset, 1)), Refused)
    assert isinstance(paused.after(TopUp(held.asset, 1)), Refused)
    assert isinstance(paused.after(Repay(base, 1)), Refused)


def test_it_lends_what_a_repayment_exceeds_the_debt_by() -> None:
    case = first(OPEN, State.HEALTHY)
    debt = owed(case.market, case.account)

    after = case.reader.after(case.market, case.account, Repay(case.market.base.address, debt + 1_000_000))

    assert not isinstance(after, Refused)
    assert lent(case.market, after) in (999_999, 1_000_000)
    assert replace(case, account=after).position.state is State.NO_DEBT


def test_it_tells_that_a_deactivated_collateral_forbids_borrowing() -> None:
    refused = [
        case
        for case in tape_cases(PATCHED)
        if borrow_refusal(case.market, case.account, case.position.debt).endswith("is deactivated")
    ]

    assert len(refused) == 9
    assert all(case.seen["borrow_collateralized_accrued"] is None for case in refused), "there the contract reverts"
    healthy = [case for case in refused if case.position.state is State.HEALTHY]
    note = "borrowing more and withdrawing collateral are refused: SOFT is deactivated"
    assert healthy
    assert all(note in case.position.notes for case in healthy)


def test_it_lays_down_the_rules_of_what_the_account_has() -> None:
    case = next(c for c in tape_cases(PATCHED) if any(one.offset == 3 for one in c.account.collaterals))
    terms = {(term.what, term.of): (term.value, term.set_by_rule) for term in case.position.terms}

    assert terms["liquidation threshold", "SOFT"] == ("50.00 %", True)
    assert terms["liquidation penalty", "SOFT"] == ("20.00 %", True)
    assert terms["supply cap", "SOFT"] == ("1,000,000,000,000", True)
    assert terms["status", "SOFT"] == ("deactivated", True)
    assert terms["supply", "SOFT"] == ("paused", True)
    assert terms["minimum borrow", "USDC"] == ("1", True)
    assert terms["withdrawals", "USDC"] == ("paused", True)
    assert terms["liquidations", "USDC"] == ("open", True)
    assert terms["borrow rate", "USDC"][1] is False
    assert terms["utilisation", "USDC"][1] is False


def test_it_tells_of_an_interface_that_counts_otherwise() -> None:
    tape = Tape.load(OPEN)
    told = next(iter(tape.content["addresses"]["markets"].values()))
    reader = reader_of(tape, "cUSDCv3", told)
    content = copy.deepcopy(dict(tape.content))
    for call in content["calls"]:
        if call["to"] == told["comet"] and call["data"] == "0x" + calls.price_scale(reader.comet).data.hex():
            call["result"] = "0x" + (10**18).to_bytes(32, "big").hex()

    [problem] = replace(tape, content=content).play(reader.expects())

    assert "priceScale" in problem
    assert "1000000000000000000, and Compound v3 has 100000000" in problem


def test_it_refuses_a_market_that_was_read_without_what_the_account_has() -> None:
    case = first(OPEN, State.HEALTHY)

    with pytest.raises(ReadFailed, match="the market was read without"):
        case.under(replace(case.market, listed={}))


def test_it_takes_a_token_that_does_not_tell_its_name_by_its_address() -> None:
    tape = Tape.load(OPEN)
    told = next(iter(tape.content["addresses"]["markets"].values()))
    content = copy.deepcopy(dict(tape.content))
    for call in content["calls"]:
        if call["to"] == told["baseToken"] and call["label"].endswith("symbol"):
            call["result"] = None
    nameless = replace(tape, content=content)

    market = nameless.play(reader_of(nameless, "cUSDCv3", told).market([]))

    token = told["baseToken"]
    assert market.base == Asset(address=token, symbol=f"{token[:6]}…{token[-4:]}", decimals=6)
    assert nameless.play(ask(calls.base_token(told["comet"]))) == token
