"""One account of a tape as every protocol's tests have it: read, and what a what-if makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from watcher.domain.position import Action, Position, Refused, Unreadable, Verdict
from watcher.domain.price import Price
from watcher.domain.source import Address
from watcher.reads import Outcome


@dataclass(frozen=True)
class TapeCase:
    """An account, the contract's own view through our plan, and what the tape's authors saw of it.

    Each protocol's own has the types of its reader, market and account.
    """

    name: str
    reader: Any
    market: Any
    account: Any
    verdict: Outcome[Verdict | None]
    seen: Mapping[str, Any]

    @property
    def reading(self) -> Position | Unreadable:
        return self.under(self.market)

    @property
    def position(self) -> Position:
        return sure_position(self.reading)

    def under(self, market: Any) -> Position | Unreadable:
        found: Position | Unreadable
        [found] = self.reader.positions(market, self.account)
        return found

    def reprice(self, prices: Mapping[Address, Price]) -> Position:
        return sure_position(self.under(self.reader.repriced(self.market, prices)))

    def after(self, action: Action) -> Position | Refused:
        account = self.reader.after(self.market, self.account, action)
        return account if isinstance(account, Refused) else replace(self, account=account).position


def sure_position(found: Position | Unreadable) -> Position:
    assert isinstance(found, Position), found
    return found
