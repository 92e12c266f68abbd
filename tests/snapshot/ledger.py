"""A protocol of a few lines and a block that answers for it: enough to see in what order a snapshot asks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from watcher.config import Deployment
from watcher.domain.errors import EndpointError, ReadFailed
from watcher.domain.health import Health
from watcher.domain.position import (
    Action,
    Asset,
    Because,
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
from watcher.protocols.reader import OneEach, Place, PriceMissing
from watcher.reads import Bundle, Call, Plan, Request, Returned, Storage
from watcher.snapshot import Watched

BLOCK = Block(chain="local", number=7, hash="0x07", timestamp=1_750_000_000)
BANK, ORACLE = Address("0x" + "Ba" * 20), Address("0x" + "0c" * 20)


def wallet(number: int) -> Address:
    return Address(f"0x{number:040x}")


def ask(target: Address, name: str, argument: int = 0) -> Call[int]:
    data = name.encode().ljust(32, b"\0") + argument.to_bytes(32, "big")
    return Call(target=target, data=data, outputs=("uint256",), label=name, parse=int)


def slot_of(bank: Address, holder: Holder) -> Call[int]:
    return ask(bank, "slot", int(holder.account, 16))


def shares_in(bank: Address, slot: int) -> Call[int]:
    return ask(bank, "shares", slot)


def accrued(bank: Address) -> Bundle:
    """The index, after the call that brings it up to date."""
    return Bundle((ask(bank, "accrue"), ask(bank, "index")))


def health_said(bank: Address, holder: Holder) -> Call[int]:
    return ask(bank, "health", int(holder.account, 16))


PRICE = ask(ORACLE, "price")


@dataclass(frozen=True)
class Shared:
    at: Block
    price: int
    index: int
    prices: Mapping[Address, Price] = field(default_factory=dict)


@dataclass(frozen=True)
class Bank(OneEach):
    """Shares in a slot, two reads deep; what they are worth, by a price and an index; what the bank says of it."""

    place: Place
    bank: Address
    fails: Collection[Address] = ()
    """Wallets that `positions` cannot value, and raises for."""

    def account(self, holder: Holder) -> Plan[tuple[Holder, int] | None]:
        slot = slot_of(self.bank, holder)
        got = yield [slot]
        if not got[slot]:
            return None
        shares = shares_in(self.bank, got[slot])
        return holder, (yield [shares])[shares]

    def market(self, accounts: Sequence[tuple[Holder, int]]) -> Plan[Shared]:
        bundle = accrued(self.bank)
        got = yield [PRICE, bundle]
        _, index = got.bundle(bundle)
        if isinstance(index, ReadFailed):
            raise index
        return Shared(at=got.at, price=got[PRICE], index=index)

    def positions(self, market: Shared, account: tuple[Holder, int]) -> Sequence[Position | Unreadable]:
        holder, shares = account
        if holder.wallet in self.fails:
            raise PriceMissing("no price for it")
        where = PositionId(deployment=self.place.deployment, wallet=holder.wallet, account=holder.account)
        if shares == 13:
            lost = Unreadable(
                id=where, holder=holder, at=market.at, market="", because=Because.UNPRICEABLE, reason="thirteen"
            )
            return [lost]
        value = shares * market.index * market.price
        return [
            Position(
                id=where,
                holder=holder,
                at=market.at,
                market=self.place.title,
                state=State.HEALTHY if value >= 100 else State.LIQUIDATABLE,
                health=Health(backing=value, required=100),
                legs=tuple(_leg(amount) for amount in (value, -100)),
                collateral=value,
                debt=100,
                numeraire=Numeraire(symbol="USD", decimals=0),
            )
        ]

    def verdict(self, holder: Holder) -> Plan[Verdict | None]:
        said = health_said(self.bank, holder)
        backing = (yield [said])[said]
        if not backing:
            return None
        return Verdict.valued(Health(backing=backing, required=100), backing, 100)

    def after(self, market: Shared, account: tuple[Holder, int], action: Action) -> tuple[Holder, int] | Refused:
        return (account[0], account[1] + action.amount) if action.amount else Refused("nothing to do")

    def repriced(self, market: Shared, prices: Mapping[Address, Price]) -> Shared:
        return Shared(at=market.at, price=prices[ZERO_ADDRESS].low, index=market.index)

    def expects(self) -> Plan[Sequence[str]]:
        yield []
        return []


def _leg(amount: int) -> Leg:
    coin = Asset(address=ZERO_ADDRESS, symbol="COIN", decimals=0)
    weights: dict[str, Any] = {"required": 1} if amount < 0 else {"backing": 1}
    return Leg(asset=coin, amount=amount, price=Price.of(Opaque(ORACLE, 1)), priced_as=ZERO_ADDRESS, **weights)


def watched(
    *holders: Holder | Address, bank: Address = BANK, name: str = "bank", fails: Sequence[Address] = ()
) -> Watched:
    reader = Bank(place=Place(deployment=name, title=name.title(), feeds={}), bank=bank, fails=fails)
    deployment = Deployment(id=name, protocol="bank", chain="local", title=name.title(), reader=reader)
    return Watched(deployment=deployment, holders=tuple(h if isinstance(h, Holder) else Holder.of(h) for h in holders))


@dataclass
class Ledger:
    """A block that answers from a table and remembers each round. Whatever is not in the table reverts."""

    table: dict[Call[int], int] = field(default_factory=dict)
    rounds: list[list[Request]] = field(default_factory=list)
    broken_after: int | None = None
    block: Block = BLOCK
    endpoint: str = "ledger"

    async def read(self, requests: Sequence[Request]) -> Mapping[Request, Sequence[Returned]]:
        self.rounds.append(list(requests))
        if self.broken_after is not None and len(self.rounds) > self.broken_after:
            raise EndpointError("ledger", "went away")
        return {request: [self._one(call) for call in _calls(request)] for request in requests}

    def _one(self, call: Call[Any]) -> Returned:
        if call not in self.table:
            return Returned(False, b"")
        return Returned(True, self.table[call].to_bytes(32, "big"))


def _calls(request: Request) -> tuple[Call[Any], ...]:
    assert not isinstance(request, Storage)
    return request.calls if isinstance(request, Bundle) else (request,)


def ledger(shares: Mapping[Address, int], *, price: int = 2, index: int = 10, bank: Address = BANK) -> Ledger:
    """A bank where each wallet has so many shares; nought is no slot. It says what their health is."""
    table = {PRICE: price, ask(bank, "accrue"): 0, ask(bank, "index"): index}
    for slot, (owner, amount) in enumerate(shares.items(), start=1):
        holder = Holder.of(owner)
        table[slot_of(bank, holder)] = slot if amount else 0
        table[shares_in(bank, slot)] = amount
        table[health_said(bank, holder)] = amount * index * price
    return Ledger(table)
