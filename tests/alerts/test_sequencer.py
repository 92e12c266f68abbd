"""A chain's sequencer: one condition for all who owe there, in which what it explains is told, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.alerts.samples import BLOCK, COLD, MAIN, NOW, USDC_USD, later, position, reading, unreadable, view
from tests.alerts.telling import CRITICAL, EASED, OK, RAISED, REMINDER, RESOLVED, STALE, WARN, lines, notice, text
from tests.alerts.test_policy import HOUR, heard, kinds, nothing, step
from watcher.alerts.ack import Acknowledgement
from watcher.alerts.assess import assess
from watcher.alerts.message import Level
from watcher.alerts.record import Key, Record, Rule
from watcher.alerts.rules import RuleBook, Rules
from watcher.alerts.sharing import told_to
from watcher.alerts.sighting import Sequencing, Sighting, Unwatched, View
from watcher.domain.position import Position
from watcher.domain.sequencer import Running, Sequencer

KEY = Key(Rule.SEQUENCER, "ethereum")
BOOK = RuleBook({MAIN: Rules(), COLD: Rules()})
AT = BLOCK.timestamp
DOWN = Sequencer(state=Running.DOWN, since=AT - 720)
BACK = Sequencer(state=Running.UP, since=AT - 180)
UP = Sequencer(state=Running.UP, since=AT - 3720)
UNKNOWN = Sequencer(state=Running.UNKNOWN, problem="Its uptime feed answers 2, neither 0 nor 1")
LATE = reading(age=7400)
MINE = position("1.5", feeds=(LATE, USDC_USD))
THEIRS = position("1.4", wallet=COLD, feeds=(USDC_USD, USDC_USD))


def seen(report: Sequencer | None, *positions: Position) -> View:
    return replace(view(*(positions or (MINE, THEIRS))), sequencer=report)


def found(of: View, *standing: Key) -> dict[Key, Sighting]:
    return {one.key: one for one in assess(of, BOOK, standing)}


def sighted(report: Sequencer, *positions: Position) -> Sighting:
    return found(seen(report, *positions), KEY)[KEY]


# --- What one snapshot says -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("report", "firing", "holding"),
    [(DOWN, CRITICAL, CRITICAL), (BACK, WARN, WARN), (UP, OK, OK), (UNKNOWN, WARN, CRITICAL)],
)
def test_it_is_critical_while_down_and_a_warning_until_its_return_is_an_hour_old(
    report: Sequencer, firing: Level, holding: Level
) -> None:
    one = sighted(report)
    assert (one.firing, one.holding, one.final) == (firing, holding, False)


def test_it_concerns_who_owes_and_who_may() -> None:
    idle, lost = position(None), unreadable(COLD)
    [one] = [each for key, each in found(replace(view(idle, lost=(lost,)), sequencer=DOWN)).items() if key == KEY]
    assert one.facts == Sequencing("ethereum", DOWN, AT, (lost,))
    assert one.wallets == (COLD,)
    assert KEY not in found(seen(DOWN, idle)), "nobody owes anything there"
    assert found(seen(DOWN, idle), KEY)[KEY].firing is OK


def test_it_says_nothing_where_no_feed_tells_and_ends_what_stood() -> None:
    assert KEY not in found(seen(None))
    ended = found(seen(None), KEY)[KEY]
    assert (ended.facts, ended.firing, ended.final) == (Unwatched("ethereum"), OK, True)
    assert text(notice(RESOLVED, ended, OK, CRITICAL)) == lines("""
        NO LONGER WATCHED · sequencer · Ethereum
        The configuration has changed: no sequencer_feed of the chain is known any more.
        What was said before may still be so. This is not an all-clear.
    """)


@pytest.mark.parametrize("standing", [(), (STALE,)])
def test_it_explains_the_stale_prices_of_its_chain_while_it_is_down(standing: tuple[Key, ...]) -> None:
    assert STALE not in found(seen(DOWN), *standing)
    for report in (BACK, UP, UNKNOWN, None):
        assert found(seen(report), *standing)[STALE].firing is WARN, "still stale: told now"


def test_it_leaves_health_alone_while_it_is_down() -> None:
    weak = position("1.05")
    key = Key(Rule.HEALTH, str(weak.id))
    assert found(seen(DOWN, weak))[key] == found(seen(UP, weak))[key]


# --- What is said when ------------------------------------------------------------------------------------------------


def down(*told: Position, level: Level = CRITICAL) -> Record:
    names = tuple(str(one.id) for one in told)
    return Record(key=KEY, level=level, episode=1, since=NOW, spoken_at=NOW, fired_block=BLOCK.number, told=names)


def then(report: Sequencer, blocks: int = 1) -> Sighting:
    return replace(sighted(report), order=later(BLOCK, blocks).number)


def test_it_tells_all_at_once_and_who_joins_by_himself() -> None:
    assert heard(step(None, sighted(DOWN))) == [(RAISED, (MAIN, COLD))]
    joined = step(down(MINE), sighted(DOWN))
    assert heard(joined) == [(RAISED, (COLD,))]
    assert joined.notices[0].sighting.facts == Sequencing("ethereum", DOWN, AT, (THEIRS,))


def test_it_eases_on_a_confirmed_block_to_a_warning_and_ends_after_the_hour() -> None:
    assert nothing(step(down(MINE, THEIRS), then(BACK))), "not confirmed"
    eased = step(down(MINE, THEIRS), then(BACK), then(BACK))
    assert kinds(eased) == [EASED]
    [record] = eased.records
    assert record.level is WARN
    over = step(record, then(UP, 2), then(UP, 2))
    assert heard(over) == [(RESOLVED, (MAIN, COLD))]


def test_it_does_not_take_a_feed_that_tells_nothing_for_a_return() -> None:
    assert nothing(step(down(MINE, THEIRS), then(UNKNOWN), then(UNKNOWN)))
    assert kinds(step(down(MINE, THEIRS), then(UNKNOWN), now=NOW + 9 * HOUR)) == [REMINDER]


def test_it_says_once_that_nothing_is_known() -> None:
    unknown = down(MINE, THEIRS, level=WARN)
    assert kinds(step(None, sighted(UNKNOWN))) == [RAISED]
    assert nothing(step(unknown, then(UNKNOWN), now=NOW + 99 * HOUR))
    assert kinds(step(unknown, then(DOWN))) == [RAISED]
    asked = Acknowledgement(key=KEY, episode=1, level=WARN, until=NOW + 60, snooze=True, at=NOW, by=1)
    assert kinds(step(unknown, then(UNKNOWN), now=NOW + 61, ack=asked)) == [REMINDER], "somebody asked for it"


# --- The words --------------------------------------------------------------------------------------------------------


def test_it_says_what_it_means_for_whom_and_what_to_do() -> None:
    assert text(notice(RAISED, sighted(DOWN), CRITICAL, OK)) == lines("""
        SEQUENCER DOWN · Ethereum
        Down for 12 min, by the chain's uptime feed. Prices stand still and transactions wait: liquidations are blocked, or come in a rush once it is back.
        See what the protocol's own app still allows. Most rollups take a transaction forced in through Ethereum too, hours later.
        · main · Aave v3 Ethereum · health 1.5000 · STALE PRICE
        · cold · Aave v3 Ethereum · health 1.4000
        Stale by now: ETH / USD.
    """)  # noqa: E501 - lines of a message
    assert text(notice(REMINDER, sighted(DOWN), CRITICAL, CRITICAL)).startswith("STILL SEQUENCER DOWN · Ethereum")


def test_it_says_that_prices_may_jump_and_then_that_it_is_over() -> None:
    assert text(notice(EASED, sighted(BACK, MINE), WARN, CRITICAL)) == lines("""
        SEQUENCER JUST UP AGAIN · Ethereum
        Back for 3 min. Until 1 h have passed prices may jump and liquidations come in a rush: look at these positions now.
        · main · Aave v3 Ethereum · health 1.5000 · STALE PRICE
    """)  # noqa: E501 - lines of a message
    assert text(notice(RESOLVED, sighted(UP), OK, WARN)) == "SEQUENCER UP · Ethereum\nBack for 1 h 2 min."
    assert text(notice(REMINDER, sighted(UP), WARN, WARN)).startswith("STILL SEQUENCER UP, to be confirmed · Ethereum")


def test_it_says_why_nothing_is_known_and_what_was() -> None:
    assert text(notice(RAISED, sighted(UNKNOWN, MINE), WARN, OK)) == lines("""
        SEQUENCER UNKNOWN · Ethereum
        Its uptime feed answers 2, neither 0 nor 1.
        Nothing else says that it is down.
        This is not an all-clear.
        · main · Aave v3 Ethereum · health 1.5000 · STALE PRICE
    """)
    assert "It was down when last known." in text(notice(REMINDER, sighted(UNKNOWN), CRITICAL, CRITICAL))


def test_it_ends_without_a_word_that_it_is_up_where_no_debt_is_left() -> None:
    assert text(notice(RESOLVED, sighted(DOWN, position(None)), OK, CRITICAL)) == lines("""
        SEQUENCER NOT NEEDED · Ethereum
        No watched debt depends on it any more.
    """)


def test_it_tells_nobody_of_strangers() -> None:
    facts = told_to(sighted(DOWN).facts, {COLD})
    assert facts == Sequencing("ethereum", DOWN, AT, (THEIRS,))
    theirs = text(notice(RAISED, replace(sighted(DOWN), facts=facts), CRITICAL, OK))
    assert "main" not in theirs
    assert "ETH / USD" not in theirs, "nor of the prices under them"
