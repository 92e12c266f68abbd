"""What Aave v3 lays down for a position, told from what is read of it anyhow."""

from __future__ import annotations

from tests.protocols.aave import Case, tape_cases
from tests.protocols.worlds import configure, look, look_at_one
from tests.worlds.aave_v36 import AaveV36World
from tests.worlds.chain import named
from watcher.domain.position import Term
from watcher.protocols.aave.maths import lines_of

ALICE = named("alice")
ETHER = 10**18


def rules(terms: tuple[Term, ...]) -> dict[tuple[str, str], str]:
    return {(term.what, term.of): term.value for term in terms if term.set_by_rule}


def test_it_tells_every_rule_once_and_of_what_is_used_only() -> None:
    for name in ("aave_v3_rev10@start", "aave_v37@01_open"):
        for case in tape_cases(name):
            terms = case.position.terms
            assert len({(term.what, term.of) for term in terms}) == len(terms)
            lines = lines_of(case.market, case.account)
            assert {term.of for term in terms} <= {line.reserve.asset.symbol for line in lines} | _modes(case)
            for line in lines:
                symbol = line.reserve.asset.symbol
                assert rules(terms)["price source", symbol] == line.price.source
                told = rules(terms).get(("liquidation threshold", symbol))
                assert told == (f"{line.threshold / 100:.2f} %" if line.supplied else None)


def _modes(case: Case) -> set[str]:
    return {case.market.emodes[case.account.emode].label} if case.account.emode else set()


def test_it_tells_what_governance_changed_between_two_recorded_states() -> None:
    before = {case.account.holder: case.position.terms for case in tape_cases("aave_v37@06_boundary_first_unsafe")}
    after = {case.account.holder: case.position.terms for case in tape_cases("aave_v37@07_config_changed")}
    changed = {
        what
        for holder in before.keys() & after.keys()
        for (what, of), value in rules(after[holder]).items()
        if rules(before[holder]).get((what, of), value) != value
    }
    assert "liquidation threshold" in changed


async def test_it_tells_caps_pauses_and_rates(v36: AaveV36World) -> None:
    v36.supply(ALICE, "WETH", 10 * ETHER)
    v36.borrow(ALICE, "USDT", 10_000 * 10**6)
    terms = (await look_at_one(v36, ALICE)).position.terms
    assert rules(terms)["supply cap", "WETH"] == rules(terms)["borrow cap", "USDT"] == "none"
    assert rules(terms)["borrow limit", "WETH"] == "80.00 %"
    assert {(term.what, term.of) for term in terms if not term.set_by_rule} == {
        ("supply rate", "WETH"),
        ("borrow rate", "USDT"),
    }
    assert any(term.value not in ("0.00 % a year",) for term in terms if not term.set_by_rule)
    configure(v36, "WETH", lambda word: word | 1_234_567 << 116)
    configure(v36, "USDT", lambda word: word | 7_654_321 << 80)
    v36.freeze("WETH")
    v36.pause("USDT")
    later = rules((await look_at_one(v36, ALICE)).position.terms)
    assert later["supply cap", "WETH"] == "1,234,567"
    assert later["borrow cap", "USDT"] == "7,654,321"
    assert (later["status", "WETH"], later["status", "USDT"]) == ("frozen", "paused")


async def test_it_tells_the_threshold_of_an_e_mode_and_asks_for_nothing_more(v36: AaveV36World) -> None:
    v36.set_emode(ALICE, 1)
    v36.supply(ALICE, "wstETH", 10 * ETHER)
    v36.borrow(ALICE, "WETH", 7 * ETHER)
    snapshot = await look(v36, [ALICE])
    [position] = snapshot.positions
    found = rules(position.terms)
    assert found["e-mode liquidation threshold", "ETH correlated"] == "93.00 %"
    assert found["e-mode borrow limit", "ETH correlated"] == "90.00 %"
    assert found["liquidation threshold", "wstETH"] == "93.00 %"
    again = await look(v36, [ALICE], warm=snapshot.asked)
    assert again.rounds == 1
