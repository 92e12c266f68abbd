"""Sky's vaults on recorded states: what `bark` did is what we say, to the last unit of rate, price and amount."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.protocols.sky import OTHERS, OWN, Case, other_cases, own_cases
from tests.tape import Tape
from watcher.domain.position import Position, Refused, Repay, State, TopUp, Unreadable
from watcher.domain.price import Cap, Leaf
from watcher.protocols.sky.maths import bark_refusal, dripped, health_of, spot_of
from watcher.risk.liquidation import levers, liquidation_price
from watcher.risk.restore import remedies

SUCCEEDED = ""
UNSAFE = (State.LIQUIDATABLE, State.LIQUIDATABLE_BUT_BLOCKED, State.DEBT_WITHOUT_COLLATERAL)


def cases() -> Iterator[Case]:
    yield from (case for name in OWN for case in own_cases(name))
    yield from (case for name in OTHERS for case in other_cases(name))


def readable() -> Iterator[Case]:
    return (case for case in cases() if isinstance(case.reading, Position))


def refusal_seen(case: Case) -> str:
    """Why `bark` was refused behind a drip; empty where it went through."""
    if "barked" in case.seen:
        return str(case.seen["barked"])
    note = case.seen["note"].rpartition("; ")[2]
    return SUCCEEDED if case.seen["liquidation_call_succeeds"] else str(note)


def test_it_says_of_every_vault_what_bark_does_with_it_behind_a_drip() -> None:
    told = Counter[str]()
    for case in cases():
        found, refused = case.reading, refusal_seen(case)
        told[refused] += 1
        if isinstance(found, Unreadable):
            assert refused in ("Dog/not-unsafe", "Dog/not-live"), case.name
            continue
        assert (found.state is State.LIQUIDATABLE) == (refused == SUCCEEDED), case.name
        if refused == "Dog/not-unsafe":
            assert found.state in (State.HEALTHY, State.NO_DEBT), case.name
        elif refused not in (SUCCEEDED, "Dog/not-live"):
            assert found.state is State.LIQUIDATABLE_BUT_BLOCKED, case.name

    assert told.total() == 8 * 33 + 2 * 30 + 8 * 21
    assert min(told.values()) >= 3
    assert set(told) == {
        "",
        "Dog/not-unsafe",
        "Dog/not-live",
        "Dog/liquidation-limit-hit",
        "Dog/dusty-auction-from-partial-liquidation",
        "Clipper/stopped-incorrect",
        "Clipper/invalid-price",
    }


def test_it_names_the_reason_for_which_bark_is_refused() -> None:
    words = {
        "Dog/not-live": "liquidations are shut down",
        "Dog/liquidation-limit-hit": "as much is in auction as may be",
        "Dog/dusty-auction-from-partial-liquidation": "there is not room enough for one more auction",
        "Clipper/stopped-incorrect": "its auctions are stopped",
        "Clipper/invalid-price": "its price source has no price to start an auction at",
    }
    for case in readable():
        refused = refusal_seen(case)
        if refused in words and case.account.art:
            assert bark_refusal(case.market, case.ilk, case.account) == words[refused], case.name
        elif refused == SUCCEEDED:
            assert bark_refusal(case.market, case.ilk, case.account) == "", case.name


def test_it_drips_as_the_jug_does() -> None:
    for case in (case for name in OTHERS for case in other_cases(name)):
        assert dripped(case.market, case.ilk) == int(case.seen["rate_after_drip"]), case.name


def test_its_own_plan_asks_the_jug_and_gets_the_same_health() -> None:
    compared = 0
    for case in (case for name in OWN for case in own_cases(name)):
        if isinstance(case.reading, Position):
            verdict = case.verdict
            assert verdict is not None
            assert not isinstance(verdict, Exception)
            assert verdict.health == case.position.health, case.name
            assert verdict.agrees_with(case.position), case.name
            compared += 1
    assert compared > 250


def test_it_keeps_its_legs_within_the_slack_it_states() -> None:
    for case in readable():
        assert case.position.legs_explain_health, case.name


def test_it_tells_the_health_as_long_as_nobody_drips() -> None:
    for case in readable():
        if not case.account.art or not case.market.dog_live:
            continue
        [before] = [one for one in case.position.scenarios if one.what == "before the stability fee is taken"]
        seen = case.seen.get("barked_undripped")
        unsafe = case.seen["liquidatable_by_view"] if seen is None else seen != "Dog/not-unsafe"
        assert before.health.liquidatable == unsafe, case.name


def test_it_tells_the_health_after_a_poke_where_the_vat_lags_behind_the_oracle() -> None:
    lagging = 0
    for case in readable():
        if not case.account.art or not case.market.dog_live or not case.ilk.pip.now:
            continue
        found = [one for one in case.position.scenarios if one.what == "once its price is taken over from the oracle"]
        health = found[0].health if found else case.position.health
        seen = case.seen.get("barked_after_poke")
        refused = case.seen["bark_after_poke_and_drip_error"] or SUCCEEDED if seen is None else seen
        assert health.liquidatable == (refused != "Dog/not-unsafe"), case.name
        lagging += bool(found)
    assert lagging > 30


def test_it_knows_the_next_price_up_to_an_hour_ahead() -> None:
    """What was told on one tape is what was in force on a later one, up to the fee of the hour between."""
    before = {case.account.holder: case for case in own_cases("sky@2_next_price")}
    after = {case.account.holder: case for case in own_cases("sky@4_fell")}
    compared = 0
    for holder, case in before.items():
        told = [one for one in case.position.scenarios if one.what == "at the oracle's next price"]
        if not told:
            continue
        then, pip = after[holder], case.ilk.pip
        assert pip.next == then.ilk.pip.now
        assert told[0].at == pip.due == case.market.at.timestamp // 3600 * 3600 + 3600
        at_due = dripped(case.market, case.ilk, pip.due)
        assert told[0].health == health_of(case.account, then.ilk.spot, at_due)
        compared += 1
    assert compared > 20


def test_a_price_is_that_of_the_osm_as_long_as_the_vat_goes_by_it() -> None:
    osm = Tape.load(OWN[0]).address("osm_eth")
    [eth] = {c.market.prices[c.ilk.key].expression for c in own_cases(OWN[0]) if c.ilk.name == "ETH-A"}  # type: ignore[union-attr]
    assert isinstance(eth, Leaf)
    assert (eth.reading.feed, eth.reading.heartbeat) == (osm, 3600)
    [sky] = {c.market.prices[c.ilk.key].expression for c in own_cases(OWN[0]) if c.ilk.name == "LSEV2-SKY-A"}  # type: ignore[union-attr]
    assert isinstance(sky, Cap)
    assert sky.active

    lagging = [case for case in own_cases("sky@3_partly_poked") if case.ilk.name == "ETH-A"]
    assert all(case.position.legs[0].price.hidden for case in lagging)
    assert all(case.position.legs[0].price.low == 3000 * 10**18 for case in lagging)


Told = Mapping[str, Any]


def what_ifs(*kinds: str) -> Iterator[tuple[Case, Told]]:
    for name in OWN:
        known = {(case.account.holder.account, case.account.holder.key): case for case in own_cases(name)}
        for told in Tape.load(name).content["what_ifs"]:
            if told["kind"] in kinds:
                yield known[told["urn"], told["key"]], told


def test_it_prints_the_very_price_at_which_bark_changes_its_mind() -> None:
    """Each printed price and the one above were given to a source, poked into the Spotter, dripped, and barked at."""
    recorded = {(case.name, case.account.holder, told["price"]): told["barked"] for case, told in what_ifs("price")}
    asked = set()
    for case in (case for name in OWN for case in own_cases(name)):
        if not isinstance(case.reading, Position) or case.position.state is not State.HEALTHY or not case.market.live:
            continue
        for lever in levers(case.position):
            price = liquidation_price(case.position, lever, case.held.reprice)
            if price is not None and lever.feed is None:
                there, above = ((case.name, case.account.holder, value) for value in (price.value, price.value + 1))
                assert recorded[above] == "Dog/not-unsafe", there
                assert recorded[there] != "Dog/not-unsafe", there
                asked |= {there, above}
    assert asked == set(recorded)
    assert len(asked) == 296


def test_it_prints_the_smallest_amounts_that_save() -> None:
    """Each was locked, or paid back by way of `wipe`, and then barked at; and so was one base unit less."""
    recorded = {
        (case.name, case.account.holder, told["kind"], told["amount"]): told["barked"]
        for case, told in what_ifs("repay", "lock")
    }
    asked = set()
    for case in (case for name in OWN for case in own_cases(name)):
        if not isinstance(case.reading, Position) or case.position.state is not State.LIQUIDATABLE:
            continue
        for remedy in remedies(case.position, Decimal(1), case.held.after):
            assert remedy.enough
            kind = "repay" if isinstance(remedy.action, Repay) else "lock"
            amount = remedy.action.amount
            if amount == -sum(leg.amount for leg in case.position.legs if leg.amount < 0) and kind == "repay":
                continue  # no part of it is taken, and what is barked at all of it was not recorded
            enough, less = ((case.name, case.account.holder, kind, value) for value in (amount, amount - 1))
            assert (recorded[enough], recorded[less]) == ("Dog/not-unsafe", SUCCEEDED), enough
            asked |= {enough, less}
    assert asked == set(recorded)
    assert len(asked) == 324


def test_it_would_be_wrong_without_a_drip_and_with_a_drip_that_cuts_off() -> None:
    """The negative controls: exactness above is not an accident of easy numbers."""
    idle = [case for case in own_cases("sky@1_idle") if case.account.art]
    stored = [health_of(case.account, case.ilk.spot, case.ilk.rate) for case in idle]
    assert all(case.position.health != health for case, health in zip(idle, stored, strict=True))
    for case in idle:
        elapsed = case.market.at.timestamp - case.ilk.rho
        assert dripped(case.market, case.ilk) != cut_off(case.ilk.fee, elapsed) * case.ilk.rate // 10**27


def cut_off(base: int, exponent: int) -> int:
    """`rpow` as it would be without rounding to nearest."""
    result = 10**27
    while exponent:
        if exponent % 2:
            result = result * base // 10**27
        base, exponent = base * base // 10**27, exponent // 2
    return result


@pytest.mark.parametrize("action", [Repay, TopUp])
def test_an_action_on_another_token_is_refused(action: type[Repay] | type[TopUp]) -> None:
    case = own_cases(OWN[0])[0]
    wrong = case.ilk.asset.address if action is Repay else case.ilk.debt.address
    assert isinstance(case.reader.after(case.market, case.account, action(wrong, 1)), Refused)


def test_a_debt_below_the_minimum_is_refused_and_nothing_at_all_is_not() -> None:
    case = next(case for case in own_cases(OWN[0]) if case.account.art and case.ilk.dust)
    due = -case.position.legs[1].amount
    dai = case.ilk.debt.address
    assert isinstance(case.reader.after(case.market, case.account, Repay(dai, due - 10**18)), Refused)
    cleared = case.reader.after(case.market, case.account, Repay(dai, due))
    assert not isinstance(cleared, Refused)
    assert cleared.art == 0
    nearly = case.reader.after(case.market, replace(case.account, art=case.account.art), Repay(dai, due - 1))
    assert isinstance(nearly, Refused)


def test_a_price_is_poked_as_the_spotter_does() -> None:
    """Where the Vat goes by what the oracle holds, our `poke` of it is the Vat's spot."""
    same = [c for c in readable() if c.ilk.pip.now and spot_of(c.ilk.pip.now, c.market.par, c.ilk.mat) == c.ilk.spot]
    assert len(same) > 200
    assert {c.position.legs[0].price.low == c.ilk.pip.now for c in same if c.account.ink} == {True}
