"""The words of a chain whose sequencer is down, unknown, or only just up: what it means, for whom, and what to do."""

from __future__ import annotations

from typing import Final

from watcher.alerts import figures, trust
from watcher.alerts.clean import clean, titled
from watcher.alerts.message import Level, Text
from watcher.alerts.sighting import Sequencing
from watcher.alerts.sources import Name
from watcher.domain.position import Position, Unreadable
from watcher.domain.price import Freshness
from watcher.domain.sequencer import GRACE, Running, Sequencer

_MEANING: Final = (
    "Prices stand still and transactions wait: liquidations are blocked, or come in a rush once it is back."
)
_REMEDY: Final = (
    "See what the protocol's own app still allows. Most rollups take a transaction forced in through Ethereum too,"
    " hours later."
)
_MOST: Final = 20


def name(report: Sequencer, at: int) -> str:
    """What a message calls it. `at`: the time of the block that was read."""
    if report.settling(at):
        return "SEQUENCER JUST UP AGAIN"
    return f"SEQUENCER {report.state.name}"


def headline(found: Sequencing, level: Level) -> str:
    """The first words of what is said of it. `level` is where the alert stands."""
    over = found.report.state is Running.UP and not found.report.settling(found.at)
    if not over and not level:
        return "SEQUENCER NOT NEEDED"
    return name(found.report, found.at) + (", to be confirmed" if over and level else "")


def told(found: Sequencing, whose: Name, level: Level) -> list[Text]:
    """Below the headline. `level` is where the alert stands."""
    if not found.dependents and found.report.state is not Running.UP:
        return [Text("No watched debt depends on it any more.")]
    for_how_long = figures.duration(max(found.at - found.report.since, 0))
    match found.report.state:
        case Running.DOWN:
            said = [f"Down for {for_how_long}, by the chain's uptime feed. {_MEANING}", _REMEDY]
        case Running.UNKNOWN:
            said = [f"{clean(found.report.problem, 240)}."]
            said.append("It was down when last known." if level > Level.WARN else "Nothing else says that it is down.")
            said.append("This is not an all-clear.")
        case Running.UP if found.report.settling(found.at):
            said = [
                f"Back for {for_how_long}. Until {figures.duration(GRACE)} have passed prices may jump and liquidations"
                " come in a rush: look at these positions now."
            ]
        case Running.UP:
            return [Text(f"Back for {for_how_long}.")]
    return [*map(Text, said), *_concerned(found, whose), *_late(found)]


def _concerned(found: Sequencing, whose: Name) -> list[Text]:
    shown, more = found.dependents[:_MOST], len(found.dependents) - _MOST
    return [*(_line(one, whose, found) for one in shown), *([Text(f"… and {more} more")] if more > 0 else [])]


def _line(one: Position | Unreadable, whose: Name, found: Sequencing) -> Text:
    if isinstance(one, Unreadable):
        state = "unreadable"
    else:
        marks = trust.beside(one, found.trusts.get(str(one.id), trust.SURE))
        state = f"health {figures.health(one.health.factor)}{marks}"
    return Text(f"· {whose(one.id.wallet)} · {titled(one.market)} · {state}")


def _late(found: Sequencing) -> list[Text]:
    """The prices that are stale because nobody can update them; they are told one by one only if it is not down."""
    if not found.report.down:
        return []
    positions = [one for one in found.dependents if isinstance(one, Position)]
    readings = [reading for one in positions for reading in one.feeds if reading.freshness(found.at) is Freshness.STALE]
    pairs = list(dict.fromkeys(clean(reading.pair, 40) for reading in readings))
    rest = f" and {len(pairs) - _MOST} more" if len(pairs) > _MOST else ""
    return [Text(f"Stale by now: {', '.join(pairs[:_MOST])}{rest}.")] if pairs else []
