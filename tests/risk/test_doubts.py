"""Each check of a price by itself: when it speaks, with which value and limit, and when it does not."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from time import perf_counter
from typing import Any

import pytest

from tests.risk.prices import START, block, feed, named, position, price, says
from watcher.domain.doubt import Doubt, Suspicion
from watcher.domain.feed import FeedReading
from watcher.domain.hours import MARKETS
from watcher.domain.position import Numeraire, Position
from watcher.domain.price import Cap, Chosen, Fixed, Leaf, Opaque, Price, Product, Rate
from watcher.domain.source import Address
from watcher.risk.doubts import Limits, examine
from watcher.risk.tracks import Tracks, dumped, loaded

HOUR, DAY = 3600, 86_400
WAD = 10**18
PHASE = 7 << 64


def looked(*path: tuple[int, Position | tuple[Position, ...]], limits: Limits | None = None) -> list[tuple[Doubt, ...]]:
    """The doubts of each look, at so many seconds after the start."""
    tracks: Tracks = {}
    found = []
    for after, there in path:
        positions = there if isinstance(there, tuple) else (there,)
        kept, doubts = examine(positions, tracks, block(START + after), limits or Limits())
        tracks = {name: loaded(dumped(track)) for name, track in kept.items()}
        found.append(doubts)
    return found


def checks(doubts: tuple[Doubt, ...]) -> list[Suspicion]:
    return [doubt.suspicion for doubt in doubts]


def only(doubts: tuple[Doubt, ...]) -> Doubt:
    [doubt] = doubts
    return doubt


def eth(after: int, answer: float = 2000, **more: Any) -> Position:
    return position(price(feed("ETH / USD", answer, START + after, **more)), at=START + after)


def once(**more: Any) -> tuple[Doubt, ...]:
    return looked((0, eth(0, **more)))[0]


# --- One feed ---------------------------------------------------------------------------------------------------------


def test_it_says_nothing_of_what_it_sees_for_the_first_time() -> None:
    assert once() == ()


@pytest.mark.parametrize("answer", [0, -1])
def test_it_doubts_an_answer_that_is_not_positive(answer: int) -> None:
    doubt = only(once(answer=answer))
    assert doubt.suspicion is Suspicion.NOT_POSITIVE
    assert (doubt.source, doubt.name) == (named("ETH / USD"), "ETH / USD")
    assert [str(one.id) for one in doubt.about] == [str(eth(0).id)]


def test_it_is_about_nobody_who_owes_nothing() -> None:
    assert looked((0, position(price(feed("ETH / USD", 0, START)), None)))[0] == ()


@pytest.mark.parametrize(
    ("answer", "found"),
    [(101.01, False), (101.0, True), (100, True), (50, True), (9000, True), (4950, True), (4949, False)],
)
def test_it_doubts_what_is_within_a_hundredth_of_a_bound(answer: float, found: bool) -> None:
    doubts = once(answer=answer, lowest=100 * 10**8, highest=5000 * 10**8)
    assert checks(doubts) == [Suspicion.AT_BOUND] * found
    if found:
        assert "can answer" in doubts[0].said


def test_it_doubts_an_answer_of_wide_confidence() -> None:
    assert once(confidence=40 * 10**8) == ()
    doubt = only(once(confidence=41 * 10**8))
    assert doubt.suspicion is Suspicion.UNSURE
    assert doubt.said == "2,000.00 give or take 41, 2.05 % of it; the limit is 2 %"


def test_it_doubts_a_round_that_goes_back_once_the_one_before_is_settled() -> None:
    def at(after: int, number: int) -> tuple[int, Position]:
        return after, eth(after, round=PHASE + number)

    path = [at(0, 5), at(12, 6), at(24, 5), at(36, 6), at(90, 6), at(102, 5), at(114, 6), at(126, 7)]
    found = looked(*path)
    assert [bool(one) for one in found] == [False, False, False, False, False, True, False, False]
    assert only(found[5]).said == "its last round is 5 of phase 7, after 6 of phase 7 was seen"


def test_a_new_phase_is_no_way_back_and_an_old_one_is() -> None:
    forth = looked((0, eth(0, round=PHASE + 900)), (HOUR, eth(HOUR, round=(8 << 64) + 1)))
    assert forth[1] == ()
    back = looked((0, eth(0, round=PHASE + 1)), (HOUR, eth(HOUR, round=(6 << 64) + 900)))
    assert checks(back[1]) == [Suspicion.ROUND_BACK]


def test_it_says_that_a_feed_was_upgraded_for_an_hour() -> None:
    old, new = named("old"), named("new")
    path = [
        (0, eth(0, behind=old, round=PHASE + 9)),
        (12, eth(12, behind=new, round=(8 << 64) + 1)),
        (HOUR + 12, eth(HOUR + 12, behind=new, round=(8 << 64) + 1)),
        (HOUR + 13, eth(HOUR + 13, behind=new, round=(8 << 64) + 1)),
    ]
    found = looked(*path)
    assert [checks(one) for one in found] == [[], [Suspicion.CHANGED], [Suspicion.CHANGED], []]
    assert "phase 8 after 7, as Chainlink upgrades a feed" in found[1][0].said
    odd = looked((0, eth(0, behind=old, round=PHASE + 9)), (12, eth(12, behind=new, round=PHASE + 10)))
    assert "which is not how Chainlink upgrades a feed" in only(odd[1]).said


@pytest.mark.parametrize(("answer", "found"), [(2400, False), (2401, True), (1600, False), (1599, True)])
def test_it_doubts_a_jump_from_any_answer_of_the_last_hour(answer: float, found: bool) -> None:
    path = [(0, eth(0)), (HOUR // 2, eth(HOUR // 2)), (HOUR, eth(HOUR, answer))]
    assert checks(looked(*path)[2]) == [Suspicion.JUMP] * found


def test_a_slow_fall_is_no_jump_and_neither_is_one_that_nobody_watched() -> None:
    falling = [(place * 1200, eth(place * 1200, 2000 * 0.95**place)) for place in range(20)]
    assert all(doubts == () for doubts in looked(*falling))
    assert looked((0, eth(0)), (2 * HOUR, eth(2 * HOUR, 1000)))[1] == ()


def test_a_jump_ends_with_its_window() -> None:
    found = looked((0, eth(0)), (60, eth(60, 1000)), (1800, eth(1800, 1000)), (4000, eth(4000, 1000)))
    assert [checks(one) for one in found] == [[], [Suspicion.JUMP], [Suspicion.JUMP], []]


# --- Unchanged --------------------------------------------------------------------------------------------------------


def still(pair: str, answer: float, looks: int, **more: Any) -> list[tuple[Doubt, ...]]:
    """One answer, in a new round every hour."""
    return looked(
        *(
            (after, position(price(feed(pair, answer, START + after, **more)), at=START + after))
            for after in range(0, looks * HOUR, HOUR)
        )
    )


def test_it_doubts_an_answer_that_stays_the_same_for_eight_heartbeats_though_rounds_go_on() -> None:
    found = still("ETH / USD", 2000, 10)
    assert [bool(one) for one in found] == [False] * 8 + [True] * 2
    assert found[-1][0].suspicion is Suspicion.UNCHANGED
    assert "8 heartbeats, 28,800 s, are the limit" in found[-1][0].said


def test_a_dollar_may_stay_a_dollar_for_as_long_as_it_likes() -> None:
    assert not any(still("USDC / USD", 1, 200))


def test_a_dollar_that_stays_one_while_another_source_left_is_doubted() -> None:
    def beside(value: float) -> tuple[Any, ...]:
        return says("USDC / USD elsewhere", value, START + 100 * HOUR, age=100 * HOUR, heartbeat=None)

    near = still("USDC / USD", 1, 10, deviation=Decimal("0.25"), beside=beside(0.9935))
    away = still("USDC / USD", 1, 10, deviation=Decimal("0.25"), beside=beside(0.992))
    assert not any(near)
    assert [checks(one) for one in away] == [[]] * 8 + [[Suspicion.UNCHANGED]] * 2


def test_a_market_that_is_closed_stands_still_by_right() -> None:
    assert not any(still("EUR / USD", 1.08, 10, hours=replace(MARKETS["Forex"], spans=((0, 1),))))


def test_a_fast_feed_may_stand_still_for_an_hour() -> None:
    found = looked((0, eth(0, heartbeat=60)), (3500, eth(3500, heartbeat=60)), (3700, eth(3700, heartbeat=60)))
    assert [checks(one) for one in found] == [[], [], [Suspicion.UNCHANGED]]


# --- Second sources ---------------------------------------------------------------------------------------------------


def beside(value: float, **more: Any) -> FeedReading:
    return feed("ETH / USD", 2000, START, beside=says("ETH / USD elsewhere", value, START, **more))


@pytest.mark.parametrize(
    ("value", "words"),
    [(1940, ""), (1939, "health looks better than it is"), (2060, ""), (2061, "health looks worse than it is")],
)
def test_it_says_whether_collateral_looks_better_or_worse_by_a_second_source(value: float, words: str) -> None:
    doubts = looked((0, position(price(beside(value)))))[0]
    assert checks(doubts) == [Suspicion.DEVIATES] * bool(words)
    assert not words or words in doubts[0].said


def test_for_a_debt_it_is_the_other_way_round() -> None:
    owes = position(price(Fixed(10**8, "one dollar")), price(beside(2100)))
    assert "health looks better than it is" in only(looked((0, owes))[0]).said
    both = (position(price(beside(2100)), wallet=named("other")), owes)
    said = only(looked((0, both))[0])
    assert "better than it is, or worse where this is owed" in said.said
    assert len(said.about) == 2


def test_it_does_not_matter_to_whom_has_it_on_both_sides() -> None:
    share = Rate(source=named("wstETH"), what="wstETH in stETH", value=12 * WAD // 10, decimals=18)
    whole = Product(above=(share, Leaf(beside(1000))), over=WAD)
    assert looked((0, position(price(whole, "wst"), price(beside(1000), "eth"))))[0] == ()


def test_a_second_source_that_is_stale_says_nothing() -> None:
    assert looked((0, position(price(beside(1000, age=2 * HOUR)))))[0] == ()
    assert looked((0, position(price(beside(0)))))[0] == ()


def test_two_feeds_may_lag_by_their_thresholds() -> None:
    slow = feed("ETH / USD", 2000, START, deviation=Decimal(2))
    lags = replace(slow, beside=says("elsewhere", 1921, START, deviation=Decimal(2)))
    assert looked((0, position(price(lags))))[0] == ()
    more = replace(slow, beside=says("elsewhere", 1919, START, deviation=Decimal(2)))
    assert "the limit is 4 %" in only(looked((0, position(price(more))))[0]).said


def test_a_price_without_a_feed_is_held_against_the_market() -> None:
    def at(after: int, market: float) -> tuple[int, Position]:
        other = says("xUSD / USD in a pool", market, START + after, heartbeat=None)
        return after, position(price(Fixed(126 * 10**6, "its issuer"), beside=other), at=START + after)

    said = only(looked(at(0, 1.26), at(HOUR, 1.15))[1])
    assert said.suspicion is Suspicion.DEVIATES
    assert "no feed is behind it, and it has not moved for 3,600 s" in said.said
    assert "health looks better than it is" in said.said


def test_a_source_that_a_contract_keeps_beside_its_own_is_a_second_one() -> None:
    main = Leaf(feed("ETH / USD", 2000, START))
    for pivot, found in ((1941, False), (1939, True)):
        chosen = Chosen(of=main, others=(Leaf(feed("pivot", pivot, START)),), source=named("oracle"))
        assert bool(looked((0, position(price(chosen))))[0]) is found
    parts = (Leaf(feed("pivot", 1000, START)), Leaf(feed("late", 1, START, age=DAY)))
    late = Chosen(of=main, others=(Product(above=parts, over=10**8),), source=named("oracle"))
    assert looked((0, position(price(late))))[0] == ()


# --- Rates, caps and whole prices -------------------------------------------------------------------------------------


def share(value: float, growth: Decimal | None = None) -> Rate:
    return Rate(source=named("vault"), what="share", value=round(value * WAD), decimals=18, growth=growth)


def holding(rate: Rate, after: int) -> tuple[int, Position]:
    whole = Product(above=(rate, Leaf(feed("USDC / USD", 1, START + after))), over=WAD)
    return after, position(price(whole), at=START + after)


@pytest.mark.parametrize(("value", "found"), [(1.0706, False), (1.0708, True), (1.05, False), (0.8, True)])
def test_it_doubts_a_rate_that_leaps_or_crashes_within_a_day(value: float, found: bool) -> None:
    doubts = looked(holding(share(1.06), 0), holding(share(value), 12))[1]
    assert checks(doubts) == ([Suspicion.GROWTH if value > 1.06 else Suspicion.JUMP] if found else [])
    assert all(doubt.source == named("vault") for doubt in doubts)


def test_a_rate_may_grow_by_a_week_of_its_own_bound_at_once() -> None:
    own = Decimal("0.0968")  # a week of it: 0.1856 %
    assert looked(holding(share(1, own), 0), holding(share(1.00185, own), 12))[1] == ()
    said = only(looked(holding(share(1, own), 0), holding(share(1.00187, own), 12))[1])
    assert said.suspicion is Suspicion.GROWTH
    assert "a week of its own bound of 9.68 % a year" in said.said


@pytest.mark.parametrize(("most", "found"), [(1.25, False), (1.2, False), (1.198, False), (1.1975, True)])
def test_it_doubts_a_cap_that_makes_the_price(most: float, found: bool) -> None:
    cap = Cap(of=share(1.2), at=Fixed(round(most * WAD), "CAPO"), source=named("CAPO"), what="share")
    whole = Product(above=(cap, Leaf(feed("ETH / USD", 2000, START))), over=WAD)
    doubts = looked((0, position(price(whole))))[0]
    assert checks(doubts) == [Suspicion.CAPPED] * found
    assert not found or doubts[0].source == named("CAPO")


ETHER = Leaf(feed("ETH / USD", 2000, START))


def ratio(value: float, decimals: int = 8) -> Leaf:
    return Leaf(feed("cbETH / ETH", value, START, decimals=decimals))


def priced(of: Any, after: int, source: str = "source", **more: Any) -> tuple[int, Position]:
    return after, position(price(of, source), at=START + after, **more)


def test_it_doubts_a_price_that_loses_a_factor_until_it_is_back() -> None:
    whole = Product(above=(ratio(1.12), ETHER), over=10**8)
    path = [
        priced(whole, 0),
        priced(ratio(1.12), 12, "new"),
        priced(ratio(1.12), 3 * DAY, "new"),
        priced(whole, 4 * DAY),
    ]
    found = looked(*path, limits=replace(Limits(), jump=Decimal(10**6)))
    said = {doubt.suspicion: doubt for doubt in found[1]}
    assert Suspicion.CHANGED in said
    assert said[Suspicion.MISSING_FACTOR].source == named("new")
    assert Suspicion.MISSING_FACTOR in checks(found[2])
    assert Suspicion.MISSING_FACTOR not in checks(found[3])


def test_a_small_factor_is_missed_too_where_the_price_is_made_otherwise() -> None:
    ether = Numeraire(symbol="ETH", decimals=8)
    whole = Product(above=(ratio(1.12), Leaf(feed("stETH / ETH", 0.9995, START))), over=10**8)
    path = [priced(whole, 0, numeraire=ether), priced(Leaf(feed("stETH / ETH", 0.9995, START)), 12, numeraire=ether)]
    said = {doubt.suspicion: doubt.said for doubt in looked(*path)[1]}
    assert "which is stETH / ETH alone" in said[Suspicion.MISSING_FACTOR]


def test_a_price_in_dollars_that_is_a_bare_ratio_needs_no_memory() -> None:
    assert checks(looked(priced(ratio(1.12), 0))[0]) == [Suspicion.MISSING_FACTOR]
    assert looked(priced(ratio(1.12), 0, numeraire=Numeraire(symbol="ETH", decimals=8)))[0] == ()


@pytest.mark.parametrize("answer", [2000 * 51, 2000 / 51])
def test_fifty_times_in_one_step_is_a_missing_factor(answer: float) -> None:
    found = checks(looked((0, eth(0)), (12, eth(12, answer)))[1])
    assert found == [Suspicion.JUMP, Suspicion.MISSING_FACTOR]


def test_it_says_that_a_source_or_its_making_changed_and_not_that_it_could_not_be_seen() -> None:
    whole = Product(above=(ratio(1.12), ETHER), over=10**8)
    remade = Product(above=(Leaf(feed("other", 1.12, START)), ETHER), over=10**8)
    value = price(whole).low
    path = [
        priced(whole, 0),
        priced(Opaque(named("source"), value, "a part failed"), 12),
        priced(whole, 24),
        priced(remade, 36),
        priced(remade, 48, "elsewhere"),
    ]
    found = [checks(one) for one in looked(*path)]
    assert found == [[], [], [], [Suspicion.CHANGED], [Suspicion.CHANGED]]


def test_another_source_that_is_made_alike_is_another_source() -> None:
    doubt = only(looked(priced(ETHER, 0), priced(ETHER, 12, "other"))[1])
    assert (doubt.suspicion, doubt.source) == (Suspicion.CHANGED, named("other"))
    assert f"asks {named('other')} for it, where it asked {named('source')} before" in doubt.said


def test_which_of_its_sources_a_contract_chose_is_no_change() -> None:
    one, other = ETHER, Leaf(feed("pivot", 2000, START))
    path = [
        priced(Chosen(of=one, others=(other,), source=named("o")), 0),
        priced(Chosen(of=other, others=(one,), source=named("o")), 12),
    ]
    assert looked(*path)[1] == ()


def test_a_hidden_price_that_jumps_or_is_nothing_is_doubted() -> None:
    def hidden(value: int, after: int) -> tuple[int, Position]:
        return priced(Opaque(named("venue"), value), after)

    found = looked(hidden(10**8, 0), hidden(65 * 10**6, 12), hidden(0, 24))
    assert [checks(one) for one in found] == [[], [Suspicion.JUMP], [Suspicion.NOT_POSITIVE]]


def test_one_source_under_two_deployments_is_one_doubt_about_both() -> None:
    def both(value: int, after: int) -> tuple[int, tuple[Position, ...]]:
        of = price(Opaque(named("venue"), value))
        return after, tuple(position(of, deployment=name, at=START + after) for name in ("one", "two"))

    assert len(only(looked(both(10**8, 0), both(65 * 10**6, 12))[1]).about) == 2


def test_what_is_not_under_these_positions_stays_remembered() -> None:
    found = looked((0, eth(0)), (12, ()), (24, eth(24, 1000)))
    assert checks(found[2]) == [Suspicion.JUMP]


# --- Cost -------------------------------------------------------------------------------------------------------------


def many(at: int) -> list[Position]:
    """500 positions over 40 feeds, 20 of them under a share rate."""
    prices: list[Price] = []
    for place in range(40):
        leaf = Leaf(feed(f"T{place} / USD", 100 + place, at, beside=says(f"O{place}", 100 + place, at)))
        rate = Rate(source=named(f"R{place}"), what="share", value=WAD, decimals=18)
        prices.append(price(Product(above=(rate, leaf), over=WAD) if place % 2 else leaf, f"S{place}"))
    return [
        position(
            prices[place % 40],
            prices[(place * 7 + 1) % 40],
            at=at,
            wallet=Address(f"0x{place:040x}"),
            assets=(f"T{place % 40}", f"T{(place * 7 + 1) % 40}"),
        )
        for place in range(500)
    ]


def test_it_examines_500_positions_over_40_feeds_in_well_under_50_ms() -> None:
    tracks: Tracks = {}
    times = []
    for after in range(0, 120, 12):
        positions = many(START + after)
        began = perf_counter()
        tracks, doubts = examine(positions, tracks, block(START + after), Limits())
        times.append(perf_counter() - began)
        assert doubts == ()
    assert min(times) < 0.05
    print(f"examine: {min(times) * 1000:.1f} ms at best, {sorted(times)[5] * 1000:.1f} ms in the middle")
