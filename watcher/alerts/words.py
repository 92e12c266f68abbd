"""The words of a message. One message per chat and snapshot, the worst first, every number with where it is from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import assert_never

from watcher.alerts import figures, moves, sequencing, sources, trust
from watcher.alerts.clean import clean, titled
from watcher.alerts.happened import Happened
from watcher.alerts.message import Level, Message, Section, Text, bold, code, joined, link
from watcher.alerts.outlook import Advice, cautions, ways_back
from watcher.alerts.policy import Kind, Notice
from watcher.alerts.record import Rule
from watcher.alerts.rules import Rules
from watcher.alerts.sighting import (
    Blind,
    Closed,
    Feed,
    Fell,
    Lost,
    Near,
    Seen,
    Sequencing,
    Suspect,
    Unsure,
    Unwatched,
)
from watcher.alerts.spoken import living_in, standings_in, trust_in
from watcher.domain.health import INFINITE
from watcher.domain.position import Leg, Position
from watcher.domain.source import Address

IN_FULL = 6
"""Notices told in full in one message; the rest are told in a line each, so that all are named."""

_LIMITS = {Level.WARN: "warn", Level.CRITICAL: "critical", Level.LIQUIDATABLE: "liquidation"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What the words need besides the notices: the user's names for things, and the time now (Unix seconds).

    `trends` say by subject where health goes, where that is known.
    """

    labels: Mapping[Address, str]
    chains: Mapping[str, str]
    explorers: Mapping[str, str]
    advice: Mapping[str, Advice]
    markets: Mapping[str, str]
    now: int
    trends: Mapping[str, str] = field(default_factory=dict)

    def wallet(self, address: Address) -> str:
        return clean(self.labels.get(address) or f"{address[:6]}…{address[-4:]}", 32)

    def subject(self, subject: str) -> tuple[str, str]:
        """The wallet and the market of a position that is no longer there to ask."""
        deployment, wallet = subject.split("/")[:2]
        return self.wallet(Address(wallet)), titled(self.markets.get(deployment, deployment))

    def chain(self, name: str) -> str:
        return titled(self.chains.get(name, name))


def compose(chat: str, notices: Sequence[Notice], telling: Telling, *, held_until: int = 0) -> Message:
    """Notices of one snapshot for one chat as one message. Raises ValueError on none."""
    ordered = sorted(notices, key=urgency)
    told: set[tuple[str, str]] = set()
    sections = []
    for place, notice in enumerate(ordered):
        reason = _reason(notice)
        known = reason in told
        sections.append(_section(notice, telling, brief=place >= IN_FULL or known, known=known))
        told |= {reason} if reason and place < IN_FULL else set()
    return Message.of(chat, sections, telling.now, held_until=held_until)


def _reason(notice: Notice) -> tuple[str, str] | None:
    """Why a position could not be read: one fault of a market hits all its positions, and is told once."""
    facts = notice.sighting.facts
    return (facts.unreadable.market, facts.unreadable.reason) if isinstance(facts, Lost) else None


def _section(notice: Notice, telling: Telling, *, brief: bool, known: bool) -> Section:
    key = notice.record.key
    # An event is told once: a later one of the same position does not stand for it, so it has a name of its own.
    facts = notice.sighting.facts
    rule = f"{key.rule}@{notice.record.fired_block}.{facts.name}" if isinstance(facts, Happened) else key.rule
    return Section(
        rule=rule,
        subject=key.subject,
        severity=notice.severity,
        level=notice.record.level,
        body=in_brief(notice, telling) + (", for the same reason" * known) if brief else _in_full(notice, telling),
        at=telling.now,
        since=telling.now,
        brief=brief,
        episode=notice.record.episode,
        opens=notice.kind is Kind.RAISED,
        health=position.health.factor if (position := living_in(notice.sighting.facts)) else None,
        positions=tuple(standings_in(facts)),
        wallets=notice.sighting.wallets,
        weight=notice.weight,
    )


def urgency(notice: Notice) -> tuple[int, Decimal]:
    """The order of telling: the worst level first, and within it the lowest health."""
    position = living_in(notice.sighting.facts)
    return -notice.severity, position.health.factor if position else INFINITE


def in_brief(notice: Notice, telling: Telling) -> Text:
    """A notice in one line."""
    position = living_in(notice.sighting.facts)
    trend = telling.trends.get(notice.record.key.subject, "")
    health = f" · health {figures.health(position.health.factor)}{trend}" if position else ""
    health += trust.beside(position, trust_in(notice.sighting.facts)) if position else ""
    return _headline(notice, telling) + health


def _in_full(notice: Notice, telling: Telling) -> Text:
    return joined([_headline(notice, telling), *below_headline(notice, telling)])


def below_headline(notice: Notice, telling: Telling) -> list[Text]:
    """What a notice in full says, line by line."""
    facts = notice.sighting.facts
    match facts:
        case Seen(position):
            lines = _position(notice, position, telling)
        case Near(position, _):
            lines = [_distance(notice, facts), *_in_short(notice, position, telling)]
        case Fell(position, fall):
            lines = [moves.fall(fall, notice.sighting.rules), *_in_short(notice, position, telling)[1:]]
        case Unsure(position):
            lines = [*sources.unsure(facts, stands=bool(notice.record.level)), *_in_short(notice, position, telling)]
        case Happened():
            doubted = [] if facts.gone else trust.lines(facts.position, facts.trust)
            lines = [*moves.event(facts), *doubted, _block(facts.position, telling)]
        case Lost(unreadable):
            lines = [
                Text(f"{clean(unreadable.reason, 300)} (unreadable)"),
                Text("This is not an all-clear: its health is unknown. Look at it in the protocol's own app."),
            ]
        case Closed():
            lines = [Text("The position is closed.")]
        case Feed():
            lines = sources.feed(facts, telling.wallet, stands=bool(notice.record.level))
        case Suspect():
            stands_for = telling.now - notice.record.since if notice.record.level else None
            lines = sources.suspect(facts, telling.wallet, stands_for)
        case Unwatched():
            lines = sources.unwatched(facts, notice.record.key.rule, telling.wallet)
        case Blind():
            lines = sources.blind(facts, telling.now)
        case Sequencing():
            lines = sequencing.told(facts, telling.wallet, notice.record.level)
        case _:
            assert_never(facts)
    return lines


def _headline(notice: Notice, telling: Telling) -> Text:
    facts, record = notice.sighting.facts, notice.record
    match facts:
        case Seen(position):
            wallet, market = telling.wallet(position.id.wallet), titled(position.market)
            name = f"READABLE AGAIN{_pending(notice)}" if record.key.rule is Rule.UNREADABLE else _standing(notice)
            return bold(name) + f" · {wallet} · {market}"
        case Near(position, _):
            place = f"{telling.wallet(position.id.wallet)} · {titled(position.market)}"
            return bold(_standing(notice)) + f" · distance to liquidation · {place}"
        case Fell(position, _):
            name = f"{_still(notice)}FAST DROP" if notice.record.level else "DROP OVER"
            return bold(name) + f" · {telling.wallet(position.id.wallet)} · {titled(position.market)}"
        case Unsure(position):
            name = f"{_still(notice)}PRICE OF UNKNOWN AGE" if record.level else "PRICES OF KNOWN AGE"
            return bold(name) + f" · {telling.wallet(position.id.wallet)} · {titled(position.market)}"
        case Happened(position=position):
            return bold(moves.name(facts)) + f" · {telling.wallet(position.id.wallet)} · {titled(position.market)}"
        case Lost(unreadable):
            wallet, market = telling.wallet(unreadable.id.wallet), titled(unreadable.market)
            return bold(f"{_still(notice)}UNREADABLE") + f" · {wallet} · {market}"
        case Closed(subject):
            return bold(f"CLOSED{_pending(notice)}") + f" · {_place(subject, telling)}"
        case Feed(subject, reading, _):
            name = f"{_still(notice)}STALE PRICE" if record.level else "PRICE ALIVE" if reading else "PRICE NOT NEEDED"
            return bold(name) + f" · {_place(subject, telling, clean(reading.pair, 40) if reading else '')}"
        case Suspect(subject):
            return bold(_suspect(notice, facts)) + f" · {_place(subject, telling, _priced(facts))}"
        case Unwatched(subject):
            return bold("NO LONGER WATCHED") + f" · {sources.CALLED[record.key.rule]} · {_place(subject, telling)}"
        case Blind(chain, problem, _):
            name = f"{_still(notice)}BLIND" if problem else "SEEING AGAIN"
            return bold(name) + f" · {telling.chain(chain)}"
        case Sequencing(chain):
            name = sequencing.headline(facts, record.level)
            return bold(f"{_still(notice)}{name}") + f" · {telling.chain(chain)}"
        case _:
            assert_never(facts)


def _place(subject: str, telling: Telling, pair: str = "") -> str:
    """A position or a feed that is known by its name alone."""
    if "/" in subject:
        return " · ".join(telling.subject(subject))
    chain, *feeds = subject.split(":")
    if not feeds:
        return telling.chain(chain)
    feed = feeds[0]
    return f"{pair or f'{feed[:6]}…{feed[-4:]}'} · {telling.chain(chain)}"


def _suspect(notice: Notice, found: Suspect) -> str:
    if not notice.record.level:
        return "PRICE NOT SUSPECT ANY MORE" if found.dependents else "PRICE NOT NEEDED"
    if notice.record.level >= Level.CRITICAL:
        return f"{_still(notice)}CRITICAL: SUSPECT PRICE"
    return f"{_still(notice)}SUSPECT PRICE{', was CRITICAL' if notice.before.level >= Level.CRITICAL else ''}"


def _priced(found: Suspect) -> str:
    """What the source prices; nothing where that is not known any more."""
    if found.doubt is not None:
        return clean(found.doubt.name, 40)
    source = found.subject.split(":")[1]
    readings = (reading for one in found.dependents for reading in one.feeds if reading.feed == source)
    return next((clean(reading.pair, 40) for reading in readings), "")


def _standing(notice: Notice) -> str:
    now, was = notice.record.level.word, notice.before.level.word
    return f"{now}, was {was}" if notice.before.level not in (Level.OK, notice.record.level) else _still(notice) + now


def _still(notice: Notice) -> str:
    return "STILL " if notice.kind is Kind.REMINDER else ""


def _pending(notice: Notice) -> str:
    """Good news that is reminded of before it is confirmed."""
    return ", to be confirmed" if notice.record.level else ""


# --- Positions --------------------------------------------------------------------------------------------------------


def _position(notice: Notice, position: Position, telling: Telling) -> list[Text]:
    """How bad, how near and what to do come first: a telephone's lock screen shows no more."""
    advice = telling.advice.get(str(position.id), Advice())
    lines = [_health(notice, position, telling), *trust.lines(position, trust_in(notice.sighting.facts))]
    lines += [Text(note) for note in cautions(position)]
    if notice.record.level:
        lines += _liquidations(position, advice)
        lines += _remedies(advice, notice.sighting.rules)
    lines.append(
        Text(
            f"collateral {figures.value(position.collateral, position.numeraire)}"
            f" ({_tokens(position, owed=False)})\n"
            f"debt {figures.value(position.debt, position.numeraire)} ({_tokens(position, owed=True)})"
        )
    )
    if position.health.required:
        lines.append(sources.prices(position))
    lines.append(_block(position, telling))
    return lines


def _in_short(notice: Notice, position: Position, telling: Telling) -> list[Text]:
    """What is told of a position beside something else: its health, what would help, and where that was seen."""
    remedies = _remedies(telling.advice.get(str(position.id), Advice()), notice.sighting.rules)
    doubted = trust.lines(position, trust_in(notice.sighting.facts))
    lines = [_health(notice, position, telling), *doubted, *map(Text, cautions(position))]
    return [*lines, *(remedies if notice.record.level else []), _block(position, telling)]


def _distance(notice: Notice, near: Near) -> Text:
    eased = notice.kind in (Kind.EASED, Kind.RESOLVED)
    return moves.distance(near, notice.record.level, notice.sighting.rules, eased=eased)


def _health(notice: Notice, position: Position, telling: Telling) -> Text:
    """The rule as the user wrote it, with the value that broke it."""
    factor = position.health.factor
    shown = Text("health ") + code(figures.health(factor)) + telling.trends.get(notice.record.key.subject, "")
    return shown + (": no debt" if factor == INFINITE else _against_limit(notice, position))


def _against_limit(notice: Notice, position: Position) -> str:
    rules, level, factor = notice.sighting.rules, notice.record.level, position.health.factor
    if notice.record.key.rule is not Rule.HEALTH:
        return ""
    if notice.kind in (Kind.EASED, Kind.RESOLVED):
        left = Level(level + 1)
        return f", clear of {rules.limit(left)} ({_LIMITS[left]}) by at least {_percent(rules)}"
    limit = f"{rules.limit(level)} ({_LIMITS[level]})"
    if factor < rules.limit(level):
        return f" < {limit}"
    if position.health.liquidatable:
        return f" ≤ {limit}"
    clear = rules.holding(factor, liquidatable=False) < level
    return f", above {limit}, to be confirmed" if clear else f", not yet clear of {limit}"


def _percent(rules: Rules) -> str:
    return f"{(rules.clear * 100).normalize():f} %"


def _tokens(position: Position, *, owed: bool) -> str:
    legs = [leg for leg in position.legs if (leg.amount < 0) == owed]
    return ", ".join(_token(leg) for leg in legs) or "none"


def _token(leg: Leg) -> str:
    return f"{figures.amount(abs(leg.amount), leg.asset.decimals)} {clean(leg.asset.symbol)}"


def _liquidations(position: Position, advice: Advice) -> list[Text]:
    """The moves nearest to liquidation, each with the others standing still."""
    return [moves.liquidation(price, position) for price in advice.liquidations[:3]]


def _remedies(advice: Advice, rules: Rules) -> list[Text]:
    if not advice.remedies:
        return []
    return [bold(f"to get back to {rules.target}") + ", one of:", *ways_back(advice)]


def _block(position: Position, telling: Telling) -> Text:
    where = f"block {position.at.number:,}, {figures.duration(max(position.at.age(telling.now), 0))} old"
    explorer = telling.explorers.get(position.at.chain)
    return link(where, f"{explorer}/address/{position.id.account}") if explorer else Text(where)
