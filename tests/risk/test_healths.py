"""Health in other lights: second sources that are fresh, thresholds, and one feed at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import product

from tests.protocols.aave import Case, tape_cases
from tests.protocols.trees import Alter, with_readings
from watcher.domain.position import Position
from watcher.domain.price import FeedReading, Opaque, Opinion, Price
from watcher.domain.source import Address
from watcher.risk.healths import Healths, healths, sensitivities

OWING = [case for case in tape_cases("aave_v37@01_open") if case.position.health.required]
OTHER, HIDDEN = Address("0x" + "cd" * 20), Address("0x" + "ef" * 20)


def altered(case: Case, alter: Alter) -> Case:
    prices = {leg.priced_as: with_readings(leg.price, alter) for leg in case.position.legs}
    return replace(case, market=case.reader.repriced(case.market, prices))


def lights(case: Case) -> Healths:
    return healths(case.position, case.reprice)


def saying(share: int, *, late: int = 0) -> Alter:
    """A second source that says so many thousandths of what the feed answers, and is so old."""

    def alter(reading: FeedReading) -> FeedReading:
        value = reading.answer * share // 1000
        by = replace(reading, feed=OTHER, answer=value, updated_at=reading.updated_at - late)
        return replace(reading, beside=(*reading.beside, Opinion(by, value)))

    return alter


def only(symbol: str, alter: Alter) -> Alter:
    return lambda reading: alter(reading) if reading.pair.startswith(f"{symbol} ") else reading


def at(case: Case, dollars: Mapping[str, int]) -> Position:
    """The position if assets of these symbols stood at so many thousandths of their price."""
    moved = {
        leg.priced_as: leg.price.at(leg.price.low * dollars[leg.asset.symbol] // 1000)
        for leg in case.position.legs
        if leg.asset.symbol in dollars
    }
    return case.reprice(moved)


def test_it_knows_of_no_other_light_where_nobody_else_speaks_and_no_threshold_is_known() -> None:
    for case in OWING:
        assert lights(case) == Healths(now=case.position.health.factor, second=None, edge=None)


def test_it_tells_the_health_at_second_sources_where_one_is_fresh() -> None:
    compared = 0
    for case in OWING:
        symbols = {leg.asset.symbol for leg in case.position.legs}
        for symbol in symbols:
            found = lights(altered(case, only(symbol, saying(900))))
            assert found.second == at(case, {symbol: 900}).health.factor
            compared += 1
        assert lights(altered(case, saying(900))).second == at(case, dict.fromkeys(symbols, 900)).health.factor
    assert compared > 10


def test_a_second_source_that_is_late_says_nothing() -> None:
    case = OWING[0]
    late = altered(case, saying(500, late=10 * 86_400))
    assert lights(late).second is None
    assert lights(altered(late, saying(900))).second == lights(altered(case, saying(900))).second


def test_what_is_said_of_the_whole_price_counts_before_what_is_said_of_its_feeds() -> None:
    case = altered(OWING[0], saying(900))
    leg = case.position.legs[0]
    [reading] = leg.price.feeds
    whole = replace(leg.price, beside=(Opinion(replace(reading, feed=OTHER), leg.price.low // 2),))
    said = replace(case, market=case.reader.repriced(case.market, {leg.priced_as: whole}))
    others = {one.asset.symbol: 900 for one in case.position.legs if one.priced_as != leg.priced_as}
    assert lights(said).second == at(OWING[0], {**others, leg.asset.symbol: 500}).health.factor


def test_the_edge_is_the_worst_corner_of_all_thresholds() -> None:
    for case in OWING:
        feeds = {reading.feed: reading for reading in case.position.feeds}
        edged = altered(case, lambda reading: replace(reading, deviation=Decimal("2.5")))
        corners = []
        for shares in product((Decimal("0.975"), Decimal("1.025")), repeat=len(feeds)):
            answers = {
                feed: int((reading.answer * share).to_integral_value("ROUND_FLOOR" if share < 1 else "ROUND_CEILING"))
                for (feed, reading), share in zip(feeds.items(), shares, strict=True)
            }
            prices = {leg.priced_as: leg.price.with_feeds(answers) for leg in case.position.legs}
            corners.append(case.reprice(prices).health.factor)
        assert lights(edged).edge == min(corners)


def test_a_feed_without_a_threshold_stands_still() -> None:
    case = OWING[0]
    collateral = next(leg for leg in case.position.legs if leg.backing)
    edged = altered(case, only(collateral.asset.symbol, lambda one: replace(one, deviation=Decimal(10))))
    assert lights(edged).edge == at(case, {collateral.asset.symbol: 900}).health.factor


def test_what_one_is_long_of_harms_by_falling_and_what_one_is_short_of_helps() -> None:
    for case in OWING:
        sides = {
            leg.price.feeds[0].feed: {one.amount > 0 for one in case.position.legs if one.priced_as == leg.priced_as}
            for leg in case.position.legs
            if leg.backing or leg.required
        }
        for one in sensitivities(case.position, case.reprice):
            if sides.get(one.feed) in ({True}, {False}):
                assert (one.per_percent < 0) == (sides[one.feed] == {True}), (case.name, one)


def test_nothing_hangs_on_any_feed_without_a_debt() -> None:
    for case in tape_cases("aave_v37@01_open"):
        assert bool(sensitivities(case.position, case.reprice)) == bool(case.position.health.required)


def test_a_source_that_hides_its_feeds_moves_as_a_whole() -> None:
    case = OWING[0]
    leg = next(leg for leg in case.position.legs if leg.backing)
    hidden = replace(
        case, market=case.reader.repriced(case.market, {leg.priced_as: Price.of(Opaque(HIDDEN, leg.price.low))})
    )
    [one] = [one for one in sensitivities(hidden.position, hidden.reprice) if one.feed == HIDDEN]
    moved = hidden.reprice({leg.priced_as: leg.price.at(leg.price.low * 99 // 100)})
    assert one.pair == ""
    assert one.per_percent == moved.health.factor - case.position.health.factor
