"""How markets are read at one block: accrued first, by their own contracts, in one call.

`accrueInterest` of the contract itself is what counts, as a delegate may do more than add interest (Compound's DAI
collects its savings rate, Venus sends reserves away), and counts blocks or seconds as it likes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from watcher.domain.errors import NotDecodable, ReadFailed
from watcher.domain.position import Asset
from watcher.domain.price import Opaque, Price, Product
from watcher.domain.source import ZERO_ADDRESS, Address
from watcher.oracles.by_token import decimals_of_token, underlying_of
from watcher.oracles.shape import FeedBook
from watcher.oracles.venus import venus_asset, venus_price
from watcher.protocols.compound_v2 import calls
from watcher.protocols.compound_v2.maths import Listed, Totals
from watcher.protocols.reader import PriceMissing
from watcher.reads import Bundle, Call, Outcome, Plan, sure, together

_COIN_DECIMALS: Final = 18
_PARTS: Final = (calls.exchange_rate, calls.cash, calls.borrows, calls.reserves, calls.supply)


def accrual(code: Outcome[int], c_token: Address) -> None:
    """Raises `ReadFailed` where a market did not accrue: some answer with a code instead of reverting."""
    if sure(code):
        raise NotDecodable(f"accrueInterest of {c_token} ended with error {code}")


class Accrued:
    """Markets behind their accrual, all in one bundle."""

    def __init__(self, c_tokens: Sequence[Address], *, per_second: bool, pools: bool) -> None:
        rate = calls.rate_per_second if per_second else calls.rate_per_block
        self._asked: tuple[Any, ...] = (*_PARTS, rate, *((calls.bad_debt, calls.time_based) if pools else ()))
        self._per_second = per_second
        self._c_tokens = c_tokens
        accruals: list[Call[Any]] = [calls.accrue(one) for one in c_tokens]
        self.bundle = Bundle((*accruals, *(ask(one) for one in c_tokens for ask in self._asked)))

    def totals(self, answers: Sequence[Outcome[Any]]) -> Mapping[Address, Outcome[Totals]]:
        """Each market's. One that fails loses no other."""
        codes, rest = answers[: len(self._c_tokens)], answers[len(self._c_tokens) :]
        size = len(self._asked)
        return {one: self._one(one, codes[n], rest[n * size : (n + 1) * size]) for n, one in enumerate(self._c_tokens)}

    def _one(self, c_token: Address, code: Outcome[int], parts: Sequence[Outcome[Any]]) -> Outcome[Totals]:
        try:
            accrual(code, c_token)
            rate, cash, borrows, reserves, tokens, borrow_rate, *pools = map(sure, parts)
        except ReadFailed as problem:
            return problem
        bad_debt, per_second = pools or (0, self._per_second)
        return Totals(
            rate=rate,
            cash=cash,
            borrows=borrows,
            reserves=reserves,
            tokens=tokens,
            bad_debt=bad_debt,
            borrow_rate=borrow_rate,
            per_second=per_second,
        )


def listed_of(accrued: Accrued, c_tokens: Sequence[Address], coin: Address) -> Plan[Mapping[Address, Outcome[Listed]]]:
    """The markets with what they lend, `coin` standing for the chain's own. Failures are values in it."""
    names = together(_asset(one, coin) for one in c_tokens)
    yield [accrued.bundle]
    assets = yield from names
    totals = accrued.totals((yield [accrued.bundle]).bundle(accrued.bundle))
    return {one: _joined(asset, totals[one]) for one, asset in zip(c_tokens, assets, strict=True)}


def _joined(asset: Outcome[Asset], totals: Outcome[Totals]) -> Outcome[Listed]:
    if isinstance(asset, ReadFailed):
        return asset
    return totals if isinstance(totals, ReadFailed) else Listed(asset=asset, totals=totals)


def _asset(c_token: Address, coin: Address) -> Plan[Asset]:
    """What a market lends. The market of the chain's own coin names nothing: it is told by that."""
    ask = underlying_of(c_token)
    said = (yield [ask]).outcome(ask)
    if not isinstance(said, ReadFailed):
        return (yield from asset_of(said))
    if coin == ZERO_ADDRESS:
        raise NotDecodable(f"{c_token} names no token that it lends, and `coin` names none for the chain's own")
    name = calls.symbol_of(coin)
    symbol = (yield [name]).outcome(name)
    return Asset(address=coin, symbol=_named(symbol, coin), decimals=_COIN_DECIMALS)


def asset_of(token: Address) -> Plan[Asset]:
    """A token as it describes itself. Raises `ReadFailed` where it does not tell its decimals."""
    name, places = calls.symbol_of(token), decimals_of_token(token)
    got = yield [name, places]
    return Asset(address=token, symbol=_named(got.outcome(name), token), decimals=got[places])


def _named(said: Outcome[str], token: Address) -> str:
    return f"{token[:6]}…{token[-4:]}" if isinstance(said, ReadFailed) else said


def priced(oracle: Address, c_token: Address, decimals: int, explained: Plan[Price]) -> Plan[Price]:
    """A market's price in units of the numeraire. Raises `PriceMissing` on 0, which the contracts take for an error."""
    ask = calls.price_of(oracle, c_token)
    if (yield [ask])[ask] == 0:
        raise PriceMissing(f"{oracle} answers 0 for {c_token}")
    price = yield from explained
    scaled = Product(above=(price.expression,), times=10**decimals, source=oracle)
    return Price.of(scaled, source=oracle)


def venus_market_price(oracle: Address, v_token: Address, value: int, book: FeedBook) -> Plan[Price]:
    """As `venus_price`, for a market."""
    try:
        token = yield from venus_asset(oracle, v_token)
    except ReadFailed as problem:
        return Price.of(Opaque(oracle, value, str(problem)), source=oracle)
    return (yield from venus_price(oracle, token, value, book))
