"""Aave v2: LendingPool, valued in ether or in dollars, with stable debt and without e-modes, caps or a sentinel.

The arithmetic is that of Aave v3.0 (`watcher.protocols.aave`): a floored average threshold, roundings to nearest. What
is v2's own is here: the layout of a reserve, a pause of the whole pool, stable debt for the asking at `balanceOf` only.

Source: npm @aave/protocol-v2 1.0.1 (aave/protocol-v2 @ ce53c4a8), LendingPool.sol, GenericLogic.sol,
ValidationLogic.sol, DataTypes.sol.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from watcher.domain.errors import ReadFailed
from watcher.domain.position import Action, Asset, Position, Refused, Unreadable, Verdict
from watcher.domain.price import Price
from watcher.domain.source import Address, Holder
from watcher.protocols.aave.calls import (
    AccountData,
    as_addresses,
    balance_of,
    check_pool,
    pair_problems,
    scaled_balance,
    verdict_by,
)
from watcher.protocols.aave.oracle import numeraire_of, price_of
from watcher.protocols.aave.positions import account_after, positions_of
from watcher.protocols.aave.state import V30, Account, Holding, Market, Reserve
from watcher.protocols.assets import asset_of
from watcher.protocols.reader import OneEach, Place
from watcher.reads import Plan, both, sure, together
from watcher.reads.abi import Function, interface


@dataclass(frozen=True, slots=True)
class ReserveData:
    """`DataTypes.ReserveData` of v2: other fields than v3 has, in another order. Indices and rates in RAY."""

    configuration: int
    liquidity_index: int
    variable_borrow_index: int
    liquidity_rate: int
    variable_borrow_rate: int
    stable_borrow_rate: int
    updated_at: int
    a_token: Address
    stable_debt_token: Address
    variable_debt_token: Address
    rate_strategy: Address
    id: int


_POOL = interface("aave_v2_pool")
reserves_list: Function[tuple[Address, ...]] = _POOL.function("getReservesList", as_addresses, gas=250_000)
user_configuration = _POOL.function("getUserConfiguration", int, gas=25_000)
account_data_of = _POOL.function("getUserAccountData", AccountData, gas=500_000)
reserve_data = _POOL.function("getReserveData", ReserveData, gas=80_000)
normalized_income = _POOL.function("getReserveNormalizedIncome", int)
normalized_debt = _POOL.function("getReserveNormalizedVariableDebt", int)
pool_paused = _POOL.function("paused", bool)
provider_of = _POOL.function("getAddressesProvider", Address)
pool_of = _POOL.function("getLendingPool", Address)
oracle_of = _POOL.function("getPriceOracle", Address)

RESERVES: Final = 128
"""How many reserves the word of a user's flags has room for, two bits each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AaveV2(OneEach):
    """One pool. `provider` is its LendingPoolAddressesProvider, from which the oracle is taken each time."""

    place: Place
    pool: Address
    provider: Address

    # What one user has

    def discover(self, owner: Holder, found: Sequence[str]) -> Plan[Sequence[Holder]]:
        """The owner, where any flag of its is set. What `account` will ask comes with it, and so costs no round."""
        flags = user_configuration(self.pool, owner.account)
        got = yield [flags, reserves_list(self.pool)]
        return (owner,) if got[flags] else ()

    def account(self, holder: Holder) -> Plan[Account | None]:
        """Flags and shares in every reserve flagged for this user; None where no flag is set."""
        flags, listed = user_configuration(self.pool, holder.account), reserves_list(self.pool)
        got = yield [flags, listed]
        if (word := got[flags]) == 0:
            return None
        flagged = {number: bits for number in range(RESERVES) if (bits := word >> 2 * number & 3)}
        if max(flagged) >= len(got[listed]):
            raise ReadFailed(f"{holder.account} uses reserve {max(flagged)} of {self.pool}, which lists none of it")
        holdings = yield from together(
            self._holding(holder.account, number, got[listed][number], bits) for number, bits in flagged.items()
        )
        return Account(holder=holder, emode=0, holdings=tuple(sure(one) for one in holdings))

    def _holding(self, account: Address, number: int, asset: Address, bits: int) -> Plan[Holding]:
        """Shares in one reserve; `bits` are its two flags: 1 borrowing, 2 collateral."""
        ask = reserve_data(self.pool, asset)
        data = (yield [ask])[ask]
        borrowing, collateral = bool(bits & 1), bool(bits & 2)
        supplied = scaled_balance(data.a_token, account)
        variable = scaled_balance(data.variable_debt_token, account)
        stable = balance_of(data.stable_debt_token, account)
        got = yield [*([supplied] if collateral else ()), *([variable, stable] if borrowing else ())]
        return Holding(
            asset=asset,
            reserve=number,
            collateral=collateral,
            borrowing=borrowing,
            scaled_supply=got[supplied] if collateral else 0,
            scaled_debt=got[variable] if borrowing else 0,
            stable_debt=got[stable] if borrowing else 0,
        )

    # What they share

    def market(self, accounts: Sequence[Account]) -> Plan[Market]:
        """Reserves and prices that these accounts use."""
        assets = list(dict.fromkeys(holding.asset for account in accounts for holding in account.holdings))
        pool, oracle, paused = pool_of(self.provider), oracle_of(self.provider), pool_paused(self.pool)
        got = yield [pool, oracle, paused]
        yield from check_pool(self.pool, pool)
        (prices, reserves), numeraire = yield from both(
            both(
                together(price_of(got[oracle], asset, self.place.feeds) for asset in assets),
                together(self._reserve(asset, pool_is_paused=got[paused]) for asset in assets),
            ),
            numeraire_of(got[oracle]),
        )
        return Market(
            at=got.at,
            revision=2,
            variant=V30,
            numeraire=numeraire,
            reserves=dict(zip(assets, (sure(reserve) for reserve in reserves), strict=True)),
            prices=dict(zip(assets, prices, strict=True)),
        )

    def _reserve(self, asset: Address, *, pool_is_paused: bool) -> Plan[Reserve]:
        data = reserve_data(self.pool, asset)
        income, debt = normalized_income(self.pool, asset), normalized_debt(self.pool, asset)
        token = yield from asset_of(asset)
        got = yield [data, income, debt]
        return Reserve(
            id=got[data].id,
            asset=Asset(address=asset, symbol=token.symbol, decimals=got[data].configuration >> 48 & 0xFF),
            configuration=got[data].configuration,
            income=got[income],
            debt_index=got[debt],
            supply_rate=got[data].liquidity_rate,
            borrow_rate=got[data].variable_borrow_rate,
            rate_model=got[data].rate_strategy,
            grace_until=0,
            pool_paused=pool_is_paused,
        )

    # What follows

    def positions(self, market: Market, account: Account) -> Sequence[Position | Unreadable]:
        """One position: Aave liquidates a user as a whole."""
        return positions_of(self.place, market, account)

    def verdict(self, holder: Holder) -> Plan[Verdict | None]:
        """`getUserAccountData`, which accrues by itself."""
        return (yield from verdict_by(account_data_of(self.pool, holder.account)))

    def after(self, market: Market, account: Account, action: Action) -> Account | Refused:
        """The account after repaying variable debt or supplying more of a collateral it already uses."""
        return account_after(market, account, action)

    def repriced(self, market: Market, prices: Mapping[Address, Price]) -> Market:
        return replace(market, prices={**market.prices, **prices})

    def expects(self) -> Plan[Sequence[str]]:
        """The pool and its provider must name each other."""
        return (yield from pair_problems(provider_of(self.pool), pool_of(self.provider)))
