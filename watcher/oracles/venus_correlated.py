"""Venus: tokens that are worth so many of another, whose price the ResilientOracle has.

`price = min(amount, the most allowed) × price of the other ÷ 10**decimals`: the amount may grow at a rate that
governance sets from the last snapshot of it. Source: VenusProtocol/oracle v2.16.0,
contracts/oracles/common/CorrelatedTokenOracle.sol, OneJumpOracle.sol and WstETHOracle.sol. The versions before caps
hide the amount, and are not seen through unless it comes from another oracle.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from watcher.domain.errors import ReadFailed
from watcher.domain.price import Cap, Expression, Fixed, Product, Rate
from watcher.domain.source import Address
from watcher.oracles.by_token import (
    SCALE,
    Asking,
    TokenKind,
    TokenShape,
    decimals_of_token,
    decimals_or_coin,
    symbol_of,
)
from watcher.reads import Plan, both
from watcher.reads.abi import interface

_ORACLE: Final = interface("venus_correlated_oracle")
_token_of = _ORACLE.function("CORRELATED_TOKEN", Address)
_other_of = _ORACLE.function("UNDERLYING_TOKEN", Address)
_resilient_of = _ORACLE.function("RESILIENT_ORACLE", Address)
_intermediate_of = _ORACLE.function("INTERMEDIATE_ORACLE", Address)
_amount_of = _ORACLE.function("getUnderlyingAmount", int, gas=150_000)
_interval_of = _ORACLE.function("snapshotInterval", int)
_growth_of = _ORACLE.function("growthRatePerSecond", int)
_most_of = _ORACLE.function("getMaxAllowedExchangeRate", int)
_LST: Final = interface("venus_lst_oracle")
_wsteth_of = _LST.function("WSTETH_ADDRESS", Address)
_weth_of = _LST.function("WETH_ADDRESS", Address)
_steth_of = _LST.function("STETH", Address)
_equivalent = _LST.function("ASSUME_STETH_ETH_EQUIVALENCE", bool)
_pooled = _LST.function("getPooledEthByShares", int)

_UNIT: Final = 10**18
_YEAR: Final = 31_536_000
"""SECONDS_PER_YEAR of @venusprotocol/solidity-utilities, by which governance's growth a year is cut into seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlated:
    """One token that is worth so many of another. `capped`: by a version of the oracle that knows caps.

    `intermediate` is the oracle that has the token's price in the other one, where the amount comes from there.
    """

    oracle: Address
    token: Address
    other: Address
    resilient: Address
    decimals: int
    other_decimals: int
    what: str
    capped: bool
    intermediate: Address | None = None

    def expression(self, asking: Asking) -> Plan[Expression]:
        """The amount, at most what is allowed, times the other's price."""
        amount, price = yield from both(self._capped(asking), asking.price(self.resilient, self.other))
        return Product(above=(amount, price), over=10**self.decimals, source=self.oracle, what=self.what)

    def _capped(self, asking: Asking) -> Plan[Expression]:
        if not self.capped:
            return (yield from self._amount(asking, None))
        interval, most, growth = _interval_of(self.oracle), _most_of(self.oracle), _growth_of(self.oracle)
        got = yield [interval, most, growth]
        if got[interval] == 0:
            return (yield from self._amount(asking, None))
        amount = yield from self._amount(asking, Decimal(got[growth] * _YEAR) / _UNIT)
        if got[most] == 0:
            return amount
        return Cap(of=amount, at=Fixed(got[most], "the most it may have grown to"), source=self.oracle, what=self.what)

    def _amount(self, asking: Asking, growth: Decimal | None) -> Plan[Expression]:
        """Of the other, for one whole token: with the other's decimals."""
        if self.intermediate is not None:
            price = yield from asking.price(self.intermediate, self.token)
            over = 10 ** (2 * SCALE - self.other_decimals)
            return Product(above=(price,), times=10**self.decimals, over=over, what=self.what)
        ask = _amount_of(self.oracle)
        got = yield [ask]
        return Rate(source=self.oracle, what=self.what, value=got[ask], decimals=self.other_decimals, growth=growth)


def _one_jump(
    oracle: Address, token: Address, intermediate: Address, priced: Address, other: Address, resilient: Address
) -> Plan[TokenShape | None]:
    return (yield from _shape(oracle, token, priced, other, resilient, intermediate))


def _by_amount(
    oracle: Address, token: Address, _amount: int, priced: Address, other: Address, resilient: Address
) -> Plan[TokenShape | None]:
    return (yield from _shape(oracle, token, priced, other, resilient, None))


def _shape(
    oracle: Address, token: Address, priced: Address, other: Address, resilient: Address, intermediate: Address | None
) -> Plan[TokenShape | None]:
    if token != priced:
        return None
    places, interval, words, others = (
        decimals_of_token(token),
        _interval_of(oracle),
        symbol_of(token),
        symbol_of(other),
    )
    got = yield [places, interval, words, others]
    said, of_other = got.outcome(words), got.outcome(others)
    name = token if isinstance(said, ReadFailed) else said
    coin = "the chain's coin" if isinstance(of_other, ReadFailed) else of_other
    return Correlated(
        oracle=oracle,
        token=token,
        other=other,
        resilient=resilient,
        decimals=got[places],
        other_decimals=(yield from decimals_or_coin(other)),
        what=f"{name} in {coin}",
        capped=not isinstance(got.outcome(interval), ReadFailed),
        intermediate=intermediate,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapped:
    """wstETH by what Lido gives for it, at the price of stETH or of ether."""

    oracle: Address
    steth: Address
    other: Address
    resilient: Address

    def expression(self, asking: Asking) -> Plan[Expression]:
        """The rate times the price."""
        ask = _pooled(self.steth, _UNIT)
        got = yield [ask]
        rate = Rate(source=self.steth, what="wstETH in stETH", value=got[ask], decimals=SCALE)
        price = yield from asking.price(self.resilient, self.other)
        return Product(above=(rate, price), over=_UNIT, source=self.oracle, what="wstETH in stETH")


def _wsteth(
    oracle: Address, token: Address, wrapped: Address, weth: Address, steth: Address, same: bool, resilient: Address
) -> Plan[TokenShape | None]:
    yield []
    other = weth if same else steth
    return Wrapped(oracle=oracle, steth=steth, other=other, resilient=resilient) if token == wrapped else None


_PARTS: Final = (_token_of, _other_of, _resilient_of)
ONE_JUMP: Final = TokenKind(name="Venus OneJumpOracle", asks=(_intermediate_of, *_PARTS), shape=_one_jump)
CORRELATED: Final = TokenKind(name="Venus CorrelatedTokenOracle", asks=(_amount_of, *_PARTS), shape=_by_amount)
WSTETH: Final = TokenKind(
    name="Venus WstETHOracle",
    asks=(_wsteth_of, _weth_of, _steth_of, _equivalent, _resilient_of),
    shape=_wsteth,
)
