"""Compound v2 and Venus's core pool in tests, from tapes of their own contracts: every account, with what a what-if
needs.

What a bundle of "accrue, then read" says is put together from what the tapes have of the accrued state: balances,
`borrowBalanceCurrent`, `exchangeRateCurrent`, `totalBorrowsCurrent` and the liquidity beside the verdicts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from tests.tape import TAPES, Tape
from watcher.domain.position import Action, Position, Refused, Unreadable, Verdict
from watcher.domain.price import FeedFacts, Price
from watcher.domain.source import Address, Holder
from watcher.protocols.compound_v2 import CompoundV2, VenusCore, calls
from watcher.protocols.compound_v2.maths import Account, Market
from watcher.protocols.compound_v2.reader import Family
from watcher.protocols.reader import Place
from watcher.reads import Call, Outcome, Returned, together

KINDS: Mapping[str, type[Family]] = {"compound_v2": CompoundV2, "venus_core": VenusCore}
NAMES = sorted(path.name.removesuffix(".json.gz") for kind in KINDS for path in TAPES.glob(f"{kind}@*.json.gz"))
WAD = 10**18


@dataclass(frozen=True)
class Case:
    """One account, the contract's own view through our plan, and what the tape's authors saw of it."""

    name: str
    reader: Family
    market: Market
    account: Account
    verdict: Outcome[Verdict | None]
    seen: Mapping[str, Any]

    @property
    def margin(self) -> int:
        return int(self.seen["liquidity_accrued"]) - int(self.seen["shortfall_accrued"])

    @property
    def position(self) -> Position:
        [found] = self.reader.positions(self.market, self.account)
        assert isinstance(found, Position), found
        return found

    @property
    def reading(self) -> Position | Unreadable:
        [found] = self.reader.positions(self.market, self.account)
        return found

    def reprice(self, prices: Mapping[Address, Price]) -> Position:
        return replace(self, market=self.reader.repriced(self.market, prices)).position

    def after(self, action: Action) -> Position | Refused:
        account = self.reader.after(self.market, self.account, action)
        return account if isinstance(account, Refused) else replace(self, account=account).position


def everything() -> list[Case]:
    return [case for name in NAMES for case in tape_cases(name)]


@cache
def tape_cases(name: str) -> tuple[Case, ...]:
    """Every account of a tape that has something in a market that it entered."""
    tape = load(name)
    reader, told = reader_of(tape), accrued_on(tape)
    seen: dict[str, Any] = {to_checksum_address(one["holder"]): one for one in tape.content["verdicts"]}
    owners = [Holder.of(wallet) for wallet in tape.holders]
    found = tape.play(together(reader.discover(owner, ()) for owner in owners), told)
    holders = [holder for one in found if isinstance(one, tuple) for holder in one]
    read = tape.play(together(reader.account(holder) for holder in holders), told)
    accounts = [account for account in read if isinstance(account, Account)]
    assert len(accounts) == len([one for one in read if one is not None]), read
    market = tape.play(reader.market(accounts), told)
    verdicts = tape.play(together(reader.verdict(one.holder) for one in accounts), told)
    return tuple(
        Case(f"{name}:{one.holder.wallet}", reader, market, one, verdict, seen[one.holder.wallet])
        for one, verdict in zip(accounts, verdicts, strict=True)
    )


def load(name: str) -> Tape:
    """A tape, with the switches of Venus that its world never touched and so did not record: all on."""
    tape = Tape.load(name)
    comptroller = tape.address("comptroller")
    c_tokens = [one["cToken"] for one in tape.content["addresses"]["markets"].values()]
    untouched = [calls.action_paused(comptroller, c_token, action) for c_token in c_tokens for action in (0, 2, 3)]
    added = [{"to": call.target, "data": "0x" + call.data.hex(), "result": "0x" + "00" * 32} for call in untouched]
    return replace(tape, content={**tape.content, "calls": [*tape.content["calls"], *added]})


def reader_of(tape: Tape) -> Family:
    kind = KINDS[tape.name.partition("@")[0]]
    place = Place(deployment="tape", title=tape.name, feeds={Address("0x"): FeedFacts(pair="X/USD", heartbeat=3600)})
    return kind(place=place, comptroller=tape.address("comptroller"))


@dataclass(frozen=True)
class Stored:
    """One market as of its last accrual, and the same by the interest that has come since."""

    index: int
    borrows: int
    reserves: int
    reserve_factor: int
    rate: int
    blocks: int

    def accrued(self) -> Stored:
        """`accrueInterest`, line by line."""
        simple = self.rate * self.blocks
        interest = simple * self.borrows // WAD
        return replace(
            self,
            index=simple * self.index // WAD + self.index,
            borrows=interest + self.borrows,
            reserves=self.reserve_factor * interest // WAD + self.reserves,
        )


def stored_on(tape: Tape, c_token: str) -> Stored:
    def said(name: str) -> int:
        return word_of(tape, c_token, f"{name}()")

    return Stored(
        index=said("borrowIndex"),
        borrows=said("totalBorrows"),
        reserves=said("totalReserves"),
        reserve_factor=said("reserveFactorMantissa"),
        rate=said("borrowRatePerBlock"),
        blocks=tape.block.number - said("accrualBlockNumber"),
    )


def word_of(tape: Tape, target: str, function: str, *addresses: str) -> int:
    data = keccak(text=function)[:4] + b"".join(bytes(12) + bytes.fromhex(one[2:]) for one in addresses)
    return int(_recorded(tape)[target.lower(), "0x" + data.hex()][:66], 16)


@cache
def _results(name: str) -> Mapping[tuple[str, str], str]:
    return {(one["to"].lower(), one["data"]): one["result"] for one in Tape.load(name).content["calls"]}


def _recorded(tape: Tape) -> Mapping[tuple[str, str], str]:
    return _results(tape.name)


def accrued_on(tape: Tape) -> Callable[[Call[Any]], Returned | None]:
    """What calls return behind an accrual; None of those for which it makes no difference."""
    c_tokens = [Address(one["cToken"]) for one in tape.content["addresses"]["markets"].values()]
    plain: dict[Call[Any], tuple[int, ...]] = {}
    for c_token in c_tokens:
        then = stored_on(tape, c_token).accrued()
        plain[calls.accrue(c_token)] = (0,)
        plain[calls.exchange_rate(c_token)] = (word_of(tape, c_token, "exchangeRateCurrent()"),)
        plain[calls.borrows(c_token)] = (word_of(tape, c_token, "totalBorrowsCurrent()"),)
        plain[calls.reserves(c_token)] = (then.reserves,)
        for wallet in tape.holders:
            tokens = word_of(tape, c_token, "getAccountSnapshot(address)", wallet)  # the error code comes first
            plain[calls.snapshot(c_token, wallet)] = (tokens, *_held(tape, c_token, wallet))
    for one in tape.content["verdicts"]:
        view = (0, int(one["liquidity_accrued"]), int(one["shortfall_accrued"]))
        wallet = Address(to_checksum_address(one["holder"]))
        plain[calls.liquidity_of(tape.address("comptroller"), wallet)] = view

    def told(call: Call[Any]) -> Returned | None:
        words = plain.get(call)
        return None if words is None else Returned(True, b"".join(word.to_bytes(32, "big") for word in words))

    return told


def _held(tape: Tape, c_token: str, wallet: str) -> tuple[int, int, int]:
    data = keccak(text="getAccountSnapshot(address)")[:4] + bytes(12) + bytes.fromhex(wallet[2:])
    snapshot = _recorded(tape)[c_token.lower(), "0x" + data.hex()]
    owed = word_of(tape, c_token, "borrowBalanceCurrent(address)", wallet)
    return int(snapshot[66:130], 16), owed, word_of(tape, c_token, "exchangeRateCurrent()")
