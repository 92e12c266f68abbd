"""Spokes of Aave v4 from tapes: every account with its market, and what was recorded of both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.tape import TAPES, Tape
from watcher.domain.errors import ReadFailed
from watcher.domain.position import Action, Position, Refused, Unreadable
from watcher.domain.price import FeedFacts, Price
from watcher.domain.source import Address, Holder
from watcher.protocols.aave_v4 import AaveV4, calls
from watcher.protocols.aave_v4.maths import Account, Market
from watcher.protocols.reader import Place
from watcher.reads import Call, Outcome, Plan, together
from watcher.reads.call import T

NAMES = sorted(path.name.removesuffix(".json.gz") for path in TAPES.glob("aave_v4*.json.gz"))
NEWER = [name for name in NAMES if "2026" in name]
"""Of the sources of June 2026, with two hubs, what-ifs and remedies; the others are of v0.5.9."""


@dataclass(frozen=True)
class Spoke:
    """One state of one spoke."""

    tape: Tape
    reader: AaveV4
    accounts: tuple[Account, ...]
    market: Market

    def ask(self, call: Call[T]) -> T:
        """What was recorded of one call."""

        def plan() -> Plan[T]:
            return (yield [call])[call]

        return self.tape.play(plan())

    def of(self, account: Account, market: Market | None = None) -> Position | Unreadable:
        [found] = self.reader.positions(market or self.market, account)
        return found

    def positions(self) -> Iterator[tuple[Account, Position]]:
        """Of every account that has a value."""
        for account in self.accounts:
            if isinstance(found := self.of(account), Position):
                yield account, found

    def reprice(self, account: Account, prices: Mapping[Address, Price]) -> Position:
        found = self.of(account, self.reader.repriced(self.market, prices))
        assert isinstance(found, Position), found
        return found

    def after(self, account: Account, action: Action) -> Position | Refused:
        changed = self.reader.after(self.market, account, action)
        if isinstance(changed, Refused):
            return changed
        found = self.of(changed)
        assert isinstance(found, Position), found
        return found

    def recorded(self, what: str) -> list[dict[str, Any]]:
        """`what_if`, `done` or `verdicts` of the tape."""
        return list(self.tape.content.get(what, []))


@cache
def spoke_of(name: str) -> Spoke:
    return read(Tape.load(name))


def read(tape: Tape) -> Spoke:
    """Everything of a tape, as the plugin reads it."""
    feeds = {
        Address(reserve["feed"]): FeedFacts(pair=f"{name} / USD", heartbeat=3600)
        for name, reserve in tape.content["addresses"]["reserves"].items()
    }
    reader = AaveV4(place=Place(deployment="v4", title="Aave v4", feeds=feeds), spoke=tape.address("spoke"))
    found: list[Outcome[Account | None]] = tape.play(together(reader.account(Holder.of(one)) for one in tape.holders))
    assert not [one for one in found if isinstance(one, ReadFailed)]
    accounts = tuple(one for one in found if isinstance(one, Account))
    return Spoke(tape, reader, accounts, tape.play(reader.market(accounts)))


def account_data(spoke: Spoke, account: Account) -> calls.AccountData:
    return spoke.ask(calls.account_data_of(spoke.reader.spoke, account.holder.account))
