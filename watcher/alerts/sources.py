"""The words of what numbers rest on: prices and their feeds, chains that are seen or not, and rules that are asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from watcher.alerts import figures
from watcher.alerts.ages import ages, heartbeat
from watcher.alerts.assess import Blind, Feed, Unwatched
from watcher.alerts.clean import clean, titled
from watcher.alerts.message import Text
from watcher.alerts.record import Rule
from watcher.domain.position import Position
from watcher.domain.price import FeedReading, Freshness
from watcher.domain.source import Address

Name = Callable[[Address], str]
"""What the user calls a wallet."""

CALLED: Final = {
    Rule.DISTANCE: "distance to liquidation",
    Rule.DROP: "fast drop",
    Rule.STALE: "stale price",
    Rule.SEQUENCER: "sequencer",
    Rule.UNREADABLE: "unreadable",
}
"""The rules that an edit can switch off, as a message calls them."""

_SWITCHED_OFF: Final = {
    Rule.DISTANCE: "distance_warn and distance_critical are not set any more",
    Rule.DROP: "drop is not set any more",
    Rule.STALE: "stale is false",
    Rule.SEQUENCER: "no sequencer_feed of the chain is known any more",
    Rule.UNREADABLE: "unreadable is false",
}


def prices(position: Position) -> Text:
    """The price under the position that most needs telling, and what cannot be seen."""
    found = [age for leg in position.legs for age in ages(leg.price, position.at.timestamp)]
    seen = [age for age in found if age.reading is not None]
    oldest = max(seen, key=lambda age: age.rank, default=None)
    parts = []
    if oldest is not None and oldest.reading is not None:
        stale = ", STALE" if oldest.freshness is Freshness.STALE else ""
        parts.append(f"price {clean(oldest.reading.pair, 40)}: {_age(oldest.reading, oldest.now)}{stale}")
    if len(seen) < len(found):
        parts.append("a price of unknown age")
    return Text("; ".join(parts) or "no price feed")


def _age(reading: FeedReading, now: int) -> str:
    promised = heartbeat(reading)
    if not 0 < reading.updated_at <= now:
        return f"impossible update time, heartbeat {promised}"
    return f"{figures.duration(reading.age(now))} old, heartbeat {promised}"


def feed(found: Feed, name: Name, *, stands: bool) -> list[Text]:
    """What a feed answered, beside the rule, and whose health rests on it while the alert `stands`."""
    if found.reading is None or not found.dependents:  # of a chat's own there may be none, while others' are
        return [Text("No watched debt depends on it any more.")]
    now = found.dependents[0].at.timestamp
    lines = [Text(f"last answer: {_age(found.reading, now)}{_limit(found.reading, now)}")]
    if stands and found.reading.freshness(now) is not Freshness.STALE:
        lines.append(Text("It is fresh again, to be confirmed."))
    elif stands:
        lines.append(Text("The health of these positions rests on a price that may be wrong:"))
        lines += [_line(one, name) + f" · health {figures.health(one.health.factor)}" for one in found.dependents]
    return lines


def _limit(reading: FeedReading, now: int) -> str:
    """The rule that a stale answer broke."""
    if reading.freshness(now) is not Freshness.STALE:
        return ""
    if reading.limit is None or not 0 < reading.updated_at <= now:
        return " (stale)"
    return f", allowed {figures.duration(reading.limit)} (stale)"


def unwatched(found: Unwatched, rule: Rule, name: Name) -> list[Text]:
    """Why nothing more will be said, though nothing says that it is over."""
    why = "no heartbeat of it is known any more" if found.heartbeat else _SWITCHED_OFF[rule]
    return [
        Text(f"The configuration has changed: {why}."),
        *(_line(one, name) for one in found.positions),
        Text("What was said before may still be so. This is not an all-clear."),
    ]


def _line(position: Position, name: Name) -> Text:
    return Text(f"· {name(position.id.wallet)} · {titled(position.market)}")


def blind(found: Blind, now: int) -> list[Text]:
    """Why a chain cannot be seen, and since when; or for how long it could not be."""
    for_how_long = figures.duration(max(now - found.since, 0))
    if not found.problem:
        return [Text(f"It could not be watched for {for_how_long}.")]
    return [
        Text(clean(found.problem, 400)),
        Text(f"Nothing has been known of its positions for {for_how_long}. This is not an all-clear."),
    ]
