"""Prices that are suspect, wherever the bot tells a health."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from tests.bot.seen import SPEC, ask, cases, view
from watcher.alerts.message import Level
from watcher.alerts.record import Key, Record, Rule
from watcher.alerts.sighting import View as Judged
from watcher.alerts.sighting import suspect_subject
from watcher.bot.details import details
from watcher.bot.view import View
from watcher.domain.doubt import Doubt, Suspicion
from watcher.risk.healths import Healths

MAIN = cases()["main"].position
[FEED] = {one.feed for one in MAIN.feeds if one.pair.startswith("WETH")}
KEY = Key(Rule.SUSPECT, suspect_subject(SPEC.name, FEED, Suspicion.JUMP))
DOUBT = Doubt(suspicion=Suspicion.JUMP, source=FEED, name="WETH / USD", said="from 1,500.5 to 2,000", about=(MAIN,))
THREE = Healths(now=MAIN.health.factor, second=Decimal("0.99"), edge=None)


def doubted(*labels: str) -> View:
    """A view in which the price of ether is suspect, and an alert of that stands."""
    seen = view(*(labels or ("main", "staker")))
    [sight] = seen.sights
    assert sight.snapshot is not None
    judged = Judged(
        block=sight.snapshot.block,
        positions=sight.snapshot.positions,
        unreadable=(),
        covered=sight.snapshot.covered,
        doubts=(DOUBT,),
        healths={str(MAIN.id): THREE},
    )
    told = (str(MAIN.id),)
    record = Record(key=KEY, level=Level.WARN, episode=1, since=seen.now - 600, spoken_at=seen.now, told=told)
    return replace(seen, sights=(replace(sight, judged=judged),), records={KEY: record})


def test_every_command_that_tells_a_health_says_so() -> None:
    for command in ("/health", "/positions", "/digest", "/position main", "/whatif WETH -1%"):
        told = ask(command, doubted())
        [line] = [one for one in told.splitlines() if "main" in one and "·" in one and "SUSPECT" in one]
        assert line.endswith("· SUSPECT PRICE"), told
        assert "SUSPECT" not in ask(command, view("main", "staker"))


def test_status_names_the_prices_of_its_own_positions() -> None:
    assert "· SUSPECT PRICE WETH / USD: jump\n" in ask("/status", doubted())
    assert "SUSPECT" not in ask("/status", doubted("staker")), "a stranger's price is not this chat's business"


def test_one_position_is_told_with_its_other_healths_and_what_would_come_of_it() -> None:
    told = ask("/position main", doubted())
    assert "SUSPECT PRICE WETH / USD: jump (from 1,500.5 to 2,000)" in told
    assert "0.9900 at the second source: when the oracle catches up it would be liquidatable" in told


def test_the_digest_and_the_acknowledgement_count_it_among_the_alerts() -> None:
    assert "price WETH / USD\n· suspect price WARNING for 10 min" in ask("/digest", doubted())
    [record] = doubted().standing_of()
    assert record.key == KEY
    assert doubted("staker").standing_of() == []


def test_details_tell_the_feed_and_what_is_wrong_with_it() -> None:
    told = str(details(doubted(), [KEY]))
    assert told.startswith("WETH / USD · Ethereum\n$2,000.00")
    assert told.endswith("SUSPECT PRICE WETH / USD: jump (from 1,500.5 to 2,000)")
