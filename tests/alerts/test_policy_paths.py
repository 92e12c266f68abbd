"""The policy against a model of what a trader wants to hear: ten thousand health-factor paths on a virtual clock."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.alerts.health_paths import (
    MILLION,
    NO_DEBT,
    RULES,
    Heard,
    Look,
    Path,
    Saying,
    Timeline,
    expected,
    heard,
    random_path,
    random_timeline,
)
from watcher.alerts.message import Level
from watcher.alerts.rules import Rules

PATHS, TOGETHER, LOOKS = 10_000, 100, 40


def test_it_says_what_a_trader_wants_to_hear_and_nothing_else_on_ten_thousand_paths(
    record_property: Callable[[str, object], None],
) -> None:
    missed: list[Heard] = []
    unexpected: list[Heard] = []
    kinds: Counter[str] = Counter()
    for batch in range(PATHS // TOGETHER):
        rng = Random(batch)
        timeline = random_timeline(rng, LOOKS)
        paths = [random_path(rng, timeline) for _ in range(TOGETHER)]
        said, levels = heard(timeline, paths)
        for path, messages, trail in zip(paths, said, levels, strict=True):
            wanted = list(expected(timeline, path))
            missed += [one for one in wanted if one not in messages]
            unexpected += [one for one in messages if one not in wanted]
            assert broken_laws(timeline, path, messages, trail) == [], (batch, path)
            kinds.update(message.said.kind for message in messages)
            kinds["woken"] += len(woken(timeline, path, messages))
    record_property("A1", f"{PATHS:,} paths: {len(missed)} missed, {len(unexpected)} unexpected")
    assert (len(missed), len(unexpected)) == (0, 0), (missed[:3], unexpected[:3])
    assert min(kinds[kind] for kind in ("raised", "reminder", "eased", "resolved", "woken")) > 1_000, kinds


def woken(timeline: Timeline, path: Path, messages: list[Heard]) -> list[Heard]:
    """The reminders that came before their usual time."""
    return [
        message
        for before, message in pairwise(messages)
        if message.said.kind == "reminder"
        and timeline.looks[message.look].now - timeline.looks[before.look].now < path.rules[message.look].remind
    ]


def broken_laws(timeline: Timeline, path: Path, messages: list[Heard], trail: list[Level | None]) -> list[str]:
    """What must hold of any path, whatever the model says."""
    broken: list[str] = []
    said = {message.look: message.said for message in messages}
    if len(said) != len(messages):
        broken.append("two messages about one look")
    level, heard_at = 0, -math.inf
    word: tuple[int, float, bool] = (0, -math.inf, False)
    for index, (look, stands) in enumerate(zip(timeline.looks, trail, strict=True)):
        message, rules = said.get(index), path.rules[index]
        if level and index and (saying := path.sayings[index - 1]) is not None:
            word = (level, timeline.looks[index - 1].now + saying.seconds, saying.snooze)
        if stands is None:
            broken += ["spoke without data"] if message else []
            continue
        assert look.newest is not None
        health = path.healths[look.newest]
        assert health is not None
        fires = Level(sum(health != NO_DEBT and health < limit * MILLION for limit in (rules.warn, rules.critical, 1)))
        if stands < fires:
            broken.append(f"{index}: silent at {health} below a limit")
        if fires > level and (message is None or message.kind != "raised" or message.level != fires):
            broken.append(f"{index}: escalation was not said at once")
        if message is None and stands != level:
            broken.append(f"{index}: changed without a word")
        seen, until, snooze = word
        if message is not None and message.level == level:
            wakes = snooze and level <= seen and heard_at < until <= look.now
            if message.kind != "reminder" or (look.now - heard_at < rules.remind and not wakes):
                broken.append(f"{index}: said {message} again")
            if level <= seen and look.now < until:
                broken.append(f"{index}: said {message} again, which somebody had seen")
        if stands < level and look.confirmed is None:
            broken.append(f"{index}: eased on an unconfirmed look")
        if message is not None:
            heard_at = look.now
        level = stands
        word = word if level else (0, -math.inf, False)
    return broken


# --- Shrinkable examples ----------------------------------------------------------------------------------------------

HEALTHS = st.one_of(
    st.none(),
    st.just(NO_DEBT),
    st.integers(900_000, 2_200_000),
    st.builds(
        lambda limit, off: limit + off,
        st.sampled_from([1_000_000, 1_020_000, 1_100_000, 1_122_000, 1_300_000, 1_326_000]),
        st.integers(-1, 1),
    ),
)
LOOK = st.tuples(
    st.sampled_from([12, 600, 3600, 4 * 3600]),  # seconds since the last
    st.one_of(st.none(), HEALTHS),  # a new snapshot's health
    st.one_of(st.none(), st.integers(0, 4)),  # how many snapshots back the confirmed one is
    st.booleans(),  # a restart before
    st.sampled_from(RULES),
    st.integers(-1, 3),  # how the height moved: back in a reorg
    st.one_of(st.none(), st.builds(Saying, st.sampled_from([1, 600, 3600, 86_400]), st.booleans())),
)


@settings(max_examples=500, deadline=None)
@given(st.lists(LOOK, min_size=1, max_size=25))
def test_it_agrees_with_the_model_on_shrinkable_paths(
    steps: list[tuple[int, int | None, int | None, bool, Rules, int, Saying | None]],
) -> None:
    looks: list[Look] = []
    blocks: list[int] = []
    now, height = 1_700_000_000, 1000
    for seconds, _, back, restart, _, moved, _ in steps:
        now, height = now + seconds, height + moved
        blocks.append(height)
        confirmed = None if back is None or back >= len(blocks) else len(blocks) - 1 - back
        looks.append(Look(now, len(blocks) - 1, confirmed, restart))
    timeline = Timeline(looks, blocks)
    path = Path([step[1] for step in steps], [step[4] for step in steps], [step[6] for step in steps])
    [said], [trail] = heard(timeline, [path])
    assert said == list(expected(timeline, path))
    assert broken_laws(timeline, path, said, trail) == []


# --- A2: a day round a limit ------------------------------------------------------------------------------------------

WAVES: dict[str, Callable[[int], float]] = {
    "every read on the other side": lambda read: 1 if read % 2 else -1,
    "a slow swing": lambda read: math.sin(read / 40),
    "a fast swing": math.sin,
    "noise": lambda read: Random(read).uniform(-1, 1),
}


@pytest.mark.parametrize("wave", WAVES)
@pytest.mark.parametrize("limit", [1_000_000, 1_100_000, 1_300_000])
@pytest.mark.parametrize("depth", [0, 4])
def test_it_fires_once_in_a_day_of_swinging_round_a_limit(
    wave: str, limit: int, depth: int, record_property: Callable[[str, object], None]
) -> None:
    reads, seconds = 5760, 15
    looks = [
        Look(1_700_000_000 + read * seconds, read, read - depth if read >= depth else None) for read in range(reads)
    ]
    timeline = Timeline(looks, range(1000, 1000 + reads))
    healths = [limit + int(WAVES[wave](read) * limit / 200) for read in range(reads)]
    [said], _ = heard(timeline, [Path(healths, [Rules()] * reads, [None] * reads)])
    kinds = Counter(message.said.kind for message in said)
    raised = [message for message in said if message.said.kind == "raised"]
    assert [message.said.level for message in raised if message.look] in ([], [ABOUT[limit]]), "fired more than once"
    assert raised[-1].said.level == ABOUT[limit]
    assert kinds["eased"] == kinds["resolved"] == 0
    record_property("A2", f"{reads:,} reads: at most 1 message after that of the first look, in each of 24 swings")
    assert kinds["reminder"] <= 24 // 4


ABOUT = {1_000_000: Level.LIQUIDATABLE, 1_100_000: Level.CRITICAL, 1_300_000: Level.WARN}
