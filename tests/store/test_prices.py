"""What is remembered of prices over a restart, and which positions rest on which feeds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.store.samples import message, record
from watcher.alerts.message import Level
from watcher.domain.source import Address, Block
from watcher.store import Store
from watcher.store.prices import PricesKept, Rest, rests_of, rests_on, tracks_kept
from watcher.store.seen import forget_seen

MAIN = Address("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
COLD = Address("0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359")
FEED, OTHER = Address("0x" + "fe" * 20), Address("0x" + "fd" * 20)
AT = Block(chain="base", number=7, hash="0x07", timestamp=700)
LATER = Block(chain="base", number=9, hash="0x09", timestamp=900)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "watcher.db")
    yield opened
    opened.close()


def rest(wallet: Address, feed: Address = FEED, per_percent: str = "0.0132", pair: str = "ETH / USD") -> Rest:
    return Rest(
        chain="base", feed=feed, pair=pair, position=f"m/{wallet}", per_percent=Decimal(per_percent), seen_at=700
    )


def tracks(block: Block = AT, **texts: str | None) -> PricesKept:
    return PricesKept(tracks={(block.chain, key): text for key, text in texts.items()}, at={block.chain: block})


def test_it_keeps_tracks_as_of_the_newest_block_of_each_chain(store: Store) -> None:
    ethereum = replace(AT, chain="ethereum", number=99)
    store.commit([], [], (), tracks(a="1", b="\ud800") | tracks(ethereum, a="x"))
    store.commit([], [], (), tracks(LATER, a="2"))
    kept = tracks_kept(store)
    assert kept["base"].texts == {"a": "2", "b": "?"}
    assert (kept["base"].at, kept["ethereum"].at) == (LATER, ethereum)
    store.commit([], [], (), tracks(LATER, a=None, b=None))
    assert tracks_kept(store).keys() == {"ethereum"}


def test_it_is_one_transaction_with_what_is_told(store: Store) -> None:
    broken = PricesKept(tracks={("base", "a"): "1"}, at={})
    with pytest.raises(KeyError):
        store.commit([record("a", Level.WARN)], [message("x")], (), broken)
    assert (store.records(), store.backlog().pending, tracks_kept(store)) == ({}, 0, {})
    store.commit([record("a", Level.WARN)], [message("x")], (), tracks(a="1"))
    assert (len(store.records()), store.backlog().pending, len(tracks_kept(store))) == (1, 1, 1)


def test_it_tells_who_rests_on_a_feed_and_on_which_a_position_rests_the_most_moved_first(store: Store) -> None:
    mine = (rest(MAIN, per_percent="0.002"), rest(MAIN, OTHER, "-0.0132", "USDC / USD"))
    store.commit([], [], (), PricesKept(rests={("m", MAIN): mine, ("m", COLD): (rest(COLD),)}))
    assert rests_of(store, f"m/{MAIN}") == [mine[1], mine[0]]
    assert rests_on(store, FEED, "base") == [rest(COLD), mine[0]]
    assert rests_on(store, FEED, "ethereum") == []


def test_what_is_known_of_a_place_is_replaced_whole_and_goes_with_it(store: Store) -> None:
    store.commit(
        [], [], (), PricesKept(rests={("m", MAIN): (rest(MAIN), rest(MAIN, OTHER)), ("m", COLD): (rest(COLD),)})
    )
    store.commit([], [], (), PricesKept(rests={("m", MAIN): (rest(MAIN, OTHER),)}))
    assert rests_of(store, f"m/{MAIN}") == [rest(MAIN, OTHER)]
    store.commit([], [], (), PricesKept(rests={("m", MAIN): ()}))
    assert rests_of(store, f"m/{MAIN}") == []
    forget_seen(store, [("m", COLD)])
    assert rests_on(store, FEED, "base") == []


def test_it_has_an_index_for_each_way_to_ask(tmp_path: Path) -> None:
    Store.open(tmp_path / "watcher.db").close()
    with closing(sqlite3.connect(tmp_path / "watcher.db")) as connection:
        for where in ("feed = 'x'", "deployment = 'm' AND wallet = 'x'", "position = 'x'"):
            [plan] = connection.execute(f"EXPLAIN QUERY PLAN SELECT * FROM rest WHERE {where}").fetchall()
            assert "USING INDEX" in plan[3], where


def test_the_newer_word_counts() -> None:
    both = tracks(a="1", b="1") | tracks(LATER, a="2")
    assert (both.tracks, both.at) == ({("base", "a"): "2", ("base", "b"): "1"}, {"base": LATER})
    assert not PricesKept()
    assert both
