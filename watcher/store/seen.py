"""What was last seen of every position, so that what happens while nobody looks is told by the next look.

A position is kept as its legs: what any protocol's account comes to, without the protocol's own state.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, select
from sqlalchemy.dialects.sqlite import insert as upsert

from watcher.domain.health import Health
from watcher.domain.position import Asset, Leg, Numeraire, Position, PositionId, State, Term
from watcher.domain.price import Fixed, Price
from watcher.domain.source import Address, Block, Holder
from watcher.store.database import Database
from watcher.store.prices import forget_rests
from watcher.store.schema import seen


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSeen:
    """What a wallet had in a deployment at a block, when that was read without failure; nothing: `()`.

    Of positions that were read back, prices are plain numbers: which feeds were under them is not kept.
    """

    deployment: str
    wallet: Address
    block: Block
    positions: tuple[Position, ...]

    @property
    def place(self) -> tuple[str, Address]:
        return self.deployment, self.wallet


def last_seen(database: Database) -> list[LastSeen]:
    """Everything that is kept."""
    with database.transaction() as connection:
        return [_from(row) for row in connection.execute(select(seen)).mappings()]


def forget_seen(database: Database, places: Collection[tuple[str, Address]]) -> None:
    """Forgets what was seen there, and which feeds it rests on."""
    with database.transaction() as connection:
        for deployment, wallet in places:
            connection.execute(delete(seen).where(seen.c.deployment == deployment, seen.c.wallet == wallet))
        forget_rests(connection, places)


def store_seen(connection: Connection, found: Collection[LastSeen]) -> None:
    """Each in place of what was seen there before."""
    if rows := [_row(one) for one in found]:
        added = upsert(seen)
        changed = {name: added.excluded[name] for name in rows[0] if name not in ("deployment", "wallet")}
        connection.execute(added.on_conflict_do_update(index_elements=["deployment", "wallet"], set_=changed), rows)


def _row(one: LastSeen) -> dict[str, Any]:
    return {
        "deployment": one.deployment,
        "wallet": one.wallet,
        "chain": one.block.chain,
        "block": one.block.number,
        "hash": one.block.hash,
        "at": one.block.timestamp,
        "positions": json.dumps([_plain(position) for position in one.positions]),
    }


def _from(row: RowMapping) -> LastSeen:
    block = Block(chain=row["chain"], number=row["block"], hash=row["hash"], timestamp=row["at"])
    place = row["deployment"], Address(row["wallet"])
    positions = tuple(_position(plain, *place, block) for plain in json.loads(row["positions"]))
    return LastSeen(deployment=place[0], wallet=place[1], block=block, positions=positions)


def _plain(position: Position) -> dict[str, Any]:
    health, numeraire = position.health, position.numeraire
    return {
        "account": position.id.account,
        "key": position.id.key,
        "market": position.market,
        "state": position.state.value,
        "health": [health.backing, health.required, health.inclusive],
        "legs": [_plain_leg(leg) for leg in position.legs],
        "collateral": position.collateral,
        "debt": position.debt,
        "numeraire": [numeraire.symbol, numeraire.decimals],
        "terms": [[term.what, term.of, term.value] for term in position.terms if term.set_by_rule],
    }


def _position(plain: dict[str, Any], deployment: str, wallet: Address, block: Block) -> Position:
    account, key = Address(plain["account"]), plain["key"]
    backing, required, inclusive = plain["health"]
    symbol, decimals = plain["numeraire"]
    return Position(
        id=PositionId(deployment=deployment, wallet=wallet, account=account, key=key),
        holder=Holder(wallet=wallet, account=account, key=key),
        at=block,
        market=plain["market"],
        state=State(plain["state"]),
        health=Health(backing=backing, required=required, inclusive=inclusive),
        legs=tuple(_leg(leg) for leg in plain["legs"]),
        collateral=plain["collateral"],
        debt=plain["debt"],
        numeraire=Numeraire(symbol=symbol, decimals=decimals),
        terms=tuple(Term(what=what, of=of, value=value) for what, of, value in plain.get("terms", ())),
    )


def _plain_leg(leg: Leg) -> dict[str, Any]:
    return {
        "asset": [leg.asset.address, leg.asset.symbol, leg.asset.decimals],
        "amount": leg.amount,
        "price": [leg.price.low, leg.price.high],
        "backing": str(leg.backing),
        "required": str(leg.required),
        "priced_as": leg.priced_as,
    }


def _leg(plain: dict[str, Any]) -> Leg:
    address, symbol, decimals = plain["asset"]
    low, high = plain["price"]
    return Leg(
        asset=Asset(address=Address(address), symbol=symbol, decimals=decimals),
        amount=plain["amount"],
        price=Price(low=low, high=high, expression=Fixed(low, "as it was last seen")),
        backing=Fraction(plain["backing"]),
        required=Fraction(plain["required"]),
        priced_as=Address(plain["priced_as"]),
    )
