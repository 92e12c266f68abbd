"""Euler v2 in tests, from tapes of its own contracts: every sub-account, with what a what-if needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from eth_utils.address import to_checksum_address

from tests.protocols.cases import TapeCase
from tests.tape import TAPES, Tape
from watcher.domain.price import FeedFacts
from watcher.domain.source import Address, Holder
from watcher.protocols.euler_v2 import EulerV2
from watcher.protocols.euler_v2.maths import Account, Market
from watcher.protocols.reader import Place
from watcher.reads import together


@dataclass(frozen=True)
class Case(TapeCase):
    """One sub-account, the contract's own view through our plan, and what the tape's authors saw of it."""

    reader: EulerV2
    market: Market
    account: Account


NAMES = sorted(path.name.removesuffix(".json.gz") for path in TAPES.glob("euler_v2*.json.gz"))


def everything() -> list[Case]:
    return [case for name in NAMES for case in tape_cases(name)]


@cache
def tape_cases(name: str) -> tuple[Case, ...]:
    """Every sub-account of a tape that a vault controls."""
    return tuple(cases_of(Tape.load(name)))


def cases_of(tape: Tape) -> Iterator[Case]:
    """The same of a tape that is not on disk, or was doctored."""
    reader = reader_of(tape)
    seen = {str(to_checksum_address(one["holder"])): one for one in tape.content["verdicts"]}
    holders = [Holder(wallet=account, account=account, key=str(i)) for i, account in enumerate(tape.holders)]
    read = tape.play(together(reader.account(holder) for holder in holders))
    accounts = [account for account in read if isinstance(account, Account)]
    market = tape.play(reader.market(accounts))
    verdicts = tape.play(together(reader.verdict(one.holder) for one in accounts))
    for account, verdict in zip(accounts, verdicts, strict=True):
        owner = account.holder.account
        yield Case(f"{tape.name}:{owner}", reader, market, account, verdict, seen[owner])


def reader_of(tape: Tape) -> EulerV2:
    feeds = tape.content["addresses"].get("feeds", {})
    book = {Address(feed): FeedFacts(pair=pair, heartbeat=3600) for pair, feed in feeds.items()}
    place = Place(deployment="euler_tape", title="Euler", feeds=book)
    return EulerV2(place=place, evc=tape.address("evc"))
