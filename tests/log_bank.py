"""A protocol whose positions can only be found in logs: who opened what, in which market, on the tests' own chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from eth_utils.crypto import keccak

from tests.chain.searches import opened_by
from watcher.config import Deployment
from watcher.domain.health import Health
from watcher.domain.position import (
    Action,
    Asset,
    Leg,
    Numeraire,
    Position,
    PositionId,
    Refused,
    State,
    Unreadable,
    Verdict,
)
from watcher.domain.price import Opaque, Price
from watcher.domain.source import ZERO_ADDRESS, Address, Block, Holder
from watcher.protocols.reader import Place
from watcher.reads import Call, Outcome, Plan
from watcher.reads.logs import Search, padded


@dataclass(frozen=True)
class Shared:
    at: Block
    prices: Mapping[Address, Outcome[Price]] = field(default_factory=dict)


@dataclass(frozen=True)
class LogBank:
    """`amountOf(market, owner)` of a collateral that never loses its worth, found by `Opened` logs."""

    place: Place
    emitter: Address
    since: int = 0

    def search(self, owner: Holder) -> Search | None:
        return opened_by(owner.account, emitter=self.emitter, since=self.since)

    def discover(self, owner: Holder, found: Sequence[str]) -> Plan[Sequence[Holder]]:
        asked = {key: self._amount(replace(owner, key=key)) for key in found}
        got = yield list(asked.values())
        return [replace(owner, key=key) for key, ask in asked.items() if got[ask]]

    def account(self, holder: Holder) -> Plan[tuple[Holder, int] | None]:
        ask = self._amount(holder)
        amount = (yield [ask])[ask]
        return (holder, amount) if amount else None

    def market(self, accounts: Sequence[tuple[Holder, int]]) -> Plan[Shared]:
        got = yield []
        return Shared(at=got.at)

    def positions(self, market: Shared, account: tuple[Holder, int]) -> Sequence[Position | Unreadable]:
        holder, amount = account
        coin = Asset(address=ZERO_ADDRESS, symbol="COIN", decimals=0)
        where = PositionId(
            deployment=self.place.deployment, wallet=holder.wallet, account=holder.account, key=holder.key
        )
        leg = Leg(asset=coin, amount=amount, price=Price.of(Opaque(self.emitter, 1)), priced_as=ZERO_ADDRESS)
        return [
            Position(
                id=where,
                holder=holder,
                at=market.at,
                market=self.place.title,
                state=State.NO_DEBT,
                health=Health(backing=amount, required=0),
                legs=(leg,),
                collateral=amount,
                debt=0,
                numeraire=Numeraire(symbol="USD", decimals=0),
            )
        ]

    def verdict(self, holder: Holder) -> Plan[Verdict | None]:
        yield []
        return None

    def after(self, market: Shared, account: tuple[Holder, int], action: Action) -> tuple[Holder, int] | Refused:
        return Refused("nothing to do")

    def repriced(self, market: Shared, prices: Mapping[Address, Price]) -> Shared:
        return market

    def expects(self) -> Plan[Sequence[str]]:
        yield []
        return []

    def _amount(self, holder: Holder) -> Call[int]:
        return Call(
            target=self.emitter,
            data=keccak(text="amountOf(bytes32,address)")[:4] + bytes.fromhex(holder.key) + padded(holder.account),
            outputs=("uint256",),
            label="amountOf",
            parse=int,
        )


def deployed(emitter: Address, *, since: int = 0, chain: str = "local") -> Deployment:
    reader = LogBank(place=Place(deployment="log_bank", title="Log Bank", feeds={}), emitter=emitter, since=since)
    return Deployment(id="log_bank", protocol="log_bank", chain=chain, title="Log Bank", reader=reader)
