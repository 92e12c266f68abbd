"""Positions over time: a point for each, kept exactly, and thinned as it grows old.

What is thinned away is never the worst: of each stretch of time the point with the lowest health stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, Final, Self

from sqlalchemy import Connection, RowMapping, Select, bindparam, delete, func, select, text
from sqlalchemy.dialects.sqlite import insert as upsert

from watcher.domain.position import Position
from watcher.store.database import Database
from watcher.store.schema import history

MINUTE, HOUR, DAY = 60, 3600, 86_400
LONGEST: Final = 64
"""Characters of a symbol that are kept: contracts may call themselves anything, and every point repeats it."""

THINNING: Final[tuple[tuple[int, int], ...]] = ((7 * DAY, HOUR), (DAY, 10 * MINUTE))
"""(older than, one point in each stretch of), in seconds, the oldest first. Each stretch holds whole ones of the next,
so that it does not matter how often, or when, is thinned."""

_EXACT: Final = Context(prec=120)
_POSITIONS = text(
    """WITH RECURSIVE known(position) AS (
        SELECT min(position) FROM history
        UNION ALL
        SELECT (SELECT min(position) FROM history WHERE position > known.position) FROM known
        WHERE known.position IS NOT NULL
    ) SELECT position FROM known WHERE position IS NOT NULL"""
)
"""Each once, by as many look-ups in the key: DISTINCT would read every point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegPoint:
    """One asset of a position then: `amount` in tokens, negative for what is owed; `price` of one in the numeraire.

    `symbol` is the contract's word, not ours: clean it before display.
    """

    symbol: str
    amount: Decimal
    price: Decimal

    @property
    def value(self) -> Decimal:
        """Signed, in the numeraire, to the digits of the present context: to compare by, not to account with."""
        return self.amount * self.price


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One position at one block. `at` is the block's time in Unix seconds; `health` may be infinite, never unknown.

    `collateral`, `debt` and the prices of the legs are in `numeraire`, a symbol.
    """

    position: str
    at: int
    block: int
    health: Decimal
    collateral: Decimal
    debt: Decimal
    numeraire: str
    legs: tuple[LegPoint, ...]

    @classmethod
    def of(cls, position: Position) -> Self:
        """What is kept of a position as it was read."""
        unit = position.numeraire.decimals
        return cls(
            position=str(position.id),
            at=position.at.timestamp,
            block=position.at.number,
            health=position.health.factor,
            collateral=_scaled(position.collateral, unit),
            debt=_scaled(position.debt, unit),
            numeraire=position.numeraire.symbol[:LONGEST],
            legs=tuple(
                LegPoint(
                    symbol=leg.asset.symbol[:LONGEST],
                    amount=_scaled(leg.amount, leg.asset.decimals),
                    price=_scaled(leg.price.low, unit),
                )
                for leg in position.legs
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """How much is known of one position: `points` of them from `first` to `last`, in Unix seconds."""

    position: str
    first: int
    last: int
    points: int


def keep_points(database: Database, points: Iterable[Point]) -> None:
    """Adds points; one of the same position and time takes the place of the other. Raises `StoreFailed`."""
    if rows := [_row(point) for point in points]:
        added = upsert(history)
        changed = {name: added.excluded[name] for name in rows[0] if name not in ("position", "at")}
        with database.transaction() as connection:
            connection.execute(added.on_conflict_do_update(index_elements=["position", "at"], set_=changed), rows)


def points_of(database: Database, position: str, since: int, until: int) -> list[Point]:
    """Its points from `since` to `until`, both included, the oldest first."""
    wanted = _of(position).where(history.c.at.between(since, until)).order_by(history.c.at)
    with database.transaction() as connection:
        return [_point(row) for row in connection.execute(wanted).mappings()]


def latest_before(database: Database, position: str, at: int) -> Point | None:
    """Its newest point before `at`; None where there is none."""
    wanted = _of(position).where(history.c.at < at).order_by(history.c.at.desc()).limit(1)
    with database.transaction() as connection:
        row = connection.execute(wanted).mappings().first()
    return None if row is None else _point(row)


def positions_kept(database: Database) -> list[str]:
    """Every position of which there are points, in the order of their names."""
    with database.transaction() as connection:
        return _positions(connection)


def spans(database: Database) -> list[Span]:
    """How much is known of every position."""
    measured = select(func.min(history.c.at), func.max(history.c.at), func.count())
    found = []
    with database.transaction() as connection:
        for name in _positions(connection):
            first, last, points = connection.execute(measured.where(history.c.position == name)).one()
            found.append(Span(position=name, first=first, last=last, points=points))
    return found


def thin(database: Database, position: str, now: int, keep: int) -> int:
    """Forgets what is older than `keep` seconds, and thins the rest by `THINNING`; returns how many points are gone.

    One position at a time, so that nothing that has to be written at once waits for long.
    """
    mine = history.c.position == position
    until = now - keep
    with database.transaction() as connection:
        gone = connection.execute(delete(history).where(mine, history.c.at < until)).rowcount
        for age, stretch in THINNING:
            aged = select(history.c.at, history.c.health).where(mine, history.c.at >= until, history.c.at < now - age)
            until = max(until, now - age)
            healths = {at: Decimal(health) for at, health in connection.execute(aged)}
            if spare := [{"gone": at} for at in healths.keys() - _lowest(healths, stretch)]:
                connection.execute(delete(history).where(mine, history.c.at == bindparam("gone")), spare)
                gone += len(spare)
    return gone


def _lowest(healths: Mapping[int, Decimal], stretch: int) -> set[int]:
    """The time of the lowest health in each stretch; of equals, the earliest."""
    lowest: dict[int, int] = {}
    for at in sorted(healths):
        best = lowest.setdefault(at // stretch, at)
        if healths[at] < healths[best]:
            lowest[at // stretch] = at
    return set(lowest.values())


def _positions(connection: Connection) -> list[str]:
    return list(connection.execute(_POSITIONS).scalars())


def _of(position: str) -> Select[Any]:
    return select(history).where(history.c.position == position)


def _row(point: Point) -> dict[str, Any]:
    legs = [[leg.symbol, digits(leg.amount), digits(leg.price)] for leg in point.legs]
    return {
        "position": point.position,
        "at": point.at,
        "block": point.block,
        "health": digits(point.health),
        "collateral": digits(point.collateral),
        "debt": digits(point.debt),
        "numeraire": point.numeraire.encode("utf-8", "replace").decode("utf-8"),
        "legs": json.dumps(legs, separators=(",", ":")),  # ASCII: a symbol with a lone surrogate is kept as it is
    }


def _point(row: RowMapping) -> Point:
    return Point(
        position=row["position"],
        at=row["at"],
        block=row["block"],
        health=Decimal(row["health"]),
        collateral=Decimal(row["collateral"]),
        debt=Decimal(row["debt"]),
        numeraire=row["numeraire"],
        legs=tuple(
            LegPoint(symbol=symbol, amount=Decimal(amount), price=Decimal(price))
            for symbol, amount, price in json.loads(row["legs"])
        ),
    )


def _scaled(raw: int, decimals: int) -> Decimal:
    """The same number to the last digit, whatever the context."""
    return Decimal(raw).scaleb(-decimals, _EXACT)


def digits(number: Decimal) -> str:
    """Every digit of a number and no more: `60`, `0.5`, `-150000.000001`, `Infinity`. Reads back as the same number."""
    written = format(number, "f")
    return written.rstrip("0").rstrip(".") if "." in written else written
