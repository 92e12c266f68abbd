"""What is remembered of prices survives being written down, and nonsense is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.risk.prices import named
from watcher.risk.tracks import Mark, Track, dumped, loaded, sampled, within

WHOLE = some.integers(-(2**255), 2**256)
MARKS = some.builds(Mark, at=WHOLE, said=some.text(), before=WHOLE, after=WHOLE)
TRACKS = some.builds(
    Track,
    value=WHOLE,
    decimals=some.integers(0, 77),
    since=WHOLE,
    samples=some.lists(some.tuples(WHOLE, WHOLE, WHOLE)).map(tuple),
    round=WHOLE,
    round_at=WHOLE,
    behind=some.just(named("behind")),
    structure=some.text(),
    parts=some.lists(some.text()).map(tuple),
    changed=some.none() | MARKS,
    broken=some.none() | MARKS,
)


@given(TRACKS)
def test_it_reads_back_what_it_wrote(track: Track) -> None:
    assert loaded(dumped(track)) == track
    assert dumped(loaded(dumped(track))) == dumped(track)


WRITTEN = json.loads(dumped(Track(value=1, decimals=8, since=2, changed=Mark(at=1, said="x"))))


CHANGES: list[dict[str, object]] = [
    {"more": 1},
    {"value": "1"},
    {"value": 1.5},
    {"value": True},
    {"samples": [[1, 2]]},
    {"samples": {"1": 2}},
    {"behind": None},
    {"parts": [1]},
    {"changed": {}},
    {"broken": [1, 2]},
]
NONSENSE = ["", "[]", "null", "{}", "[" * 100_000, *(json.dumps(WRITTEN | other) for other in CHANGES)]
SHORT = json.dumps({name: value for name, value in WRITTEN.items() if name != "since"})


@pytest.mark.parametrize("text", [*NONSENSE, SHORT])
def test_it_refuses_what_is_no_track(text: str) -> None:
    with pytest.raises(ValueError, match="no track"):
        loaded(text)


def test_it_keeps_the_extremes_of_a_window_in_few_samples() -> None:
    samples: tuple[tuple[int, int, int], ...] = ()
    for now in range(1_700_000_000, 1_700_000_000 + 7200, 12):
        samples = sampled(samples, 1000 + (now - 1_700_000_000) % 60, now, 3600)
        assert len(samples) <= 18
    assert within(samples, now, 3600) == (1000, 1048)
    assert within(samples, now + 3600 + 225, 3600) is None


def test_it_is_the_same_object_where_nothing_is_new() -> None:
    samples = sampled((), 5, 1_700_000_100, 3600)
    assert sampled(samples, 5, 1_700_000_112, 3600) is samples
