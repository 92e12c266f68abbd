"""The Morpho Blue plugin: which reads, in which order, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from eth_utils.crypto import keccak

from watcher.domain.errors import NotDecodable, ReadFailed
from watcher.domain.health import Health
from watcher.domain.position import (
    Action,
    Position,
    Refused,
    Repay,
    Scenario,
    State,
    Unreadable,
    Verdict,
)
from watcher.domain.price import Price
from watcher.domain.source import ZERO_ADDRESS, Address, Holder, Id32
from watcher.protocols.assets import asset_of
from watcher.protocols.morpho_blue import calls, guards, verdicts
from watcher.protocols.morpho_blue.maths import (
    Account,
    Line,
    Market,
    Markets,
    after_repay,
    after_top_up,
    debt_value,
    legs_of,
    lines_of,
    nearest,
    price_of,
    slack_of,
    state_of,
)
from watcher.protocols.morpho_blue.shared import accrual_of, markets_of, params_of
from watcher.protocols.morpho_blue.terms import notes_of, terms_of
from watcher.protocols.reader import Place, PriceMissing
from watcher.reads import Answers, Call, Plan, both
from watcher.reads.codec import checksummed
from watcher.reads.logs import Log, Search, padded

_BORROWED: Final = keccak(b"Borrow(bytes32,address,address,address,uint256,uint256)")
_AUTHORISED: Final = keccak(b"SetAuthorization(address,address,address,bool)")
_ADDRESS: Final = len(ZERO_ADDRESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class MorphoBlue:
    """The one Morpho of a chain: its address, the block that it is there since, the factory of pre-liquidations (zero
    where there is none), and ids of markets to look into beside those that the logs tell of.

    A risk unit is an account in one market; `Holder.key` is the market's id.
    """

    place: Place
    morpho: Address
    since: int
    pre_liquidations: Address = ZERO_ADDRESS
    markets: tuple[Id32, ...] = ()

    # Where one owner has anything

    def search(self, owner: Holder) -> Search | None:
        """Its borrows tell the markets, its authorisations the guards: of both it is the second indexed word.

        Collateral alone is at no risk, and is found once something has been borrowed on it.
        """
        return Search(
            emitters=(self.morpho,),
            topics=((_BORROWED, _AUTHORISED), None, (padded(owner.account),)),
            since=self.since,
            key=_told,
        )

    def discover(self, owner: Holder, found: Sequence[str]) -> Plan[Sequence[Holder]]:
        """The markets where it has collateral or debt. Which guards it may have authorised is found out along."""
        contracts = [Address(key) for key in found if len(key) == _ADDRESS]
        ids = dict.fromkeys([*self.markets, *(key for key in found if len(key) != _ADDRESS)])
        asked = {each: calls.holding_of(self.morpho, calls.key_of(each), owner.account) for each in ids}
        _, got = yield from both(
            guards.find(self.place.deployment, self.pre_liquidations, owner, contracts), _answered(list(asked.values()))
        )
        there = [each for each, call in asked.items() if got[call].borrow_shares or got[call].collateral]
        return [replace(owner, key=each) for each in there]

    # What one holder has

    def account(self, holder: Holder) -> Plan[Account | None]:
        """Its shares and collateral, and who is authorised; None where it has neither. What is lent is at no risk."""
        ask = calls.holding_of(self.morpho, calls.key_of(holder.key), holder.account)
        held = (yield [ask])[ask]
        if not held.borrow_shares and not held.collateral:
            return None
        params, authorised = yield from both(
            params_of(self.morpho, holder.key), guards.of(self.place.deployment, self.morpho, holder)
        )
        return Account(
            holder=holder,
            params=params,
            borrow_shares=held.borrow_shares,
            collateral=held.collateral,
            guards=authorised,
        )

    # What they share

    def market(self, accounts: Sequence[Account]) -> Plan[Markets]:
        """Each market and each oracle that one of these accounts has to do with."""
        return (yield from markets_of(self.morpho, accounts, self.place.feeds))

    # What follows

    def positions(self, market: Markets, account: Account) -> Sequence[Position | Unreadable]:
        """One position: its health is that of the line that is crossed first, be it Morpho's or a guard's."""
        own = self._market(market, account)
        try:
            lines = lines_of(market, own, account)
        except PriceMissing as problem:
            return [self._unpriced(market, own, account, problem)]
        counted = nearest(lines)
        legs = tuple(legs_of(market, own, account, counted))
        return [
            replace(
                self._bare(market, own, account),
                state=state_of(account, counted),
                health=counted.health,
                legs=legs,
                collateral=int(sum(leg.value() for leg in legs if leg.amount > 0)),
                debt=debt_value(own, account, price_of(market, own.priced_as).low),
                slack=slack_of(counted.health),
                notes=tuple(notes_of(own, account, lines, counted)),
                scenarios=_scenarios(lines, counted),
            )
        ]

    def _market(self, markets: Markets, account: Account) -> Market:
        if account.holder.key not in markets.markets:
            raise ReadFailed(f"the markets were read without {account.holder.key}, which this account is in")
        found = markets.markets[account.holder.key]
        if isinstance(found, ReadFailed):
            raise found
        return found

    def _bare(self, markets: Markets, own: Market, account: Account) -> Position:
        """The position before it is valued."""
        return Position(
            id=self.place.id_of(account.holder),
            holder=account.holder,
            at=markets.at,
            market=self.place.title,
            state=State.NO_DEBT,
            health=Health(backing=0, required=0),
            legs=(),
            collateral=0,
            debt=0,
            numeraire=own.numeraire,
            terms=tuple(terms_of(own, account)),
        )

    def _unpriced(
        self, markets: Markets, own: Market, account: Account, problem: PriceMissing
    ) -> Position | Unreadable:
        """Without a price nobody can liquidate, nor borrow. Who owes nothing needs none."""
        if not account.borrow_shares:
            return replace(self._bare(markets, own, account), notes=(f"the collateral is not valued: {problem}",))
        return self.place.unpriceable(account.holder, markets.at, problem)

    def verdict(self, holder: Holder) -> Plan[Verdict | None]:
        """How impossible liquidations fail; and now and then the debt, after the contract's own accrual."""
        account = yield from self.account(holder)
        if account is None or not account.borrow_shares:
            return Verdict(liquidatable=False, debt=0)
        probe = calls.liquidation(self.morpho, account.params, holder.account)
        probes = [calls.pre_liquidation(guard.contract, holder.account) for guard in account.guards]
        got, totals = yield from both(_answered([probe, *probes]), accrual_of(self.morpho, holder.key, account.params))
        by_guards = [verdicts.pre_liquidatable(got.outcome(each)) for each in probes]
        liquidatable = verdicts.liquidatable(got.outcome(probe)) or any(by_guards)
        debt = None if totals is None else (yield from self._debt(account, totals))
        return Verdict(liquidatable=liquidatable, debt=debt)

    def _debt(self, account: Account, totals: calls.Totals) -> Plan[int]:
        """By the contract's own totals, in units of the numeraire."""
        params = account.params
        loan, collateral = yield from both(asset_of(params.loan), asset_of(params.collateral))
        market = Market(id=account.holder.key, params=params, loan=loan, collateral=collateral, totals=totals, rate=0)
        return debt_value(market, account, 10**market.numeraire.decimals)

    def after(self, market: Markets, account: Account, action: Action) -> Account | Refused:
        """The account after paying back, or after supplying more collateral: neither can be paused."""
        change = after_repay if isinstance(action, Repay) else after_top_up
        return change(self._market(market, account), account, action.asset, action.amount)

    def repriced(self, market: Markets, prices: Mapping[Address, Price]) -> Markets:
        return replace(market, prices={**market.prices, **prices})

    def expects(self) -> Plan[Sequence[str]]:
        """Morpho must be one, its factory must be of it, and the markets must exist."""
        zero, factory = calls.irm_enabled(self.morpho, ZERO_ADDRESS), calls.morpho_of(self.pre_liquidations)
        totals = {each: calls.totals_of(self.morpho, calls.key_of(each)) for each in self.markets}
        asked = [zero, *totals.values(), *([factory] if self.pre_liquidations != ZERO_ADDRESS else [])]
        got = yield asked
        problems = [str(answer) for ask in asked if isinstance(answer := got.outcome(ask), ReadFailed)]
        if problems:
            return problems
        if factory in asked and got[factory] != self.morpho:
            problems.append(f"{self.pre_liquidations} makes pre-liquidations of {got[factory]}, not of {self.morpho}")
        return [*problems, *(f"there is no market {each}" for each, ask in totals.items() if not got[ask].updated_at)]


def _answered(asked: Sequence[Call[Any]]) -> Plan[Answers]:
    return (yield asked)


def _scenarios(lines: Sequence[Line], counted: Line) -> tuple[Scenario, ...]:
    """Morpho's own health, where a guard's counts."""
    return () if counted.guard is None else (Scenario(what="liquidation by Morpho itself", health=lines[0].health),)


def _told(log: Log) -> str:
    """The market of a borrow, or whom an authorisation was about, be it given or taken."""
    kind, *indexed = log.topics
    if len(indexed) == 3 and kind == _BORROWED:
        return f"0x{indexed[0].hex()}"
    if len(indexed) == 3 and kind == _AUTHORISED:
        return checksummed(int.from_bytes(indexed[2][-20:], "big"))
    raise NotDecodable(f"a log of {log.address} in block {log.block} is neither a borrow nor an authorisation")
