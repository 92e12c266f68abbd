"""Oracles that are asked for the price of a token: recognised, for each token, by what they answer.

As in `sources.py`, a kind is told by its getters, its `TokenShape` is remembered for a day, and what it makes of the
feeds has to come to the very number that the oracle answered; else that oracle's part is `Opaque`, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from watcher.domain.errors import ReadFailed
from watcher.domain.price import Expression, Opaque, value_of
from watcher.domain.source import ZERO_ADDRESS, Address
from watcher.oracles.apart import asked_apart
from watcher.oracles.shape import FeedBook, Unseen
from watcher.oracles.sources import REMEMBERED
from watcher.reads import Call, Memo, Outcome, Plan, lasting
from watcher.reads.abi import Function, interface

_TOKEN: Final = interface("compound_v2_token")
decimals_of_token: Final = _TOKEN.function("decimals", int)
symbol_of: Final = _TOKEN.function("symbol", str)
underlying_of: Final = _TOKEN.function("underlying", Address)

DEEPEST: Final = 12
"""How many questions may stand on one another: each token that is worth another takes three."""
SCALE: Final = 18
"""The decimals of prices before the token's own are made up for, and of a chain's own coin."""


class TokenShape(Protocol):
    """What seldom changes of how one oracle prices one token. Frozen, so that it can be remembered."""

    def expression(self, asking: Asking) -> Plan[Expression]:
        """How its price at this block is made. Raises `ReadFailed` where a part of it does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenKind:
    """A kind of oracle: all of `asks`, without arguments, and all of `of_token`, with the token, have to answer.

    `shape` is given the oracle, the token and the answers in that order. It may ask further, and returns None where it
    is another kind after all.
    """

    name: str
    asks: tuple[Function[Any], ...] = ()
    of_token: tuple[Function[Any], ...] = ()
    shape: Callable[..., Plan[TokenShape | None]]

    def calls(self, oracle: Address, token: Address) -> tuple[Call[Any], ...]:
        """The questions that tell whether an oracle is of this kind."""
        return (*(ask(oracle) for ask in self.asks), *(ask(oracle, token) for ask in self.of_token))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What a shape asks other oracles by: the feeds and kinds that are known, and the questions it stands under."""

    book: FeedBook
    kinds: tuple[TokenKind, ...]
    price_of: Function[int]
    path: tuple[tuple[Address, Address], ...] = ()

    def price(self, oracle: Address, token: Address) -> Plan[Expression]:
        """What an oracle answers now, as an expression. Raises `ReadFailed` where it answers nothing."""
        ask = self.price_of(oracle, token)
        got = yield [ask]
        return (yield from self.explained(oracle, token, got[ask]))

    def explained(self, oracle: Address, token: Address, value: int) -> Plan[Expression]:
        """The expression of what an oracle answered: at the second try by its shape as it is today.

        `Opaque` where none comes to `value`. Raises nothing.
        """
        if (oracle, token) in self.path or len(self.path) >= DEEPEST:
            return Opaque(oracle, value, "its oracles go round in circles, or too deep")
        why = ""
        for afresh in (False, True):
            found = yield from self._tried(oracle, token, afresh=afresh)
            if not isinstance(found, str):
                if value_of(found) == value:
                    return found
                found = f"what is seen under it comes to {value_of(found)}, and it answers {value}"
            why = found
        return Opaque(oracle, value, why)

    def _tried(self, oracle: Address, token: Address, *, afresh: bool) -> Plan[Expression | str]:
        """The expression, or why there is none."""
        memo: Memo[TokenShape | None] = Memo("shape by token", (oracle, token))
        under = replace(self, path=(*self.path, (oracle, token)))
        try:
            shape = yield from lasting(memo, lambda: self._recognised(oracle, token), lasts=REMEMBERED, afresh=afresh)
            if shape is None:
                return "it answers like no oracle that we know"
            return (yield from shape.expression(under))
        except ReadFailed as problem:
            return str(problem)

    def _recognised(self, oracle: Address, token: Address) -> Plan[TokenShape | None]:
        if ZERO_ADDRESS in (oracle, token):
            raise Unseen("no oracle, or no token, is named")
        calls = {kind.name: kind.calls(oracle, token) for kind in self.kinds}
        found = yield from asked_apart(oracle, {call: call for asked in calls.values() for call in asked})
        for kind in self.kinds if found else ():
            answers: list[Outcome[Any]] = [found[call] for call in calls[kind.name]]
            if not any(isinstance(answer, ReadFailed) for answer in answers):
                shape = yield from _shaped(kind, oracle, token, answers)
                if shape is not None:
                    return shape
        return None


def _shaped(kind: TokenKind, oracle: Address, token: Address, answers: list[Any]) -> Plan[TokenShape | None]:
    """The shape; None where the oracle has the getters of that kind and not its parts."""
    try:
        return (yield from kind.shape(oracle, token, *answers))
    except ReadFailed:
        return None


def decimals_or_coin(token: Address) -> Plan[int]:
    """A token's decimals; 18 for the marker that stands for a chain's own coin, which is no contract."""
    places = decimals_of_token(token)
    got = yield [places]
    decimals = got.outcome(places)
    return SCALE if isinstance(decimals, ReadFailed) else decimals


def missing(decimals: int) -> int:
    """By how many decimals fewer than 18. Raises `Unseen` on more, where the oracles themselves revert."""
    if decimals > SCALE:
        raise Unseen(f"{decimals} decimals, where its oracle reverts on more than {SCALE}")
    return SCALE - decimals
