"""Ways to read an Aave market in tests: from a tape, with everything that a what-if needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

from tests.tape import Tape
from watcher.domain.position import Action, Position, Refused, Verdict
from watcher.domain.price import FeedFacts, Price
from watcher.domain.source import Address, Holder
from watcher.protocols.aave.state import Account, Market, Variant
from watcher.protocols.aave_v3 import AaveV3
from watcher.protocols.reader import Place
from watcher.reads import together


@dataclass(frozen=True)
class Case:
    """One account of one market, with the contract's own view where there is one."""

    name: str
    reader: AaveV3
    market: Market
    account: Account
    verdict: Verdict | None

    @property
    def position(self) -> Position:
        return self.under(self.market)

    def under(self, market: Market) -> Position:
        [position] = self.reader.positions(market, self.account)
        assert isinstance(position, Position), position
        return position

    def with_variant(self, variant: Variant) -> Case:
        return replace(self, market=replace(self.market, variant=variant))

    def reprice(self, prices: Mapping[Address, Price]) -> Position:
        return self.under(self.reader.repriced(self.market, prices))

    def after(self, action: Action) -> Position | Refused:
        account = self.reader.after(self.market, self.account, action)
        if isinstance(account, Refused):
            return account
        [position] = self.reader.positions(self.market, account)
        assert isinstance(position, Position)
        return position


def tape_cases(name: str) -> list[Case]:
    """Every account of a tape that holds anything."""
    tape = Tape.load(name)
    feeds = {
        Address(reserve["feed"]): FeedFacts(pair=f"{symbol} / USD", heartbeat=3600)
        for symbol, reserve in (tape.content.get("reserves") or tape.content["addresses"]["reserves"]).items()
    }
    reader = AaveV3(
        place=Place(deployment="aave_v3_tape", title="Aave v3", feeds=feeds),
        pool=tape.address("pool"),
        provider=tape.address("provider"),
    )
    read = tape.play(together(reader.account(Holder.of(wallet)) for wallet in tape.holders))
    accounts = [cast(Account, account) for account in read if account is not None]
    market = tape.play(reader.market(accounts))
    return [
        Case(f"{name}:{account.holder.wallet}", reader, market, account, tape.play(reader.verdict(account.holder)))
        for account in accounts
    ]
