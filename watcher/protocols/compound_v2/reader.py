"""What the plugins of the family have in common: which reads, in which order, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from watcher.domain.errors import ReadFailed
from watcher.domain.position import Action, Because, Position, PositionId, Refused, Repay, Unreadable, Verdict
from watcher.domain.price import Fixed, Price
from watcher.domain.source import ZERO_ADDRESS, Address, Holder
from watcher.oracles.compound_v2 import compound_price
from watcher.protocols.compound_v2 import calls
from watcher.protocols.compound_v2.actions import after_repay, after_top_up
from watcher.protocols.compound_v2.maths import (
    DOLLARS,
    Account,
    Common,
    Holding,
    Listed,
    Market,
    Rule,
    Version,
    in_numeraire,
    legs_of,
    lines_of,
    sums_of,
)
from watcher.protocols.compound_v2.settled import Settled, settled, view_of
from watcher.protocols.compound_v2.shared import Accrued, listed_of, priced
from watcher.protocols.compound_v2.states import notes_of, state_of
from watcher.protocols.compound_v2.terms import terms_of
from watcher.protocols.reader import OneEach, Place, PriceMissing
from watcher.reads import Call, Outcome, Plan, both, sure, together

_ONE_DOLLAR: Final = Fixed(10**DOLLARS.decimals, "counted at one dollar, whatever it trades at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Family(OneEach):
    """One comptroller. All else is asked of it each time, as an upgrade may change it.

    `coin` is the token that stands for the chain's own coin, for markets that lend that.
    """

    version: ClassVar[Version] = Version()
    per_second: ClassVar[bool] = False
    pools: ClassVar[bool] = False
    """Whether markets keep bad debt and may count in seconds, as those of Venus's pools."""

    place: Place
    comptroller: Address
    coin: Address = ZERO_ADDRESS

    # In what they differ

    def rule(self, user: Address, c_token: Address) -> Plan[Rule]:
        raise NotImplementedError

    def common(self) -> Plan[Common]:
        oracle, close = calls.oracle_of(self.comptroller), calls.close_factor(self.comptroller)
        got = yield [oracle, close]
        return Common(oracle=got[oracle], close_factor=got[close])

    def controller(self) -> Plan[Address | None]:
        """That of VAI, where there is one."""
        yield []
        return None

    def pool(self, user: Address) -> Plan[int]:
        yield []
        return 0

    def explained(self, oracle: Address, c_token: Address, value: int) -> Plan[Price]:
        return compound_price(oracle, c_token, value, self.place.feeds)

    def marks(self) -> Sequence[Call[object]]:
        """What nothing but such a comptroller answers."""
        return ()

    # What one user has

    def discover(self, owner: Holder, found: Sequence[str]) -> Plan[Sequence[Holder]]:
        """The owner, where it has entered a market: supply alone backs nothing, and owing takes an entry."""
        ask = calls.entered_by(self.comptroller, owner.account)
        entered, controller = yield from both(_answer(ask), self.controller())
        if entered or controller is None:
            return (owner,) if entered else ()
        minted = calls.minted_vai(self.comptroller, owner.account)
        return (owner,) if (yield [minted])[minted] else ()

    def account(self, holder: Holder) -> Plan[Account | None]:
        """What is in the markets entered, accrued, each with its rule; None where that is nothing."""
        ask = calls.entered_by(self.comptroller, holder.account)
        entered = (yield [ask])[ask]
        rules = together(self.rule(holder.account, c_token) for c_token in entered)
        (found, pool), weighed = yield from both(both(self._settled(holder), self.pool(holder.account)), rules)
        if found.nothing:
            return None
        held = [
            Holding(c_token=one, tokens=there.tokens, debt=there.borrowed, rule=sure(rule))
            for (one, there), rule in zip(found.snapshots.items(), weighed, strict=True)
        ]
        return Account(holder=holder, holdings=tuple(held), vai=found.vai, pool=pool)

    def _settled(self, holder: Holder) -> Plan[Settled]:
        ask = calls.entered_by(self.comptroller, holder.account)
        entered, controller = yield from both(_answer(ask), self.controller())
        return (yield from settled(self.comptroller, holder.account, entered, controller))

    # What they share

    def market(self, accounts: Sequence[Account]) -> Plan[Market]:
        """Every market that one of these accounts has entered, accrued, with its price."""
        c_tokens = sorted({held.c_token for account in accounts for held in account.holdings})
        accrued = Accrued(c_tokens, per_second=self.per_second, pools=self.pools)
        common, listed = yield from both(self.common(), listed_of(accrued, c_tokens, self.coin))
        prices = yield from together(self._price(common.oracle, one, listed[one]) for one in c_tokens)
        vai: dict[Address, Outcome[Price]] = {common.vai.address: Price.of(_ONE_DOLLAR)} if common.vai else {}
        got = yield []
        return Market(
            at=got.at,
            version=self.version,
            common=common,
            listed=listed,
            prices={**dict(zip(c_tokens, prices, strict=True)), **vai},
        )

    def _price(self, oracle: Address, c_token: Address, listed: Outcome[Listed]) -> Plan[Price]:
        decimals = sure(listed).asset.decimals
        ask = calls.price_of(oracle, c_token)
        value = (yield [ask])[ask]
        return (yield from priced(oracle, c_token, decimals, self.explained(oracle, c_token, value)))

    # What follows

    def positions(self, market: Market, account: Account) -> Sequence[Position | Unreadable]:
        """One position: a comptroller sums up all that a user has."""
        if unread := [held.c_token for held in account.holdings if held.c_token not in market.listed]:
            raise ReadFailed(f"the market was read without {unread[0]}, which this account has entered")
        try:
            lines = lines_of(market, account)
        except PriceMissing as problem:
            return [self._unpriceable(market, account, problem)]
        sums = sums_of(market, account, lines)
        return [
            Position(
                id=self._id(account),
                holder=account.holder,
                at=market.at,
                market=self.place.title,
                state=state_of(market, account, lines, sums),
                health=sums.health,
                legs=tuple(legs_of(market, account, lines)),
                collateral=in_numeraire(sums.collateral),
                debt=in_numeraire(sums.health.required),
                numeraire=DOLLARS,
                slack=sums.slack,
                notes=tuple(notes_of(market, account, lines, sums)),
                terms=tuple(terms_of(market, account, lines)),
            )
        ]

    def _id(self, account: Account) -> PositionId:
        holder = account.holder
        return PositionId(deployment=self.place.deployment, wallet=holder.wallet, account=holder.account)

    def _unpriceable(self, market: Market, account: Account, problem: PriceMissing) -> Unreadable:
        return Unreadable(
            id=self._id(account),
            holder=account.holder,
            at=market.at,
            market=self.place.title,
            because=Because.UNPRICEABLE,
            reason=str(problem),
        )

    def verdict(self, holder: Holder) -> Plan[Verdict | None]:
        """`getAccountLiquidity` behind an accrual of every market entered: it tells the margin, not its two sides."""
        view = view_of((yield from self._settled(holder)))
        return Verdict(liquidatable=False) if view is None else Verdict(liquidatable=view.below > 0, margin=view.margin)

    def after(self, market: Market, account: Account, action: Action) -> Account | Refused:
        """The account after paying back, or after supplying more where it has supplied."""
        change = after_repay if isinstance(action, Repay) else after_top_up
        return change(market, account, action.asset, action.amount)

    def repriced(self, market: Market, prices: Mapping[Address, Price]) -> Market:
        return replace(market, prices={**market.prices, **prices})

    def expects(self) -> Plan[Sequence[str]]:
        """It must answer as its kind of comptroller does, and as no other."""
        asks: list[Call[object]] = [
            calls.oracle_of(self.comptroller),
            calls.close_factor(self.comptroller),
            *self.marks(),
        ]
        got = yield asks
        return [str(answer) for answer in map(got.outcome, asks) if isinstance(answer, ReadFailed)]


def _answer(ask: Call[tuple[Address, ...]]) -> Plan[tuple[Address, ...]]:
    return (yield [ask])[ask]
