"""Euler v2 under prices and after actions that never were, by its own contracts: an `eth_call` on such a state.

Each what-if of a tape moves one number (a feed, a rate, a price of the nameless oracle) or pays back or deposits for
the holder, and then says what `accountLiquidity` told: collateral by its LTV, and debt. `price` and `least` are the
prices and amounts that we print, with one unit beside; `moved` and `some` are at random.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

from tests.protocols.euler import NAMES, Case, tape_cases
from tests.tape import Tape
from watcher.domain.health import Health
from watcher.domain.position import Action, Position, Refused, Repay, State, TopUp
from watcher.domain.source import Address
from watcher.risk.levers import Lever, levers
from watcher.risk.liquidation import liquidation_price
from watcher.risk.restore import remedies

Told = Mapping[str, Any]
NESTED = "shares of"
"""A rate that a vault within a vault converts by: known for whole tokens only, and so moved in proportion."""


@cache
def what_ifs(*kinds: str) -> tuple[tuple[Case, Told], ...]:
    return tuple(_what_ifs(kinds))


def _what_ifs(kinds: tuple[str, ...]) -> Iterator[tuple[Case, Told]]:
    for name in NAMES:
        cases = {case.account.holder.account: case for case in tape_cases(name)}
        for told in Tape.load(name).content.get("what_ifs", ()):
            if told["kind"] in kinds:
                yield cases[told["holder"]], told


def lever_of(case: Case, told: Told) -> Lever:
    [found] = [each for each in levers(case.position) if told["lever"] in (each.feed, *each.keys)][:1]
    return found


def at(case: Case, lever: Lever, value: int) -> Position:
    return case.reprice(lever.prices(case.position, value))


def theirs(told: list[str] | None) -> Health:
    assert told is not None
    backing, required = map(int, told)
    return Health(backing=backing, required=required, inclusive=True)


def near(ours: Health, told: Health, slack: Fraction) -> bool:
    """Whether a health is theirs within the slack that the position states, and a unit of account for each part."""
    one, other = ours.backing * told.required, told.backing * ours.required
    return abs(one - other) <= slack * other + 8 * (ours.required + told.required)


def test_it_makes_of_moved_feeds_what_the_contract_makes_of_them() -> None:
    """Through adapters, crosses asked forwards and backwards, and rate providers: to the unit."""
    found = [(case, lever_of(case, told), told) for case, told in what_ifs("moved", "price")]
    exact = [(case, lever, told) for case, lever, told in found if not lever.name.startswith(NESTED)]
    wrong = {
        f"{case.name} {lever.name} {told['value']}"
        for case, lever, told in exact
        if at(case, lever, int(told["value"])).health != theirs(told["there"])
    }

    assert wrong == set()
    assert len(exact) > 700
    assert len({lever.name for _, lever, _ in exact}) > 5


def test_it_is_within_the_slack_it_states_where_a_vault_is_within_a_vault() -> None:
    found = [(case, lever_of(case, told), told) for case, told in what_ifs("moved", "price")]
    nested = [(case, lever, told) for case, lever, told in found if lever.name.startswith(NESTED)]

    assert len(nested) > 10
    for case, lever, told in nested:
        position = at(case, lever, int(told["value"]))
        assert near(position.health, theirs(told["there"]), case.position.slack), case.name


def test_it_prints_the_very_price_at_which_the_contract_would_liquidate() -> None:
    flipped = Counter[str]()
    for case, told in what_ifs("price"):
        lever = lever_of(case, told)
        price = liquidation_price(case.position, lever, case.reprice)
        assert price is not None
        assert price.value == int(told["value"]), case.name
        if not lever.name.startswith(NESTED):
            assert (theirs(told["there"]).liquidatable, theirs(told["nearer"]).liquidatable) == (True, False), case.name
            flipped["feed" if lever.feed else "price"] += 1

    assert flipped["feed"] > 200
    assert flipped["price"] > 30


def action_of(told: Told) -> Action:
    kind = Repay if told["do"] == "Repay" else TopUp
    return kind(Address(told["asset"]), int(told["amount"]))


def test_it_knows_what_an_action_leaves() -> None:
    """Shares as the vault mints them, and what they are worth; refused exactly where the vault refuses it."""
    seen = Counter[str]()
    for case, told in what_ifs("some", "least"):
        after = case.after(action_of(told))
        assert isinstance(after, Refused) == (told["there"] is None), (case.name, told)
        if isinstance(after, Refused):
            seen["refused"] += 1
        elif after.health == theirs(told["there"]):
            seen[f"{told['do']} to the unit"] += 1
        else:
            assert told["asset"] == Tape.load(case.name.split(":")[0]).content["addresses"]["assets"]["sUSD"]
            assert near(after.health, theirs(told["there"]), after.slack), (case.name, told)
            seen["within slack"] += 1

    assert seen["Repay to the unit"] > 200
    assert seen["TopUp to the unit"] > 300
    assert seen["refused"] > 10
    assert seen["within slack"] < 30


def test_it_prints_the_smallest_amount_that_saves() -> None:
    recorded = {
        (case.name, told["do"], told["asset"], int(told["amount"])): theirs(told["there"]).liquidatable
        for case, told in what_ifs("least")
    }
    asked = set()
    for case in {case.name: case for case, _ in what_ifs("least")}.values():
        for remedy in remedies(case.position, Decimal(1), case.after):
            key = (case.name, type(remedy.action).__name__, remedy.action.asset)
            if remedy.enough and (*key, remedy.action.amount) in recorded:
                assert recorded[*key, remedy.action.amount] is False, key
                assert recorded[*key, remedy.action.amount - 1] is True, key
                asked |= {(*key, remedy.action.amount), (*key, remedy.action.amount - 1)}

    assert asked == set(recorded), "every amount that was put to the contract is one that we print, or one less"
    assert len(asked) >= 2 * 50


def test_it_clears_a_debt_that_is_paid_in_full() -> None:
    for case, _ in what_ifs("least"):
        cleared = case.after(Repay(case.position.legs[-1].asset.address, case.account.debt + 5))
        if not isinstance(cleared, Refused):
            assert cleared.state is State.NO_DEBT


def test_it_has_something_to_do_about_a_health_of_one() -> None:
    """At equality the contract liquidates: the least that saves is a unit, or what a rounding lets through."""
    [equal] = [one for one in tape_cases("euler_v2@02_boundary_eq") if one.position.health.factor == 1]
    found = remedies(equal.position, Decimal(1), equal.after)

    assert [type(remedy.action) for remedy in found] == [Repay, TopUp]
    for remedy in found:
        reached = equal.after(remedy.action)
        assert isinstance(reached, Position)
        assert reached.state is State.HEALTHY
    assert found[0].action.amount == 1
