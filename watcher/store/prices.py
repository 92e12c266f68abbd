"""What is remembered of prices: the tracks of feeds and sources, and which positions rest on which feeds.

A track is kept as of a block that no reorganisation takes back any more: so a restart goes on from what really was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from watcher.domain.source import Address, Block
from watcher.store.database import Database
from watcher.store.history import digits
from watcher.store.schema import rest, track

Place = tuple[str, Address]
"""A deployment, by its id, and a wallet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """A position, by its name, that owes something and rests on a feed. `pair` is the feed's word: clean it before
    display. `per_percent`: by how much its health changes if the feed answers 1 % less; `seen_at` in Unix seconds,
    by block time."""

    chain: str
    feed: Address
    pair: str
    position: str
    per_percent: Decimal
    seen_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PricesKept:
    """What is to be kept. `tracks` by chain and key, each as text; None: it is forgotten. `at`: by chain, the block
    that its tracks are of. `rests` are all of a place, in the place of what was known of it."""

    tracks: Mapping[tuple[str, str], str | None] = field(default_factory=dict)
    at: Mapping[str, Block] = field(default_factory=dict)
    rests: Mapping[Place, tuple[Rest, ...]] = field(default_factory=dict)

    def __or__(self, newer: PricesKept) -> PricesKept:
        """Both, where the newer one has the last word."""
        return PricesKept(
            tracks={**self.tracks, **newer.tracks}, at={**self.at, **newer.at}, rests={**self.rests, **newer.rests}
        )

    def __bool__(self) -> bool:
        return bool(self.tracks or self.rests)


NOTHING = PricesKept()


@dataclass(frozen=True, slots=True, kw_only=True)
class TracksKept:
    """The tracks of a chain, as text by their key, as of a block."""

    at: Block
    texts: Mapping[str, str]


def tracks_kept(database: Database) -> dict[str, TracksKept]:
    """All tracks, by chain. Those of one chain may be of several blocks: what changed last is kept last."""
    found: dict[str, tuple[Block, dict[str, str]]] = {}
    with database.transaction() as connection:
        for row in connection.execute(select(track).order_by(track.c.chain, track.c.block)).mappings():
            at = Block(chain=row["chain"], number=row["block"], hash=row["hash"], timestamp=row["at"])
            _, texts = found.get(row["chain"], (at, {}))
            texts[row["key"]] = row["text"]
            found[row["chain"]] = at, texts
    return {chain: TracksKept(at=at, texts=texts) for chain, (at, texts) in found.items()}


def rests_on(database: Database, feed: Address, chain: str) -> list[Rest]:
    """The positions that rest on a feed, those that it moves most first."""
    wanted = select(rest).where(rest.c.feed == feed, rest.c.chain == chain)
    with database.transaction() as connection:
        found = [_rest(row) for row in connection.execute(wanted).mappings()]
    return sorted(found, key=lambda one: (-abs(one.per_percent), one.position))


def rests_of(database: Database, position: str) -> list[Rest]:
    """The feeds that a position rests on, those that move it most first."""
    with database.transaction() as connection:
        found = [_rest(row) for row in connection.execute(select(rest).where(rest.c.position == position)).mappings()]
    return sorted(found, key=lambda one: (-abs(one.per_percent), one.feed))


def store_prices(connection: Connection, kept: PricesKept) -> None:
    """Within a transaction of the caller's."""
    texts = [(chain, key, text) for (chain, key), text in kept.tracks.items() if text is not None]
    rows = [
        {"chain": chain, "key": key, "text": _storable(text)}
        | {"block": kept.at[chain].number, "hash": kept.at[chain].hash, "at": kept.at[chain].timestamp}
        for chain, key, text in texts
    ]
    if rows:
        added = upsert(track)
        changed = {name: added.excluded[name] for name in rows[0] if name not in ("chain", "key")}
        connection.execute(added.on_conflict_do_update(index_elements=["chain", "key"], set_=changed), rows)
    for (chain, key), text in kept.tracks.items():
        if text is None:
            connection.execute(delete(track).where(track.c.chain == chain, track.c.key == key))
    forget_rests(connection, kept.rests)
    if added_rests := [_row(place, one) for place, rests in kept.rests.items() for one in rests]:
        connection.execute(insert(rest), added_rests)


def forget_rests(connection: Connection, places: Iterable[Place]) -> None:
    """What rests on feeds there, forgotten within a transaction of the caller's."""
    for deployment, wallet in places:
        connection.execute(delete(rest).where(rest.c.deployment == deployment, rest.c.wallet == wallet))


def _row(place: Place, one: Rest) -> dict[str, Any]:
    return {
        "deployment": place[0],
        "wallet": place[1],
        "position": one.position,
        "feed": one.feed,
        "chain": one.chain,
        "pair": _storable(one.pair),
        "per_percent": digits(one.per_percent),
        "seen_at": one.seen_at,
    }


def _rest(row: RowMapping) -> Rest:
    return Rest(
        chain=row["chain"],
        feed=Address(row["feed"]),
        pair=row["pair"],
        position=row["position"],
        per_percent=Decimal(row["per_percent"]),
        seen_at=row["seen_at"],
    )


def _storable(text: str) -> str:
    """Lone surrogates have no UTF-8, and one would fail the whole commit."""
    return text.encode("utf-8", "replace").decode("utf-8")
