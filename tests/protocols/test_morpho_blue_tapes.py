"""Morpho Blue on recorded states of its own contract: five markets, 26 holders, eight states, boundaries among them."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from tests.protocols.morpho import TAPES, Case, cases_of, tape_of
from watcher.domain.errors import ReadFailed
from watcher.domain.health import Health
from watcher.domain.position import Asset, Position, Repay, State
from watcher.domain.price import Fixed, Price
from watcher.domain.source import ZERO_ADDRESS, Address, Block, Holder
from watcher.protocols.morpho_blue.calls import Params, Totals
from watcher.protocols.morpho_blue.maths import Account, Market, Markets, accrued, lines_of
from watcher.risk.levers import levers
from watcher.risk.liquidation import liquidation_price
from watcher.risk.restore import remedies

VECTOR = json.loads((Path(__file__).parents[1] / "vectors" / "morpho.json").read_text())


def every_case() -> list[Case]:
    return [case for name in TAPES for case in cases_of(name)]


def test_it_liquidates_whom_the_contract_liquidates() -> None:
    """`liquidation_call_succeeds` is of one share; nobody without debt can be liquidated."""
    states, verdicts = 0, Counter[bool]()
    for case in every_case():
        position, said = case.position, case.verdict["liquidation_call_succeeds"]
        assert position.health.liquidatable == said, case.name
        assert (position.state is State.LIQUIDATABLE) == said, case.name
        assert position.legs_explain_health, case.name
        states += 1
        verdicts[said] += 1
    assert (states, verdicts) == (800, {True: 232, False: 568})


def test_it_looks_into_every_market_of_every_holder() -> None:
    """Whom the recording calls without a position, or a supplier only, has none here; all others have."""
    for name in TAPES:
        found = {(case.account.holder.account, case.account.holder.key) for case in cases_of(name)}
        said = {(one["holder"], one["market"]): one["note"] for one in tape_of(name).content["verdicts"]}
        assert found == {key for key, note in said.items() if not note.startswith(("no position", "supplier only"))}


def test_it_is_as_near_the_boundary_as_the_recording() -> None:
    """Every tape names, for some positions, the first price that liquidates and the next one, which does not."""
    checked = 0
    for name in TAPES:
        tape = tape_of(name)
        markets = {pair: market["id"] for pair, market in tape.content["addresses"]["markets"].items()}
        cases = {(case.account.holder.account, case.account.holder.key): case for case in cases_of(name)}
        for pair, who, last in boundaries(tape.content["note"]):
            case = cases[who, markets[pair]]
            [price] = [leg.price for leg in case.position.legs if leg.amount > 0]
            key = case.account.params.oracle
            assert case.reprice({key: price.at(last)}).health.liquidatable, case.name
            assert not case.reprice({key: price.at(last + 1)}).health.liquidatable, case.name
            checked += 1
    assert checked >= 25


def boundaries(note: str) -> list[tuple[str, Address, int]]:
    """Pair, holder, and the highest price that liquidates: "(liquidatable at N, not at M)"."""
    found = []
    for part in note.split("; "):
        if "(liquidatable at " in part:
            pair, who = part.split(" price at")[0].split()[-1], part.split(" for ")[1].split()[0]
            found.append((pair, Address(who), int(part.split("(liquidatable at ")[1].split(",")[0])))
    return found


def test_it_prints_the_price_that_flips_a_position() -> None:
    printed = 0
    for case in Random(1).sample(every_case(), 150):
        for lever in levers(case.position):
            found = liquidation_price(case.position, lever, case.reprice)
            if found is None:
                continue
            near = 1 if found.value < lever.current else -1
            assert case.reprice(lever.prices(case.position, found.value)).health.liquidatable, case.name
            assert not case.reprice(lever.prices(case.position, found.value + near)).health.liquidatable, case.name
            printed += 1
    assert printed > 80


@pytest.mark.parametrize("target", [Decimal(1), Decimal("1.3")])
def test_it_says_the_least_that_is_enough(target: Decimal) -> None:
    told = 0
    for case in Random(2).sample(every_case(), 150):
        for remedy in remedies(case.position, target, case.after):
            less = case.after(type(remedy.action)(remedy.asset.address, remedy.action.amount - 1))
            assert isinstance(less, Position)
            assert remedy.enough, case.name
            assert less.health.factor < target <= remedy.health, case.name
            told += 1
    assert told > 60


def test_who_pays_the_whole_debt_or_more_owes_nothing() -> None:
    """As assets it may be a share too many, which Morpho refuses; so it goes by shares."""
    for case in every_case():
        owed = case.position.health.required
        for amount in (owed, owed + 1) if owed else ():
            paid = case.after(Repay(case.account.params.loan, amount))
            assert isinstance(paid, Position)
            assert (paid.state, paid.health.required, paid.debt) == (State.NO_DEBT, 0, 0), case.name


@pytest.mark.parametrize("sums", [(2**128 - 1, 10**20), (10**20, 2**128 - 1)])
def test_interest_beyond_what_morpho_can_count_is_no_interest(sums: tuple[int, int]) -> None:
    lent, borrowed = sums
    totals = Totals(lent, 1, borrowed, 1, updated_at=0, fee=0)
    assert accrued(totals, 0, 1000).borrow_assets == borrowed
    with pytest.raises(ReadFailed, match="every transaction of this market reverts"):
        accrued(totals, 10**9, 1000)


def test_it_computes_what_the_vector_expects() -> None:
    """Thirty days of interest in a market of 18 decimals, by npm's Morpho compiled apart."""
    raw, expected = VECTOR["market"], VECTOR["expected"]
    lltv, value, now = int(VECTOR["lltv"]), int(VECTOR["oraclePrice"]), int(VECTOR["timestamp"])
    totals = Totals(
        supply_assets=10**30,
        supply_shares=10**36,
        borrow_assets=int(raw["totalBorrowAssets"]),
        borrow_shares=int(raw["totalBorrowShares"]),
        updated_at=int(raw["lastUpdate"]),
        fee=0,
    )
    found = accrued(totals, int(VECTOR["borrowRateView"]), now)
    assert found.borrow_assets == int(expected["totalBorrowAssetsAccrued"])

    token, oracle, id_ = Asset(address=ZERO_ADDRESS, symbol="T", decimals=18), Address("oracle"), "id"
    params = Params(ZERO_ADDRESS, ZERO_ADDRESS, oracle, ZERO_ADDRESS, lltv)
    market = Market(id=id_, params=params, loan=token, collateral=token, totals=found, rate=0)
    account = Account(
        holder=Holder.of(ZERO_ADDRESS),
        params=params,
        borrow_shares=int(VECTOR["position"]["borrowShares"]),
        collateral=int(VECTOR["position"]["collateral"]),
    )

    def health(price: int) -> Health:
        prices = {oracle: Price.of(Fixed(price, "")), market.priced_as: Price.of(Fixed(10**36, ""))}
        block = Block(chain="v", number=1, hash="0x", timestamp=now)
        [line] = lines_of(Markets(at=block, markets={id_: market}, prices=prices), market, account)
        return line.health

    assert health(value) == Health(backing=int(expected["maxBorrow"]), required=int(expected["borrowed"]))
    assert int(health(value).factor * 10**18) == int(expected["healthFactor"])
    safe = int(expected["smallestHealthyPrice"])
    assert (health(safe).liquidatable, health(safe - 1).liquidatable) == (False, True)
