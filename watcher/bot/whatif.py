"""What would become of every position if some prices were other: "/whatif ETH -20% WBTC -10%".

A name is a token's symbol or address, a pair such as ETH/USD, or what a pair prices. A pair moves its feed, and with it
every price that is made of it; so does a token that is priced by one feed as it stands. What is made of several things
moves alone: if wrapped ether falls by its own name, plain ether stands still. Health is the protocol's own formula over
these prices.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from watcher.alerts import figures
from watcher.alerts.clean import clean
from watcher.alerts.message import Level, Text, bold
from watcher.bot.phrases import as_of, counted, first, health, lines, named, paragraphs, unknown
from watcher.bot.view import Found, Misunderstood, View
from watcher.domain.errors import ReadFailed
from watcher.domain.position import Check, Leg, Numeraire, Position
from watcher.domain.price import FeedReading, Leaf, Price
from watcher.domain.source import Address
from watcher.risk.levers import unit_of, used

MOST_SHOCKS, MOST_TOLD = 10, 25
_MOST_RISE = 100_000  # per cent

_SHOCK = re.compile(
    r"\s*(?P<name>[^\s/]+(?:\s*/\s*[^\s/]+)?)\s+(?P<sign>[+\-−–—])?\s*(?P<size>\d{1,6}(?:[.,]\d{1,4})?)\s*%?(?=\s|$)"
)


@dataclass(frozen=True, slots=True)
class Shock:
    """A relative move of whatever is called `name`, `written` in per cent."""

    name: str
    move: Fraction
    written: str

    def of(self, value: int) -> int:
        """A price after it, rounded down; never nothing, for which no protocol has a formula."""
        return max(int(value * (1 + self.move)), 1)

    def __str__(self) -> str:
        return f"{clean(self.name)} {self.written}"


def read_shocks(text: str) -> tuple[Shock, ...]:
    """The moves that somebody wrote. Raises `Misunderstood`."""
    if not text.strip():
        raise Misunderstood("Name what moves, and by how much.")
    shocks: list[Shock] = []
    place = 0
    while text[place:].strip():
        match = _SHOCK.match(text, place)
        if match is None:
            raise Misunderstood(f"“{clean(text[place:], 40)}” is not a name and a move.")
        shocks.append(_shock(match))
        place = match.end()
    if len(shocks) > MOST_SHOCKS:
        raise Misunderstood(f"That is {len(shocks)} moves, and {MOST_SHOCKS} is the most.")
    return tuple(shocks)


def _shock(match: re.Match[str]) -> Shock:
    name, sign, size = match["name"], match["sign"], match["size"].replace(",", ".")
    if sign is None:
        raise Misunderstood(f"Which way does {clean(name)} move? Write −{size}% or +{size}%.")
    move = Fraction(size) / 100 * (1 if sign == "+" else -1)
    if move <= -1:
        raise Misunderstood(f"{clean(name)} can fall by less than 100 %.")
    if move > _MOST_RISE // 100:
        raise Misunderstood(f"{clean(name)} can rise by {_MOST_RISE:,} % at most.")
    return Shock(name, move, f"{'+' if sign == '+' else '−'}{size} %")


# --- What a name moves ------------------------------------------------------------------------------------------------

_Feed = tuple[str, Address]
_Alone = tuple[str, Address]


@dataclass(slots=True)
class _Moves:
    """Shocks by what they move: a feed of a chain, or a price of a deployment that no single feed is behind."""

    feeds: dict[_Feed, Shock] = field(default_factory=dict)
    alone: dict[_Alone, Shock] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)

    def prices(self, found: Found) -> Mapping[Address, Price]:
        """The prices under a position that are other."""
        moved = {leg.priced_as: self._moved(found, leg) for leg in found.position.legs}
        return {key: price for key, price in moved.items() if price is not None}

    def _moved(self, found: Found, leg: Leg) -> Price | None:
        alone = self.alone.get((found.position.id.deployment, leg.priced_as))
        if alone is not None:
            return leg.price.at(alone.of(leg.price.low))
        chain = found.position.at.chain
        answers = {
            reading.feed: self.feeds[chain, reading.feed].of(reading.answer)
            for reading in used(leg.price)
            if (chain, reading.feed) in self.feeds
        }
        return leg.price.with_feeds(answers) if answers else None


def _moves(shocks: Sequence[Shock], found: Sequence[Found]) -> _Moves:
    """Raises `Misunderstood` for a name of nothing, and for two that move the same."""
    moves = _Moves()
    for shock in shocks:
        hits = [(one, leg, _named(shock, leg)) for one in found for leg in one.position.legs]
        if not any(hit for *_, hit in hits):
            raise Misunderstood(f"No position here has {clean(shock.name)}. There are: {_known(found)}.")
        for one, leg, readings in hits:
            for reading in readings:
                _add(moves, shock, one, leg, reading)
    return moves


def _add(moves: _Moves, shock: Shock, one: Found, leg: Leg, reading: FeedReading | None) -> None:
    """`reading` is what moves, None the price of the leg alone."""
    if reading is not None:
        before = moves.feeds.setdefault((one.position.at.chain, reading.feed), shock)
        what, told = clean(reading.pair, 40), _feed_move(reading, shock)
    else:
        before = moves.alone.setdefault((one.position.id.deployment, leg.priced_as), shock)
        what, told = clean(leg.asset.symbol), _price_move(leg, one.position.numeraire, shock)
    if before is not shock:
        raise Misunderstood(f"{clean(before.name)} and {clean(shock.name)} both move {what}. Name one of them.")
    moves.told.setdefault(f"{one.position.at.chain}:{told}", told)


def _named(shock: Shock, leg: Leg) -> list[FeedReading | None]:
    """What moves of a leg's price by that name: feeds, the price alone (None), or nothing."""
    name, readings = _plain(shock.name), used(leg.price)
    by_pair = [one for one in readings if name in (_plain(one.pair), _plain(one.pair.partition("/")[0]))]
    if by_pair or name not in (_plain(leg.asset.symbol), _plain(leg.asset.address)):
        return [*by_pair]
    return [*readings] if isinstance(leg.price.expression, Leaf) else [None]


def _plain(name: str) -> str:
    return "".join(name.split()).casefold()


def _known(found: Sequence[Found]) -> str:
    symbols = dict.fromkeys(clean(leg.asset.symbol) for one in found for leg in one.position.legs)
    names = list(symbols)[:20]
    return ", ".join(names) + ("…" if len(symbols) > len(names) else "") or "none"


def quoted(reading: FeedReading, answer: int | None = None) -> str:
    """What a feed answers, in what its pair counts in."""
    return figures.price(reading.answer if answer is None else answer, unit_of(reading))


def _feed_move(reading: FeedReading, shock: Shock) -> str:
    then = quoted(reading, shock.of(reading.answer))
    return f"{clean(reading.pair, 40)}: {quoted(reading)} → {then}"


def _price_move(leg: Leg, numeraire: Numeraire, shock: Shock) -> str:
    then = figures.price(shock.of(leg.price.low), numeraire)
    return f"{clean(leg.asset.symbol)}: {figures.price(leg.price.low, numeraire)} → {then}"


# --- What comes of it -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """A position that owes something, and what it would be; or why that is not known."""

    found: Found
    after: Position | None
    why: str = ""

    @property
    def level(self) -> Level:
        return Level.OK if self.after is None else self.found.level_of(self.after)

    @property
    def told(self) -> Text:
        if self.after is None:
            return bold("UNKNOWN") + f" · {self.found.name}\n" + clean(self.why, 160)
        now, then = health(self.found.position), health(self.after)
        return named(self.level, self.found) + "\nhealth " + now + " → " + then


def what_if(arguments: Sequence[str], view: View) -> Text:
    """Health of each position before and after, the worst first."""
    found = view.found
    shocks = read_shocks(" ".join(arguments))
    moves = _moves(shocks, found)
    outcomes = sorted(_outcomes(found, moves), key=_badness)
    shown, more = first(outcomes, MOST_TOLD)
    lost = [unknown(one, view) for one in view.unreadable]
    return paragraphs(
        [
            lines([bold("If " + ", ".join(map(str, shocks))), *(Text(told) for told in moves.told.values())]),
            Text(_verdict(outcomes)),
            *(outcome.told for outcome in shown),
            lines([*more, *_rest(found, outcomes)]),
            lines(lost),
            as_of(view.sights, view.now),
        ]
    )


def _outcomes(found: Sequence[Found], moves: _Moves) -> Iterator[_Outcome]:
    for one in found:
        prices = moves.prices(one)
        if not prices or not one.position.health.required:
            continue
        if one.position.check is Check.MISMATCH:
            yield _Outcome(found=one, after=None, why="our formula and the contract differ")
            continue
        try:
            yield _Outcome(found=one, after=one.held.reprice(prices))
        except ReadFailed as problem:
            yield _Outcome(found=one, after=None, why=str(problem))


def _badness(outcome: _Outcome) -> tuple[object, ...]:
    if outcome.after is None:
        return (0,)
    return (1, -outcome.level, outcome.after.health.factor, str(outcome.found.position.id))


def _verdict(outcomes: Sequence[_Outcome]) -> str:
    lost = [one for one in outcomes if one.after and one.after.health.liquidatable]
    if not lost:
        return "None would be liquidatable." if outcomes else "No debt depends on it."
    already = sum(one.found.position.health.liquidatable for one in lost)
    suffix = f", {already} of them now already" if already else ""
    return f"{len(lost)} of {counted(len(outcomes), 'position')} would be liquidatable{suffix}."


def _rest(found: Sequence[Found], outcomes: Sequence[_Outcome]) -> list[Text]:
    rest = len(found) - len(outcomes)
    return [Text(f"{counted(rest, 'other')} without debt, or not moved by it")] if rest else []
