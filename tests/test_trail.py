"""What of the blocks that were looked at is gone, and how little has to be asked to know it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from watcher.domain.source import Block
from watcher.trail import KEPT, Reorg, Trail


def block(number: int, fork: str = "a", *, forked_at: int = 0) -> Block:
    """A block of a fork that leaves fork `a` after a height; without, of `a` itself."""
    parent = number - 1
    theirs = f"{parent}{fork if parent > forked_at else 'a'}"
    return Block(chain="test", number=number, hash=f"{number}{fork}", timestamp=number, parent=theirs)


def trail(*numbers: int) -> Trail:
    return Trail(tuple(block(number) for number in numbers))


@dataclass
class Node:
    """Fork `b` above a height, fork `a` below; its newest block, and what it was asked."""

    block: Block
    forked_at: int = 10**6
    lacks: frozenset[int] = frozenset()
    asked: list[int] = field(default_factory=list)

    async def block_hash(self, number: int) -> str | None:
        self.asked.append(number)
        assert number <= self.block.number
        return None if number in self.lacks else f"{number}{'b' if number > self.forked_at else 'a'}"


def forked(number: int, *, after: int) -> Node:
    return Node(block(number, "b", forked_at=after), forked_at=after)


async def test_it_asks_nothing_where_the_next_block_names_the_last_as_its_parent() -> None:
    node = Node(block(13))
    assert await trail(11, 12).to(node, certain=True) == (trail(11, 12, 13), None)
    assert node.asked == []


async def test_it_asks_for_one_header_where_blocks_were_passed_over_and_only_if_it_matters() -> None:
    node = Node(block(15))
    assert await trail(11, 12).to(node, certain=True) == (trail(11, 12, 15), None)
    assert node.asked == [12]
    node.asked.clear()
    assert await trail(11, 12).to(node, certain=False) == (trail(15), None)
    assert node.asked == []


async def test_it_begins_with_the_first_block() -> None:
    assert await Trail().to(Node(block(12)), certain=True) == (trail(12), None)


@pytest.mark.parametrize(("depth", "ahead"), [(d, a) for d in range(1, 8) for a in (-1, 0, 1, 3) if d + a > 0])
async def test_it_finds_how_deep_a_reorganisation_goes(depth: int, ahead: int) -> None:
    last = 40
    node = forked(last + ahead, after=last - depth)
    found, reorg = await trail(*range(1, last + 1)).to(node, certain=True)
    gone = frozenset(f"{number}a" for number in range(last - depth + 1, last + 1))
    assert reorg == Reorg(depth=depth, orphans=gone)
    assert found == Trail((*trail(*range(1, last - depth + 1)).blocks, node.block))
    assert len(node.asked) <= 8


async def test_it_counts_the_blocks_that_nobody_looked_at_too() -> None:
    _, reorg = await trail(10, 14, 19, 20).to(forked(21, after=12), certain=True)
    assert reorg == Reorg(depth=10, orphans=frozenset({"14a", "19a", "20a"}))


async def test_it_says_as_much_as_it_knows_where_all_that_it_knew_is_gone() -> None:
    found, reorg = await trail(18, 19, 20).to(forked(21, after=3), certain=True)
    assert reorg == Reorg(depth=3, orphans=frozenset({"18a", "19a", "20a"}))
    assert [one.hash for one in found.blocks] == ["21b"]


async def test_it_takes_an_endpoint_that_is_behind_for_no_reorganisation() -> None:
    for known, newest in [((10, 11, 12), 11), ((10, 12), 11), ((12,), 11)]:
        assert await trail(*known).to(Node(block(newest)), certain=True) == (trail(*known), None)


async def test_it_has_no_place_for_a_block_that_may_be_of_another_fork() -> None:
    """Half of a reorganisation: lower than what is known, and nothing there to compare it with."""
    node = forked(16, after=12)
    found, reorg = await trail(10, 18, 19).to(node, certain=True)
    assert (found, reorg) == (trail(10, 18, 19), None)
    assert not found.has(node.block)
    later, reorg = await found.to(forked(20, after=12), certain=True)
    assert reorg == Reorg(depth=9, orphans=frozenset({"18a", "19a"}))
    assert [one.hash for one in later.blocks] == ["10a", "20b"]


async def test_it_takes_a_parent_hash_of_another_kind_for_no_proof() -> None:
    """Or the header of a chain that fills that field in its own way would be a reorganisation with every block."""
    odd = Block(chain="test", number=13, hash="13a", timestamp=13, parent="something else")
    node = Node(odd)
    assert (await trail(11, 12).to(node, certain=True))[1] is None
    assert node.asked == [12]


async def test_it_takes_a_header_that_the_endpoint_lacks_for_no_reorganisation() -> None:
    node = Node(block(15), lacks=frozenset({12}))
    assert (await trail(11, 12).to(node, certain=True))[1] is None


async def test_it_remembers_so_many_blocks_and_no_more() -> None:
    found = trail(1)
    for number in range(2, KEPT + 100):
        found, _ = await found.to(Node(block(number)), certain=True)
    assert len(found.blocks) == KEPT
    node = forked(KEPT + 100, after=150)
    _, reorg = await found.to(node, certain=True)
    assert reorg is not None
    assert reorg.depth == KEPT + 99 - 150
    assert len(node.asked) <= 10
