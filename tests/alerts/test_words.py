"""Messages, word for word, as a trader reads them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.alerts.samples import (
    COLD,
    ETH_FEED,
    ETH_USD,
    MAIN,
    NOW,
    USD_FEED,
    USDC,
    USDC_USD,
    position,
    reading,
    unreadable,
    view,
)
from tests.alerts.telling import (
    ADVICE,
    CRITICAL,
    EASED,
    HEALTH,
    LATE,
    LIQUIDATABLE,
    OK,
    RAISED,
    REMINDER,
    RESOLVED,
    STALE,
    SUBJECT,
    UNREADABLE,
    WARN,
    about,
    lines,
    notice,
    sighted,
    text,
    told,
)
from watcher.alerts.assess import assess
from watcher.alerts.beside import sight_chain, sight_event
from watcher.alerts.falls import Fall, Peak
from watcher.alerts.happened import Happened, What, changes
from watcher.alerts.message import Level
from watcher.alerts.outlook import Advice
from watcher.alerts.policy import Kind, Notice, announce
from watcher.alerts.record import Key, Rule
from watcher.alerts.rules import RuleBook, Rules
from watcher.alerts.sharing import told_to
from watcher.alerts.sighting import Sighting
from watcher.domain.position import Check, Position, Repay, State
from watcher.domain.price import Opaque
from watcher.risk.restore import Remedy

# --- Health -----------------------------------------------------------------------------------------------------------


def test_it_warns() -> None:
    assert text(about(position("1.25"), RAISED, WARN, OK)) == lines("""
        WARNING · main · Aave v3 Ethereum
        health 1.2500 < 1.30 (warn)
        collateral $20,000.00 (10 WETH)
        debt $12,800.00 (12,800 USDC)
        price USDC / USD: 11 h 6 min old, heartbeat 24 h
        block 21,034,551, 12 s old
    """)


def test_it_escalates_with_the_rule_as_written_the_value_that_broke_it_and_what_to_do() -> None:
    assert text(about(position("1.0833"), RAISED, CRITICAL, WARN), advice=ADVICE) == lines("""
        CRITICAL, was WARNING · main · Aave v3 Ethereum
        health 1.0833 < 1.10 (critical)
        liquidation at WETH $1,846.15 (−7.6 %)
        to get back to 1.50, one of:
        · repay 4102.564103 USDC (has 5,000)
        · add 3.846154 WETH (has 2.4)
        collateral $20,000.00 (10 WETH)
        debt $14,769.69 (14,769.685 USDC)
        price USDC / USD: 11 h 6 min old, heartbeat 24 h
        block 21,034,551, 12 s old
    """)


def test_it_says_liquidatable() -> None:
    assert text(about(position("0.99999"), RAISED, LIQUIDATABLE, OK)) == lines("""
        LIQUIDATABLE · main · Aave v3 Ethereum
        health 0.9999 < 1 (liquidation)
        collateral $20,000.00 (10 WETH)
        debt $16,000.16 (16,000.16 USDC)
        price USDC / USD: 11 h 6 min old, heartbeat 24 h
        block 21,034,551, 12 s old
    """)


CLEAR = ", clear of {} by at least 2 %"
PLAIN = [
    (position("1", inclusive=True), RAISED, LIQUIDATABLE, OK, "LIQUIDATABLE", " ≤ 1 (liquidation)"),
    (position("1.05"), RAISED, CRITICAL, OK, "CRITICAL", " < 1.10 (critical)"),
    (position("1.05"), REMINDER, CRITICAL, CRITICAL, "STILL CRITICAL", " < 1.10 (critical)"),
    (position("1.11"), REMINDER, CRITICAL, CRITICAL, "STILL CRITICAL", ", not yet clear of 1.10 (critical)"),
    (position("1.5"), REMINDER, WARN, WARN, "STILL WARNING", ", above 1.30 (warn), to be confirmed"),
    (position("1.2"), EASED, WARN, CRITICAL, "WARNING, was CRITICAL", CLEAR.format("1.10 (critical)")),
    (position("1.2"), EASED, WARN, LIQUIDATABLE, "WARNING, was LIQUIDATABLE", CLEAR.format("1.10 (critical)")),
    (position("1.05"), EASED, CRITICAL, LIQUIDATABLE, "CRITICAL, was LIQUIDATABLE", CLEAR.format("1 (liquidation)")),
    (position("1.5"), RESOLVED, OK, WARN, "OK, was WARNING", CLEAR.format("1.30 (warn)")),
    (position("1.5"), RESOLVED, OK, CRITICAL, "OK, was CRITICAL", CLEAR.format("1.30 (warn)")),
    (position(None), RESOLVED, OK, CRITICAL, "OK, was CRITICAL", ": no debt"),
]


@pytest.mark.parametrize(("found", "kind", "level", "before", "headline", "standing"), PLAIN)
def test_it_says_where_health_stands_against_the_limits(
    found: Position, kind: Kind, level: Level, before: Level, headline: str, standing: str
) -> None:
    first, second, *_ = text(about(found, kind, level, before)).splitlines()
    assert first == f"{headline} · main · Aave v3 Ethereum"
    factor = found.health.factor
    assert second == f"health {factor:.4f}{standing}" if factor.is_finite() else f"health ∞{standing}"


def test_it_resolves_without_advice() -> None:
    assert text(about(position("1.5"), RESOLVED, OK, WARN), advice=ADVICE) == lines("""
        OK, was WARNING · main · Aave v3 Ethereum
        health 1.5000, clear of 1.30 (warn) by at least 2 %
        collateral $20,000.00 (10 WETH)
        debt $10,666.67 (10,666.667 USDC)
        price USDC / USD: 11 h 6 min old, heartbeat 24 h
        block 21,034,551, 12 s old
    """)


def test_it_says_when_the_largest_possible_repayment_is_not_enough() -> None:
    most = Remedy(action=Repay(USDC.address, 5_000000), asset=USDC, health=Decimal("1.2"), enough=False)
    found = text(about(position("1.05"), RAISED, CRITICAL, OK), advice=Advice(remedies=(most,)))
    assert "· repay 5 USDC (all of it, and still only 1.2000)" in found
    enough = text(about(position("1.05"), RAISED, CRITICAL, OK), advice=Advice(remedies=(most, ADVICE.remedies[1])))
    assert "still only" not in enough
    assert "· add 3.846154 WETH" in enough


def test_it_names_the_three_nearest_liquidation_prices() -> None:
    prices = [replace(ADVICE.liquidations[0], value=value * 10**8) for value in (1900, 1800, 1700, 1600)]
    found = text(about(position("1.05"), RAISED, CRITICAL, OK), advice=Advice(liquidations=tuple(prices)))
    assert re.findall(r"liquidation at WETH \$([\d,.]+)", found) == ["1,900.00", "1,800.00", "1,700.00"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"state": State.LIQUIDATABLE_BUT_BLOCKED},
            "Liquidation is blocked for now (paused, grace period or sequencer), and can be freed any block.",
        ),
        ({"state": State.DEBT_WITHOUT_COLLATERAL}, "There is debt without collateral."),
        ({"check": Check.UNCHECKED}, "Not checked against the protocol's own view."),
        ({"notes": ("e-mode 1: visit evil.com",)}, "e-mode 1: visit evil·com"),
    ],
)
def test_it_cautions_in_whole_sentences(change: dict[str, Any], line: str) -> None:
    found = replace(position("0.9"), **change)
    assert line in text(about(found, RAISED, LIQUIDATABLE, OK)).splitlines()


@pytest.mark.parametrize(
    ("feeds", "line"),
    [
        ((ETH_USD, USDC_USD), "price USDC / USD: 11 h 6 min old, heartbeat 24 h"),
        ((LATE, USDC_USD), "price ETH / USD: 2 h 3 min old, heartbeat 1 h, STALE"),
        ((reading(age=90_000, heartbeat=None), USDC_USD), "price ETH / USD: 25 h old, heartbeat unknown"),
        ((reading(age=-1), USDC_USD), "price ETH / USD: impossible update time, heartbeat 1 h, STALE"),
        ((Opaque(ETH_FEED, 1), USDC_USD), "price USDC / USD: 11 h 6 min old, heartbeat 24 h; a price of unknown age"),
        ((Opaque(ETH_FEED, 1), Opaque(USD_FEED, 1)), "a price of unknown age"),
    ],
)  # fmt: skip
def test_it_shows_the_stalest_price_and_what_it_cannot_see(feeds: tuple[Opaque, Opaque], line: str) -> None:
    assert line in text(about(position("1.05", feeds=feeds), RAISED, CRITICAL, OK)).splitlines()


def test_it_says_closed() -> None:
    gone = notice(RESOLVED, sighted(view(covered=(MAIN,)), HEALTH), OK, CRITICAL)
    assert text(gone) == "CLOSED · main · Aave v3 Ethereum\nThe position is closed."
    pending = notice(REMINDER, sighted(view(covered=(MAIN,)), HEALTH), CRITICAL, CRITICAL)
    assert text(pending).startswith("CLOSED, to be confirmed · main")


# --- Unreadable, stale, blind -----------------------------------------------------------------------------------------


def test_it_says_unreadable_and_that_this_is_no_all_clear() -> None:
    lost = sighted(view(lost=(unreadable(),), covered=()), UNREADABLE)
    assert text(notice(RAISED, lost, CRITICAL, OK)) == lines("""
        UNREADABLE · main · Aave v3 Ethereum
        getUserAccountData on 0xAb reverted without a reason (unreadable)
        This is not an all-clear: its health is unknown. Look at it in the protocol's own app.
    """)
    assert text(notice(REMINDER, lost, CRITICAL, CRITICAL)).startswith("STILL UNREADABLE · main")


def test_it_says_readable_again_with_the_health_that_it_reads() -> None:
    seen = sighted(view(position("1.05")), UNREADABLE)
    found = text(notice(RESOLVED, seen, OK, CRITICAL)).splitlines()
    assert found[:2] == ["READABLE AGAIN · main · Aave v3 Ethereum", "health 1.0500"]
    assert text(notice(REMINDER, seen, CRITICAL, CRITICAL)).startswith("READABLE AGAIN, to be confirmed · main")


def test_it_says_stale_and_whose_health_rests_on_it() -> None:
    owing = view(position("1.5", feeds=(LATE, USDC_USD)), position("1.4", wallet=COLD, feeds=(LATE, USDC_USD)))
    stale = sighted(owing, STALE)
    assert text(notice(RAISED, stale, WARN, OK)) == lines("""
        STALE PRICE · ETH / USD · Ethereum
        last answer: 2 h 3 min old, heartbeat 1 h, allowed 1 h 6 min (stale)
        The health of these positions rests on a price that may be wrong:
        · main · Aave v3 Ethereum · health 1.5000
        · cold · Aave v3 Ethereum · health 1.4000
    """)
    assert text(notice(REMINDER, stale, WARN, WARN)).startswith("STILL STALE PRICE · ")


def test_it_says_that_a_price_is_alive() -> None:
    fresh = sighted(view(position("1.5")), STALE)
    assert text(notice(RESOLVED, fresh, OK, WARN)) == lines("""
        PRICE ALIVE · ETH / USD · Ethereum
        last answer: 5 min old, heartbeat 1 h
    """)
    assert "fresh again, to be confirmed" in text(notice(REMINDER, fresh, WARN, WARN))


def test_it_does_not_call_a_price_alive_that_nobody_needs() -> None:
    unneeded = sighted(view(covered=(MAIN,)), STALE)
    assert text(notice(RESOLVED, unneeded, OK, WARN)) == lines(f"""
        PRICE NOT NEEDED · {ETH_FEED[:6]}…{ETH_FEED[-4:]} · Ethereum
        No watched debt depends on it any more.
    """)


def test_it_tells_the_end_of_a_stale_price_also_where_nothing_rests_on_it_any_more() -> None:
    """One of two chats that heard of it has repaid since; the other's debt rests on it still."""
    alive = sighted(view(position("1.5"), position("1.4", wallet=COLD)), STALE)
    for kind, level in ((RESOLVED, OK), (REMINDER, WARN)):
        mine = replace(alive, facts=told_to(alive.facts, ()))
        assert text(notice(kind, mine, level, WARN)).endswith("\nNo watched debt depends on it any more.")


def test_it_says_blind_and_seeing_again() -> None:
    blind = sight_chain("ethereum", "own: connection refused", NOW - 600, NOW, Rules(), [MAIN], known=True)
    assert text(notice(RAISED, blind, CRITICAL, OK)) == lines("""
        BLIND · Ethereum
        own: connection refused
        Nothing has been known of its positions for 10 min. This is not an all-clear.
    """)
    assert text(notice(REMINDER, blind, CRITICAL, CRITICAL)).startswith("STILL BLIND · Ethereum")
    seeing = sight_chain("ethereum", "", NOW - 600, NOW, Rules(), [MAIN], known=True)
    assert text(notice(RESOLVED, seeing, OK, CRITICAL)) == lines("""
        SEEING AGAIN · Ethereum
        It could not be watched for 10 min.
    """)


# --- The rule, as the user wrote it, with the value that broke it -----------------------------------------------------

WATCHFUL = Rules(distance_warn=Decimal("0.15"), drop=Decimal("0.10"), events=True)
BEFORE, THEN = position("1.6"), position("1.4")
FALL = Fall(top=Peak(NOW - 600, Decimal("1.6")), now=Peak(NOW, Decimal("1.4")), whole=True)
CHANGES = changes(BEFORE, THEN)


def event(what: What, **more: Any) -> Notice:
    happened = Happened(what=what, position=THEN, changes=CHANGES, before=BEFORE.health.factor, **more)
    sighting = sight_event(happened, WATCHFUL, view(THEN))
    assert sighting is not None
    return announce(sighting)


def watchful(rule: Rule) -> Sighting:
    seen = replace(view(THEN), nearest={SUBJECT: ADVICE.liquidations[0]}, falls={SUBJECT: FALL})
    return next(one for one in assess(seen, RuleBook({MAIN: WATCHFUL}), ()) if one.key.rule is rule)


BROKEN = [
    (lambda: about(position("1.25"), RAISED, WARN, OK), "health 1.2500 < 1.30 (warn)"),
    (lambda: notice(RAISED, watchful(Rule.DISTANCE), WARN, OK), "(−7.6 %), nearer than 15 % (distance_warn)"),
    (lambda: notice(RAISED, watchful(Rule.DROP), WARN, OK), "12.5 % below 1.6000, 10 min before; the rule: drop 10 %"),
    (
        lambda: notice(RAISED, sighted(view(position("1.5", feeds=(LATE, USDC_USD))), STALE), WARN, OK),
        "2 h 3 min old, heartbeat 1 h, allowed 1 h 6 min (stale)",
    ),
    (
        lambda: notice(RAISED, sighted(view(lost=(unreadable(),), covered=()), UNREADABLE), CRITICAL, OK),
        "reverted without a reason (unreadable)",
    ),
    (lambda: event(What.CHANGED), "borrowed 1,428.5714 USDC\nhealth 1.6000 → 1.4000 (events)"),
    (lambda: event(What.LIQUIDATED), "while health allowed a liquidation.\nhealth 1.6000 → 1.4000 (liquidated)"),
    (
        lambda: event(What.LIQUIDATED, unseen=7200),
        "Nobody looked for 2 h: interest is in these amounts.\n"
        "Collateral and debt went together while nobody looked.\nhealth 1.6000 → 1.4000 (liquidated)",
    ),
]


@pytest.mark.parametrize(("made", "line"), BROKEN)
def test_it_names_the_rule_beside_the_value_that_broke_it(made: Callable[[], Notice], line: str) -> None:
    assert line in text(made())


@pytest.mark.parametrize("what", list(What))
def test_it_says_what_did_not_happen_after_all(what: What) -> None:
    undone = event(what, undone=True)
    head, why, *rest = text(undone).splitlines()
    named = "TERMS NOT CHANGED" if what is What.TERMS else f"NOT {what.upper()}"
    assert head == f"{named} AFTER ALL · main · Aave v3 Ethereum"
    assert why == "The chain took back the block in which that was seen (a reorganisation)."
    assert rest == [*([] if what is What.OPENED else ["health 1.4000"]), "block 21,034,551, 12 s old"]
    assert undone.record.level is event(what).record.level, "whoever was woken by the one hears the other"
    assert told(event(what)).sections[0].rule != told(undone).sections[0].rule


@pytest.mark.parametrize(
    ("rules", "rule", "why"),
    [
        (Rules(), Rule.DISTANCE, "distance_warn and distance_critical are not set any more"),
        (Rules(), Rule.DROP, "drop is not set any more"),
        (Rules(unreadable=False), Rule.UNREADABLE, "unreadable is false"),
    ],
)
def test_it_says_which_rule_was_switched_off_and_that_this_is_no_all_clear(rules: Rules, rule: Rule, why: str) -> None:
    [ended] = [one for one in assess(view(THEN), RuleBook({MAIN: rules}), [Key(rule, SUBJECT)]) if one.final]
    first, second, third = text(notice(RESOLVED, ended, OK, WARN)).splitlines()
    assert first.startswith("NO LONGER WATCHED · ")
    assert first.endswith(" · main · Aave v3 Ethereum")
    assert second == f"The configuration has changed: {why}."
    assert third == "What was said before may still be so. This is not an all-clear."
