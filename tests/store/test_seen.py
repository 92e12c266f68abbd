"""What was last seen of positions: given back as it was, replaced by place, forgotten on demand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.alerts.samples import BLOCK, COLD, DEPLOYMENT, MAIN, later, position
from watcher.domain.position import Check, Position
from watcher.domain.price import Fixed, Price
from watcher.domain.source import Address
from watcher.store import Store
from watcher.store.seen import LastSeen, forget_seen, last_seen


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store.open(tmp_path / "watcher.db")) as opened:
        yield opened


def seen(*positions: Position, wallet: Address = MAIN, blocks: int = 0) -> LastSeen:
    return LastSeen(deployment=DEPLOYMENT, wallet=wallet, block=later(BLOCK, blocks), positions=positions)


def as_kept(found: Position) -> Position:
    """All but the feeds, and how it stood beside the protocol's own view."""
    legs = tuple(replace(leg, price=Price.of(Fixed(leg.price.low, "as it was last seen"))) for leg in found.legs)
    return replace(found, legs=legs, check=Check.UNCHECKED)


def test_it_gives_positions_back_as_they_were_but_for_the_feeds(store: Store) -> None:
    vault = position("1.123456789")
    vault = replace(
        vault,
        id=replace(vault.id, account=COLD, key="vault 1"),
        holder=replace(vault.holder, account=COLD, key="vault 1"),
    )
    store.commit((), (), [seen(position("1.25"), vault)])
    [found] = last_seen(store)
    assert found == seen(as_kept(position("1.25")), as_kept(vault))


def test_it_keeps_that_there_was_nothing_and_the_newest_of_each_place(store: Store) -> None:
    store.commit((), (), [seen(position("1.25")), seen(wallet=COLD)])
    store.commit((), (), [seen(blocks=1)])
    assert {one.wallet: (one.block.number - BLOCK.number, one.positions) for one in last_seen(store)} == {
        MAIN: (1, ()),
        COLD: (0, ()),
    }


def test_it_forgets_a_place_and_no_other(store: Store) -> None:
    store.commit((), (), [seen(), seen(wallet=COLD)])
    forget_seen(store, [(DEPLOYMENT, MAIN), ("elsewhere", COLD)])
    assert [one.wallet for one in last_seen(store)] == [COLD]
