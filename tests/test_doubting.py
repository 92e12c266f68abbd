"""What is remembered of prices from block to block: never of a block that was taken back, and over a restart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from tests.alerts.samples import BLOCK, position
from watcher.domain.doubt import Doubt
from watcher.domain.position import Position
from watcher.domain.source import Block
from watcher.doubting import KEPT_EVERY, REMEMBERED, TrackMemory, memories
from watcher.risk.doubts import Limits
from watcher.risk.tracks import Track, Tracks, dumped
from watcher.snapshot import Snapshot
from watcher.store.prices import PricesKept, TracksKept

CONFIRMATIONS = 3


@dataclass
class Written:
    """A check that writes each block it is made at behind what it was given, and remembers what that was."""

    given: list[str] = field(default_factory=list)
    owing: list[int] = field(default_factory=list)
    keys: tuple[str, ...] = ("x",)

    def __call__(
        self, positions: Sequence[Position], tracks: Tracks, at: Block, limits: Limits
    ) -> tuple[Tracks, tuple[Doubt, ...]]:
        before = tracks["x"].structure if "x" in tracks else ""
        self.given.append(before)
        self.owing.append(len(positions))
        return dict.fromkeys(self.keys, track(f"{before}{at.hash}")), ()


def track(text: str) -> Track:
    """A track that remembers a text."""
    return Track(value=0, decimals=0, since=0, structure=text)


def block(number: int, name: str = "") -> Block:
    return replace(BLOCK, number=number, hash=name or f"<{number}>", timestamp=BLOCK.timestamp + 12 * number)


def at(number: int, name: str = "") -> Snapshot:
    return Snapshot(
        block=block(number, name),
        endpoint="e",
        held=(),
        unreadable=(),
        covered=frozenset(),
        asked=frozenset(),
        rounds=1,
    )


def standing(*gone: str, known: bool = True) -> Callable[[Block], bool | None]:
    return lambda one: False if one.hash in gone else True if known else None


def memory() -> tuple[TrackMemory, Written]:
    check = Written()
    return TrackMemory(confirmations=CONFIRMATIONS, check=check), check


def looked(found: TrackMemory, *numbers: int) -> None:
    for number in numbers:
        found.examine(at(number), Limits(), standing())


def test_it_goes_on_from_the_block_before() -> None:
    found, check = memory()
    looked(found, 1, 2, 3)
    assert check.given == ["", "<1>", "<1><2>"]


def test_it_forgets_what_was_seen_in_blocks_that_were_taken_back() -> None:
    found, check = memory()
    looked(found, 1, 2, 3)
    found.examine(at(3, "<3b>"), Limits(), standing("<2>", "<3>"))
    assert check.given[-1] == "<1>"
    found.examine(at(4), Limits(), standing())
    assert check.given[-1] == "<1><3b>", "nor does it come back with the next block"


def test_it_never_takes_an_older_block_for_a_newer_one() -> None:
    found, check = memory()
    looked(found, 1, 2, 5)
    found.examine(at(3), Limits(), standing())
    assert check.given[-1] == "<1><2>"
    found.examine(at(3, "<3b>"), Limits(), standing())
    assert check.given[-1] == "<1><2>", "nor one of two at the same height for the other"


def test_it_takes_what_may_have_been_taken_back_only_once_it_is_old_enough() -> None:
    found, check = memory()
    looked(found, 1, 2)
    found.examine(at(4), Limits(), standing(known=False))
    assert check.given[-1] == "<1>", "2 may be gone, 1 is three blocks old"


def test_it_asks_only_about_those_who_owe() -> None:
    found, check = memory()
    held = [type("H", (), {"position": one})() for one in (position("1.5"), position(None))]
    found.examine(replace(at(1), held=tuple(held)), Limits(), standing())
    assert check.owing == [1]


def test_it_stores_what_stands_for_good_and_goes_on_from_there_after_a_restart() -> None:
    found, _ = memory()
    looked(found, 1, 2, 3)
    assert not found.to_keep(block(3), standing()), "none of it is certain yet"
    looked(found, 4)
    kept = found.to_keep(block(4), standing())
    assert kept == PricesKept(tracks={(BLOCK.chain, "x"): dumped(track("<1>"))}, at={BLOCK.chain: block(1)})
    again, check = memory()
    again.recall(TracksKept(at=block(1), texts={"x": dumped(track("<1>"))}))
    looked(again, 5)
    assert check.given == ["<1>"]


def test_it_stores_nothing_of_a_block_that_is_gone_or_may_be() -> None:
    for stands in (standing("<1>"), standing(known=False)):
        found, _ = memory()
        looked(found, 1, 9)
        assert not found.to_keep(block(9), stands)


def test_it_stores_once_a_minute_and_only_what_changed() -> None:
    found, check = memory()
    check.keys = ("x", "y")
    looked(found, 1, 2, 3, 4)
    assert len(found.to_keep(block(4), standing()).tracks) == 2
    looked(found, 5)
    assert not found.to_keep(block(5), standing()), "12 s later"
    check.keys = ("x",)
    minute = 1 + KEPT_EVERY // 12
    looked(found, minute, minute + 3)
    kept = found.to_keep(block(minute + 3), standing())
    assert kept.tracks[BLOCK.chain, "y"] is None
    assert f"<{minute}>" in str(kept.tracks[BLOCK.chain, "x"])


def test_what_another_version_wrote_begins_anew() -> None:
    found, check = memory()
    found.recall(TracksKept(at=block(1), texts={"x": "no track"}))
    looked(found, 5)
    assert check.given == [""]


def test_what_is_remembered_counts_more_than_what_was_stored() -> None:
    found, check = memory()
    looked(found, 1, 2, 3, 4)
    found.to_keep(block(4), standing())
    known = {BLOCK.chain: found}
    memories(
        {
            BLOCK.chain: TracksKept(at=block(1), texts={"x": dumped(track("old"))}),
            "base": TracksKept(at=block(1), texts={}),
        },
        known,
    )
    looked(found, 5)
    assert check.given[-1] == "<1><2><3><4>"
    assert known.keys() == {BLOCK.chain, "base"}


def test_it_does_not_remember_for_ever() -> None:
    found, check = memory()
    looked(found, *range(1, 2 * REMEMBERED))
    found.examine(at(REMEMBERED, "<late>"), Limits(), standing())
    assert check.given[-1] == "", "what it could go on from is not remembered any more"
