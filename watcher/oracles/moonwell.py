"""Moonwell's contracts in front of feeds: products of feeds, answers held back for those who pay, bounded answers.

Source: moonwell-fi/moonwell-contracts-v2 @45866f4c, src/oracles/ChainlinkCompositeOracle.sol,
ChainlinkFeedOEVWrapper.sol and ChainlinkBoundedCompositeOracle.sol.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from watcher.domain.errors import ReadFailed
from watcher.domain.price import Chosen, Expression, Leaf, Product, value_of
from watcher.domain.source import ZERO_ADDRESS, Address
from watcher.oracles.round import Round, decimals_of, latest_round, round_data
from watcher.oracles.shape import Kind, Shape, Under, Unseen
from watcher.reads import Plan
from watcher.reads.abi import interface

_FEEDS: Final = interface("moonwell_feeds")
_base_of = _FEEDS.function("base", Address)
_multiplier_of = _FEEDS.function("multiplier", Address)
_second_of = _FEEDS.function("secondMultiplier", Address)
_original_of = _FEEDS.function("originalFeed", Address)
_cached_of = _FEEDS.function("cachedRoundId", int)
_delay_of = _FEEDS.function("maxRoundDelay", int)
_decrements_of = _FEEDS.function("maxDecrements", int)
_primary_of = _FEEDS.function("primaryLBTCOracle", Address)
_secondary_of = _FEEDS.function("fallbackLBTCOracle", Address)
_lower_of = _FEEDS.function("lowerBound", int)
_upper_of = _FEEDS.function("upperBound", int)


def scaled(part: Expression, decimals: int, wanted: int) -> Expression:
    """A part with so many decimals as an answer with `wanted`, cut off as `scalePrice` does.

    Raises `Unseen` on a part that is not positive, on which these contracts revert.
    """
    if value_of(part) <= 0:
        raise Unseen(f"a part of it answers {value_of(part)}, on which it reverts")
    if decimals == wanted:
        return part
    return Product(above=(part,), times=10 ** max(wanted - decimals, 0), over=10 ** max(decimals - wanted, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Composite:
    """Two or three feeds multiplied, each with its decimals. It claims to have been updated now, always."""

    address: Address
    feeds: tuple[Address, ...]
    places: tuple[int, ...]
    decimals: int

    def expression(self, under: Under) -> Plan[Expression]:
        """Their product."""
        parts = yield from under.parts(self.feeds)
        above = tuple(scaled(part, places, self.decimals) for part, places in zip(parts, self.places, strict=True))
        return Product(above=above, over=10 ** (self.decimals * (len(above) - 1)), source=self.address)


def _composite(source: Address, base: Address, multiplier: Address, decimals: int) -> Plan[Shape | None]:
    second = _second_of(source)
    got = yield [second]
    feeds = tuple(feed for feed in (base, multiplier, got[second]) if feed != ZERO_ADDRESS)
    return Composite(address=source, feeds=feeds, places=(yield from _places(feeds)), decimals=decimals)


def _places(feeds: tuple[Address, ...]) -> Plan[tuple[int, ...]]:
    asks = [decimals_of(feed) for feed in feeds]
    got = yield asks
    return tuple(got[ask] for ask in asks)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """A feed whose newest round counts only when somebody paid for it, or some seconds after it came."""

    address: Address
    feed: Address

    def expression(self, under: Under) -> Plan[Expression]:
        """The feed's last answer, or one before it. Raises `Unseen` where the contract reverts."""
        part = yield from under.part(self.feed)
        last, paid, delay, steps = latest_round(self.feed), *(ask(self.address) for ask in _RULES)
        got = yield [last, paid, delay, steps]
        said = got[last]
        if said.round_id != got[paid] and got.at.timestamp < said.updated_at + got[delay]:
            said = yield from self._before(said, got[steps])
        if said.answer <= 0 or said.updated_at == 0 or said.answered_in_round < said.round_id:
            raise Unseen(f"round {said.round_id} of {self.feed} is one on which it reverts")
        return _as_of(part, said)

    def _before(self, last: Round, steps: int) -> Plan[Round]:
        """The newest of so many rounds before; the last itself where none of them is to be had."""
        asks = [round_data(self.feed, last.round_id - back) for back in range(1, steps + 1) if last.round_id > back]
        got = yield asks
        found = (got.outcome(ask) for ask in asks)
        return next((one for one in found if not isinstance(one, ReadFailed)), last)


_RULES: Final = (_cached_of, _delay_of, _decrements_of)


def _as_of(part: Expression, said: Round) -> Expression:
    if not isinstance(part, Leaf):
        raise Unseen("the feed that it holds back is not one that we know")
    round_, answer, at = said.round_id, said.answer, said.updated_at
    return Leaf(replace(part.reading, answer=answer, updated_at=at, round=round_))


def _held_back(source: Address, feed: Address, *_rules: int) -> Plan[Shape | None]:
    yield []
    return HeldBack(address=source, feed=feed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounded:
    """A feed while its answer is within bounds, else another one."""

    address: Address
    feeds: tuple[Address, ...]
    places: tuple[int, ...]
    decimals: int

    def expression(self, under: Under) -> Plan[Expression]:
        """The one that counts, the other beside it."""
        lower, upper = _lower_of(self.address), _upper_of(self.address)
        got = yield [lower, upper]
        parts = yield from under.parts(self.feeds)
        first, second = (scaled(part, here, self.decimals) for part, here in zip(parts, self.places, strict=True))
        inside = got[lower] <= value_of(first) <= got[upper]
        used, other = (first, second) if inside else (second, first)
        what = "within its bounds" if inside else "the first is out of its bounds"
        return Chosen(of=used, others=(other,), source=self.address, what=what)


def _bounded(
    source: Address, primary: Address, secondary: Address, decimals: int, _lower: int, _upper: int
) -> Plan[Shape | None]:
    feeds = (primary, secondary)
    return Bounded(address=source, feeds=feeds, places=(yield from _places(feeds)), decimals=decimals)


COMPOSITE: Final = Kind("Moonwell composite", (_base_of, _multiplier_of, decimals_of), _composite)
HELD_BACK: Final = Kind("Moonwell OEV wrapper", (_original_of, *_RULES), _held_back)
BOUNDED: Final = Kind(
    "Moonwell bounded composite", (_primary_of, _secondary_of, decimals_of, _lower_of, _upper_of), _bounded
)
