"""The Aave v4 plugin: which reads of a spoke and its hubs, in which order, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from watcher.domain.errors import ReadFailed
from watcher.domain.position import (
    Action,
    Asset,
    Because,
    Numeraire,
    Position,
    PositionId,
    Refused,
    Unreadable,
    Verdict,
)
from watcher.domain.price import Price
from watcher.domain.source import Address, Holder
from watcher.oracles.sources import price_from
from watcher.protocols.aave_v4 import calls
from watcher.protocols.aave_v4.actions import account_after
from watcher.protocols.aave_v4.maths import (
    Account,
    Holding,
    Line,
    Liquidity,
    Market,
    Reserve,
    health_of,
    legs_of,
    lines_of,
    owed,
    owned,
    slack_of,
    state_of,
    totals,
)
from watcher.protocols.aave_v4.terms import scenarios_of, terms_of
from watcher.protocols.assets import asset_of
from watcher.protocols.reader import OneEach, Place, PriceMissing
from watcher.reads import Outcome, Plan, both, together

ORACLE_DECIMALS: Final = 8
"""A spoke takes no oracle with others (`Spoke.ORACLE_DECIMALS`), and counts values in dollars."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AaveV4(OneEach):
    """One spoke. Its oracle, and the hub behind each reserve, are what it says each time."""

    place: Place
    spoke: Address

    # What one user has

    def discover(self, owner: Holder, found: Sequence[str]) -> Plan[Sequence[Holder]]:
        """The owner, where it borrows or has enabled a collateral."""
        flagged = yield from self._flagged(owner)
        return (owner,) if flagged else ()

    def account(self, holder: Holder) -> Plan[Account | None]:
        """Shares in every reserve that is flagged for this user; None where they come to nothing."""
        premium = calls.risk_premium_of(self.spoke, holder.account)
        flagged = yield from self._flagged(holder)
        asked = {number: calls.position_of(self.spoke, number, holder.account) for number in flagged}
        got = yield [premium, *asked.values()]
        holdings = tuple(
            Holding(
                reserve=number,
                collateral=status.collateral,
                borrowing=status.borrowing,
                position=got[asked[number]],
            )
            for number, status in flagged.items()
        )
        if not any(one.position.supplied_shares or one.borrowing for one in holdings):
            return None
        return Account(holder=holder, risk_premium=got[premium], holdings=holdings)

    def _flagged(self, holder: Holder) -> Plan[Mapping[int, calls.ReserveStatus]]:
        count = calls.reserve_count(self.spoke)
        reserves = (yield [count])[count]
        asked = {number: calls.status_of(self.spoke, number, holder.account) for number in range(reserves)}
        got = yield list(asked.values())
        statuses = {number: got[ask] for number, ask in asked.items()}
        return {number: status for number, status in statuses.items() if status.collateral or status.borrowing}

    # What they share

    def market(self, accounts: Sequence[Account]) -> Plan[Market]:
        """Reserves, the liquidity behind them and their prices, as far as these accounts use them."""
        keys: dict[int, set[int]] = {}
        for holding in (holding for account in accounts for holding in account.holdings):
            keys.setdefault(holding.reserve, set()).add(holding.position.dynamic_key)
        oracle, config = calls.oracle_of(self.spoke), calls.liquidation_config(self.spoke)
        got = yield [oracle, config]
        places = calls.decimals_of(got[oracle])
        read = yield from together(self._reserve(got[oracle], number, used) for number, used in keys.items())
        reserves = dict(zip(keys, read, strict=True))
        there = [reserve for reserve in read if isinstance(reserve, Reserve)]
        sources = {reserve.source: reserve.id for reserve in there}
        prices = yield from together(self._price(got[oracle], number, source) for source, number in sources.items())
        told = (yield [places]).outcome(places)
        return Market(
            at=got.at,
            numeraire=Numeraire(symbol="USD", decimals=ORACLE_DECIMALS if isinstance(told, ReadFailed) else told),
            liquidation=got[config],
            reserves=reserves,
            prices=dict(zip(sources, prices, strict=True)),
        )

    def _reserve(self, oracle: Address, number: int, used: Iterable[int]) -> Plan[Reserve]:
        ask, source = calls.reserve_of(self.spoke, number), calls.source_by_id(oracle, number)
        got = yield [ask, source]
        data = got[ask]
        configs = {key: calls.config_of(self.spoke, number, key) for key in sorted({*used, data.dynamic_key})}
        told = yield list(configs.values())
        token, liquidity = yield from both(asset_of(data.underlying), self._liquidity(data.hub, data.asset_id))
        return Reserve(
            id=number,
            asset=Asset(address=data.underlying, symbol=token.symbol, decimals=data.decimals),
            hub=data.hub,
            source=got[source],
            flags=data.flags,
            newest_key=data.dynamic_key,
            configs={key: told[config] for key, config in configs.items()},
            liquidity=liquidity,
        )

    def _liquidity(self, hub: Address, asset: int) -> Plan[Liquidity]:
        index, rate = calls.drawn_index(hub, asset), calls.drawn_rate(hub, asset)
        assets, shares = calls.added_assets(hub, asset), calls.added_shares(hub, asset)
        lent = calls.total_owed(hub, asset)
        allowed = calls.spoke_config(hub, asset, self.spoke)
        got = yield [index, rate, assets, shares, lent, allowed]
        return Liquidity(
            drawn_index=got[index],
            drawn_rate=got[rate],
            assets=got[assets],
            shares=got[shares],
            owed=got[lent],
            spoke=got.outcome(allowed),
        )

    def _price(self, oracle: Address, number: int, source: Address) -> Plan[Price]:
        value = calls.price_by_id(oracle, number)
        answer = (yield [value])[value]
        if answer <= 0:
            raise PriceMissing(f"the oracle {oracle} prices reserve {number} at {answer}")
        return (yield from price_from(source, answer, self.place.feeds))

    # What follows

    def positions(self, market: Market, account: Account) -> Sequence[Position | Unreadable]:
        """One position: a spoke liquidates a user as a whole, and no other spoke of the same user."""
        try:
            return [self._valued(market, account, lines_of(market, account))]
        except PriceMissing as problem:
            return [
                Unreadable(
                    id=self._id(account),
                    holder=account.holder,
                    at=market.at,
                    market=self.place.title,
                    because=Because.UNPRICEABLE,
                    reason=str(problem),
                )
            ]

    def _valued(self, market: Market, account: Account, lines: tuple[Line, ...]) -> Position:
        found = totals(lines)
        return Position(
            id=self._id(account),
            holder=account.holder,
            at=market.at,
            market=self.place.title,
            state=state_of(account, lines, found),
            health=health_of(found.health_factor),
            legs=tuple(leg for line in lines for leg in legs_of(line)),
            collateral=owned(found.collateral),
            debt=owed(found.debt_ray),
            numeraire=market.numeraire,
            slack=slack_of(lines, found),
            terms=tuple(terms_of(market, account, lines)),
            scenarios=tuple(scenarios_of(lines)),
        )

    def _id(self, account: Account) -> PositionId:
        holder = account.holder
        return PositionId(deployment=self.place.deployment, wallet=holder.wallet, account=holder.account)

    def verdict(self, holder: Holder) -> Plan[Verdict | None]:
        """`getUserAccountData`: by the stored keys, accrued; its values in the oracle's decimals, as ours."""
        ask = calls.account_data_of(self.spoke, holder.account)
        data = (yield [ask])[ask]
        return Verdict.valued(health_of(data.health_factor), owned(data.collateral), owed(data.debt_ray))

    def after(self, market: Market, account: Account, action: Action) -> Account | Refused:
        """The account after repaying debt or supplying more of a collateral it already uses."""
        return account_after(market, account, action)

    def repriced(self, market: Market, prices: Mapping[Address, Price]) -> Market:
        return replace(market, prices={**market.prices, **prices})

    def expects(self) -> Plan[Sequence[str]]:
        """A spoke has an oracle, a liquidation target, and reserves."""
        oracle, config = calls.oracle_of(self.spoke), calls.liquidation_config(self.spoke)
        count = calls.reserve_count(self.spoke)
        got = yield [oracle, config, count]
        answers: list[Outcome[object]] = [got.outcome(oracle), got.outcome(config), got.outcome(count)]
        problems = [str(answer) for answer in answers if isinstance(answer, ReadFailed)]
        if not problems and got[count] == 0:
            problems.append(f"spoke {self.spoke} lists no reserve")
        return problems
