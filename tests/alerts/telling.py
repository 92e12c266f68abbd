"""Notices and messages made from samples, as the daemon would make them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from textwrap import dedent

from tests.alerts.samples import (
    COLD,
    DEPLOYMENT,
    ETH_FEED,
    MAIN,
    NOW,
    USDC,
    WETH,
    reading,
    view,
)
from watcher.alerts.assess import assess
from watcher.alerts.message import Level, Message
from watcher.alerts.outlook import Advice
from watcher.alerts.policy import Kind, Notice
from watcher.alerts.record import Key, Record, Rule
from watcher.alerts.rules import RuleBook, Rules
from watcher.alerts.sighting import Sighting, View, feed_subject
from watcher.alerts.words import Telling, compose
from watcher.domain.position import Position, Repay, TopUp
from watcher.domain.source import Address
from watcher.risk.liquidation import Lever, LiquidationPrice
from watcher.risk.restore import Remedy

OK, WARN, CRITICAL, LIQUIDATABLE = Level
RAISED, REMINDER, EASED, RESOLVED, EVENT = Kind
SUBJECT = f"{DEPLOYMENT}/{MAIN}"
HEALTH, UNREADABLE = Key(Rule.HEALTH, SUBJECT), Key(Rule.UNREADABLE, SUBJECT)
STALE = Key(Rule.STALE, feed_subject("ethereum", ETH_FEED))
LATE = reading(age=7400)
ADVICE = Advice(
    liquidations=(
        LiquidationPrice(
            lever=Lever(name="WETH", keys=frozenset({WETH.address}), current=2000_00000000), value=1846_15384615
        ),
    ),
    remedies=(
        Remedy(action=Repay(USDC.address, 4102_564103), asset=USDC, health=Decimal("1.5"), enough=True),
        Remedy(action=TopUp(WETH.address, 3846153846153846154), asset=WETH, health=Decimal("1.5"), enough=True),
    ),
    balances={USDC.address: 5000_000000, WETH.address: 24 * 10**17},
)


def sighted(seen: View, key: Key) -> Sighting:
    rules = RuleBook({one.id.wallet: Rules() for one in seen.positions} | {MAIN: Rules(), COLD: Rules()})
    return {sighting.key: sighting for sighting in assess(seen, rules, [key])}[key]


def notice(kind: Kind, sighting: Sighting, level: Level, before: Level) -> Notice:
    def record(at: Level) -> Record:
        return Record(key=sighting.key, level=at, episode=1, since=NOW, spoken_at=NOW, fired_block=1)

    return Notice(kind=kind, sighting=sighting, record=record(level), before=record(before))


def about(found: Position, kind: Kind, level: Level, before: Level) -> Notice:
    return notice(kind, sighted(view(found), Key(Rule.HEALTH, str(found.id))), level, before)


def told(
    *notices: Notice, labels: Mapping[Address, str] | None = None, advice: Mapping[str, Advice] | None = None
) -> Message:
    telling = Telling(
        labels={MAIN: "main", COLD: "cold"} if labels is None else labels,
        chains={"ethereum": "Ethereum"},
        explorers={"ethereum": "https://etherscan.io"},
        advice={} if advice is None else advice,
        markets={DEPLOYMENT: "Aave v3 Ethereum"},
        now=NOW,
    )
    return compose("alerts", notices, telling)


def text(*notices: Notice, advice: Advice | None = None) -> str:
    return str(told(*notices, advice={SUBJECT: advice} if advice else None).body)


def lines(literal: str) -> str:
    """A literal without the indentation of the test it stands in."""
    return dedent(literal).strip()
