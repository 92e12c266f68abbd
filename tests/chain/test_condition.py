"""How endpoints are ranked by how they have been doing."""

from __future__ import annotations

from math import inf

import pytest

from watcher.chain.condition import BEHIND_FOR, FAILED_LATELY, LONGEST_REST, Asked, Condition, newest, ranked
from watcher.domain.source import Block

NOW = 10_000.0


def sound(latency: float = 0.1) -> Condition:
    condition = Condition()
    condition.answer(latency)
    return condition


def failed(times: int, at: float = NOW, retry_after: float | None = None) -> Condition:
    condition = sound()
    for _ in range(times):
        condition.failure("error", "boom", at, retry_after)
    return condition


def order(now: float = NOW, **conditions: Condition) -> list[str]:
    return ranked(list(conditions.items()), now)


def head(number: int) -> Block:
    return Block(chain="x", number=number, hash=f"0x{number:064x}", timestamp=number)


def test_it_keeps_the_users_order_among_equals() -> None:
    assert order(b=sound(), a=sound(), c=Condition()) == ["b", "a", "c"]


def test_it_puts_the_gravest_last() -> None:
    behind, slow = sound(), sound(6.0)
    behind.is_behind(NOW)
    resting, broken = failed(1, retry_after=30), failed(3)
    assert order(rest=resting, broken=broken, behind=behind, failed=failed(1), slow=slow, well=sound()) == [
        "well", "slow", "failed", "behind", "broken", "rest",
    ]  # fmt: skip


def test_it_asks_first_who_failed_longest_ago() -> None:
    assert order(a=failed(1, NOW - 5), b=failed(1, NOW - 30), c=failed(1, NOW - 10)) == ["b", "c", "a"]


def test_it_forgets_a_failure_after_a_minute() -> None:
    once = failed(1)
    assert order(NOW + FAILED_LATELY - 1, a=once, b=sound()) == ["b", "a"]
    assert order(NOW + FAILED_LATELY, a=once, b=sound()) == ["a", "b"]


@pytest.mark.parametrize(("failures", "rest"), [(3, 5), (4, 10), (5, 20), (9, 300), (60, 300)])
def test_it_lets_what_fails_again_and_again_rest_longer_each_time(failures: int, rest: int) -> None:
    condition = failed(failures)
    assert condition.broken(NOW + rest - 0.1)
    assert not condition.broken(NOW + rest)


def test_it_is_sound_again_after_one_answer() -> None:
    condition = failed(8)
    condition.answer(0.1)
    assert not condition.broken(NOW)


def test_it_calls_broken_what_tells_its_head_and_fails_every_call() -> None:
    condition = sound()
    for number in range(3):
        condition.answer(0.1, Asked.HEAD)
        condition.failure("error", "boom", NOW + number, asked=Asked.CALL)
    condition.answer(0.1, Asked.HEAD)
    assert condition.broken(NOW + 3)
    condition.answer(0.1, Asked.CALL)
    assert not condition.broken(NOW + 3)


def test_it_waits_as_long_as_it_was_asked_to_and_no_hostile_age() -> None:
    condition = failed(1, retry_after=30)
    assert condition.rest(NOW) == 30
    condition.failure("limited", "slow down", NOW, 5)
    assert condition.rest(NOW) == 30, "a shorter wish does not shorten a longer one"
    condition.failure("limited", "slow down", NOW, 1e9)
    assert condition.rest(NOW) == LONGEST_REST


def test_it_believes_that_one_caught_up_when_it_shows_it() -> None:
    condition = sound()
    condition.is_behind(NOW)
    assert condition.behind(NOW + BEHIND_FOR - 1)
    condition.shows(head(5), NOW + 1)
    assert not condition.behind(NOW + 1)


def test_it_does_not_call_milliseconds_slow() -> None:
    assert order(a=sound(0.9), b=sound(0.01)) == ["a", "b"]
    assert order(a=sound(3.0), b=sound(1.0)) == ["a", "b"]


def test_it_measures_others_by_heads_that_were_shown_lately() -> None:
    high, low = Condition(), Condition()
    high.shows(head(100), NOW - 61)
    low.shows(head(90), NOW)
    assert newest([high, low], NOW, 60, until=inf) == head(90)
    assert newest([high, low], NOW, 62, until=inf) == head(100)
    assert newest([Condition()], NOW, 60, until=inf) is None


def test_it_measures_nobody_by_a_head_that_is_dated_ahead() -> None:
    high, low = Condition(), Condition()
    high.shows(head(100), NOW)
    low.shows(head(90), NOW)
    assert newest([high, low], NOW, 60, until=99) == head(90)
