"""How far the logs have been searched for each owner in each deployment, and what was found in them.

Ranges and keys are one row, so that no block can count as searched without what was found in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping, select
from sqlalchemy.dialects.sqlite import insert as upsert

from watcher.domain.searched import Searched
from watcher.domain.source import Address
from watcher.store.database import Database
from watcher.store.schema import searched

Place = tuple[str, Address]
"""A deployment, and the account of an owner."""


def searches_kept(database: Database) -> dict[Place, Searched]:
    """All of them."""
    with database.transaction() as connection:
        rows = connection.execute(select(searched)).mappings().all()
    return {(row["deployment"], Address(row["owner"])): _from(row) for row in rows}


def keep_searches(database: Database, kept: Mapping[Place, Searched]) -> None:
    """Each in place of what was known before, in one transaction."""
    if not kept:
        return
    rows = [_row(place, one) for place, one in kept.items()]
    added = upsert(searched)
    changed = {name: added.excluded[name] for name in ("mark", "ranges", "keys")}
    with database.transaction() as connection:
        connection.execute(added.on_conflict_do_update(index_elements=["deployment", "owner"], set_=changed), rows)


def _row(place: Place, one: Searched) -> dict[str, Any]:
    deployment, owner = place
    kept = {"ranges": json.dumps(one.ranges), "keys": json.dumps(one.keys)}
    return {"deployment": deployment, "owner": owner, "mark": one.mark, **kept}


def _from(row: RowMapping) -> Searched:
    ranges = tuple((first, last) for first, last in json.loads(row["ranges"]))
    return Searched(mark=row["mark"], ranges=ranges, keys=tuple(json.loads(row["keys"])))
