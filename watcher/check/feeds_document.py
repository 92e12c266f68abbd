"""The feeds under positions as one JSON document. Its shape is described in docs/json.md."""

from __future__ import annotations

from typing import Any

from watcher.check.document import FORMAT, beginning, endings, place_of
from watcher.check.feeds import FeedReport, Priced, Source, Standing
from watcher.check.prices import feed_of, price_of


def as_feeds_document(found: FeedReport, version: str) -> dict[str, Any]:
    """The whole report, ready for `json.dumps`."""
    return {
        "format": FORMAT,
        "version": version,
        **beginning(found.report),
        "exit_code": found.exit_code,
        "sources": [_source(one) for one in found.sources],
        "prices": [_priced(one) for one in found.prices],
        "positions": [_standing(one) for one in found.standings],
        **endings(found.report),
    }


def _source(source: Source) -> dict[str, Any]:
    reading, now = source.age.reading, source.age.now
    return {
        "chain": source.chain.name,
        "address": source.age.source,
        "freshness": source.age.freshness,
        "feed": None if reading is None else feed_of(reading, now),
        "why": source.why or None,
        "dependents": [
            {
                "id": str(one.finding.position.id),
                "per_percent": None if one.per_percent is None else format(one.per_percent, "f"),
            }
            for one in source.dependents
        ],
    }


def _priced(priced: Priced) -> dict[str, Any]:
    position = priced.finding.position
    return {
        "chain": priced.chain.name,
        "symbol": priced.symbol,
        "numeraire": {"symbol": position.numeraire.symbol, "decimals": position.numeraire.decimals},
        "price": price_of(priced.price, position.at.timestamp),
    }


def _standing(one: Standing) -> dict[str, Any]:
    lights = one.healths
    return {
        **place_of(one.finding),
        "health": None
        if lights is None
        else {
            "now": str(lights.now),
            "second": None if lights.second is None else str(lights.second),
            "edge": None if lights.edge is None else str(lights.edge),
        },
        "health_unknown": one.why or None,
    }
