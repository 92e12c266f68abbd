"""What a price is made of, as a tree for people."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text
from rich.tree import Tree

from watcher.alerts import figures
from watcher.alerts.ages import PriceAge
from watcher.alerts.clean import clean, shortened, visible
from watcher.check.feeds import Priced
from watcher.check.prices import off
from watcher.config.settings import short
from watcher.domain.position import Numeraire
from watcher.domain.price import (
    Cap,
    Chosen,
    Expression,
    FeedReading,
    Fixed,
    Freshness,
    Leaf,
    Opaque,
    Price,
    Product,
    Rate,
)
from watcher.domain.source import ZERO_ADDRESS, Address
from watcher.risk.levers import unit_of, unit_of_rate

STYLES = {Freshness.FRESH: "", Freshness.UNKNOWN: "magenta", Freshness.STALE: "bold yellow"}
_LONGEST = 160


def as_tree(priced: Priced) -> Tree:
    """One price: its value, and below it what it is made of and who else has a word on it."""
    position, price = priced.finding.position, priced.price
    head = Text(f"{clean(priced.symbol)} ", style="bold")
    head.append(f"{figures.price(price.low, position.numeraire)}", style="")
    head.append(f" · {visible(priced.chain.title)}{_at(price.source)}", style="dim")
    tree = Tree(head, guide_style="dim")
    _grow(tree, price.expression, position.at.timestamp, None)
    for line in _beside(price, price.low, position.numeraire, position.at.timestamp):
        tree.add(line)
    return tree


def worth_a_tree(price: Price) -> bool:
    """Whether there is more to be said of a price than the line of its feed says."""
    match price.expression:
        case Leaf(reading):
            return bool(reading.beside or price.beside or reading.unheard or price.unheard)
        case _:
            return True


def _grow(tree: Tree, expression: Expression, now: int, unit: Numeraire | None, role: str = "") -> None:
    branch = tree.add(Text(role, style="dim") + _line(expression, now, unit))
    match expression:
        case Leaf(reading):
            for line in _beside(reading, reading.answer, unit_of(reading), now):
                branch.add(line)
        case Product():
            several = len(expression.above) + len(expression.below) > 1
            for part in expression.above:
                _grow(branch, part, now, None, "× " if several else "")
            for part in expression.below:
                _grow(branch, part, now, None, "÷ ")
        case Cap():
            _grow(branch, expression.of, now, _unit(expression.of))
            _grow(branch, expression.at, now, _unit(expression.of), "at most ")
        case Chosen():
            _grow(branch, expression.of, now, unit, "used: ")
            for other in expression.others:
                _grow(branch, other, now, unit or _unit(expression.of), "beside: ")
        case _:
            pass


def _line(expression: Expression, now: int, unit: Numeraire | None) -> Text:
    match expression:
        case Leaf(reading):
            return _feed(reading, now)
        case Fixed(value, why):
            return Text(f"{_value(value, unit)} fixed: {_said(why)}")
        case Opaque(source, value, why):
            return Text(f"{short(source)} {_value(value, unit)} of unknown age: {_said(why)}", style="magenta")
        case Rate():
            rate = _value(expression.value, unit_of_rate(expression))
            growth = f", at most {expression.growth * 100:.1f} % a year more" if expression.growth is not None else ""
            return Text(f"rate {_said(expression.what)} {rate}{growth}{_at(expression.source)}")
        case Product():
            return Text(f"{_said(expression.what) or 'product'}{_at(expression.source)}")
        case Cap():
            name = _said(expression.what) or "cap"
            if expression.active:
                return Text(f"{name}: CAP ACTIVE", style="bold yellow") + Text(_at(expression.source))
            return Text(f"{name}: cap not active{_at(expression.source)}")
        case Chosen():
            return Text(f"{_said(expression.what) or 'chosen'}{_at(expression.source)}")


def _feed(reading: FeedReading, now: int) -> Text:
    freshness = reading.freshness(now)
    age = PriceAge(source=reading.feed, reading=reading, freshness=freshness, now=now)
    line = Text(f"{clean(reading.pair, 40)} {figures.price(reading.answer, unit_of(reading))} · ")
    return line.append(str(age), style=STYLES[freshness]).append(
        f" · {reading.kind} {short(reading.feed)}", style="dim"
    )


def _beside(of: FeedReading | Price, ours: int, unit: Numeraire, now: int) -> Iterator[Text]:
    """What second sources say of the same, and those that say nothing that counts."""
    for one in of.beside:
        by, freshness = one.by, one.by.freshness(now)
        apart = f", {figures.percent(off(one.value, ours))} off" if ours else ""
        text = f"second source {clean(by.pair, 40)}: {figures.price(one.value, unit)}{apart}, {freshness}"
        yield Text(text, style=STYLES[freshness]) + Text(f" · {by.kind} {short(by.feed)}", style="dim")
    for silent in of.unheard:
        yield Text(f"second source {short(silent.source)} says nothing: {_said(silent.why)}", style="magenta")


def _unit(expression: Expression) -> Numeraire | None:
    """What a part counts, where that is known: for the numbers that stand beside it."""
    match expression:
        case Leaf(reading):
            return unit_of(reading)
        case Rate():
            return unit_of_rate(expression)
        case Cap():
            return _unit(expression.of)
        case Chosen():
            return _unit(expression.of)
        case _:
            return None


def _value(value: int, unit: Numeraire | None) -> str:
    return f"{value:,}" if unit is None else figures.price(value, unit)


def _at(source: Address) -> str:
    return "" if source == ZERO_ADDRESS else f" · {short(source)}"


def _said(text: str) -> str:
    return shortened(visible(text), _LONGEST)
