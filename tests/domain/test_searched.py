"""Ranges of blocks, against plain sets of numbers."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from watcher.domain.searched import Ranges, Unsearched, joined, missing, up_to
from watcher.domain.source import Address


def numbers(ranges: Ranges) -> set[int]:
    return {block for first, last in ranges for block in range(first, last + 1)}


def test_it_keeps_ranges_as_sets_of_blocks_would() -> None:
    dice = Random(7)
    for _ in range(300):
        ranges: Ranges = ()
        blocks: set[int] = set()
        for _ in range(12):
            first = dice.randrange(60)
            last = first + dice.randrange(12)
            ranges, blocks = joined(ranges, first, last), blocks | set(range(first, last + 1))
            if dice.random() < 0.2:
                top = dice.randrange(70)
                ranges, blocks = up_to(ranges, top), {block for block in blocks if block <= top}
            assert numbers(ranges) == blocks
            assert all(one[1] + 1 < other[0] for one, other in pairwise(ranges))
            low = dice.randrange(70)
            high = low + dice.randrange(-3, 30)
            assert numbers(missing(ranges, low, high)) == set(range(low, high + 1)) - blocks


def test_it_says_which_blocks_are_left_the_newest_first() -> None:
    one = Address("0x" + "11" * 20)
    left = Unsearched(
        deployment="bank",
        market="Bank",
        wallet=one,
        account=one,
        ranges=((1, 5), (8, 9), (1_000, 2_000), (3_000, 3_000)),
    )
    assert str(left) == "blocks 3,000–3,000, 1,000–2,000 and 2 more ranges"
    assert left.blocks == 1_009
