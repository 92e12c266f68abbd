"""The Compound v3 plugin: which reads, in which order, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from watcher.domain.errors import ReadFailed
from watcher.domain.health import Health
from watcher.domain.position import Action, Position, Refused, Repay, Unreadable, Verdict
from watcher.domain.price import Price
from watcher.domain.source import Address, Holder
from watcher.protocols.comet import calls
from watcher.protocols.comet.actions import after_repay, after_top_up
from watcher.protocols.comet.maths import (
    INDEX,
    PRICE_PLACES,
    Account,
    Collateral,
    Line,
    Market,
    borrow_refusal,
    debt_value,
    legs_of,
    lines_of,
    state_of,
)
from watcher.protocols.comet.shared import market_of
from watcher.protocols.comet.terms import terms_of
from watcher.protocols.reader import OneEach, Place, PriceMissing
from watcher.protocols.rounding import WAD, mul_div_down
from watcher.reads import Bundle, Plan, sure


@dataclass(frozen=True, slots=True, kw_only=True)
class Comet(OneEach):
    """One market: the proxy of one base token. All else is taken from it each time, as an upgrade may change it."""

    place: Place
    comet: Address

    # What one user has

    def discover(self, owner: Holder, found: Sequence[str]) -> Plan[Sequence[Holder]]:
        """The owner, where it lends, owes or has a collateral: rewards alone are nothing at stake.

        What `account` and `market` ask first comes with it, and so costs no round.
        """
        basic = calls.user_basic(self.comet, owner.account)
        got = yield [basic, calls.asset_count(self.comet), *(getter(self.comet) for getter in calls.SHARED)]
        return (owner,) if got[basic].principal or got[basic].offsets else ()

    def account(self, holder: Holder) -> Plan[Account | None]:
        """Principal and collaterals; None where there is neither."""
        basic, count = calls.user_basic(self.comet, holder.account), calls.asset_count(self.comet)
        got = yield [basic, count]
        principal = got[basic].principal
        asked = {n: calls.asset_info(self.comet, n) for n in got[basic].offsets if n < got[count]}
        if not principal and not asked:
            return None
        got = yield list(asked.values())
        assets = {offset: got[call].asset for offset, call in asked.items()}
        balances = {n: calls.user_collateral(self.comet, holder.account, asset) for n, asset in assets.items()}
        got = yield list(balances.values())
        held = (Collateral(offset=n, asset=assets[n], balance=got[call]) for n, call in balances.items())
        return Account(holder=holder, principal=principal, collaterals=tuple(held))

    # What they share

    def market(self, accounts: Sequence[Account]) -> Plan[Market]:
        """The base, the interest to this block, and every collateral that one of these accounts has."""
        offsets = sorted({held.offset for account in accounts for held in account.collaterals})
        return (yield from market_of(self.comet, offsets, self.place.feeds))

    # What follows

    def positions(self, market: Market, account: Account) -> Sequence[Position | Unreadable]:
        """One position: an absorption takes all that a user has."""
        if unread := [held.asset for held in account.collaterals if held.asset not in market.listed]:
            raise ReadFailed(f"the market was read without {unread[0]}, which this account holds")
        try:
            debt = debt_value(market, account)
            lines = lines_of(market, account, debt)
        except PriceMissing as problem:
            return [self.place.unpriceable(account.holder, market.at, problem)]
        health = Health(backing=sum(line.backing for line in lines), required=debt)
        collateral = sum(line.value for line in lines)
        return [
            Position(
                id=self.place.id_of(account.holder),
                holder=account.holder,
                at=market.at,
                market=self.place.title,
                state=state_of(market, account, health, collateral),
                health=health,
                legs=tuple(legs_of(market, account, lines)),
                collateral=collateral,
                debt=debt,
                numeraire=market.numeraire,
                notes=tuple(_notes(market, account, lines, health)),
                terms=tuple(terms_of(market, account)),
            )
        ]

    def verdict(self, holder: Holder) -> Plan[Verdict | None]:
        """`isLiquidatable` behind an accrual, and `borrowBalanceOf` at the base token's price.

        By itself `isLiquidatable` goes by the index of the last transaction, while an absorption accrues first.
        """
        basic, feed, scale = (
            calls.user_basic(self.comet, holder.account),
            calls.base_feed(self.comet),
            calls.base_scale(self.comet),
        )
        told, owed = calls.liquidatable(self.comet, holder.account), calls.borrow_balance(self.comet, holder.account)
        got = yield [basic, feed, scale]
        if got[basic].principal >= 0:  # no interest changes what is not owed
            got = yield [told, owed]
            return Verdict(liquidatable=got[told], debt=got[owed])
        accrued = Bundle((calls.accrue_account(self.comet, holder.account), told, owed))
        price = calls.price_of(self.comet, got[feed])
        got = yield [accrued, price]
        _, liquidatable, debt = map(sure, got.bundle(accrued))
        return Verdict(liquidatable=liquidatable, debt=mul_div_down(debt, got[price], got[scale]))

    def after(self, market: Market, account: Account, action: Action) -> Account | Refused:
        """The account after paying back base, or after supplying more of a collateral that it has."""
        change = after_repay if isinstance(action, Repay) else after_top_up
        return change(market, account, action.asset, action.amount)

    def repriced(self, market: Market, prices: Mapping[Address, Price]) -> Market:
        return replace(market, prices={**market.prices, **prices})

    def expects(self) -> Plan[Sequence[str]]:
        """It must count as Comet does: indices with 15 decimals, factors with 18, prices with 8."""
        comet = self.comet
        right = {
            calls.index_scale(comet): INDEX,
            calls.factor_scale(comet): WAD,
            calls.price_scale(comet): 10**PRICE_PLACES,
        }
        got = yield [*right, calls.totals_basic(comet), calls.base_token(comet)]
        told = {ask: got.outcome(ask) for ask in (*right, calls.totals_basic(comet), calls.base_token(comet))}
        problems = [str(answer) for answer in told.values() if isinstance(answer, ReadFailed)]
        if problems:
            return problems
        return [
            f"{ask} says {got[ask]}, and Compound v3 has {value}" for ask, value in right.items() if got[ask] != value
        ]


def _notes(market: Market, account: Account, lines: Sequence[Line], health: Health) -> Iterator[str]:
    if account.principal < 0 and not health.liquidatable:
        why = borrow_refusal(market, account, health.required)
        if why:
            yield f"borrowing more and withdrawing collateral are refused: {why}"
    counted = {line.listed.asset.address for line in lines}
    left_out = [market.listed[held.asset].asset.symbol for held in account.collaterals if held.asset not in counted]
    if left_out:
        yield f"not counted, as the contract gets no price at or before it: {', '.join(left_out)}"
