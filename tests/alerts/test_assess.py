"""From snapshots to sightings: what a snapshot can speak about, and what it must be silent on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.alerts.samples import (
    BLOCK,
    COLD,
    DEPLOYMENT,
    ETH_FEED,
    MAIN,
    NOW,
    USD_FEED,
    USDC_USD,
    later,
    position,
    reading,
    unreadable,
    view,
)
from watcher.alerts.assess import assess
from watcher.alerts.beside import sight_chain
from watcher.alerts.message import Level
from watcher.alerts.record import Key, Rule
from watcher.alerts.rules import RuleBook, Rules
from watcher.alerts.sharing import told_to
from watcher.alerts.sighting import Blind, Closed, Feed, Lost, Seen, Sighting, Unwatched, View, feed_subject
from watcher.domain.health import INFINITE, Health
from watcher.domain.price import Fixed, Opaque

OK = Level.OK
RULES = Rules()
BOTH = RuleBook({MAIN: RULES, COLD: RULES})
MAIN_HEALTH = Key(Rule.HEALTH, f"{DEPLOYMENT}/{MAIN}")
MAIN_UNREADABLE = Key(Rule.UNREADABLE, f"{DEPLOYMENT}/{MAIN}")
ETH_STALE = Key(Rule.STALE, feed_subject("ethereum", ETH_FEED))
LATE = reading(age=3600 + 361)


def by_key(sightings: Sequence[Sighting]) -> dict[Key, Sighting]:
    found = {sighting.key: sighting for sighting in sightings}
    assert len(found) == len(sightings), "one sighting per condition"
    return found


# --- Positions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("health", "firing", "holding"),
    [
        (None, Level.OK, Level.OK),
        ("1.5", Level.OK, Level.OK),
        ("1.31", Level.OK, Level.WARN),
        ("1.2", Level.WARN, Level.WARN),
        ("1.11", Level.WARN, Level.CRITICAL),
        ("1.05", Level.CRITICAL, Level.CRITICAL),
        ("1.01", Level.CRITICAL, Level.LIQUIDATABLE),
        ("0.99", Level.LIQUIDATABLE, Level.LIQUIDATABLE),
    ],
)
def test_it_sights_the_level_of_a_position(health: str | None, firing: Level, holding: Level) -> None:
    seen = position(health)
    sighting = by_key(assess(view(seen), BOTH, ()))[MAIN_HEALTH]
    assert (sighting.firing, sighting.holding) == (firing, holding)
    assert (sighting.order, sighting.facts, sighting.wallets) == (BLOCK.number, Seen(seen), (MAIN,))


def test_it_judges_each_wallet_by_its_own_rules() -> None:
    strict = replace(RULES, warn=Decimal(3), critical=Decimal(2))
    book = RuleBook({MAIN: RULES, COLD: strict})
    found = by_key(assess(view(position("1.5"), position("1.5", wallet=COLD)), book, ()))
    assert found[MAIN_HEALTH].firing is Level.OK
    cold = found[Key(Rule.HEALTH, f"{DEPLOYMENT}/{COLD}")]
    assert (cold.firing, cold.rules) == (Level.CRITICAL, strict)


def test_it_is_liquidatable_by_the_protocols_own_comparison() -> None:
    """At a health of exactly 1, some protocols liquidate and some do not."""
    found = [
        by_key(assess(view(position("1", inclusive=each)), BOTH, ()))[MAIN_HEALTH].firing for each in (True, False)
    ]
    assert found == [Level.LIQUIDATABLE, Level.CRITICAL]


def test_it_says_of_a_position_that_was_read_that_it_is_readable() -> None:
    sighting = by_key(assess(view(position("1.5")), BOTH, [MAIN_UNREADABLE]))[MAIN_UNREADABLE]
    assert (sighting.firing, sighting.holding) == (Level.OK, Level.OK)


def test_it_says_nothing_of_the_health_of_what_could_not_be_read() -> None:
    lost = unreadable()
    found = by_key(assess(view(lost=(lost,), covered=()), BOTH, [MAIN_HEALTH]))
    assert set(found) == {MAIN_UNREADABLE}
    sighting = found[MAIN_UNREADABLE]
    assert (sighting.firing, sighting.holding) == (Level.CRITICAL, Level.CRITICAL)
    assert (sighting.facts, sighting.wallets, sighting.order) == (Lost(lost), (MAIN,), BLOCK.number)


def test_it_is_silent_on_the_unreadable_where_the_user_said_so_and_no_all_clear_follows() -> None:
    silent = RuleBook({MAIN: replace(RULES, unreadable=False)})
    assert assess(view(lost=(unreadable(),), covered=()), silent, [MAIN_HEALTH]) == []


# --- No longer asked for ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seen", [view(position("1.2")), view(lost=(unreadable(),), covered=()), view(covered=(MAIN,))])
@pytest.mark.parametrize(
    ("rule", "on", "off"),
    [
        (Rule.UNREADABLE, RULES, replace(RULES, unreadable=False)),
        (Rule.DISTANCE, replace(RULES, distance_warn=Decimal("0.1")), RULES),
        (Rule.DROP, replace(RULES, drop=Decimal("0.1")), RULES),
    ],
)
def test_it_ends_what_an_edit_switched_off_whatever_is_seen(seen: View, rule: Rule, on: Rules, off: Rules) -> None:
    key = Key(rule, MAIN_HEALTH.subject)
    ended = by_key(assess(seen, RuleBook({MAIN: off}), [key]))[key]
    assert (ended.facts, ended.firing, ended.holding, ended.final) == (Unwatched(key.subject), OK, OK, True)
    assert ended.wallets == (MAIN,)
    asked = by_key(assess(seen, RuleBook({MAIN: on}), [key])).get(key)
    assert asked is None or not isinstance(asked.facts, Unwatched)


def test_it_ends_a_stale_price_that_all_who_rest_on_it_have_switched_off() -> None:
    book = RuleBook({MAIN: replace(RULES, stale=False), COLD: RULES})
    owing = position("1.5", feeds=(LATE, USDC_USD))
    ended = by_key(assess(view(owing, position(None, wallet=COLD)), book, [ETH_STALE]))[ETH_STALE]
    assert (ended.facts, ended.wallets, ended.final) == (Unwatched(ETH_STALE.subject, (owing,)), (MAIN,), True)


def test_it_ends_a_stale_price_that_nobody_asks_about_though_not_all_could_be_read() -> None:
    book = RuleBook({MAIN: replace(RULES, stale=False)})
    ended = by_key(assess(view(lost=(unreadable(),), covered=()), book, [ETH_STALE]))[ETH_STALE]
    assert isinstance(ended.facts, Unwatched)


# --- Gone, or merely unseen -------------------------------------------------------------------------------------------


def test_it_closes_what_is_absent_where_its_wallet_was_read() -> None:
    found = by_key(assess(view(covered=(MAIN,)), BOTH, [MAIN_HEALTH, MAIN_UNREADABLE]))
    assert set(found) == {MAIN_HEALTH, MAIN_UNREADABLE}
    for sighting in found.values():
        assert (sighting.firing, sighting.holding) == (Level.OK, Level.OK)
        assert (sighting.facts, sighting.wallets) == (Closed(MAIN_HEALTH.subject), (MAIN,))
        assert sighting.order == BLOCK.number


def test_it_closes_one_position_of_an_account_and_not_its_neighbour() -> None:
    neighbour = replace(position("1.2"), id=replace(position("1.2").id, key="vault 2"))
    gone = Key(Rule.HEALTH, f"{DEPLOYMENT}/{MAIN}/vault 1")
    found = by_key(assess(view(neighbour), BOTH, [gone, Key(Rule.HEALTH, str(neighbour.id))]))
    assert found[gone].facts == Closed(gone.subject)
    assert found[Key(Rule.HEALTH, str(neighbour.id))].firing is Level.WARN


@pytest.mark.parametrize(
    "known",
    [
        Key(Rule.HEALTH, f"{DEPLOYMENT}/{COLD}"),  # a wallet whose read failed, or that is watched no more
        Key(Rule.HEALTH, f"aave_v3_base/{MAIN}"),  # a deployment of another chain
        Key(Rule.UNREADABLE, f"spark/{MAIN}"),
        Key(Rule.STALE, feed_subject("base", ETH_FEED)),
        Key(Rule.STALE, feed_subject("ethereum2", ETH_FEED)),
        Key(Rule.BLIND, "ethereum"),
        Key(Rule.BLIND, "base"),
    ],
)
def test_it_leaves_alone_what_the_snapshot_does_not_cover(known: Key) -> None:
    assert known not in by_key(assess(view(covered=(MAIN,)), BOTH, [known]))


def test_it_survives_a_wallet_that_left_the_configuration() -> None:
    """Its conditions stand in the database still; they are neither closed nor looked up."""
    left = [Key(rule, f"{DEPLOYMENT}/{COLD}") for rule in (Rule.HEALTH, Rule.UNREADABLE)]
    found = by_key(assess(view(position("1.5")), RuleBook({MAIN: RULES}), [*left, ETH_STALE]))
    assert not set(left) & set(found)


def test_it_sights_nothing_where_nobody_is_watched() -> None:
    assert assess(view(), RuleBook({}), [MAIN_HEALTH, MAIN_UNREADABLE, ETH_STALE]) == []


# --- Feeds ------------------------------------------------------------------------------------------------------------


def test_it_sights_a_stale_feed_once_for_all_who_rest_on_it() -> None:
    owing = [position("1.5", feeds=(LATE, USDC_USD)), position("1.4", wallet=COLD, feeds=(LATE, USDC_USD))]
    found = by_key(assess(view(*owing), BOTH, ()))
    stale = found[ETH_STALE]
    assert (stale.firing, stale.holding) == (Level.WARN, Level.WARN)
    assert stale.facts == Feed(ETH_STALE.subject, LATE, tuple(owing))
    assert stale.wallets == (MAIN, COLD)
    fresh = found[Key(Rule.STALE, feed_subject("ethereum", USD_FEED))]
    assert (fresh.firing, fresh.holding) == (Level.OK, Level.OK)


def test_it_names_a_wallet_once_however_many_positions_it_has() -> None:
    twice = [position("1.5", feeds=(LATE, USDC_USD), deployment=name) for name in (DEPLOYMENT, "spark")]
    stale = by_key(assess(view(*twice), BOTH, ()))[ETH_STALE]
    assert stale.wallets == (MAIN,)
    assert stale.facts == Feed(ETH_STALE.subject, LATE, tuple(twice))


def test_it_never_lets_staleness_change_a_level_of_health() -> None:
    found = by_key(assess(view(position("1.5", feeds=(LATE, USDC_USD))), BOTH, ()))
    assert found[MAIN_HEALTH].firing is Level.OK


def test_it_does_not_mind_stale_feeds_under_positions_without_debt() -> None:
    found = by_key(assess(view(position(None, feeds=(LATE, LATE))), BOTH, ()))
    assert ETH_STALE not in found


def test_it_measures_age_at_the_time_of_the_block() -> None:
    limit = BLOCK.timestamp - LATE.updated_at - 1
    at_limit = replace(BLOCK, timestamp=LATE.updated_at + limit)
    owing = position("1.5", feeds=(LATE, USDC_USD))
    assert by_key(assess(view(owing, block=at_limit), BOTH, ()))[ETH_STALE].firing is Level.OK
    assert by_key(assess(view(owing, block=BLOCK), BOTH, ()))[ETH_STALE].firing is Level.WARN


def test_it_says_nothing_of_a_heartbeat_that_nobody_published() -> None:
    ancient = reading(age=10**7, heartbeat=None)
    assert ETH_STALE not in by_key(assess(view(position("1.5", feeds=(ancient, USDC_USD))), BOTH, ()))


def test_it_does_not_take_an_unknown_heartbeat_for_good_news() -> None:
    """Its heartbeat left the feed book while the alert stood: the debt rests on it still, and nothing judges it."""
    owing = position("1.5", feeds=(reading(age=10**7, heartbeat=None), USDC_USD))
    found = by_key(assess(view(owing), BOTH, [ETH_STALE]))
    assert found[ETH_STALE].facts == Unwatched(ETH_STALE.subject, (owing,), heartbeat=True)


def test_it_sees_an_impossible_update_time_without_any_heartbeat() -> None:
    future = reading(age=-1, heartbeat=None)
    assert by_key(assess(view(position("1.5", feeds=(future, USDC_USD))), BOTH, ()))[ETH_STALE].firing is Level.WARN


@pytest.mark.parametrize("hidden", [Opaque(ETH_FEED, 1), Fixed(10**8, "pinned")])
def test_it_has_no_feed_to_name_where_a_price_shows_none(hidden: Opaque | Fixed) -> None:
    assert ETH_STALE not in by_key(assess(view(position("1.5", feeds=(hidden, USDC_USD))), BOTH, ()))


def test_it_is_silent_on_stale_prices_for_wallets_that_do_not_want_them() -> None:
    owing = [position("1.5", feeds=(LATE, USDC_USD)), position("1.4", wallet=COLD, feeds=(LATE, USDC_USD))]
    found = by_key(assess(view(*owing), RuleBook({MAIN: replace(RULES, stale=False), COLD: RULES}), ()))
    assert found[ETH_STALE].wallets == (COLD,)
    assert found[ETH_STALE].facts == Feed(ETH_STALE.subject, LATE, (owing[1],), declined=(owing[0],))


def test_it_ends_a_stale_price_when_no_debt_rests_on_it_any_more() -> None:
    ended = by_key(assess(view(position(None), covered=(MAIN, COLD)), BOTH, [ETH_STALE]))[ETH_STALE]
    assert (ended.firing, ended.holding) == (Level.OK, Level.OK)
    assert ended.facts == Feed(ETH_STALE.subject, None, ())
    assert set(ended.wallets) == {MAIN, COLD}


def test_it_does_not_end_a_stale_price_while_anything_is_unreadable() -> None:
    """The debt that rests on it may be in what could not be read."""
    seen = view(position(None), lost=(unreadable(COLD),), covered=(MAIN,))
    assert ETH_STALE not in by_key(assess(seen, BOTH, [ETH_STALE]))


# --- Chains -----------------------------------------------------------------------------------------------------------


def test_it_is_blind_as_long_as_there_is_a_problem() -> None:
    blind = sight_chain("base", "no answer", NOW - 60, NOW, RULES, [MAIN, COLD], known=True)
    assert (blind.key, blind.firing, blind.holding) == (Key(Rule.BLIND, "base"), Level.CRITICAL, Level.CRITICAL)
    assert (blind.facts, blind.order, blind.wallets) == (Blind("base", "no answer", NOW - 60), NOW, (MAIN, COLD))
    unknown = sight_chain("base", "no answer", NOW - 60, NOW, RULES, [MAIN, COLD], known=False)
    assert (unknown.firing, unknown.holding) == (Level.WARN, Level.WARN)
    seen = sight_chain("base", "", NOW - 60, NOW, RULES, [MAIN], known=True)
    assert (seen.firing, seen.holding) == (Level.OK, Level.OK)


def test_it_ranks_sightings_by_block() -> None:
    orders = {one.order for one in assess(view(position("1.2"), block=later(BLOCK, 7)), BOTH, [])}
    assert orders == {BLOCK.number + 7}


# --- Rules ------------------------------------------------------------------------------------------------------------

FACTORS = st.one_of(
    st.decimals(min_value=-2, max_value=5, places=4),
    st.sampled_from(
        [Decimal(1), Decimal("1.1"), Decimal("1.122"), Decimal("1.3"), Decimal("1.326"), INFINITE, -INFINITE]
    ),
)


@st.composite
def rules(draw: st.DrawFn) -> Rules:
    critical = draw(st.decimals(min_value=Decimal("1.001"), max_value=3, places=3))
    warn = critical + draw(st.decimals(min_value=Decimal("0.001"), max_value=2, places=3))
    clear = draw(st.decimals(min_value=0, max_value=Decimal("0.5"), places=3))
    return Rules(warn=warn, critical=critical, clear=clear)


@given(rules(), FACTORS, FACTORS)
def test_it_never_gets_worse_as_health_gets_better(rules: Rules, one: Decimal, other: Decimal) -> None:
    low, high = min(one, other), max(one, other)
    for level in (rules.firing, rules.holding):
        assert level(low, liquidatable=low < 1) >= level(high, liquidatable=high < 1)


@given(rules(), FACTORS, st.booleans())
def test_it_holds_at_least_what_it_fires(rules: Rules, factor: Decimal, inclusive: bool) -> None:
    liquidatable = factor < 1 or (inclusive and factor == 1)
    firing, holding = (level(factor, liquidatable=liquidatable) for level in (rules.firing, rules.holding))
    assert holding >= firing


@given(rules(), st.integers(0, 3 * 10**6))
def test_it_fires_below_the_limit_as_written_and_clears_beyond_the_margin(rules: Rules, millionths: int) -> None:
    health = Health(backing=millionths, required=10**6)
    for level in (Level.WARN, Level.CRITICAL, Level.LIQUIDATABLE):
        limit = rules.limit(level)
        assert (rules.firing(health.factor, liquidatable=health.liquidatable) >= level) == (millionths < limit * 10**6)
        clear = millionths >= limit * (1 + rules.clear) * 10**6
        assert (rules.holding(health.factor, liquidatable=health.liquidatable) < level) == clear


def test_it_tells_nobody_of_strangers_under_the_same_feed() -> None:
    owing = view(position("1.5", feeds=(LATE, LATE)), position("1.4", wallet=COLD, feeds=(LATE, LATE)))
    [stale] = [one.facts for one in assess(owing, BOTH, []) if one.key.rule is Rule.STALE]
    assert isinstance(stale, Feed)
    assert [one.id.wallet for one in stale.dependents] == [MAIN, COLD]
    mine = told_to(stale, {COLD})
    assert isinstance(mine, Feed)
    assert [one.id.wallet for one in mine.dependents] == [COLD]
