"""The words of distances, of falls and of events: what moved, and how far, beside the limit as the user wrote it."""

from __future__ import annotations

from decimal import Decimal

from watcher.alerts import figures
from watcher.alerts.clean import clean
from watcher.alerts.falls import Fall
from watcher.alerts.happened import Change, Happened, What
from watcher.alerts.message import Level, Text, code
from watcher.alerts.rules import Rules
from watcher.alerts.sighting import Near
from watcher.domain.position import Position, Term
from watcher.risk.liquidation import LiquidationPrice

_NAMES = {
    What.OPENED: "OPENED",
    What.CLOSED: "CLOSED BY A TRANSACTION",
    What.CHANGED: "CHANGED BY A TRANSACTION",
    What.LIQUIDATED: "LOOKS LIQUIDATED",
    What.TERMS: "TERMS CHANGED",
}
_RULES = {What.LIQUIDATED: "(liquidated)", What.TERMS: "(terms)"}
"""The rule that an event is told by; `events` for all others."""
_UNDONE = {
    What.OPENED: "NOT OPENED AFTER ALL",
    What.CLOSED: "NOT CLOSED AFTER ALL",
    What.CHANGED: "NOT CHANGED AFTER ALL",
    What.LIQUIDATED: "NOT LIQUIDATED AFTER ALL",
    What.TERMS: "TERMS NOT CHANGED AFTER ALL",
}


def name(happened: Happened) -> str:
    """How a message calls what has happened, or has not happened after all."""
    return (_UNDONE if happened.undone else _NAMES)[happened.what]


def distance(near: Near, level: Level, rules: Rules, *, eased: bool) -> Text:
    """The move that liquidates first, beside the limit of `level`; where it has just eased to that, the next worse."""
    limits = {Level.WARN: rules.distance_warn, Level.CRITICAL: rules.distance_critical}
    concerned = [one for one in limits if one > level] if eased else [one for one in limits if one == level]
    written = [f"{_percent(limits[one])} (distance_{one.name.lower()})" for one in concerned if limits[one] is not None]
    limit = next(iter(written), "a limit that is not set any more")
    if near.price is None:
        return Text(f"No move of one price liquidates it; the limit was {limit}.")
    stands = "clear of" if eased else _beside(near.price, level, rules)
    return liquidation(near.price, near.position) + f", {stands} {limit}"


def _beside(price: LiquidationPrice, level: Level, rules: Rules) -> str:
    firing, holding = rules.near(price.distance)
    if firing >= level:
        return "nearer than"
    return "not yet clear of" if holding >= level else "to be confirmed as clear of"


def fall(found: Fall, rules: Rules) -> Text:
    """How far health fell, in what time, beside the rule."""
    limit = f"drop {_percent(rules.drop)} within {figures.duration(rules.drop_within)}" if rules.drop else "no limit"
    if found.share <= 0:
        return Text("health ") + code(figures.health(found.now.factor)) + f": no fall is left of it; the rule: {limit}"
    ago = figures.duration(max(found.now.at - found.top.at, 0))
    height = figures.health(found.top.factor)
    fell = f": {figures.percent(found.share)} below {height}, {ago} before; the rule: {limit}"
    return Text("health ") + code(figures.health(found.now.factor)) + fell


def event(happened: Happened) -> list[Text]:
    """What changed, an asset a line, and what it did to health."""
    now = figures.health(happened.position.health.factor)
    if happened.undone:
        took_back = Text("The chain took back the block in which that was seen (a reorganisation).")
        return [took_back] if happened.gone else [took_back, Text(f"health {now}")]
    lines = [Text(_change(change, happened.what)) for change in happened.changes]
    lines += [Text(_term(was, is_now)) for was, is_now in happened.terms]
    rule = _RULES.get(happened.what, "(events)")
    if happened.unseen and happened.what is What.OPENED:
        lines.append(Text(f"Opened within the last {figures.duration(happened.unseen)}."))
    elif happened.unseen:
        lines.append(Text(f"Nobody looked for {figures.duration(happened.unseen)}: interest is in these amounts."))
    if happened.what is What.LIQUIDATED:
        while_ = "nobody looked" if happened.unseen else "health allowed a liquidation"
        lines.append(Text(f"Collateral and debt went together while {while_}."))
    if happened.before is None:
        return [*lines, Text(f"health {now} {rule}")]
    before = figures.health(happened.before)
    gone = happened.position.health.factor == happened.before
    return [*lines, Text(f"health was {before} {rule}" if gone else f"health {before} → {now} {rule}")]


def _term(was: Term, now: Term) -> str:
    of = f" of {clean(now.of)}" if now.of else ""
    return f"{clean(now.what, 60)}{of}: {clean(was.value, 60)} → {clean(now.value, 60)}"


def _change(change: Change, what: What) -> str:
    amount = f"{figures.amount(abs(change.amount), change.asset.decimals)} {clean(change.asset.symbol)}"
    if what is What.LIQUIDATED:
        return f"{amount} of the {'debt was repaid' if change.owed else 'collateral is gone'}"
    if change.owed:
        return f"{'borrowed' if change.amount > 0 else 'repaid'} {amount}"
    return f"added {amount} to the collateral" if change.amount > 0 else f"took {amount} out of the collateral"


def _percent(share: Decimal | None) -> str:
    return f"{((share or Decimal(0)) * 100).normalize():f} %"


def liquidation(price: LiquidationPrice, position: Position) -> Text:
    """A price at which a position is liquidated, and how far away that is."""
    move = f" ({'+' if price.distance > 0 else ''}{figures.percent(price.distance)})"
    return (
        Text(f"liquidation at {clean(price.lever.name, 40)} ")
        + code(figures.price(price.value, price.counted_in(position)))
        + move
    )
