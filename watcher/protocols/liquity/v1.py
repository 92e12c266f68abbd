"""Liquity v1 (LUSD): one trove per owner, no interest, and a recovery mode that liquidates healthy troves too.

Read beside `TroveManager` (`_liquidateNormalMode`, `_liquidateRecoveryMode`, `getEntireDebtAndColl`) of liquity/dev
@ 39f1f7f8. In recovery mode (all collateral below 150 % of all debt) a trove below the ratio of the whole may be
liquidated as well, if the stability pool can take all of its debt. The last trove never is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from watcher.domain.health import Health
from watcher.domain.position import Action, Position, Refused, Scenario, Term, Unreadable, Verdict
from watcher.domain.price import Price
from watcher.domain.source import ZERO_ADDRESS, Address, Block, Holder
from watcher.protocols.figures import amount, percent
from watcher.protocols.liquity import troves
from watcher.protocols.liquity.troves import Line, Tokens, Trove, ratio
from watcher.protocols.reader import OneEach, Place, PriceMissing
from watcher.protocols.rounding import mul_div_up
from watcher.reads import Memo, Outcome, Plan, both, lasting, together
from watcher.reads.abi import interface


@dataclass(frozen=True, slots=True)
class Entire:
    """`getEntireDebtAndColl`: with pending redistributions and the gas compensation."""

    debt: int
    coll: int
    pending_debt: int
    pending_coll: int


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """What never changes: Liquity v1 has no owner."""

    mcr: int
    ccr: int
    least_debt: int
    price_feed: Address
    stability_pool: Address
    sorted_troves: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What all troves share. `coll` and `debt` are of the whole system."""

    at: Block
    system: System
    prices: Mapping[Address, Outcome[Price]]
    coll: int
    debt: int
    owners: int
    deposits: int
    line: Outcome[Line]

    def whole(self, price: int) -> int:
        """`getTCR`: the ratio of the whole system."""
        return ratio(self.coll, self.debt, price)

    def threshold(self, trove: Trove, price: int) -> int:
        """The ratio below which this trove may be liquidated now."""
        whole = self.whole(price)
        recovering = whole < self.system.ccr and trove.debt <= self.deposits
        return max(self.system.mcr, whole) if recovering else self.system.mcr


_V1 = interface("liquity_v1")
_mcr, _ccr = _V1.function("MCR", int), _V1.function("CCR", int)
_least, _compensation = _V1.function("MIN_NET_DEBT", int), _V1.function("LUSD_GAS_COMPENSATION", int)
_feed, _pool = _V1.function("priceFeed", Address), _V1.function("stabilityPool", Address)
_sorted = _V1.function("sortedTroves", Address)
_status_of = _V1.function("getTroveStatus", int)
_entire = _V1.function("getEntireDebtAndColl", Entire, gas=100_000)
_ratio_of = _V1.function("getCurrentICR", int, gas=120_000)
_whole_of = _V1.function("getTCR", int, gas=120_000)
_system_coll, _system_debt = _V1.function("getEntireSystemColl", int), _V1.function("getEntireSystemDebt", int)
_owners, _deposits = _V1.function("getTroveOwnersCount", int), _V1.function("getTotalLUSDDeposits", int)
_size = _V1.function("getSize", int)


def _rows(rows: tuple[tuple[Any, ...], ...]) -> tuple[tuple[Any, ...], ...]:
    return rows


_page = _V1.function("getMultipleSortedTroves", _rows, gas=4_000_000)

_ACTIVE: Final = 1
_PAGE: Final = 80  # troves; a page has to stay within what one answer may be long
_MOST_PAGES: Final = 25
_SEEN_FOR: Final = 600
"""Seconds for which the line of redemption is taken as it was: it moves with every price, slowly."""
_A_DAY: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquityV1(OneEach):
    """The system behind one TroveManager. `lens` is its MultiTroveGetter."""

    place: Place
    trove_manager: Address
    debt_token: Address
    lens: Address
    debt_symbol: str = "LUSD"
    collateral_symbol: str = "ETH"

    @property
    def tokens(self) -> Tokens:
        """Ether itself has no contract."""
        return Tokens.of(ZERO_ADDRESS, self.collateral_symbol, self.debt_token, self.debt_symbol)

    def discover(self, owner: Holder, found: Sequence[str]) -> Plan[Sequence[Holder]]:
        """The owner, where it has a trove."""
        status = _status_of(self.trove_manager, owner.account)
        got = yield [status]
        return (owner,) if got[status] == _ACTIVE else ()

    def account(self, holder: Holder) -> Plan[Trove | None]:
        status, entire = _status_of(self.trove_manager, holder.account), _entire(self.trove_manager, holder.account)
        got = yield [status, entire]
        if got[status] != _ACTIVE:
            return None
        return Trove(holder=holder, debt=got[entire].debt, coll=got[entire].coll)

    def market(self, accounts: Sequence[Trove]) -> Plan[Market]:
        """The whole system, its price, and the line of redemption as it was a while ago."""
        system = yield from self._system()
        whole = [getter(self.trove_manager) for getter in (_system_coll, _system_debt, _owners)]
        deposits = _deposits(system.stability_pool)
        got = yield [*whole, deposits]
        coll, debt, owners = (got[call] for call in whole)
        [price], [line] = yield from both(
            together([troves.asked_price(system.price_feed, self.place)]),
            together([lasting(Memo("line", self.trove_manager), lambda: self._line(system), lasts=_SEEN_FOR)]),
        )
        return Market(
            at=got.at,
            system=system,
            prices={ZERO_ADDRESS: price},
            coll=coll,
            debt=debt,
            owners=owners,
            deposits=got[deposits],
            line=line,
        )

    def _system(self) -> Plan[System]:
        return (yield from lasting(Memo("system", self.trove_manager), self._read_system, lasts=_A_DAY))

    def _read_system(self) -> Plan[System]:
        mcr, ccr, feed = _mcr(self.trove_manager), _ccr(self.trove_manager), _feed(self.trove_manager)
        least, kept = _least(self.trove_manager), _compensation(self.trove_manager)
        pool, line = _pool(self.trove_manager), _sorted(self.trove_manager)
        got = yield [mcr, ccr, feed, least, kept, pool, line]
        return System(
            mcr=got[mcr],
            ccr=got[ccr],
            least_debt=got[least] + got[kept],
            price_feed=got[feed],
            stability_pool=got[pool],
            sorted_troves=got[line],
        )

    def _line(self, system: System) -> Plan[Line]:
        """The troves from the lowest nominal ratio up, by their recorded debts."""
        size = _size(system.sorted_troves)
        count = (yield [size])[size]
        pages = [_page(self.lens, -1 - start, _PAGE) for start in range(0, min(count, _PAGE * _MOST_PAGES), _PAGE)]
        got = yield pages
        return Line(tuple((row[0], row[1]) for page in pages for row in got[page]))

    def positions(self, market: Market, account: Trove) -> Sequence[Position | Unreadable]:
        try:
            price = troves.priced(market.prices, self.tokens)
        except PriceMissing as problem:
            return [troves.unpriceable(self.place, account.holder, market.at, problem)]
        return [
            troves.position_of(
                self.place,
                market.at,
                account,
                self.tokens,
                price,
                market.threshold(account, price.low),
                blocked=market.owners <= 1,
                terms=self._terms(market, account, price),
                scenarios=_in_recovery(market, account, price),
                notes=_notes(market, account, price),
            )
        ]

    def _terms(self, market: Market, trove: Trove, price: Price) -> Iterator[Term]:
        of = self.tokens.collateral.symbol
        yield Term(what="minimum ratio", of=of, value=percent(market.system.mcr))
        yield Term(what="price source", of=of, value=market.system.price_feed)
        yield Term(what="ratio of the whole", of=of, value=percent(market.whole(price.low)), set_by_rule=False)
        entry = mul_div_up(market.system.ccr, market.debt, market.coll)
        yield Term(what="recovery mode", of=of, value=f"below {amount(entry, troves.PLACES)} USD", set_by_rule=False)
        yield from troves.redemption(market.line, trove.holder.account, self.tokens)

    def verdict(self, holder: Holder) -> Plan[Verdict | None]:
        """The contract's own ratio of the trove and of the whole, at its own price."""
        system = yield from self._system()
        price = yield from troves.asked_price(system.price_feed, self.place)
        own, whole = _ratio_of(self.trove_manager, holder.account, price.low), _whole_of(self.trove_manager, price.low)
        entire, deposits = _entire(self.trove_manager, holder.account), _deposits(system.stability_pool)
        got = yield [own, whole, entire, deposits]
        recovering = got[whole] < system.ccr and got[entire].debt <= got[deposits]
        health = Health(backing=got[own], required=max(system.mcr, got[whole]) if recovering else system.mcr)
        return Verdict(liquidatable=health.liquidatable, health=health, debt=got[entire].debt)

    def after(self, market: Market, account: Trove, action: Action) -> Trove | Refused:
        """The trove after an action; what it does to the ratio of the whole is left out, as it is small."""
        return troves.after(account, self.tokens, action, market.system.least_debt)

    def repriced(self, market: Market, prices: Mapping[Address, Price]) -> Market:
        return replace(market, prices={**market.prices, **prices})

    def expects(self) -> Plan[Sequence[str]]:
        """A TroveManager and its lens answer; what they answer is looked at by everything else."""
        asked = [_mcr(self.trove_manager), _owners(self.trove_manager), _page(self.lens, 0, 1)]
        got = yield asked
        return [str(one) for one in map(got.outcome, asked) if isinstance(one, Exception)]


def _in_recovery(market: Market, trove: Trove, price: Price) -> Iterator[Scenario]:
    """Where the whole is not in recovery mode, what would hold at the edge of it."""
    if market.whole(price.low) >= market.system.ccr and trove.debt <= market.deposits:
        health = Health(backing=ratio(trove.coll, trove.debt, price.low), required=market.system.ccr)
        yield Scenario(what=f"if the whole falls below {percent(market.system.ccr)}", health=health)


def _notes(market: Market, trove: Trove, price: Price) -> Iterator[str]:
    if market.whole(price.low) < market.system.ccr:
        covered = trove.debt <= market.deposits
        rest = "" if covered else "; the stability pool is too small to take this trove above the minimum ratio"
        yield f"recovery mode: troves below {percent(market.whole(price.low))} are liquidated{rest}"
