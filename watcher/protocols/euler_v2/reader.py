"""The Euler v2 plugin: which reads, in which order, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from watcher.domain.errors import ReadFailed
from watcher.domain.health import Health
from watcher.domain.position import (
    Action,
    Because,
    Numeraire,
    Position,
    PositionId,
    Refused,
    Repay,
    State,
    Unreadable,
    Verdict,
)
from watcher.domain.price import Price
from watcher.domain.source import Address, Holder
from watcher.protocols.euler_v2 import calls
from watcher.protocols.euler_v2.actions import after_repay, after_top_up
from watcher.protocols.euler_v2.maths import (
    Account,
    Market,
    Stake,
    collateral_lines,
    debt_line,
    health_at,
    legs_of,
    lender_of,
    slack_of,
    state_of,
)
from watcher.protocols.euler_v2.outlook import scenarios_of, to_borrow
from watcher.protocols.euler_v2.shared import market_of
from watcher.protocols.euler_v2.terms import notes_of, remarks_on, terms_of
from watcher.protocols.reader import Place, PriceMissing
from watcher.reads import Plan
from watcher.reads.codec import checksummed
from watcher.reads.logs import Search

SUB_ACCOUNTS: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class EulerV2:
    """All vaults that go by one EVC: where an account has anything, and to whom it owes, is asked there.

    A risk unit is a sub-account; `Holder.key` is its number.
    """

    place: Place
    evc: Address

    # Where one owner has anything

    def search(self, owner: Holder) -> Search | None:
        """None: all sub-accounts can be asked."""
        return None

    def discover(self, owner: Holder, found: Sequence[str]) -> Plan[Sequence[Holder]]:
        """The sub-accounts that a vault controls: only these can owe anything, or be liquidated."""
        subs = {str(number): sub_account(owner.account, number) for number in range(SUB_ACCOUNTS)}
        asked = {number: calls.controllers_of(self.evc, account) for number, account in subs.items()}
        got = yield list(asked.values())
        return [
            Holder(wallet=owner.wallet, account=subs[number], key=number) for number, ask in asked.items() if got[ask]
        ]

    # What one holder has

    def account(self, holder: Holder) -> Plan[Account | None]:
        """Its controller, debt and shares; None where no vault controls it, or it has neither.

        Raises `ReadFailed` where several control it, which the EVC allows within a batch only.
        """
        ruling, enabled = (ask(self.evc, holder.account) for ask in (calls.controllers_of, calls.collaterals_of))
        checked = calls.checked_at(self.evc, holder.account)
        got = yield [ruling, enabled, checked]
        if not got[ruling]:
            return None
        if len(got[ruling]) > 1:
            raise ReadFailed(f"{len(got[ruling])} vaults control {holder.account}, where the EVC allows one")
        [controller] = got[ruling]
        owed = calls.debt_of(controller, holder.account)
        asked = {vault: calls.shares_of(vault, holder.account) for vault in got[enabled]}
        held = yield [owed, *asked.values()]
        stakes = tuple(Stake(vault, held[ask]) for vault, ask in asked.items())
        if not held[owed] and not any(stake.shares for stake in stakes):
            return None
        return Account(holder=holder, controller=controller, debt=held[owed], stakes=stakes, checked_at=got[checked])

    # What they share

    def market(self, accounts: Sequence[Account]) -> Plan[Market]:
        """Their lenders, collateral vaults, and what each amount is worth to its lender."""
        return (yield from market_of(accounts, self.place.feeds))

    # What follows

    def positions(self, market: Market, account: Account) -> Sequence[Position | Unreadable]:
        """One position: a sub-account owes one vault."""
        bare = self._bare(market, account)
        try:
            return [_valued(bare, market, account)]
        except PriceMissing as problem:
            return [self._unpriced(bare, account, problem)]

    def _bare(self, market: Market, account: Account) -> Position:
        """The position before it is valued."""
        unit = lender_of(market, account).unit
        return Position(
            id=self._id(account),
            holder=account.holder,
            at=market.at,
            market=self.place.title,
            state=State.NO_DEBT,
            health=Health(backing=0, required=0, inclusive=True),
            legs=(),
            collateral=0,
            debt=0,
            numeraire=Numeraire(symbol=unit.symbol, decimals=len(str(unit.lift)) - 1 + unit.decimals),
            notes=tuple(notes_of(market, account)),
            terms=tuple(terms_of(market, account)),
        )

    def _id(self, account: Account) -> PositionId:
        holder = account.holder
        return PositionId(
            deployment=self.place.deployment, wallet=holder.wallet, account=holder.account, key=holder.key
        )

    def _unpriced(self, bare: Position, account: Account, problem: PriceMissing) -> Position | Unreadable:
        """Without a price nobody can liquidate, nor borrow, until somebody brings one. Who owes nothing needs none."""
        if not account.debt:
            return replace(bare, notes=(*bare.notes, f"the collateral is not valued: {problem}"))
        return Unreadable(
            id=bare.id,
            holder=account.holder,
            at=bare.at,
            market=self.place.title,
            because=Because.UNPRICEABLE,
            reason=str(problem),
        )

    def verdict(self, holder: Holder) -> Plan[Verdict | None]:
        """`accountLiquidity` as a liquidation sees it, with interest to the block. Who owes nothing needs no price."""
        ruling = calls.controllers_of(self.evc, holder.account)
        controllers = (yield [ruling])[ruling]
        if len(controllers) != 1:
            return Verdict(liquidatable=False, debt=0)
        [controller] = controllers
        owed, seen = calls.debt_of(controller, holder.account), calls.liquidity_of(controller, holder.account, True)
        got = yield [owed, seen]
        if not got[owed]:
            return Verdict(liquidatable=False, debt=0)
        health = Health(backing=got[seen].collateral, required=got[seen].liability, inclusive=True)
        return Verdict(liquidatable=health.liquidatable, health=health)

    def after(self, market: Market, account: Account, action: Action) -> Account | Refused:
        """The account after paying back, or after a deposit into a collateral vault that counts."""
        change = after_repay if isinstance(action, Repay) else after_top_up
        return change(market, account, action.asset, action.amount)

    def repriced(self, market: Market, prices: Mapping[Address, Price]) -> Market:
        return replace(market, prices={**market.prices, **prices})

    def expects(self) -> Plan[Sequence[str]]:
        """It must answer as an EVC does: its own account is controlled by nobody, and has nothing enabled."""
        asked = [ask(self.evc, self.evc) for ask in (calls.controllers_of, calls.collaterals_of)]
        checked = calls.checked_at(self.evc, self.evc)
        got = yield [*asked, checked]
        answers = [got.outcome(ask) for ask in asked]
        problems = [str(answer) for answer in (*answers, got.outcome(checked)) if isinstance(answer, ReadFailed)]
        if not problems and any(answers):
            problems.append(f"{self.evc} says that vaults control it, which no EVC lets happen to itself")
        return problems


def sub_account(owner: Address, number: int) -> Address:
    """An owner's sub-account: its address with the last byte XORed (`haveCommonOwnerInternal` tells by the rest)."""
    return checksummed(int(owner, 16) ^ number)


def _valued(bare: Position, market: Market, account: Account) -> Position:
    """Raises `PriceMissing`."""
    now, lender = market.at.timestamp, lender_of(market, account)
    lines, debt = collateral_lines(market, account), debt_line(market, account)
    health = health_at(lines, debt.value if debt else 0, now)
    lift = lender.unit.lift
    position = replace(
        bare,
        state=state_of(market, account, health),
        health=health,
        legs=tuple(legs_of(lender, lines, debt, now)),
        collateral=sum(line.value for line in lines) * lift,
        debt=health.required * lift,
    )
    if debt is None:
        return position
    return replace(
        position,
        notes=(*position.notes, *remarks_on(market, account, health, to_borrow(lines, debt))),
        slack=slack_of(lender.unit, lines, debt, health.backing),
        scenarios=tuple(scenarios_of(market, account, lines, debt)),
    )
