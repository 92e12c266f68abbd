"""How markets are read at one block, and how our accrual is held against the contract's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from watcher.domain.errors import ReadFailed
from watcher.domain.price import Fixed, Price
from watcher.domain.source import ZERO_ADDRESS, Address, Block
from watcher.oracles.morpho import price_of as oracle_price
from watcher.oracles.shape import FeedBook
from watcher.oracles.sources import price_from
from watcher.protocols.assets import asset_of
from watcher.protocols.morpho_blue import calls
from watcher.protocols.morpho_blue.calls import Params, Totals
from watcher.protocols.morpho_blue.maths import Account, Market, Markets, accrued
from watcher.reads import Bundle, Memo, Plan, both, lasting, sure, together

_PARAMS_LAST: Final = 2**40
"""Seconds. An id is the hash of its parameters: they can never be others."""
_ACCRUAL_LASTS: Final = 3600
"""Seconds for which an accrual that agreed is not compared again: it takes an `eth_call` of its own for each market."""


def params_of(morpho: Address, market: str) -> Plan[Params]:
    """Raises `ReadFailed` for a market that nobody has created."""
    return (yield from lasting(Memo("market", (morpho, market)), lambda: _params(morpho, market), lasts=_PARAMS_LAST))


def _params(morpho: Address, market: str) -> Plan[Params]:
    ask, totals = calls.params_of(morpho, calls.key_of(market)), calls.totals_of(morpho, calls.key_of(market))
    got = yield [ask, totals]
    if not got[totals].updated_at:
        raise ReadFailed(f"Morpho {morpho} has no market {market}")
    return got[ask]


def markets_of(morpho: Address, accounts: Sequence[Account], book: FeedBook) -> Plan[Markets]:
    """What these accounts use. A market or a price that fails is a value in it, and no others are lost by it."""
    ids = dict.fromkeys(account.holder.key for account in accounts)
    oracles = dict.fromkeys(oracle for account in accounts for oracle in account.oracles)
    (markets, prices), now = yield from both(
        both(together(_market(morpho, each) for each in ids), together(_price(oracle, book) for oracle in oracles)),
        _now(),
    )
    own = {each.priced_as: _one(each) for each in markets if isinstance(each, Market)}
    return Markets(
        at=now,
        markets=dict(zip(ids, markets, strict=True)),
        prices={**dict(zip(oracles, prices, strict=True)), **own},
    )


def _now() -> Plan[Block]:
    return (yield []).at


def _price(oracle: Address, book: FeedBook) -> Plan[Price]:
    """`price()`, of any age: Morpho never asks how old a feed is. Of 0 it is a price too."""
    if oracle == ZERO_ADDRESS:
        raise ReadFailed("the market has no oracle")
    ask = oracle_price(oracle)
    value = (yield [ask])[ask]
    return (yield from price_from(oracle, value, book))


def _one(market: Market) -> Price:
    """The loan token in units of the numeraire, which is the loan token."""
    why = f"the market counts in {market.loan.symbol}"
    return Price.of(Fixed(10**market.numeraire.decimals, why, by_definition=True))


def _market(morpho: Address, market: str) -> Plan[Market]:
    params = yield from params_of(morpho, market)
    (loan, collateral), (totals, rate) = yield from both(
        both(asset_of(params.loan), asset_of(params.collateral)), _interest(morpho, market, params)
    )
    found = Market(id=market, params=params, loan=loan, collateral=collateral, totals=totals, rate=rate)
    if found.numeraire.decimals < 0:
        raise ReadFailed(f"{collateral.symbol} has {collateral.decimals} decimals, more than Morpho's price can carry")
    return found


def _interest(morpho: Address, market: str, params: Params) -> Plan[tuple[Totals, int]]:
    """The totals accrued to this block, and the rate: 0 without a rate model, and where nothing has to be accrued."""
    ask = calls.totals_of(morpho, calls.key_of(market))
    got = yield [ask]
    totals = got[ask]
    if params.irm == ZERO_ADDRESS:
        return accrued(totals, 0, got.at.timestamp), 0
    rate = calls.rate(params, totals)
    got = yield [rate]
    return accrued(totals, got[rate], got.at.timestamp), got[rate]


# --- Held against the contract ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Accrual:
    """What the contract's own accrual came to at one block, and whether ours came to the same."""

    block: int
    totals: Totals
    agreed: bool


def accrual_of(morpho: Address, market: str, params: Params) -> Plan[Totals | None]:
    """The contract's own totals after its own accrual, where they are looked at in this block.

    They are looked at now and then, by turns: `accrueInterest` and a look in one bundle. Once they were other than
    ours, they are looked at in every block, until they are the same.
    """
    memo: Memo[Accrual] = Memo("accrual", (morpho, market))
    found = yield from lasting(memo, lambda: _compared(morpho, market, params), lasts=_ACCRUAL_LASTS)
    if not found.agreed:
        found = yield from lasting(memo, lambda: _compared(morpho, market, params), lasts=_ACCRUAL_LASTS, afresh=True)
    return found.totals if found.block == (yield from _now()).number else None


def _compared(morpho: Address, market: str, params: Params) -> Plan[Accrual]:
    look = calls.totals_of(morpho, calls.key_of(market))
    bundle = Bundle((calls.accrue(morpho, params), look))
    got = yield [bundle]
    _, theirs = map(sure, got.bundle(bundle))
    ours, _ = yield from _interest(morpho, market, params)
    agreed = (ours.borrow_assets, ours.borrow_shares) == (theirs.borrow_assets, theirs.borrow_shares)
    return Accrual(block=got.at.number, totals=theirs, agreed=agreed)
