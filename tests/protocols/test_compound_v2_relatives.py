"""Moonwell, Benqi and Venus's pools from recorded return data of their own contracts, and what those would have made of
the prices and amounts that we print.

`margin` is what `getAccountLiquidity` said behind an accrual of everything (null: it had no answer); `liquidated`
whether a liquidation went through then, `healed` and `whole` the ways in which Venus's pools take small accounts. Each
what-if is a price or a feed's answer that never was, or an amount that somebody repaid or supplied, with the margin
then. Venus's pools count seconds on the first eight tapes and blocks on the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache, partial
from typing import Any

import pytest

from tests.tape import TAPES, Tape
from watcher.domain.position import Action, Because, Position, Refused, Repay, State, TopUp, Unreadable
from watcher.domain.price import FeedFacts, Leaf, Price, nodes
from watcher.domain.source import Address, Holder
from watcher.protocols.compound_v2 import Benqi, Moonwell, VenusPool
from watcher.protocols.compound_v2.maths import Account, Listed, Market
from watcher.protocols.compound_v2.reader import Family
from watcher.protocols.reader import Place
from watcher.reads import sure, together
from watcher.risk.levers import Lever, levers
from watcher.risk.liquidation import liquidation_price
from watcher.risk.restore import remedies

KINDS: Mapping[str, type[Family]] = {"benqi": Benqi, "moonwell": Moonwell, "venus_pool": VenusPool}
NAMES = sorted(path.name.removesuffix(".json.gz") for kind in KINDS for path in TAPES.glob(f"{kind}@*.json.gz"))


@dataclass(frozen=True)
class Case:
    """One account of one tape, with what the contract said of it."""

    name: str
    reader: Family
    market: Market
    account: Account
    seen: Mapping[str, Any]

    @property
    def reading(self) -> Position | Unreadable:
        [found] = self.reader.positions(self.market, self.account)
        return found

    @property
    def position(self) -> Position:
        found = self.reading
        assert isinstance(found, Position), found
        return found

    @property
    def margin(self) -> int | None:
        return None if self.seen["margin"] is None else int(self.seen["margin"])

    def repriced(self, prices: Mapping[Address, Price]) -> Position:
        return replace(self, market=self.reader.repriced(self.market, prices)).position

    def after(self, action: Action) -> Position | Refused:
        account = self.reader.after(self.market, self.account, action)
        return account if isinstance(account, Refused) else replace(self, account=account).position


def reader_of(tape: Tape) -> Family:
    told = tape.content["addresses"]
    feeds = {Address(feed): FeedFacts(pair=f"{symbol} / USD", heartbeat=3600) for symbol, feed in told["feeds"].items()}
    place = Place(deployment="tape", title=tape.name, feeds=feeds)
    kind = KINDS[tape.name.partition("@")[0]]
    return kind(place=place, comptroller=tape.address("comptroller"), coin=tape.address("coin"))


@cache
def cases_of(name: str) -> tuple[Case, ...]:
    tape = Tape.load(name)
    reader = reader_of(tape)
    found = tape.play(together(reader.discover(Holder.of(wallet), ()) for wallet in tape.holders))
    holders = [holder for one in found if isinstance(one, tuple) for holder in one]
    accounts = [sure(one) for one in tape.play(together(reader.account(holder) for holder in holders))]
    held = [account for account in accounts if account is not None]
    market = tape.play(reader.market(held))
    seen = {one["holder"]: one for one in tape.content["verdicts"]}
    return tuple(Case(f"{name}:{one.holder.wallet}", reader, market, one, seen[one.holder.account]) for one in held)


def everything(kind: str = "") -> Iterator[Case]:
    return (case for name in NAMES if name.startswith(kind) for case in cases_of(name))


def mismatched(case: Case) -> str:
    reading, tape = case.reading, Tape.load(case.name.partition(":")[0])
    if isinstance(reading, Unreadable):
        right = case.margin is None and reading.because is Because.UNPRICEABLE and case.account.owes
        return "" if right else "unreadable"
    verdict = tape.play(case.reader.verdict(case.account.holder))
    health = reading.health
    taken = [case.seen.get(way) for way in ("liquidated", "healed", "whole")]
    assert verdict is not None
    checks = {
        "margin": case.margin is None or health.backing - health.required == case.margin,
        "verdict": verdict.agrees_with(reading) and verdict.margin == case.margin,
        "without a margin": case.margin is not None or reading.state is State.NO_DEBT,
        "legs": reading.legs_explain_health,
        "liquidation": taken[0] is None or (reading.state is State.LIQUIDATABLE) == any(taken),
    }
    return ", ".join(what for what, right in checks.items() if not right)


@pytest.mark.parametrize("name", NAMES)
def test_it_equals_the_contract_to_the_last_unit(name: str) -> None:
    assert {case.name: found for case in cases_of(name) if (found := mismatched(case))} == {}


def test_it_reads_hundreds_of_states_of_every_kind() -> None:
    states = {kind: Counter(_state(case) for case in everything(kind)) for kind in KINDS}

    assert {kind: sum(found.values()) for kind, found in states.items()} == {
        "benqi": 240,
        "moonwell": 240,
        "venus_pool": 355,
    }
    for found in states.values():
        assert min(found[state] for state in (State.HEALTHY, State.LIQUIDATABLE, State.NO_DEBT)) > 30
        assert min(found[State.LIQUIDATABLE_BUT_BLOCKED], found["unreadable"]) >= 5


def _state(case: Case) -> str:
    return "unreadable" if isinstance(case.reading, Unreadable) else case.reading.state


def asked(case: Case) -> Mapping[tuple[str, str, str], int]:
    """Margins that the contract told for what-ifs of this account."""
    tape = Tape.load(case.name.partition(":")[0])
    mine = (one for one in tape.content["what_ifs"] if one["holder"] == case.account.holder.account)
    return {(one["kind"], one["of"], one["value"]): int(one["margin"]) for one in mine}


@pytest.mark.parametrize("kind", KINDS)
def test_it_prints_the_very_price_at_which_the_contract_would_liquidate(kind: str) -> None:
    """Of a market's price in the oracle's units, and of the answer of the feed under it where we know that."""
    flipped = Counter[str]()
    for case in everything(kind):
        told = asked(case)
        for lever in levers(case.position) if told else ():
            found = liquidation_price(case.position, lever, case.repriced)
            if found is not None:
                nearer = found.value + (1 if found.value < lever.current else -1)
                there, not_yet = (told[_name(lever, value)] for value in (found.value, nearer))
                assert there < 0 <= not_yet, (case.name, found)
                flipped[_name(lever, 0)[0]] += 1

    assert flipped["price"] >= 50
    assert flipped["feed"] >= (0 if kind == "venus_pool" else 50)


def _name(lever: Lever, value: int) -> tuple[str, str, str]:
    return ("price", min(lever.keys), f"{value}") if lever.feed is None else ("feed", lever.feed, f"{value}")


@pytest.mark.parametrize("kind", KINDS)
def test_it_prints_the_smallest_amount_that_saves(kind: str) -> None:
    saved = Counter[type]()
    for case in everything(kind):
        told = asked(case)
        offered = remedies(case.position, Decimal(1), partial(case.after)) if told else ()
        for remedy in offered if told and case.position.health.liquidatable else ():
            name = "repay" if isinstance(remedy.action, Repay) else "top_up"
            amount, asset = remedy.action.amount, remedy.asset.address
            if remedy.enough and (name, asset, f"{amount}") in told:
                enough, less = (told[name, asset, f"{some}"] for some in (amount, amount - 1))
                assert less < 0 <= enough, (case.name, remedy)
                saved[type(remedy.action)] += 1

    assert min(saved[Repay], saved[TopUp]) >= 10, saved


def test_it_counts_bad_debt_into_the_rate_of_venus_s_pools() -> None:
    listed = [one for case in cases_of("venus_pool@7") for one in case.market.listed.values()]
    bad = [one.totals for one in listed if isinstance(one, Listed) and one.totals.bad_debt]

    assert bad
    assert all(totals.rate == totals.net * 10**18 // totals.tokens for totals in bad)
    assert all(replace(totals, bad_debt=0).net * 10**18 // totals.tokens < totals.rate for totals in bad)


def test_it_says_when_a_small_account_is_taken_as_a_whole() -> None:
    whole = [case for case in everything("venus_pool") if case.seen.get("whole") or case.seen.get("healed")]

    assert whole
    assert all("as a whole" in " ".join(case.position.notes) for case in whole)
    assert all(case.position.state is State.LIQUIDATABLE and not case.seen["liquidated"] for case in whole)


def test_it_knows_whether_a_market_counts_seconds_or_blocks() -> None:
    rates = {
        (name, term.value.rpartition(" a ")[2])
        for name in ("moonwell@0", "benqi@0", "venus_pool@0", "venus_pool@9")
        for case in cases_of(name)
        for term in case.position.terms
        if term.what == "borrow rate"
    }

    assert rates == {("moonwell@0", "year"), ("benqi@0", "year"), ("venus_pool@0", "year"), ("venus_pool@9", "block")}


def test_it_counts_the_chain_s_own_coin_as_the_token_that_stands_for_it() -> None:
    """A market of the coin names nothing that it lends."""
    coins = {
        (leg.asset.symbol, leg.asset.decimals)
        for case in cases_of("benqi@0")
        for leg in case.position.legs
        if leg.asset.address == case.reader.coin
    }
    tape = Tape.load("benqi@0")
    reader = replace(reader_of(tape), coin=Address("0x" + "00" * 20))
    market = tape.play(reader.market([case.account for case in cases_of("benqi@0")]))

    assert coins == {("WAVAX", 18)}
    assert len([one for one in market.listed.values() if not isinstance(one, Listed)]) == 1


@pytest.mark.parametrize("kind", ["moonwell", "benqi"])
def test_it_sees_through_their_oracles_to_the_feeds(kind: str) -> None:
    prices = [leg.price for case in cases_of(f"{kind}@0") for leg in case.position.legs]

    assert prices
    assert all(any(isinstance(node, Leaf) for node in nodes(price.expression)) for price in prices)


@pytest.mark.parametrize("name", ["moonwell@0", "benqi@0", "venus_pool@0"])
def test_it_recognises_its_own_comptroller_and_no_other(name: str) -> None:
    tape = Tape.load(name)
    assert tape.play(reader_of(tape).expects()) == []
