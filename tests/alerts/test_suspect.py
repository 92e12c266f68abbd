"""Suspect prices: a condition for each source and check, shared by those who owe by it, with the health that waits."""

# ruff: noqa: E501 - lines of a message
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.alerts.samples import (
    COLD,
    ETH_FEED,
    ETH_USD,
    MAIN,
    NOW,
    USDC_USD,
    position,
    reading,
    unreadable,
    view,
)
from tests.alerts.telling import CRITICAL, EASED, OK, RAISED, REMINDER, RESOLVED, WARN, lines, notice, text, told
from tests.alerts.test_policy import HOUR, heard, kinds, nothing, step
from watcher.alerts.assess import assess
from watcher.alerts.beside import sight_event
from watcher.alerts.falls import Fall, Peak
from watcher.alerts.happened import Happened, What
from watcher.alerts.message import Level
from watcher.alerts.policy import Notice, announce
from watcher.alerts.record import Key, Record, Rule
from watcher.alerts.rules import RuleBook, Rules
from watcher.alerts.shared import LASTS
from watcher.alerts.sharing import told_to
from watcher.alerts.sighting import Facts, Sighting, Suspect, Unwatched, View, suspect_subject
from watcher.domain.doubt import Doubt, Suspicion
from watcher.domain.feed import Opinion
from watcher.domain.position import Position
from watcher.domain.price import Opaque
from watcher.domain.sequencer import Running, Sequencer
from watcher.domain.source import Address
from watcher.risk.healths import Healths

BOOK = RuleBook({MAIN: Rules(), COLD: Rules()})
COMPARED = replace(ETH_USD, beside=(Opinion(by=reading(), value=1900_00000000),))
MINE = position("1.32", feeds=(COMPARED, USDC_USD))
THEIRS = position("1.6", wallet=COLD, feeds=(COMPARED, USDC_USD))
SAID = "it says 1,900.00, 5.1 % below the feed's 2,000.00, and 5 % is the limit"
BAD = Healths(now=Decimal("1.32"), second=Decimal("1.05"), edge=Decimal("1.27"))
FINE = Healths(now=Decimal("1.6"), second=Decimal("1.55"), edge=None)


def key(suspicion: Suspicion = Suspicion.DEVIATES) -> Key:
    return Key(Rule.SUSPECT, suspect_subject("ethereum", ETH_FEED, suspicion))


KEY = key()


def doubt(
    *about: Position, suspicion: Suspicion = Suspicion.DEVIATES, said: str = SAID, name: str = "ETH / USD"
) -> Doubt:
    return Doubt(suspicion=suspicion, source=ETH_FEED, name=name, said=said, about=about)


def seen(*doubts: Doubt, of: tuple[Position, ...] = (MINE, THEIRS), healths: dict[str, Healths] | None = None) -> View:
    known = {str(MINE.id): BAD, str(THEIRS.id): FINE} if healths is None else healths
    return replace(view(*of), doubts=doubts, healths=known)


def found(of: View, *standing: Key, book: RuleBook = BOOK) -> dict[Key, Sighting]:
    all_ = assess(of, book, standing)
    assert len({one.key for one in all_}) == len(all_)
    return {one.key: one for one in all_}


def suspect(of: View, *standing: Key, book: RuleBook = BOOK, which: Key = KEY) -> Suspect:
    facts = found(of, *standing, book=book)[which].facts
    assert isinstance(facts, Suspect)
    return facts


# --- What one snapshot says -------------------------------------------------------------------------------------------


def test_it_is_one_condition_for_all_who_owe_by_it() -> None:
    one = found(seen(doubt(MINE, THEIRS)))[KEY]
    assert isinstance(one.facts, Suspect)
    assert (one.facts.dependents, one.wallets) == ((MINE, THEIRS), (MAIN, COLD))
    idle = position(None)
    assert KEY not in found(seen(doubt(idle), of=(idle,))), "who owes nothing needs no price"


@pytest.mark.parametrize(
    ("second", "edge", "level"),
    [
        (None, None, WARN),
        ("1.2", "1.31", WARN),
        ("1.09", "1.31", CRITICAL),
        (None, "1.09", CRITICAL),
        ("0.99", None, CRITICAL),
    ],
)
def test_it_is_critical_where_the_health_to_come_would_be(second: str | None, edge: str | None, level: Level) -> None:
    to_come = Healths(
        now=Decimal("1.32"), second=Decimal(second) if second else None, edge=Decimal(edge) if edge else None
    )
    assert found(seen(doubt(MINE), healths={str(MINE.id): to_come}))[KEY].firing is level


def test_it_holds_what_is_not_clear_of_the_limit_yet() -> None:
    near = Healths(now=Decimal("1.32"), second=Decimal("1.11"), edge=None)
    one = found(seen(doubt(MINE), healths={str(MINE.id): near}))[KEY]
    assert (one.firing, one.holding) == (WARN, CRITICAL)


def test_it_is_over_once_the_check_passes_and_only_where_it_could_be_made() -> None:
    over = found(seen(), KEY)[KEY]
    assert (over.firing, over.holding, over.final) == (OK, OK, False)
    assert suspect(seen(), KEY).dependents == (MINE, THEIRS)
    alone = tuple(replace(one, legs=position("1.5").legs) for one in (MINE, THEIRS))
    unjudged = found(seen(of=alone), KEY)[KEY]
    assert (unjudged.firing, unjudged.holding) == (OK, CRITICAL), "the second source cannot be read: no all-clear"
    assert suspect(seen(of=alone), KEY).unjudged


def test_it_says_nothing_of_what_it_cannot_see_and_ends_what_nobody_rests_on() -> None:
    other = position("1.5", feeds=(USDC_USD, USDC_USD))
    lost = replace(seen(of=(other,)), unreadable=(unreadable(COLD),))
    assert KEY not in found(lost, KEY)
    gone = found(seen(of=(other,)), KEY)[KEY]
    assert isinstance(gone.facts, Suspect)
    assert (gone.firing, gone.holding, gone.lasts, gone.facts.dependents) == (OK, OK, 0, ())


def test_it_leaves_the_prices_of_other_chains_alone() -> None:
    there = Key(Rule.SUSPECT, suspect_subject("base", ETH_FEED, Suspicion.DEVIATES))
    near = Key(Rule.SUSPECT, suspect_subject("ethereum2", ETH_FEED, Suspicion.DEVIATES))
    assert not {there, near} & found(seen(), there, near).keys()


def test_it_is_told_to_those_who_ask_and_ends_when_nobody_does() -> None:
    book = RuleBook({MAIN: Rules(), COLD: Rules(suspect=False)})
    facts = suspect(seen(doubt(MINE, THEIRS)), book=book)
    assert (facts.dependents, facts.declined) == ((MINE,), (THEIRS,))
    nobody = RuleBook({MAIN: Rules(suspect=False), COLD: Rules(suspect=False)})
    assert KEY not in found(seen(doubt(MINE)), book=nobody)
    for doubts in ((doubt(MINE),), ()):
        ended = found(seen(*doubts), KEY, book=nobody)[KEY]
        assert isinstance(ended.facts, Unwatched)
        assert ended.final


def test_it_tells_strangers_apart() -> None:
    facts = told_to(suspect(seen(doubt(MINE, THEIRS))), [COLD])
    assert isinstance(facts, Suspect)
    assert facts.dependents == (THEIRS,)


# --- What is said when ------------------------------------------------------------------------------------------------


def stands(level: Level = WARN, *, since: int = NOW, which: Key = KEY) -> Record:
    names = (str(MINE.id), str(THEIRS.id))
    return Record(key=which, level=level, episode=1, since=since, spoken_at=since, fired_block=1, told=names)


def next_block(one: Sighting) -> Sighting:
    return replace(one, order=one.order + 1)


def test_it_is_told_at_once_and_again_when_it_gets_critical() -> None:
    assert heard(step(None, found(seen(doubt(MINE), healths={}))[KEY])) == [(RAISED, (MAIN,))]
    assert heard(step(stands(), found(seen(doubt(MINE, THEIRS)))[KEY])) == [(RAISED, (MAIN, COLD))]


def test_it_needs_as_many_good_reads_as_health_for_both_drift_round_a_limit() -> None:
    over = next_block(found(seen(), KEY)[KEY])
    first = step(stands(), over, over)
    assert kinds(first) == []
    assert kinds(step(first.records[0], next_block(over), next_block(over))) == [RESOLVED]


@pytest.mark.parametrize("suspicion", sorted(LASTS))
def test_what_happened_once_stands_for_a_while_is_not_reminded_of_and_ends_by_itself(suspicion: Suspicion) -> None:
    which, lasts = key(suspicion), LASTS[suspicion]
    over = next_block(found(seen(), which)[which])
    young = stands(since=NOW + 15 - lasts + 1, which=which)
    assert nothing(step(young, over, over)), "nothing shows it any more, and still it stands"
    old = stands(since=NOW + 15 - lasts, which=which)
    first = step(old, over, over)
    assert kinds(first) == []
    assert kinds(step(first.records[0], next_block(over), next_block(over))) == [RESOLVED]


def test_what_goes_on_is_reminded_of() -> None:
    old = stands(CRITICAL, since=NOW - 5 * HOUR)
    assert kinds(step(old, found(seen(doubt(MINE, THEIRS)))[KEY])) == [REMINDER]


def test_an_event_that_was_critical_eases_before_it_ends() -> None:
    which = key(Suspicion.CHANGED)
    over = next_block(found(seen(), which)[which])
    old = replace(stands(CRITICAL, which=which, since=NOW - 100_000), calm=1)
    eased = step(old, over, over)
    assert (kinds(eased), eased.records[0].level) == ([EASED], WARN)
    assert nothing(step(eased.records[0], next_block(over), next_block(over)))


# --- The words --------------------------------------------------------------------------------------------------------


def test_it_names_the_check_with_value_and_limit_and_each_health_that_there_may_be() -> None:
    assert text(notice(RAISED, found(seen(doubt(MINE, THEIRS)))[KEY], CRITICAL, OK)) == lines(
        """
        CRITICAL: SUSPECT PRICE · ETH / USD · Ethereum
        second source disagrees: it says 1,900.00, 5.1 % below the feed's 2,000.00, and 5 % is the limit
        The health of these positions rests on it:
        · main · Aave v3 Ethereum · health 1.3200 now, 1.0500 at the second source, 1.2700 at the edge of the feeds' deviation: when the oracle catches up it would be below your critical 1.10
        · cold · Aave v3 Ethereum · health 1.6000 now, 1.5500 at the second source
    """.replace("ETH ∕ USD", "ETH / USD")
    )


def test_it_says_what_would_be_liquidatable() -> None:
    gone = Healths(now=Decimal("1.32"), second=Decimal("0.98"), edge=None)
    shown = text(notice(RAISED, found(seen(doubt(MINE), healths={str(MINE.id): gone}))[KEY], CRITICAL, OK))
    assert "0.9800 at the second source: when the oracle catches up it would be liquidatable" in shown


def test_it_says_how_it_ends() -> None:
    over = found(seen(), KEY)[KEY]
    pending = text(notice(REMINDER, over, WARN, WARN))
    assert pending.startswith(
        "STILL SUSPECT PRICE · ETH / USD · Ethereum\nsecond source disagrees: not any more, to be"
    )
    assert text(notice(RESOLVED, over, OK, WARN)) == lines("""
        PRICE NOT SUSPECT ANY MORE · ETH / USD · Ethereum
        second source disagrees: not any more.
    """)
    gone = found(seen(of=(position("1.5", feeds=(USDC_USD, USDC_USD)),)), KEY)[KEY]
    assert text(notice(RESOLVED, gone, OK, WARN)) == lines(
        """
        PRICE NOT NEEDED · 0xFEfe…FefE · Ethereum
        No watched debt depends on it any more.
    """.replace("0xFEfe…FefE", f"{ETH_FEED[:6]}…{ETH_FEED[-4:]}")
    )
    changed = found(seen(), key(Suspicion.CHANGED))[key(Suspicion.CHANGED)]
    assert "nothing more of it is seen. It ends by itself 24 h after it was seen." in text(
        notice(EASED, changed, WARN, CRITICAL)
    )


def test_it_says_that_what_it_compares_with_cannot_be_read() -> None:
    alone = tuple(replace(one, legs=position("1.5").legs) for one in (MINE, THEIRS))
    shown = text(notice(REMINDER, found(seen(of=alone), KEY)[KEY], WARN, WARN))
    assert "cannot be read now. This is not an all-clear." in shown


def test_the_health_alert_of_such_a_position_says_so_with_both_healths() -> None:
    health = found(seen(doubt(MINE)))[Key(Rule.HEALTH, str(MINE.id))]
    shown = text(notice(RAISED, health, WARN, OK))
    assert (
        lines("""
        SUSPECT PRICE ETH / USD: second source disagrees (it says 1,900.00, 5.1 % below the feed's 2,000.00, and 5 % is the limit)
        health 1.3200 now, 1.0500 at the second source, 1.2700 at the edge of the feeds' deviation: when the oracle catches up it would be below your critical 1.10
    """)
        in shown
    )


def test_programs_are_told_the_same() -> None:
    [section] = told(notice(RAISED, found(seen(doubt(MINE, THEIRS)))[KEY], CRITICAL, OK)).sections
    [mine, theirs] = section.positions
    assert (mine.position, mine.health, mine.second, mine.edge) == (
        str(MINE.id),
        MINE.health.factor,
        BAD.second,
        BAD.edge,
    )
    assert (mine.price, theirs.edge) == (("suspect",), None)


def test_it_names_twenty_at_most() -> None:
    many = tuple(position("1.5", wallet=Address(f"0x{number:040x}")) for number in range(25))
    book = RuleBook({one.id.wallet: Rules() for one in many})
    one = {each.key: each for each in assess(seen(doubt(*many), of=many, healths={}), book, [])}[KEY]
    shown = told(notice(RAISED, one, WARN, OK))
    assert str(shown.body).endswith("\n… and 5 more")
    assert len(shown.sections[0].positions) == 20


# --- Prices of unknown age --------------------------------------------------------------------------------------------


def test_an_unknown_age_is_told_of_to_those_who_ask() -> None:
    hidden = position("1.5", feeds=(Opaque(ETH_FEED, 2000_00000000), reading(heartbeat=None)))
    which, asked = Key(Rule.UNKNOWN_AGE, str(hidden.id)), RuleBook({MAIN: Rules(unknown_age=True)})
    assert which not in found(view(hidden))
    one = found(view(hidden), book=asked)[which]
    assert one.firing is WARN
    assert text(notice(RAISED, one, WARN, OK)).startswith(
        "PRICE OF UNKNOWN AGE · main · Aave v3 Ethereum\n"
        f"Nobody can tell how old they are: {ETH_FEED[:6]}…{ETH_FEED[-4:]}, ETH / USD (unknown_age).\nhealth 1.5000"
    )
    known = found(view(position("1.5")), which, book=asked)[which]
    assert (known.firing, known.holding) == (OK, OK)
    assert "is known.\n" in text(notice(RESOLVED, known, OK, WARN))
    assert found(view(hidden), which)[which].final, "an edit that switches it off ends it"


# --- D3: wherever a health is told, so is what is wrong with its prices -----------------------------------------------

FACTORS = st.decimals("0.5", "3", places=4).map(str)
AGES = st.sampled_from([60, 7400])
OTHERS = st.none() | st.decimals("0.5", "3", places=4)
READINGS = AGES.map(lambda age: reading(age=age))
DOWN = Sequencer(state=Running.DOWN, since=NOW - 720)


@st.composite
def views(draw: st.DrawFn) -> View:
    positions = tuple(
        position(draw(FACTORS), wallet=wallet, feeds=(draw(READINGS), USDC_USD))
        for wallet in draw(st.lists(st.sampled_from([MAIN, COLD]), min_size=1, unique=True))
    )
    doubts = tuple(
        doubt(*draw(st.lists(st.sampled_from(positions), unique_by=lambda one: str(one.id))), suspicion=one)
        for one in draw(st.lists(st.sampled_from(Suspicion), unique=True, max_size=4))
    )
    healths = {str(one.id): Healths(now=one.health.factor, second=draw(OTHERS), edge=draw(OTHERS)) for one in positions}
    falls = {
        str(one.id): Fall(top=Peak(NOW - 600, Decimal(4)), now=Peak(NOW, one.health.factor), whole=True)
        for one in positions
    }
    return replace(
        view(*positions),
        doubts=doubts,
        healths=healths,
        falls=falls,
        nearest=dict.fromkeys(healths),
        sequencer=draw(st.none() | st.just(DOWN)),
    )


ALL = Rules(distance_warn=Decimal("0.5"), drop=Decimal("0.1"), events=True, unknown_age=True)
WATCHING = RuleBook({MAIN: ALL, COLD: ALL})


def concerned(facts: Facts) -> list[Position]:
    """The positions whose health a message of these facts tells."""
    one = getattr(facts, "position", None)
    return (
        [one] if one is not None else [each for each in getattr(facts, "dependents", ()) if isinstance(each, Position)]
    )


def notices(of: View) -> list[Notice]:
    kinds_ = {OK: RESOLVED, WARN: RAISED, CRITICAL: RAISED, Level.LIQUIDATABLE: REMINDER}
    plain = [
        notice(kinds_[one.firing], one, one.firing, WARN if one.firing is OK else OK)
        for one in assess(of, WATCHING, [])
    ]
    events = [
        sight_event(Happened(what=what, position=one, changes=(), before=Decimal(2)), ALL, of)
        for one in of.positions
        for what in (What.CHANGED, What.LIQUIDATED)
    ]
    return [*plain, *(announce(one) for one in events if one is not None)]


@settings(max_examples=150, deadline=None)
@given(views())
def test_every_message_with_the_health_of_a_position_says_what_is_wrong_with_its_prices(of: View) -> None:
    for one in notices(of):
        message = told(one)
        [section] = message.sections
        stated = {each.position: each for each in section.positions}
        for each in concerned(one.sighting.facts):
            wrong = faults(each, of)
            for part in telling_health(str(message.body), each, one.sighting.facts):
                assert all(word in part for word in wrong), part
            assert {f"{word.upper()} PRICE" for word in stated[str(each.id)].price} == wrong
            assert stated[str(each.id)].second == of.healths[str(each.id)].second


def test_it_is_measured_beside_the_other_promises(record_property: Callable[[str, object], None]) -> None:
    record_property(
        "D3", "150 generated views of everything that can be told: every health with what is wrong under it"
    )


@given(views())
@settings(max_examples=60, deadline=None)
def test_a_message_of_many_says_so_too_in_full_and_in_brief(of: View) -> None:
    every = notices(of)
    body = str(told(*every, *every).body)
    for line in (line for line in body.splitlines() if " · health " in line and not line.startswith("· ")):
        [one] = [each for each in of.positions if f" {NAMES[each.id.wallet]} " in line]
        assert all(word in line for word in faults(one, of)), line


NAMES = {MAIN: "main", COLD: "cold"}


def faults(one: Position, of: View) -> set[str]:
    """What is wrong with the prices under a position, found by other means than the words are."""
    doubted = any(about.id == one.id for each in of.doubts for about in each.about)
    late = one.feeds[0].age(one.at.timestamp) > 3960
    return {word for word, wrong in (("SUSPECT PRICE", doubted), ("STALE PRICE", late)) if wrong}


def telling_health(body: str, one: Position, facts: Facts) -> list[str]:
    """The parts of a message in which the health of a position stands: all of it, or of many positions its line."""
    if getattr(facts, "position", None) is not None:
        return [body] if "health" in body else []
    head = body.partition("\n")[0]
    return [f"{head} {line}" for line in body.splitlines() if f"· {NAMES[one.id.wallet]} " in line and "health" in line]


def test_nothing_is_said_of_a_position_that_can_be_trusted() -> None:
    sound = position("1.2")
    shown = text(notice(RAISED, found(view(sound))[Key(Rule.HEALTH, str(sound.id))], WARN, OK))
    assert "SUSPECT" not in shown
    assert "STALE" not in shown
    assert "second source" not in shown
