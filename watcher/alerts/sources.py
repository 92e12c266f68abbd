"""The words of what numbers rest on: prices and their feeds, chains that are seen or not, and rules that are asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from watcher.alerts import figures, trust
from watcher.alerts.ages import ages, heartbeat
from watcher.alerts.clean import clean, sentence, titled
from watcher.alerts.message import Text
from watcher.alerts.record import Rule
from watcher.alerts.shared import LASTS
from watcher.alerts.sighting import Blind, Feed, Suspect, Trusts, Unsure, Unwatched
from watcher.alerts.spoken import MOST
from watcher.alerts.trust import SURE
from watcher.domain.position import Position
from watcher.domain.price import FeedReading, Freshness
from watcher.domain.source import Address

_NAMED: Final = 8

Name = Callable[[Address], str]
"""What the user calls a wallet."""

CALLED: Final = {
    Rule.DISTANCE: "distance to liquidation",
    Rule.DROP: "fast drop",
    Rule.STALE: "stale price",
    Rule.SUSPECT: "suspect price",
    Rule.UNKNOWN_AGE: "price of unknown age",
    Rule.SEQUENCER: "sequencer",
    Rule.UNREADABLE: "unreadable",
}
"""The rules that an edit can switch off, as a message calls them."""

_SWITCHED_OFF: Final = {
    Rule.DISTANCE: "distance_warn and distance_critical are not set any more",
    Rule.DROP: "drop is not set any more",
    Rule.STALE: "stale is false",
    Rule.SUSPECT: "suspect is false",
    Rule.UNKNOWN_AGE: "unknown_age is false",
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
        lines += [_resting(one, found.trusts, name, known="STALE PRICE") for one in found.dependents]
    return lines


def _resting(position: Position, trusts: Trusts, name: Name, *, known: str) -> Text:
    """A position in a line: its health, at other prices too, and what else is wrong with these than is said already."""
    found = trusts.get(str(position.id), SURE)
    also = ", ".join(one for one in trust.mark(position, found).split(", ") if one not in ("", known))
    return _line(position, name) + f" · {trust.in_line(position, found)}" + (f" · {also}" if also else "")


def suspect(found: Suspect, name: Name, stands_for: int | None) -> list[Text]:
    """Which check of a price failed, and whose health rests on it. `stands_for`: seconds since when, if it stands."""
    if not found.dependents:
        return [Text("No watched debt depends on it any more.")]
    if found.doubt is None:
        return [_no_more(found, stands_for)]
    shown, more = found.dependents[:MOST], len(found.dependents) - MOST
    return [
        Text(f"{found.suspicion.value}: {sentence(found.doubt.said, trust.LONGEST)}"),
        Text("The health of these positions rests on it:"),
        *(_resting(one, found.trusts, name, known="SUSPECT PRICE") for one in shown),
        *([Text(f"… and {more} more")] if more > 0 else []),
    ]


def _no_more(found: Suspect, stands_for: int | None) -> Text:
    check = f"{found.suspicion.value}: "
    if found.unjudged:
        return Text(f"{check}what it is compared with cannot be read now. This is not an all-clear.")
    if stands_for is None:
        return Text(f"{check}not any more.")
    if found.suspicion in LASTS:
        lasts = figures.duration(LASTS[found.suspicion])
        return Text(f"{check}nothing more of it is seen. It ends by itself {lasts} after it was seen.")
    return Text(f"{check}not any more, to be confirmed.")


def unsure(found: Unsure, *, stands: bool) -> list[Text]:
    """The prices under a position of which nobody can say how old they are."""
    if not found.sources:
        return [Text(f"The age of every price under it is known{', to be confirmed' if stands else ''}.")]
    rest = f" and {len(found.sources) - _NAMED} more" if len(found.sources) > _NAMED else ""
    return [Text(f"Nobody can tell how old they are: {', '.join(found.sources[:_NAMED])}{rest} (unknown_age).")]


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
