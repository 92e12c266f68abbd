"""How far the prices under a position can be trusted, and the words that every message with its health says of that.

A health is worth as much as the prices that it is made of. So wherever it is told, what is stale or suspect under it
is told with it; and the health that it would have at another price, where there is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from watcher.alerts import figures
from watcher.alerts.clean import clean, sentence
from watcher.alerts.message import Standing, Text, bold
from watcher.domain.doubt import Doubt
from watcher.domain.position import Position
from watcher.domain.price import FeedReading, Freshness, Leaf, Opaque, Price, nodes
from watcher.risk.healths import Healths

LONGEST: Final = 300
"""Characters of what a check says that are told."""
_NAMED: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What is known against the prices under one position, and its health at others.

    `critical` is the limit of its rules, None where no rule is known. `healths` is None where it was not worked out.
    """

    doubts: tuple[Doubt, ...] = ()
    healths: Healths | None = None
    critical: Decimal | None = None

    @property
    def worst(self) -> Decimal | None:
        """The lowest health that the position may have once its oracle catches up; None where nothing tells."""
        healths = self.healths
        others = [one for one in (healths.second, healths.edge) if one is not None] if healths else []
        return min(others, default=None)


SURE: Final = Trust()


def late(position: Position) -> list[str]:
    """The pairs that are stale under a position that owes something; for one that owes nothing no price matters."""
    if not position.health.required:
        return []
    now = position.at.timestamp
    used = (reading for leg in position.legs for reading in _used(leg.price))
    stale = (reading.pair for reading in used if reading.freshness(now) is Freshness.STALE)
    return list(dict.fromkeys(clean(pair, 40) for pair in stale))


def _used(price: Price) -> list[FeedReading]:
    """The feeds that the price is made of, without those that merely stand beside it."""
    return [node.reading for node in nodes(price.expression, beside=False) if isinstance(node, Leaf)]


def ageless(position: Position) -> tuple[str, ...]:
    """The prices of unknown age under a position that owes something: pairs without heartbeat, and who hides his."""
    if not position.health.required:
        return ()
    now, found = position.at.timestamp, list[str]()
    for node in (node for leg in position.legs for node in nodes(leg.price.expression, beside=False)):
        if isinstance(node, Opaque):
            found.append(f"{node.source[:6]}…{node.source[-4:]}")
        elif isinstance(node, Leaf) and node.reading.freshness(now) is Freshness.UNKNOWN:
            found.append(clean(node.reading.pair, 40))
    return tuple(dict.fromkeys(found))


def standing(position: Position, trust: Trust) -> Standing:
    """The position for a program that is told: its health, the others, and what is wrong with its prices."""
    healths = trust.healths
    wrong = ["suspect"] if trust.doubts and position.health.required else []
    return Standing(
        position=str(position.id),
        health=position.health.factor,
        second=healths.second if healths else None,
        edge=healths.edge if healths else None,
        price=(*wrong, *(["stale"] if late(position) else [])),
    )


def mark(position: Position, trust: Trust) -> str:
    """`SUSPECT PRICE`, `STALE PRICE`, both, or nothing where health can be trusted."""
    words = ["SUSPECT PRICE"] if trust.doubts and position.health.required else []
    return ", ".join([*words, *(["STALE PRICE"] if late(position) else [])])


def beside(position: Position, trust: Trust) -> str:
    """` · SUSPECT PRICE`, to stand beside a health in a line; nothing where it can be trusted."""
    found = mark(position, trust)
    return f" · {found}" if found else ""


def outcome(position: Position, trust: Trust) -> str:
    """What would be once the oracle catches up: `would be liquidatable`; nothing where that would be bearable."""
    worst = trust.worst
    if worst is None or not position.health.required:
        return ""
    if worst < 1 or (position.health.inclusive and worst == 1):
        return "would be liquidatable"
    if trust.critical is not None and worst < trust.critical:
        return f"would be below your critical {trust.critical}"
    return ""


def other_healths(trust: Trust) -> str:
    """`1.05 at the second source, 1.27 at the edge of the feeds' deviation`, as far as they are known."""
    healths = trust.healths
    if healths is None:
        return ""
    found = ((healths.second, "at the second source"), (healths.edge, "at the edge of the feeds' deviation"))
    return ", ".join(f"{figures.health(one)} {where}" for one, where in found if one is not None)


def in_line(position: Position, trust: Trust) -> str:
    """`health 1.32 now, 1.05 at the second source: when the oracle catches up it would be …`, or `health 1.32`."""
    now, others, then = figures.health(position.health.factor), other_healths(trust), outcome(position, trust)
    if not others:
        return f"health {now}"
    return f"health {now} now, {others}{f': when the oracle catches up it {then}' if then else ''}"


def lines(position: Position, trust: Trust) -> list[Text]:
    """What is said below the health of a position whose prices cannot be trusted; nothing where they can."""
    if not mark(position, trust):
        return []
    then = [Text(in_line(position, trust))] if other_healths(trust) else []
    return [*_why(position, trust), *then]


def _why(position: Position, trust: Trust) -> list[Text]:
    told = [
        bold("SUSPECT PRICE") + f" {clean(one.name, 40)}: {one.suspicion.value} ({sentence(one.said, LONGEST)})"
        for one in trust.doubts[:_NAMED]
    ]
    more = len(trust.doubts) - _NAMED
    told += [Text(f"… and {more} more doubts")] if more > 0 else []
    stale = late(position)
    if stale:
        rest = f" and {len(stale) - _NAMED} more" if len(stale) > _NAMED else ""
        told.append(bold("STALE PRICE") + f" {', '.join(stale[:_NAMED])}{rest}: this health may be wrong")
    return told
