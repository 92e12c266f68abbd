"""Every row of the policy's transition table, as a claim."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.alerts.health_paths import restarted, sighting
from tests.alerts.samples import COLD, MAIN, position, reading
from watcher.alerts.ack import Acknowledgement
from watcher.alerts.message import Level
from watcher.alerts.policy import Decision, Kind, decide
from watcher.alerts.record import Key, Record, Rule
from watcher.alerts.rules import Rules
from watcher.alerts.sighting import Feed, Sighting, Unwatched
from watcher.domain.position import Position
from watcher.memory import Memory

OK, WARN, CRITICAL, LIQUIDATABLE = Level
HOUR = 3600
NOW = 1_700_000_000
RULES = Rules()  # warn 1.30, critical 1.10, eased 2 % above, two good reads, a reminder every four hours
KEY = Key(Rule.HEALTH, "d/0x")

STANDING = [WARN, CRITICAL, LIQUIDATABLE]
JUST_ABOVE = {WARN: 1_301_000, CRITICAL: 1_101_000, LIQUIDATABLE: 1_001_000}
"""Fires less than the level, and is not clear of it."""
CLEAR = {WARN: 1_326_000, CRITICAL: 1_122_000, LIQUIDATABLE: 1_020_000}
"""The first health that is clear of the level: the limit and 2 %."""
BELOW = {WARN: 1_299_999, CRITICAL: 1_099_999, LIQUIDATABLE: 999_999}


def standing(level: Level, *, calm: int = 0, spoken: int = NOW) -> Record:
    return Record(key=KEY, level=level, episode=3, since=NOW, spoken_at=spoken, fired_block=100, calm=calm)


def seen(health: int, *, block: int = 110, rules: Rules = RULES, key: Key = KEY) -> Sighting:
    return sighting(key, health, rules, block)


def step(
    record: Record | None,
    latest: Sighting | None,
    confirmed: Sighting | None = None,
    *,
    now: int = NOW + 15,
    ack: Acknowledgement | None = None,
) -> Decision:
    records = {} if record is None else {record.key: record}
    return decide(
        records, [latest] if latest else [], [confirmed] if confirmed else [], now, {ack.key: ack} if ack else {}
    )


def nothing(decision: Decision) -> bool:
    return not decision.records and not decision.notices


def kinds(decision: Decision) -> list[Kind]:
    return [notice.kind for notice in decision.notices]


# --- any level, no data -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", Level)
def test_it_changes_nothing_and_says_nothing_without_data(level: Level) -> None:
    record = standing(level)
    assert nothing(step(record, None, now=NOW + 9 * HOUR))
    assert nothing(step(record, None, seen(5_000_000), now=NOW + 9 * HOUR)), "confirmed alone is not a look"


# --- F > L ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", STANDING)
def test_it_raises_from_ok_at_the_first_sight_as_a_new_episode(level: Level) -> None:
    decision = step(None, seen(BELOW[level], block=110))
    [record] = decision.records
    assert kinds(decision) == [Kind.RAISED]
    assert record == Record(
        key=KEY, level=level, episode=1, since=NOW + 15, spoken_at=NOW + 15, fired_block=110, calm=0
    )


def test_it_counts_each_departure_from_ok_as_an_episode() -> None:
    [record] = step(replace(standing(OK), episode=7), seen(BELOW[WARN])).records
    assert record.episode == 8


@pytest.mark.parametrize(("before", "after"), [(WARN, CRITICAL), (WARN, LIQUIDATABLE), (CRITICAL, LIQUIDATABLE)])
def test_it_escalates_at_once_whatever_was_said_a_second_ago(before: Level, after: Level) -> None:
    decision = step(standing(before, calm=1, spoken=NOW), seen(BELOW[after]), seen(CLEAR[WARN]), now=NOW)
    [record] = decision.records
    [notice] = decision.notices
    assert (notice.kind, notice.before.level, notice.severity) == (Kind.RAISED, before, after)
    assert (record.level, record.episode, record.calm, record.fired_block) == (after, 3, 0, 110)


def test_it_fires_below_a_limit_and_not_at_it() -> None:
    assert nothing(step(None, seen(1_300_000)))
    assert kinds(step(None, seen(1_299_999))) == [Kind.RAISED]


# --- OK, F = OK -------------------------------------------------------------------------------------------------------


def test_it_says_nothing_of_what_is_well() -> None:
    assert nothing(step(None, seen(CLEAR[WARN]), seen(CLEAR[WARN])))
    assert nothing(step(standing(OK, spoken=0), seen(CLEAR[WARN]), seen(CLEAR[WARN])))


def test_it_says_nothing_of_what_holds_but_does_not_fire() -> None:
    assert nothing(step(None, seen(JUST_ABOVE[WARN])))


# --- H ≥ L ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", STANDING)
@pytest.mark.parametrize("health", [BELOW, JUST_ABOVE], ids=["below", "just above"])
def test_it_restarts_the_calm_while_the_level_holds(level: Level, health: dict[Level, int]) -> None:
    decision = step(standing(level, calm=1), seen(health[level]), seen(CLEAR[level]))
    assert [(record.level, record.calm) for record in decision.records] == [(level, 0)]
    assert not decision.notices


@pytest.mark.parametrize("level", STANDING)
def test_it_reminds_of_a_level_that_holds_when_due_and_not_before(level: Level) -> None:
    record = standing(level)
    assert nothing(step(record, seen(JUST_ABOVE[level]), now=NOW + 4 * HOUR - 1))
    decision = step(record, seen(JUST_ABOVE[level]), now=NOW + 4 * HOUR)
    assert kinds(decision) == [Kind.REMINDER]
    assert decision.records == (replace(record, spoken_at=NOW + 4 * HOUR),), "only the time of speaking moves"
    assert decision.notices[0].severity is level


def test_it_reminds_once_per_interval() -> None:
    record, heard = standing(WARN), 0
    for seconds in range(0, 24 * HOUR, 15):
        decision = step(record, seen(BELOW[WARN]), now=NOW + seconds)
        heard += len(decision.notices)
        record = decision.records[0] if decision.records else record
    assert heard == 5  # after 4, 8, 12, 16 and 20 hours


# --- H < L ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", STANDING)
def test_it_keeps_level_and_calm_while_nothing_is_confirmed(level: Level) -> None:
    record = standing(level, calm=1)
    assert nothing(step(record, seen(CLEAR[level])))
    assert kinds(step(record, seen(CLEAR[level]), now=NOW + 4 * HOUR)) == [Kind.REMINDER]
    assert step(record, seen(CLEAR[level]), now=NOW + 4 * HOUR).records[0].calm == 1


@pytest.mark.parametrize("block", [99, 100])
def test_it_takes_no_evidence_from_blocks_up_to_the_one_that_raised_the_level(block: int) -> None:
    record = standing(CRITICAL, calm=1)
    assert nothing(step(record, seen(CLEAR[CRITICAL]), seen(CLEAR[CRITICAL], block=block)))
    assert kinds(step(record, seen(CLEAR[CRITICAL]), seen(CLEAR[CRITICAL], block=101))) == [Kind.EASED]


@pytest.mark.parametrize("level", STANDING)
def test_it_restarts_the_calm_where_the_confirmed_block_still_holds(level: Level) -> None:
    decision = step(standing(level, calm=1), seen(CLEAR[level]), seen(JUST_ABOVE[level], block=105))
    assert [(record.level, record.calm) for record in decision.records] == [(level, 0)]
    late = step(standing(level, calm=1), seen(CLEAR[level]), seen(JUST_ABOVE[level]), now=NOW + 4 * HOUR)
    assert kinds(late) == [Kind.REMINDER]


@pytest.mark.parametrize("level", STANDING)
def test_it_counts_a_confirmed_good_read_in_silence(level: Level) -> None:
    decision = step(standing(level), seen(CLEAR[level]), seen(CLEAR[level], block=105), now=NOW + 9 * HOUR)
    assert [(record.level, record.calm) for record in decision.records] == [(level, 1)]
    assert not decision.notices, "an all-clear on its way is no time to remind"


def test_it_wants_as_many_good_reads_as_the_user_says() -> None:
    rules, record = replace(RULES, good_reads=4), standing(WARN)
    for count in range(3):
        [record] = step(record, seen(CLEAR[WARN], rules=rules), seen(CLEAR[WARN], rules=rules)).records
        assert (record.level, record.calm) == (WARN, count + 1)
    assert kinds(step(record, seen(CLEAR[WARN], rules=rules), seen(CLEAR[WARN], rules=rules))) == [Kind.RESOLVED]


@pytest.mark.parametrize(
    ("before", "now", "confirmed", "after"),
    [
        (LIQUIDATABLE, CLEAR[WARN], CLEAR[CRITICAL], WARN),  # the worse of the two counts
        (LIQUIDATABLE, CLEAR[LIQUIDATABLE], CLEAR[WARN], CRITICAL),
        (CRITICAL, CLEAR[CRITICAL], CLEAR[CRITICAL], WARN),
        (CRITICAL, JUST_ABOVE[WARN], CLEAR[WARN], WARN),  # what holds, not what fires
    ],
)
def test_it_eases_to_the_worst_that_still_holds(before: Level, now: int, confirmed: int, after: Level) -> None:
    decision = step(standing(before, calm=1), seen(now), seen(confirmed, block=105))
    [record] = decision.records
    [notice] = decision.notices
    assert (notice.kind, notice.severity) == (Kind.EASED, OK)
    assert record == Record(
        key=KEY, level=after, episode=3, since=NOW + 15, spoken_at=NOW + 15, fired_block=110, calm=0
    )


@pytest.mark.parametrize("level", STANDING)
def test_it_resolves_and_ends_the_episode(level: Level) -> None:
    decision = step(standing(level, calm=1), seen(CLEAR[WARN]), seen(CLEAR[WARN], block=105))
    [record] = decision.records
    [notice] = decision.notices
    assert (notice.kind, notice.severity, notice.before.level) == (Kind.RESOLVED, OK, level)
    assert (record.level, record.episode, record.calm) == (OK, 3, 0)


# --- What somebody said to have seen ----------------------------------------------------------------------------------


def word(level: Level, *, until: int = NOW + 24 * HOUR, snooze: bool = False, episode: int = 3) -> Acknowledgement:
    return Acknowledgement(key=KEY, episode=episode, level=level, until=until, snooze=snooze, at=NOW)


@pytest.mark.parametrize("level", STANDING)
def test_it_does_not_remind_of_what_somebody_has_seen(level: Level) -> None:
    assert nothing(step(standing(level), seen(BELOW[level]), now=NOW + 20 * HOUR, ack=word(level)))
    assert nothing(step(standing(level), seen(CLEAR[level]), now=NOW + 20 * HOUR, ack=word(LIQUIDATABLE)))


def test_it_reminds_of_what_is_worse_than_what_was_seen() -> None:
    assert kinds(step(standing(CRITICAL), seen(BELOW[CRITICAL]), now=NOW + 4 * HOUR, ack=word(WARN))) == [Kind.REMINDER]


def test_it_reminds_of_a_later_episode_than_what_was_seen() -> None:
    earlier = word(WARN, episode=2)
    assert kinds(step(standing(WARN), seen(BELOW[WARN]), now=NOW + 4 * HOUR, ack=earlier)) == [Kind.REMINDER]


@pytest.mark.parametrize("snooze", [False, True])
def test_it_raises_eases_and_resolves_whatever_was_seen(snooze: bool) -> None:
    ack, calm = word(LIQUIDATABLE, snooze=snooze), standing(CRITICAL, calm=1)
    assert kinds(step(standing(WARN), seen(BELOW[CRITICAL]), ack=ack)) == [Kind.RAISED]
    assert kinds(step(calm, seen(CLEAR[CRITICAL]), seen(CLEAR[CRITICAL]), ack=ack)) == [Kind.EASED]
    assert kinds(step(calm, seen(CLEAR[WARN]), seen(CLEAR[WARN]), ack=ack)) == [Kind.RESOLVED]


def test_it_tells_at_the_end_of_a_snooze_what_still_stands_and_not_a_second_before() -> None:
    ack = word(WARN, until=NOW + HOUR, snooze=True)
    assert nothing(step(standing(WARN), seen(BELOW[WARN]), now=NOW + HOUR - 1, ack=ack))
    told = step(standing(WARN), seen(BELOW[WARN]), now=NOW + HOUR, ack=ack)
    assert kinds(told) == [Kind.REMINDER]
    [record] = told.records
    assert nothing(step(record, seen(BELOW[WARN]), now=NOW + 5 * HOUR - 1, ack=ack)), "once"
    assert kinds(step(record, seen(BELOW[WARN]), now=NOW + 5 * HOUR, ack=ack)) == [Kind.REMINDER], "then as ever"


def test_it_tells_the_end_of_a_snooze_at_the_first_look_after_it_however_late() -> None:
    ack = word(WARN, until=NOW + HOUR, snooze=True)
    assert nothing(step(standing(WARN), None, now=NOW + HOUR, ack=ack))
    assert kinds(step(standing(WARN), seen(BELOW[WARN]), now=NOW + 2 * HOUR, ack=ack)) == [Kind.REMINDER]


def test_it_has_told_at_the_end_of_a_snooze_what_it_told_after_it() -> None:
    ack = word(WARN, until=NOW + HOUR, snooze=True)
    assert nothing(step(standing(WARN, spoken=NOW + HOUR), seen(BELOW[WARN]), now=NOW + 2 * HOUR, ack=ack))


def test_the_end_of_an_acknowledgement_gives_the_ordinary_rhythm_back() -> None:
    short, long = word(WARN, until=NOW + HOUR), word(WARN, until=NOW + 9 * HOUR)
    assert nothing(step(standing(WARN), seen(BELOW[WARN]), now=NOW + 4 * HOUR - 1, ack=short))
    assert kinds(step(standing(WARN), seen(BELOW[WARN]), now=NOW + 4 * HOUR, ack=short)) == [Kind.REMINDER]
    assert kinds(step(standing(WARN), seen(BELOW[WARN]), now=NOW + 9 * HOUR, ack=long)) == [Kind.REMINDER]


def test_it_forgets_a_word_with_its_episode_or_a_day_after_its_end_and_no_snooze_before_it_told() -> None:
    record, ack = standing(WARN), word(WARN, until=NOW + HOUR)
    asleep = replace(ack, snooze=True)
    assert not ack.is_spent(record, NOW + 25 * HOUR - 1)
    assert ack.is_spent(record, NOW + 25 * HOUR)
    assert not asleep.is_spent(record, NOW + 99 * HOUR), "it is still to be told"
    assert asleep.is_spent(replace(record, spoken_at=NOW + HOUR), NOW + 25 * HOUR)
    for over in (standing(OK), replace(record, episode=4), None):
        assert ack.is_spent(over, NOW)
    memory = Memory({KEY: record}, {KEY: ack})
    memory.remember([replace(record, level=CRITICAL)])
    assert memory.acks
    memory.remember([standing(OK)])
    assert not memory.acks


# --- Beyond the table -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [Rule.STALE, Rule.UNREADABLE, Rule.BLIND])
def test_it_settles_plain_facts_on_one_confirmed_read(rule: Rule) -> None:
    key = Key(rule, "x")
    record = replace(standing(CRITICAL), key=key)
    good = seen(CLEAR[WARN], key=key)
    assert nothing(step(record, good)), "but not on an unconfirmed one"
    assert kinds(step(record, good, good)) == [Kind.RESOLVED]


def test_it_takes_each_condition_for_itself() -> None:
    """Another subject's or another rule's good read is no evidence."""
    other = Key(Rule.UNREADABLE, KEY.subject)
    records = {KEY: standing(CRITICAL, calm=1), other: replace(standing(CRITICAL), key=other)}
    good = seen(CLEAR[WARN])
    decision = decide(records, [good, seen(CLEAR[WARN], key=other)], [replace(good, key=other)], NOW + 15, {})
    assert [notice.record.key for notice in decision.notices] == [other]


def test_it_says_nothing_after_a_hundred_restarts_without_a_change() -> None:
    records = {KEY: standing(WARN, calm=1)}
    for number in range(100):
        records = restarted(records)
        decision = decide(records, [seen(JUST_ABOVE[WARN], block=110 + number)], [], NOW + number, {})
        assert not decision.notices
        records.update({record.key: record for record in decision.records})


def test_it_says_at_the_first_look_what_came_true_while_it_was_down() -> None:
    assert kinds(step(restarted({KEY: standing(WARN)})[KEY], seen(BELOW[CRITICAL]))) == [Kind.RAISED]


def test_it_follows_an_edit_of_the_limits() -> None:
    higher = replace(RULES, critical=RULES.warn, warn=RULES.target)
    assert kinds(step(standing(WARN), seen(BELOW[WARN], rules=higher))) == [Kind.RAISED]
    lower = replace(RULES, warn=RULES.critical + RULES.clear, clear=RULES.clear / 2)
    good = seen(JUST_ABOVE[WARN], rules=lower)
    assert kinds(step(standing(WARN, calm=1), good, good)) == [Kind.RESOLVED]


def test_it_keeps_quiet_when_an_edit_does_not_touch_the_rule() -> None:
    edited = replace(RULES, target=RULES.target + 1, good_reads=9, stale=False)
    assert nothing(step(standing(WARN), seen(BELOW[WARN], rules=edited)))


# --- what nobody asks about any more, and what several share ---------------------------------------------------------


@pytest.mark.parametrize("level", STANDING)
def test_it_ends_at_once_what_nobody_asks_about_any_more(level: Level) -> None:
    unasked = replace(seen(900_000), firing=OK, holding=OK, final=True)
    decision = step(standing(level), unasked)
    assert kinds(decision) == [Kind.RESOLVED]
    assert decision.records[0].level is OK
    assert nothing(step(decision.records[0], unasked))
    [raised] = step(decision.records[0], seen(900_000)).records
    assert raised.episode == 4


LATE = reading(age=7400)
MINE = position("1.5", feeds=(LATE, LATE))
THEIRS = position("1.4", wallet=COLD, feeds=(LATE, LATE))


def shared(*dependents: Position, declined: tuple[Position, ...] = (), level: Level = WARN) -> Sighting:
    key = Key(Rule.STALE, "ethereum:0xfeed")
    wallets = tuple(one.id.wallet for one in dependents)
    facts = Feed(key.subject, LATE, dependents, declined)
    return replace(seen(0, key=key), firing=level, holding=level, facts=facts, wallets=wallets)


def heard(decision: Decision) -> list[tuple[Kind, tuple[str, ...]]]:
    return [(notice.kind, notice.sighting.wallets) for notice in decision.notices]


def test_it_tells_those_who_join_and_nobody_twice() -> None:
    [known] = step(None, shared(MINE)).records
    joined = step(known, shared(MINE, THEIRS))
    assert heard(joined) == [(Kind.RAISED, (COLD,))]
    assert joined.notices[0].sighting.facts == Feed("ethereum:0xfeed", LATE, (THEIRS,))
    [both] = joined.records
    assert (both.episode, both.spoken_at) == (known.episode, known.spoken_at)
    assert nothing(step(both, shared(MINE, THEIRS)))
    assert nothing(step(both, shared(THEIRS))), "one that is unseen for a while has still been told"
    assert nothing(step(both, shared(MINE, THEIRS)))


def test_it_tells_those_who_join_in_the_reminder_where_one_is_due() -> None:
    [known] = step(None, shared(MINE)).records
    decision = step(known, shared(MINE, THEIRS), now=NOW + 5 * HOUR)
    assert heard(decision) == [(Kind.REMINDER, (MAIN, COLD))]
    assert nothing(step(decision.records[0], shared(MINE, THEIRS), now=NOW + 5 * HOUR))


def test_it_tells_nobody_that_joins_what_is_no_longer_so() -> None:
    [known] = step(None, shared(MINE)).records
    assert nothing(step(known, shared(MINE, THEIRS, level=OK)))


def test_it_says_to_those_who_decline_that_they_hear_no_more_and_the_rest_goes_on() -> None:
    [known] = step(None, shared(MINE, THEIRS)).records
    decision = step(known, shared(MINE, declined=(THEIRS,)))
    assert heard(decision) == [(Kind.EASED, (COLD,))]
    assert decision.notices[0].sighting.facts == Unwatched("ethereum:0xfeed", (THEIRS,))
    [left] = decision.records
    assert (left.level, left.wallets) == (WARN, (MAIN,))
    assert nothing(step(left, shared(MINE, declined=(THEIRS,))))
    assert heard(step(left, shared(MINE, THEIRS))) == [(Kind.RAISED, (COLD,))], "they ask again"


def test_it_tells_the_end_to_all_who_heard_of_it_and_to_nobody_else() -> None:
    [known] = step(None, shared(MINE)).records
    over = replace(shared(MINE, THEIRS, level=OK), final=True)
    assert heard(step(known, over)) == [(Kind.RESOLVED, (MAIN,))]
