"""Falls of health: against every sample kept, in little memory."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from watcher.alerts.falls import GRAIN, Past, Peak
from watcher.domain.health import INFINITE

WITHIN = 1800


def walked(samples: list[tuple[int, Decimal]]) -> tuple[Past, Peak]:
    past = Past.seen_first(samples[0][0])
    for sample in samples:
        past = past.then(Peak(*sample), WITHIN)
    return past, Peak(*samples[-1])


def at(*steps: tuple[int, str]) -> list[tuple[int, Decimal]]:
    return [(seconds, Decimal(health)) for seconds, health in steps]


def test_it_measures_from_the_highest_within_the_window() -> None:
    past, now = walked(at((0, "3"), (1000, "2"), (1900, "1.9"), (2000, "1.8")))
    fall = past.fall(now, WITHIN)
    assert (fall.top.factor, fall.share) == (Decimal(2), Fraction(1, 10))


def test_it_counts_what_is_just_as_old_as_the_window() -> None:
    past, now = walked(at((0, "2"), (WITHIN, "1")))
    assert past.fall(now, WITHIN).share == Fraction(1, 2)
    past, now = walked(at((0, "2"), (WITHIN + 1, "1")))
    assert past.fall(now, WITHIN).share == 0


def test_it_knows_whether_it_has_seen_the_whole_window() -> None:
    past, now = walked(at((0, "2"), (WITHIN - 1, "1")))
    assert not past.fall(now, WITHIN).whole
    past, now = walked(at((0, "2"), (WITHIN, "1")))
    assert past.fall(now, WITHIN).whole


def test_it_does_not_fall_from_a_health_without_debt() -> None:
    past, now = walked([(0, INFINITE), (60, Decimal("1.5"))])
    assert past.fall(now, WITHIN).share == 0
    past, now = walked([(0, Decimal("1.5")), (60, INFINITE)])
    assert past.fall(now, WITHIN).share == 0


def test_it_falls_by_more_than_all_where_health_turns_negative() -> None:
    past, now = walked(at((0, "1"), (60, "-0.5")))
    assert past.fall(now, WITHIN).share == Fraction(3, 2)


steps = st.lists(st.tuples(st.integers(1, 400), st.integers(1, 3000)), min_size=1, max_size=60)


@given(steps)
def test_it_agrees_with_all_samples_kept_to_a_grain_of_the_window(walk: list[tuple[int, int]]) -> None:
    now, samples = 0, []
    for seconds, health in walk:
        now += seconds
        samples.append((now, Decimal(health) / 1000))
    past, last = walked(samples)
    share = past.fall(last, WITHIN).share

    def true_share(within: int) -> Fraction:
        top = max(health for when, health in samples if when >= last.at - within)
        return 1 - Fraction(last.factor) / Fraction(top)

    assert true_share(WITHIN - WITHIN // GRAIN) <= share <= true_share(WITHIN)


def test_it_keeps_no_more_peaks_than_grains_however_long_the_decline() -> None:
    past, _ = walked([(second, Decimal(10**6 - second)) for second in range(20_000)])
    assert len(past.peaks) <= GRAIN + 2
