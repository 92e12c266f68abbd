"""Compound v3 markets in tests, from tapes of its own contracts: every account, with what a what-if needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from eth_utils.address import to_checksum_address

from tests.protocols.cases import TapeCase
from tests.tape import TAPES, Tape
from watcher.domain.price import FeedFacts
from watcher.domain.source import Address, Holder
from watcher.protocols.comet import Comet, calls
from watcher.protocols.comet.maths import Account, Market
from watcher.protocols.reader import Place
from watcher.reads import Call, Plan, Returned, together
from watcher.reads.call import T
from watcher.reads.tokens import balance_of


@dataclass(frozen=True)
class Case(TapeCase):
    """One account of one market, the contract's own view through our plan, and what the tape's authors saw of it."""

    reader: Comet
    market: Market
    account: Account

    @property
    def index(self) -> int:
        return self.market.interest.borrow_index

    def stored(self) -> Case:
        """The same by the index that was stored at the last accrual."""
        interest = replace(self.market.interest, borrow_index=self.seen["stored_index"])
        return replace(self, market=replace(self.market, interest=interest))


NAMES = sorted(path.name.removesuffix(".json.gz") for path in TAPES.glob("comet*.json.gz"))


def everything() -> list[Case]:
    return [case for name in NAMES for case in tape_cases(name)]


@cache
def tape_cases(name: str) -> tuple[Case, ...]:
    """Every account of every market of a tape that lends, owes or has a collateral there."""
    tape = Tape.load(name)
    return tuple(
        case for title, told in tape.content["addresses"]["markets"].items() for case in _of(tape, title, told)
    )


def _of(tape: Tape, title: str, told: Mapping[str, Any]) -> Iterator[Case]:
    reader = reader_of(tape, title, told)
    seen = {one["holder"]: one for one in tape.content["verdicts"] if one["market"] == told["comet"]}
    owners = [Holder.of(wallet) for wallet in tape.holders]
    found = tape.play(together(reader.discover(owner, ()) for owner in owners))
    holders = [holder for one in found if isinstance(one, tuple) for holder in one]
    read = tape.play(together(reader.account(holder) for holder in holders))
    accounts = [account for account in read if isinstance(account, Account)]
    assert len(accounts) == len(holders), read
    market = tape.play(reader.market(accounts))
    totals = tape.play(ask(calls.totals_basic(reader.comet)))
    verdicts = tape.play(together(reader.verdict(one.holder) for one in accounts), _accrued(seen))
    for account, verdict in zip(accounts, verdicts, strict=True):
        wallet = account.holder.wallet
        owed = tape.play(ask(calls.borrow_balance(reader.comet, wallet)))
        lent = tape.play(ask(balance_of((wallet, reader.comet))))
        told = {**seen[wallet], "owed": owed, "lent": lent, "stored_index": totals.borrow_index}
        yield Case(f"{tape.name}:{title}:{wallet}", reader, market, account, verdict, told)


def ask(call: Call[T]) -> Plan[T]:
    """The answer to one call, as a plan."""
    return (yield [call])[call]


def reader_of(tape: Tape, title: str, told: Mapping[str, Any]) -> Comet:
    """One market of a tape. Where the tape does not tell feeds from wrappers, all that price are feeds."""
    pricing = [told["baseTokenPriceFeed"], *(one["feed"] for one in told["collaterals"].values())]
    feeds = tape.content["addresses"].get("feeds", pricing)
    book = {Address(feed): FeedFacts(pair="X/USD", heartbeat=3600) for feed in feeds}
    return Comet(place=Place(deployment="comet_tape", title=title, feeds=book), comet=Address(told["comet"]))


def _accrued(seen: Mapping[str, Mapping[str, Any]]) -> Callable[[Call[Any]], Returned | None]:
    """What `isLiquidatable` said behind an accrual is on the tapes as a verdict; an accrual itself returns nothing."""

    def told(call: Call[Any]) -> Returned | None:
        if len(call.data) != 36:
            return None
        wallet = Address(to_checksum_address("0x" + call.data[16:].hex()))
        if call == calls.accrue_account(call.target, wallet):
            return Returned(True, b"")
        if call != calls.liquidatable(call.target, wallet):
            return None
        answer = seen[wallet]["liquidatable_accrued"]
        return Returned(answer is not None, (answer or False).to_bytes(32, "big"))

    return told
