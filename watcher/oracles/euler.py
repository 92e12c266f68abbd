"""Euler's price oracles: from what a vault is quoted for its collateral to the feeds underneath.

A vault asks its `oracle()`, mostly an `EulerRouter`, what an amount of one token is worth in another, its unit of
account. A router sends the question on: to the oracle that is configured for the pair; or, where the token is a vault
that it resolves, with the assets of that vault in its place; or to its fallback. Oracles ask oracles: a `CrossAdapter`
takes the worth of what the first makes of the amount from the second, each cutting off what is below a unit. So the
expression is that of one amount, cut off where the contracts do, and equal to theirs to the unit for that amount.

Unlike the sources of `sources.py`, these know no single answer: every question names an amount and a pair. Who they
are is remembered like there; how a router is configured is asked each time.

Source: euler-xyz/euler-price-oracle @ 18a3e34d, src/EulerRouter.sol and src/adapter/**.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from watcher.domain.errors import CallReverted, ReadFailed
from watcher.domain.price import Expression, Opaque, Price, Rate, value_of
from watcher.domain.source import ZERO_ADDRESS, Address
from watcher.oracles.euler_adapters import ORACLE, PRICINGS, RATES, Pair, Parts, Pricing, get_quote
from watcher.oracles.euler_scale import (
    Amount,
    Unpriced,
    asked_decimals,
    converted,
    decimals_in,
    number,
    plain,
    refusal,
    worth,
    worth_inverse,
)
from watcher.oracles.round import decimals_of
from watcher.oracles.shape import DEEPEST, FeedBook, Unseen
from watcher.oracles.sources import REMEMBERED
from watcher.reads import Memo, Plan, lasting
from watcher.reads.abi import Function

_name = ORACLE.function("name", str)
_configured = ORACLE.function("getConfiguredOracle", Address)
_resolved = ORACLE.function("resolvedVaults", Address)
_fallback = ORACLE.function("fallbackOracle", Address)
_assets_of = RATES.function("convertToAssets", int, gas=500_000)
_pooled = RATES.function("getPooledEthByShares", int)
_shares = RATES.function("getSharesByPooledEth", int)

_ADDRESSES: Final = (
    "base quote feed cross oracleBaseCross oracleCrossQuote pyth rateProvider STETH WSTETH WETH pendleMarket"
)
_GETTERS: Final[tuple[tuple[str, Function[Any]], ...]] = (
    *((name, ORACLE.function(name, Address)) for name in _ADDRESSES.split()),
    *((name, ORACLE.function(name, int)) for name in ("maxStaleness", "maxConfWidth", "feedDecimals", "rate")),
    ("twapWindow", ORACLE.function("twapWindow", int)),
    ("feedId", ORACLE.function("feedId", bytes)),
)


def quote_of(oracle: Address, base: Address, quote: Address, amount: int, book: FeedBook) -> Plan[Price]:
    """What `amount` (in smallest units) of `base` is worth in smallest units of `quote`, as `getQuote` answers.

    With `amount` = 10^decimals that is the price of one whole token, in units of account of 10^-18 where the unit is a
    currency such as 0x…0348. Raises `Unpriced`, in words, where the oracle refuses, and never gives a number then.
    """
    ask = get_quote(oracle, amount, base, quote)
    got = yield [ask]
    said = got.outcome(ask)
    if isinstance(said, CallReverted):
        raise (yield from _why_not(oracle, base, quote, amount, book, said))
    if isinstance(said, ReadFailed):
        raise said
    return (yield from quote_from(oracle, base, quote, amount=amount, value=said, book=book))


def quote_from(
    oracle: Address, base: Address, quote: Address, *, amount: Amount, value: int, book: FeedBook
) -> Plan[Price]:
    """The same where `value` is known: what `getQuote(amount, base, quote)` answered to a protocol.

    An `amount` that is an expression stays one, so that it can be another with the rest as it is; where a contract
    converts it by itself, that goes in proportion.

    The expression has the unit of `value`: smallest units of `quote`, for `amount` of `base` and not for one. `Opaque`,
    with the reason, where it cannot be explained or comes to another number.
    """
    why = ""
    for afresh in (False, True):
        try:
            found = yield from _quoted(oracle, amount, base, quote, _Route(book, afresh=afresh))
        except ReadFailed as problem:
            why = str(problem)
            continue
        if value_of(found) == value:
            return Price.of(found, source=oracle)
        why = f"what is seen under it comes to {value_of(found)}, and it answers {value}"
    return Price.of(Opaque(oracle, value, why), source=oracle)


def _why_not(
    oracle: Address, base: Address, quote: Address, amount: int, book: FeedBook, said: CallReverted
) -> Plan[Unpriced]:
    """Why there is no quote: as the part that refuses tells it, or else as the revert does."""
    try:
        yield from _quoted(oracle, amount, base, quote, _Route(book, afresh=True))
    except Unpriced as problem:
        return problem
    except ReadFailed:
        pass  # what cannot be seen through tells less than the revert
    return refusal(f"the oracle {oracle}", said)


@dataclass(frozen=True, slots=True, kw_only=False)
class _Route:
    """The published feeds, and the oracles that have been passed on the way."""

    book: FeedBook
    passed: tuple[Address, ...] = ()
    afresh: bool = False

    def through(self, oracle: Address) -> _Route:
        if oracle in self.passed or len(self.passed) >= DEEPEST:
            raise Unseen(f"its oracles go round in circles, or too deep, at {oracle}")
        return replace(self, passed=(*self.passed, oracle))


class _Oracle(Protocol):
    """What never changes of an `IPriceOracle`."""

    def quoted(self, amount: Amount, base: Address, quote: Address, route: _Route) -> Plan[Expression]:
        """What the amount of `base` is worth in `quote`. Raises `Unpriced` where it gives none."""


def _quoted(oracle: Address, amount: Amount, base: Address, quote: Address, route: _Route) -> Plan[Expression]:
    deeper = route.through(oracle)
    memo: Memo[_Oracle] = Memo("Euler's oracle", oracle)
    known = yield from lasting(memo, lambda: _recognised(oracle), lasts=REMEMBERED, afresh=route.afresh)
    return (yield from known.quoted(amount, base, quote, deeper))


def _recognised(oracle: Address) -> Plan[_Oracle]:
    """By its name, which is a constant in the code of each."""
    named = _name(oracle)
    getters = [(name, getter(oracle)) for name, getter in _GETTERS]
    got = yield [named, *(call for _, call in getters)]
    name = got.outcome(named)
    if isinstance(name, ReadFailed):
        return _Unknown(oracle, "it tells no name")
    answers = {part: got.outcome(call) for part, call in getters}
    parts = {part: answer for part, answer in answers.items() if not isinstance(answer, ReadFailed)}
    try:
        return (yield from _made(oracle, name, parts))
    except KeyError as missing:
        return _Unknown(oracle, f"it calls itself {name[:40]!r} and has no {missing}")


def _made(oracle: Address, name: str, parts: Parts) -> Plan[_Oracle]:
    """The oracle of that name. Raises `KeyError` where it lacks a part of one."""
    yield []
    match name:
        case "EulerRouter":
            return _Router(oracle)
        case "CrossAdapter":
            pair, ends = (parts["base"], parts["quote"]), (parts["oracleBaseCross"], parts["oracleCrossQuote"])
            return _Cross(oracle, pair, parts["cross"], ends)
        case "LidoOracle":
            return _Lido(oracle, parts["STETH"], parts["WSTETH"], parts["STETH"])
        case "LidoFundamentalOracle":
            return _Lido(oracle, parts["STETH"], parts["WSTETH"], parts["WETH"])
    if name not in PRICINGS:
        return _Unknown(oracle, f"it calls itself {name[:40]!r}, which we do not know")
    return (yield from _adapter(oracle, name, parts))


def _adapter(oracle: Address, name: str, parts: Parts) -> Plan[_Oracle]:
    base, quote, feed = parts["base"], parts["quote"], parts.get("feed")
    got = yield [*asked_decimals(base), *asked_decimals(quote), *([decimals_of(feed)] if feed else [])]
    pair = Pair(
        address=oracle,
        name=name,
        base=base,
        quote=quote,
        base_decimals=decimals_in(got, base),
        quote_decimals=decimals_in(got, quote),
    )
    return _Adapter(pair, PRICINGS[name](parts, got[decimals_of(feed)] if feed else 0))


@dataclass(frozen=True, slots=True)
class _Router:
    """`EulerRouter.resolveOracle`, one step after the other."""

    address: Address

    def quoted(self, amount: Amount, base: Address, quote: Address, route: _Route) -> Plan[Expression]:
        for _ in range(DEEPEST):
            if base == quote:
                return plain(amount)
            configured, vault = _configured(self.address, base, quote), _resolved(self.address, base)
            fallback, assets = _fallback(self.address), _assets_of(base, number(amount))
            got = yield [configured, vault, fallback, assets]
            if got[configured] != ZERO_ADDRESS:
                return (yield from _quoted(got[configured], amount, base, quote, route))
            if got[vault] == ZERO_ADDRESS:
                return (yield from self._last(got[fallback], amount, base, quote, route))
            places = asked_decimals(got[vault])
            told = yield places
            rate = Rate(
                source=base,
                what=f"shares of {base} in {got[vault]}",
                value=got[assets],
                decimals=decimals_in(told, got[vault]),
            )
            amount, base = converted(amount, rate), got[vault]
        raise Unseen(f"the vaults that the router {self.address} resolves go too deep, at {base}")

    def _last(
        self, fallback: Address, amount: Amount, base: Address, quote: Address, route: _Route
    ) -> Plan[Expression]:
        if fallback == ZERO_ADDRESS:
            raise Unpriced(f"the router {self.address} has no oracle for {base} in {quote}, and no fallback")
        return (yield from _quoted(fallback, amount, base, quote, route))


@dataclass(frozen=True, slots=True)
class _Adapter:
    """An adapter of one unit price."""

    pair: Pair
    pricing: Pricing

    def quoted(self, amount: Amount, base: Address, quote: Address, route: _Route) -> Plan[Expression]:
        pair = self.pair
        inverse = _inverse(str(pair), (base, quote), (pair.base, pair.quote))
        unit = yield from self.pricing.unit(pair, route.book)
        exponents = pair.quote_decimals, unit.decimals + pair.base_decimals
        if inverse and value_of(unit.price) == 0:
            raise Unpriced(f"{pair} gives no price: it would have to divide by a price of 0")
        return (worth_inverse if inverse else worth)(amount, unit.price, exponents, pair.address, pair.name)


@dataclass(frozen=True, slots=True)
class _Cross:
    """`CrossAdapter`: by way of a third token, through two other oracles."""

    address: Address
    pair: tuple[Address, Address]
    cross: Address
    ends: tuple[Address, Address]

    def quoted(self, amount: Amount, base: Address, quote: Address, route: _Route) -> Plan[Expression]:
        inverse = _inverse(f"CrossAdapter {self.address}", (base, quote), self.pair)
        first, second = reversed(self.ends) if inverse else self.ends
        middle = yield from _quoted(first, amount, base, self.cross, route)
        return (yield from _quoted(second, middle, self.cross, quote, route))


@dataclass(frozen=True, slots=True)
class _Lido:
    """`LidoOracle`, `LidoFundamentalOracle`: wstETH in stETH (or WETH, taken for the same) by Lido's own shares."""

    address: Address
    steth: Address
    wsteth: Address
    ether: Address

    def quoted(self, amount: Amount, base: Address, quote: Address, route: _Route) -> Plan[Expression]:
        inverse = _inverse(f"Lido's oracle {self.address}", (base, quote), (self.wsteth, self.ether))
        ask = (_shares if inverse else _pooled)(self.steth, number(amount))
        got = yield [ask]
        what = "ETH in wstETH" if inverse else "wstETH in ETH"
        return converted(amount, Rate(source=self.steth, what=what, value=got[ask], decimals=18))


@dataclass(frozen=True, slots=True)
class _Unknown:
    """An oracle that we cannot see through: its answer, and why."""

    address: Address
    why: str

    def quoted(self, amount: Amount, base: Address, quote: Address, route: _Route) -> Plan[Expression]:
        ask = get_quote(self.address, number(amount), base, quote)
        got = yield [ask]
        said = got.outcome(ask)
        if isinstance(said, CallReverted):
            raise refusal(f"the oracle {self.address}", said)
        return converted(amount, Opaque(self.address, got[ask], self.why))


def _inverse(oracle: str, asked: tuple[Address, Address], priced: tuple[Address, Address]) -> bool:
    """Whether a pair is asked backwards (`getDirectionOrRevert`). Raises `Unpriced` for any other pair."""
    if asked not in (priced, priced[::-1]):
        raise Unpriced(f"{oracle} prices {priced[0]} in {priced[1]}, and is asked for {asked[0]} in {asked[1]}")
    return asked != priced
