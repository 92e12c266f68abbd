"""Distances, falls and events: what they raise, what they say, and what is not said where nothing is known."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.alerts.samples import COLD, DEPLOYMENT, MAIN, NOW, WETH, position, view
from tests.alerts.telling import (
    ADVICE,
    EASED,
    EVENT,
    OK,
    RAISED,
    REMINDER,
    RESOLVED,
    SUBJECT,
    WARN,
    lines,
    notice,
    text,
    told,
)
from watcher.alerts.assess import assess
from watcher.alerts.beside import sight_event
from watcher.alerts.falls import Fall, Peak
from watcher.alerts.fold import fold
from watcher.alerts.happened import Change, Happened, What, changes
from watcher.alerts.message import Level
from watcher.alerts.policy import Kind, announce, decide
from watcher.alerts.record import Key, Record, Rule
from watcher.alerts.rules import RuleBook, Rules
from watcher.alerts.sighting import Near, Sighting, View
from watcher.domain.health import Health
from watcher.risk.liquidation import Lever, LiquidationPrice

RULES = Rules(distance_warn=Decimal("0.15"), distance_critical=Decimal("0.05"), drop=Decimal("0.1"), events=True)
BOOK = RuleBook({MAIN: RULES, COLD: Rules()})
DISTANCE, DROP = Key(Rule.DISTANCE, SUBJECT), Key(Rule.DROP, SUBJECT)
[FAR] = ADVICE.liquidations


def away(share: str) -> LiquidationPrice:
    lever = Lever(name="WETH", keys=frozenset({WETH.address}), current=2000_00000000)
    return LiquidationPrice(lever=lever, value=int(lever.current * (1 - Decimal(share))))


def fell(share: str, *, whole: bool = True) -> Fall:
    return Fall(top=Peak(NOW - 600, Decimal(2)), now=Peak(NOW, 2 * (1 - Decimal(share))), whole=whole)


_UNKNOWN = away("0.9")


def sighted(key: Key, nearest: LiquidationPrice | None = _UNKNOWN, falls: Fall | None = None) -> Sighting | None:
    seen = replace(
        view(position("1.5")),
        nearest={} if nearest is _UNKNOWN else {SUBJECT: nearest},
        falls={SUBJECT: falls} if falls else {},
    )
    return {one.key: one for one in assess(seen, BOOK, [key])}.get(key)


@pytest.mark.parametrize(
    ("share", "firing", "holding"),
    [
        ("0.16", "OK", "OK"),
        ("0.153", "OK", "OK"),
        ("0.1529", "OK", "WARN"),
        ("0.15", "OK", "WARN"),
        ("0.149", "WARN", "WARN"),
        ("0.05", "WARN", "CRITICAL"),
        ("0.049", "CRITICAL", "CRITICAL"),
    ],
)
def test_it_fires_nearer_than_the_distance_and_clears_beyond_the_margin(share: str, firing: str, holding: str) -> None:
    found = sighted(DISTANCE, nearest=away(share))
    assert found is not None
    assert (found.firing.name, found.holding.name) == (firing, holding)


@given(st.fractions(0, 1), st.decimals("0.01", "0.99"), st.decimals("0", "0.49"))
def test_it_holds_at_least_what_it_fires(distance: Fraction, limit: Decimal, clear: Decimal) -> None:
    firing, holding = Rules(distance_critical=limit, clear=clear).near(-distance)
    assert firing <= holding


def test_it_is_far_from_liquidation_where_no_price_liquidates() -> None:
    found = sighted(DISTANCE, nearest=None)
    assert found is not None
    assert (found.firing, found.holding, found.facts) == (OK, OK, Near(position("1.5"), None))


def test_it_says_nothing_of_a_distance_that_is_not_known_and_does_not_call_the_position_closed() -> None:
    assert sighted(DISTANCE) is None
    assert sighted(DROP) is None


def test_it_closes_distance_and_drop_with_the_position() -> None:
    ended = assess(view(covered=(MAIN,)), BOOK, [DISTANCE, DROP])
    assert [(one.key, one.holding) for one in ended] == [(DISTANCE, OK), (DROP, OK)]


def test_it_says_nothing_of_a_distance_once_the_position_is_liquidatable() -> None:
    lost = replace(position("1.5"), health=Health(backing=99, required=100))
    found = assess(replace(view(lost), nearest={SUBJECT: None}), BOOK, [DISTANCE])
    assert DISTANCE not in {one.key for one in found}


@pytest.mark.parametrize(
    ("fall", "firing", "holding"),
    [
        (fell("0.1"), "WARN", "WARN"),
        (fell("0.099"), "OK", "WARN"),
        (fell("0.05"), "OK", "WARN"),
        (fell("0.049"), "OK", "OK"),
        (fell("0", whole=False), "OK", "WARN"),
    ],
)
def test_it_is_over_when_less_than_half_of_the_drop_is_left_in_a_window_seen_whole(
    fall: Fall, firing: str, holding: str
) -> None:
    found = sighted(DROP, falls=fall)
    assert found is not None
    assert (found.firing.name, found.holding.name) == (firing, holding)


def test_it_wants_several_good_reads_for_a_distance_and_one_for_a_drop() -> None:
    for rule, calm in ((Rule.DISTANCE, 1), (Rule.DROP, 0)):
        standing = Record(key=Key(rule, SUBJECT), level=WARN, spoken_at=NOW, fired_block=1)
        seen = sighted(standing.key, nearest=away("0.5"), falls=fell("0"))
        assert seen is not None
        [after] = decide({standing.key: standing}, [seen], [seen], NOW, {}).records
        assert (after.level, after.calm) == (WARN, 1) if calm else (after.level, after.calm) == (OK, 0)


def about(seen: Sighting | None, kind: Kind, level: Level, before: Level) -> str:
    assert seen is not None
    return text(notice(kind, seen, level, before))


def test_it_says_how_near_liquidation_is_beside_the_limit_as_written() -> None:
    shown = about(sighted(DISTANCE, nearest=FAR), RAISED, WARN, OK)
    assert shown == lines("""
        WARNING · distance to liquidation · main · Aave v3 Ethereum
        liquidation at WETH $1,846.15 (−7.6 %), nearer than 15 % (distance_warn)
        health 1.5000
        block 21,034,551, 12 s old
        """)


@pytest.mark.parametrize(
    ("price", "kind", "level", "before", "line"),
    [
        (away("0.2"), RESOLVED, OK, WARN, "clear of 15 % (distance_warn)"),
        (away("0.1"), EASED, WARN, Level.CRITICAL, "clear of 5 % (distance_critical)"),
        (away("0.151"), REMINDER, WARN, WARN, "not yet clear of 15 % (distance_warn)"),
        (away("0.3"), REMINDER, WARN, WARN, "to be confirmed as clear of 15 % (distance_warn)"),
        (None, RESOLVED, OK, WARN, "No move of one price liquidates it; the limit was 15 % (distance_warn)."),
    ],
)
def test_it_says_where_the_distance_stands(
    price: LiquidationPrice | None, kind: Kind, level: Level, before: Level, line: str
) -> None:
    assert line in about(sighted(DISTANCE, nearest=price), kind, level, before)


def test_it_says_how_far_health_fell_and_how_fast() -> None:
    shown = about(sighted(DROP, falls=fell("0.123")), RAISED, WARN, OK)
    assert shown.startswith("FAST DROP · main · Aave v3 Ethereum\nhealth 1.7540: 12.3 % below 2.0000, 10 min before;")
    assert "the rule: drop 10 % within 30 min\n" in shown
    over = about(sighted(DROP, falls=fell("0")), RESOLVED, OK, WARN)
    assert over.startswith("DROP OVER · main · Aave v3 Ethereum\nhealth 2.0000: no fall is left of it")


def happened(what: What, found: tuple[Change, ...], seen: View | None = None) -> Sighting:
    event = Happened(what=what, position=position("1.5"), changes=found, before=Decimal("1.2"))
    sighting = sight_event(event, RULES, seen or view(position("1.5")))
    assert sighting is not None
    return sighting


def test_it_tells_a_liquidation_before_all_else_and_an_event_after_all_else() -> None:
    gone = announce(happened(What.LIQUIDATED, changes(position("1.5"), None)))
    small = announce(happened(What.CHANGED, ()))
    assert (gone.severity, small.severity) == (Level.LIQUIDATABLE, OK)
    assert gone.kind is EVENT
    first = str(told(small, gone).body)
    assert first.startswith("LOOKS LIQUIDATED · main")
    assert "10 WETH of the collateral is gone\n" in first
    assert "health 1.2000 → 1.5000" in first


def test_it_folds_no_event_into_a_later_one_of_the_same_position() -> None:
    one = told(announce(happened(What.OPENED, ())))
    event = happened(What.CHANGED, ())
    other = told(announce(replace(event, order=event.order + 1)))
    rest, both = fold(one, other)
    assert rest is None
    assert "OPENED" in str(both.body)
    assert "CHANGED" in str(both.body)


def test_it_names_the_position_of_an_event_by_wallet_and_deployment() -> None:
    assert happened(What.CHANGED, ()).key.subject == f"{DEPLOYMENT}/{MAIN}"
