"""Liquity v2 (BOLD) and its forks: troves as tokens, each with the interest that its owner chose. One branch.

Read beside `TroveManager` (`getCurrentICR`, `_batchLiquidateTroves`), `BorrowerOperations.openTrove` and `SortedTroves`
of liquity/bold @ 405f9122. There is no recovery mode: a trove is liquidated below the minimum ratio and nowhere else.
Redemptions take the troves of the lowest interest first, whatever their ratio, after those that an earlier redemption
has left below the least debt (zombies).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from eth_utils.crypto import keccak

from watcher.domain.errors import NotDecodable, ReadFailed
from watcher.domain.position import Action, Position, Refused, Term, Unreadable, Verdict
from watcher.domain.price import Price
from watcher.domain.source import ZERO_ADDRESS, Address, Block, Holder
from watcher.protocols.figures import percent
from watcher.protocols.liquity import troves
from watcher.protocols.liquity.troves import Line, Tokens, Trove, ratio
from watcher.protocols.reader import Place, PriceMissing
from watcher.protocols.rounding import WAD
from watcher.reads import Memo, Outcome, Plan, both, lasting, together
from watcher.reads.abi import interface
from watcher.reads.logs import Log, Search, padded


@dataclass(frozen=True, slots=True)
class Latest:
    """`getLatestTroveData`: with interest, fees and redistributions up to the block."""

    debt: int
    coll: int
    redistributed_debt: int
    redistributed_coll: int
    interest: int
    recorded_debt: int
    rate: int
    weighted_debt: int
    batch_fee: int
    rate_set_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """What never changes of one branch, as its AddressesRegistry has it."""

    mcr: int
    ccr: int
    scr: int
    manager: Address
    price_feed: Address
    sorted_troves: Address
    collateral: Address
    nft: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What all troves of the branch share. `shut_at`: when it was shut down for good, 0 while it is not."""

    at: Block
    branch: Branch
    prices: Mapping[Address, Outcome[Price]]
    coll: int
    debt: int
    count: int
    shut_at: int
    line: Outcome[Line]


_V2 = interface("liquity_v2")
_mcr, _ccr, _scr = (_V2.function(name, int) for name in ("MCR", "CCR", "SCR"))
_manager, _feed = _V2.function("troveManager", Address), _V2.function("priceFeed", Address)
_sorted, _collateral = _V2.function("sortedTroves", Address), _V2.function("collToken", Address)
_nft = _V2.function("troveNFT", Address)
_owner_of = _V2.function("ownerOf", Address)
_status_of = _V2.function("getTroveStatus", int)
_latest = _V2.function("getLatestTroveData", Latest, gas=150_000)
_ratio_of = _V2.function("getCurrentICR", int, gas=150_000)
_count, _shut_at = _V2.function("getTroveIdsCount", int), _V2.function("shutdownTime", int)
_branch_coll = _V2.function("getEntireBranchColl", int, gas=100_000)
_branch_debt = _V2.function("getEntireBranchDebt", int, gas=100_000)
_size = _V2.function("getSize", int)


def _rows(rows: tuple[tuple[Any, ...], ...]) -> tuple[tuple[Any, ...], ...]:
    return rows


_page = _V2.function("getMultipleSortedTroves", _rows, gas=6_000_000)

_ACTIVE: Final = 1
_ZOMBIE: Final = 4
_LEAST_DEBT: Final = 2000 * WAD
"""`MIN_DEBT`: constant in every deployment of the code."""
_INDICES: Final = 8
"""How many numbers of an owner are tried: a trove's id is made of who opened it, for whom, and a number."""
_PAGE: Final = 30
_MOST_PAGES: Final = 40
_SEEN_FOR: Final = 600
"""Seconds for which the line of redemption is taken as it was."""
_A_DAY: Final = 86_400
_TRANSFER: Final = keccak(b"Transfer(address,address,uint256)")


def trove_id(opener: Address, owner: Address, index: int) -> int:
    """`uint256(keccak256(abi.encode(msg.sender, owner, ownerIndex)))` of `BorrowerOperations._openTrove`."""
    return int.from_bytes(keccak(padded(opener) + padded(owner) + index.to_bytes(32, "big")), "big")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquityV2:
    """One branch by its AddressesRegistry. `lens` is the MultiTroveGetter, to which it is number `index`.

    `zapper` is the contract by which the protocol's own app opens troves of this branch; `since` the block from which
    on tokens of troves are looked for.
    """

    place: Place
    registry: Address
    nft: Address
    debt_token: Address
    collateral: Address
    collateral_symbol: str
    lens: Address
    index: int
    since: int
    debt_symbol: str = "BOLD"
    zapper: Address = ZERO_ADDRESS

    @property
    def tokens(self) -> Tokens:
        return Tokens.of(self.collateral, self.collateral_symbol, self.debt_token, self.debt_symbol)

    # Whose troves there are

    def search(self, owner: Holder) -> Search | None:
        """The tokens of troves that came to the owner, by whomever they were opened."""
        topics = ((_TRANSFER,), None, (padded(owner.account),))
        return Search(emitters=(self.nft,), topics=topics, since=self.since, key=_token_of)

    def discover(self, owner: Holder, found: Sequence[str]) -> Plan[Sequence[Holder]]:
        """The troves that logs tell of, and those that the owner's own numbers may have, as far as they are its own."""
        openers = dict.fromkeys((owner.account, *([self.zapper] if self.zapper != ZERO_ADDRESS else [])))
        guessed = [trove_id(opener, owner.account, index) for opener in openers for index in range(_INDICES)]
        asked = {number: _owner_of(self.nft, number) for number in dict.fromkeys([*map(int, found), *guessed])}
        got = yield list(asked.values())
        return tuple(
            Holder(wallet=owner.wallet, account=owner.account, key=str(number))
            for number, call in asked.items()
            if got.outcome(call) == owner.account
        )

    def account(self, holder: Holder) -> Plan[Trove | None]:
        """Debt and collateral to the block; None where the trove is closed or has another owner by now."""
        branch, number = yield from both(self._branch(), _number(holder))
        status, latest = _status_of(branch.manager, number), _latest(branch.manager, number)
        owner = _owner_of(self.nft, number)
        got = yield [status, latest, owner]
        if got[status] not in (_ACTIVE, _ZOMBIE) or got.outcome(owner) != holder.account:
            return None
        zombie = got[status] == _ZOMBIE
        return Trove(holder=holder, debt=got[latest].debt, coll=got[latest].coll, rate=got[latest].rate, zombie=zombie)

    # What they share

    def market(self, accounts: Sequence[Trove]) -> Plan[Market]:
        """The branch, its price, and the line of redemption as it was a while ago."""
        branch = yield from self._branch()
        asked = [getter(branch.manager) for getter in (_branch_coll, _branch_debt, _count, _shut_at)]
        got = yield asked
        coll, debt, count, shut_at = (got[call] for call in asked)
        [price], [line] = yield from both(
            together([troves.asked_price(branch.price_feed, self.place)]),
            together([lasting(Memo("line", self.registry), lambda: self._line(branch), lasts=_SEEN_FOR)]),
        )
        return Market(
            at=got.at,
            branch=branch,
            prices={self.collateral: price},
            coll=coll,
            debt=debt,
            count=count,
            shut_at=shut_at,
            line=line,
        )

    def _branch(self) -> Plan[Branch]:
        return (yield from lasting(Memo("branch", self.registry), self._read_branch, lasts=_A_DAY))

    def _read_branch(self) -> Plan[Branch]:
        numbers = [getter(self.registry) for getter in (_mcr, _ccr, _scr)]
        places = [getter(self.registry) for getter in (_manager, _feed, _sorted, _collateral, _nft)]
        got = yield [*numbers, *places]
        mcr, ccr, scr = (got[call] for call in numbers)
        manager, feed, line, collateral, nft = (got[call] for call in places)
        return Branch(
            mcr=mcr,
            ccr=ccr,
            scr=scr,
            manager=manager,
            price_feed=feed,
            sorted_troves=line,
            collateral=collateral,
            nft=nft,
        )

    def _line(self, branch: Branch) -> Plan[Line]:
        """The troves from the lowest interest up, with their whole debts."""
        size = _size(branch.sorted_troves)
        count = (yield [size])[size]
        starts = range(0, min(count, _PAGE * _MOST_PAGES), _PAGE)
        pages = [_page(self.lens, self.index, -1 - start, _PAGE) for start in starts]
        got = yield pages
        return Line(tuple((row[0], row[1]) for page in pages for row in got[page]))

    # The protocol's own maths

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
                market.branch.mcr,
                blocked=market.count <= 1,
                terms=self._terms(market, account, price),
                notes=_notes(market, account),
            )
        ]

    def _terms(self, market: Market, trove: Trove, price: Price) -> Iterator[Term]:
        of, branch = self.collateral_symbol, market.branch
        yield Term(what="minimum ratio", of=of, value=percent(branch.mcr))
        yield Term(what="price source", of=of, value=branch.price_feed)
        yield Term(what="branch", of=of, value="shut down" if market.shut_at else "open")
        yield Term(what="interest", of=self.debt_symbol, value=f"{percent(trove.rate)} a year")
        if market.debt:
            whole = percent(ratio(market.coll, market.debt, price.low))
            yield Term(what="ratio of the branch", of=of, value=whole, set_by_rule=False)
        yield from troves.redemption(market.line, int(trove.holder.key), self.tokens)

    def verdict(self, holder: Holder) -> Plan[Verdict | None]:
        """The contract's own ratio of the trove at its own price."""
        branch, number = yield from both(self._branch(), _number(holder))
        price = yield from troves.asked_price(branch.price_feed, self.place)
        own, latest = _ratio_of(branch.manager, number, price.low), _latest(branch.manager, number)
        got = yield [own, latest]
        health = troves.health_of(got[own], got[latest].debt, branch.mcr)
        return Verdict(liquidatable=health.liquidatable, health=health, debt=got[latest].debt)

    def after(self, market: Market, account: Trove, action: Action) -> Trove | Refused:
        """The trove after an action. A zombie has to be brought back to the least debt before anything else."""
        return troves.after(account, self.tokens, action, 0 if account.zombie else _LEAST_DEBT)

    def repriced(self, market: Market, prices: Mapping[Address, Price]) -> Market:
        return replace(market, prices={**market.prices, **prices})

    def expects(self) -> Plan[Sequence[str]]:
        """The registry has to name the collateral and the tokens of troves that are configured."""
        try:
            branch = yield from self._read_branch()
        except ReadFailed as problem:
            return [str(problem)]
        named = (("collateral", branch.collateral, self.collateral), ("nft", branch.nft, self.nft))
        return [
            f"registry {self.registry} has {what} {theirs}, configured is {ours}"
            for what, theirs, ours in named
            if theirs != ours
        ]


def _number(holder: Holder) -> Plan[int]:
    yield []
    return int(holder.key)


def _token_of(log: Log) -> str:
    if len(log.topics) != 4:
        raise NotDecodable(f"a Transfer of a trove has 4 topics, this one {len(log.topics)}")
    return str(int.from_bytes(log.topics[3], "big"))


def _notes(market: Market, trove: Trove) -> Iterator[str]:
    if trove.zombie:
        yield "a redemption has left it below the least debt: it stands first in line"
    if market.shut_at:
        yield "the branch is shut down: anybody may redeem from any trove, at a premium"
