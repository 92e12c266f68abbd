"""Compound v3 under prices and after actions that never were, by its own contracts: an `eth_call` on such a state.

Each what-if of a tape names the answers that feeds would have given (null: the feed reverts) or what would have been
supplied for the holder, and then says what `isLiquidatable`, `isBorrowCollateralized`, `borrowBalanceOf` and `absorb`
did behind an accrual. Apart from feeds at random they are the prices and amounts that we print, and one unit off each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from tests.protocols.comet import NAMES, Case, tape_cases
from tests.tape import Tape
from watcher.domain.position import Refused, Repay, State, TopUp, Unreadable
from watcher.domain.price import Price
from watcher.domain.source import Address
from watcher.protocols.comet.maths import Market, borrow_refusal, owed
from watcher.protocols.reader import PriceMissing
from watcher.reads import Outcome
from watcher.risk.liquidation import Lever, levers, liquidation_price
from watcher.risk.restore import Remedy, remedies

Told = Mapping[str, Any]


def what_ifs(*kinds: str) -> Iterator[tuple[Case, Told]]:
    for name in NAMES:
        cases = {(case.account.holder.wallet, case.reader.comet): case for case in tape_cases(name)}
        for told in Tape.load(name).content.get("what_ifs", ()):
            if told["kind"] in kinds:
                yield cases[told["holder"], told["market"]], told


def answering(market: Market, answers: Mapping[str, int | None]) -> Market:
    """The market if these feeds answered so; a price is missing where one under it reverts or is not above zero."""
    return replace(market, prices={key: _moved(price, answers) for key, price in market.prices.items()})


def _moved(price: Outcome[Price], answers: Mapping[str, int | None]) -> Outcome[Price]:
    assert isinstance(price, Price)
    under = [price.source] if price.source in answers else [reading.feed for reading in price.feeds]
    moved = {feed: answers[feed] for feed in under if feed in answers}
    there = {Address(feed): answer for feed, answer in moved.items() if answer is not None and answer > 0}
    if len(there) < len(moved):
        return PriceMissing("a feed of it fails")
    return price.at(there[price.source]) if price.source in there else price.with_feeds(there)


def mismatched(case: Case, told: Told) -> str:
    found = case.under(case.market)
    debt = 0 if isinstance(found, Unreadable) else found.debt
    checks = {"what is owed": owed(case.market, case.account) == told["debt"]}
    if isinstance(found, Unreadable):
        checks["unreadable"] = told["liquidatable"] is None and not told["absorbed"]
    else:
        checks["liquidatable"] = found.health.liquidatable == told["liquidatable"]
        checks["absorbed"] = (found.state in (State.LIQUIDATABLE, State.DEBT_WITHOUT_COLLATERAL)) == told["absorbed"]
        refused = bool(borrow_refusal(case.market, case.account, debt))
        checks["borrowing"] = refused != bool(told["borrow_collateralized"])
        checks["legs"] = found.legs_explain_health
    return ", ".join(what for what, right in checks.items() if not right)


def test_it_needs_the_prices_that_the_contract_needs_and_no_others() -> None:
    """Feeds at random, some of them failing: the loop ends early, skips or fails exactly where the contract's does."""
    found = [(replace(case, market=answering(case.market, told["answers"])), told) for case, told in what_ifs("feeds")]

    assert {f"{case.name} {told}": wrong for case, told in found if (wrong := mismatched(case, told))} == {}
    failing = [told for _, told in found if any((answer or 0) <= 0 for answer in told["answers"].values())]
    assert len(found) > 800
    assert len([told for told in failing if told["liquidatable"] is None]) > 200
    assert len([told for told in failing if told["liquidatable"] is False]) > 20, "covered before the feed that fails"


def printed() -> Iterator[tuple[Case, Lever, int]]:
    for name in NAMES:
        for case in tape_cases(name):
            if case.position.state in (State.HEALTHY, State.DUST):
                for lever in levers(case.position):
                    price = liquidation_price(case.position, lever, case.reprice)
                    if price is not None:
                        yield case, lever, price.value


def _feed(case: Case, lever: Lever) -> Address:
    if lever.feed is not None:
        return lever.feed
    [key] = lever.keys
    return case.market.listed[key].info.feed if key in case.market.listed else case.market.base_feed


def test_it_prints_the_very_price_at_which_the_contract_would_liquidate() -> None:
    recorded = {
        (case.name, *told["answers"].items()): told["liquidatable"] for case, told in what_ifs("liquidation_price")
    }
    asked = set()
    for case, lever, value in printed():
        there = (case.name, (_feed(case, lever), value))
        nearer = (case.name, (_feed(case, lever), value + (1 if value < lever.current else -1)))
        if there in recorded:
            assert (recorded[there], recorded[nearer]) == (True, False), there
            asked |= {there, nearer}

    assert asked == set(recorded), "every price that was put to the contract is one that we print"
    assert len(asked) == 2 * 674


def test_it_prints_the_smallest_amount_that_saves() -> None:
    recorded = {(case.name, *told["supply"]): told["liquidatable"] for case, told in what_ifs("repay", "top_up")}
    found = [(case, remedy) for case in liquidatable() for remedy in remedies(case.position, Decimal(1), case.after)]
    enough = [(case, remedy) for case, remedy in found if remedy.enough]
    asked = [_asked(case, remedy) for case, remedy in enough]

    assert {key for keys in asked for key in keys} == set(recorded)
    assert [(recorded[saved], recorded[less]) for saved, less in asked] == [(False, True)] * len(asked)
    assert len([remedy for _, remedy in enough if isinstance(remedy.action, Repay)]) >= 30
    assert len(enough) > 100


def _asked(case: Case, remedy: Remedy) -> tuple[tuple[str, str, int], tuple[str, str, int]]:
    """What was put to the contract: the amount, and one unit less."""
    asset, amount = remedy.action.asset, remedy.action.amount
    return (case.name, asset, amount), (case.name, asset, amount - 1)


def liquidatable() -> Iterator[Case]:
    names = [name for name in NAMES if "what_ifs" in Tape.load(name).content]
    return (case for name in names for case in tape_cases(name) if case.position.health.liquidatable)


def test_it_knows_the_debt_and_the_verdict_after_an_action() -> None:
    for case, told in what_ifs("repay", "top_up"):
        asset, amount = told["supply"]
        action = Repay(asset, amount) if told["kind"] == "repay" else TopUp(asset, amount)
        after = case.reader.after(case.market, case.account, action)
        assert not isinstance(after, Refused), after
        assert mismatched(replace(case, account=after), told) == "", (case.name, told)
