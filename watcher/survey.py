"""What is watched in one deployment, and the plan that reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from watcher.checking import checked
from watcher.config import Deployment
from watcher.domain.errors import CallReverted, NotDecodable, ReadFailed
from watcher.domain.position import (
    Action,
    Because,
    Position,
    PositionId,
    Refused,
    Unreadable,
    Verdict,
)
from watcher.domain.price import Price
from watcher.domain.searched import Searched, Unsearched, missing
from watcher.domain.source import Address, Block, Holder
from watcher.protocols.owners import Registries, smart_wallets_of
from watcher.protocols.reader import AnyReader, PriceMissing
from watcher.reads import Answers, Memo, Outcome, Plan, Request, both, lasting, sure, together
from watcher.reads.call import T

HOLDERS: Final = "holders"
"""Memos of where owners hold anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapping:
    """The token that a chain's own coin can be wrapped into, and the contract that tells who has how many coins."""

    token: Address
    teller: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One deployment and who is watched in it.

    `holders` are the owners that are looked for: wallets, and smart wallets of theirs. Where they hold anything is
    found out anew after `discovered_for` seconds of block time; `found` are the keys that logs have told of, by owner,
    and `searched` which logs those are; they are to be searched up to block `searched_to`, or the one that is read.
    `registries` tell of smart wallets besides.
    `targets`: the health below which a wallet is told what would help, and so what it has of that is read too; with
    its coins, where that is the token which `wrapping` makes of them.
    """

    deployment: Deployment
    holders: tuple[Holder, ...]
    targets: Mapping[Address, Decimal] = field(default_factory=dict)
    wrapping: Wrapping | None = None
    discovered_for: int = 0
    found: Mapping[Address, Sequence[str]] = field(default_factory=dict)
    searched: Mapping[Address, Searched] = field(default_factory=dict)
    searched_to: int | None = None
    registries: Registries = field(default_factory=Registries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A position with the state it was made from, so that a what-if is the same function over other state."""

    position: Position
    reader: AnyReader
    market: Any
    account: Any

    def reprice(self, prices: Mapping[Address, Price]) -> Position:
        """The position under other prices. Raises `ReadFailed` where the protocol could then not value it."""
        return self._of(self.reader.repriced(self.market, prices), self.account)

    def after(self, action: Action) -> Position | Refused:
        """The position after an action, or why the protocol would refuse it."""
        account = self.reader.after(self.market, self.account, action)
        return account if isinstance(account, Refused) else self._of(self.market, account)

    def of_account(self, account: Any) -> Position:
        """The position of another state of its account. Raises `ReadFailed` where the market was not read for it."""
        return self._of(self.market, account)

    def _of(self, market: Any, account: Any) -> Position:
        for found in self.reader.positions(market, account):
            if isinstance(found, Position) and found.id == self.position.id:
                return found
        raise ReadFailed(f"{self.position.id} has no value under these assumptions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed:
    """One deployment as it was read: `readings`, and of whom they are.

    `owners` are all that were looked for, smart wallets that were found included. `sought` is, by wallet, since when
    (block time) it is known where it holds anything: what was opened after that, nobody has looked for yet. `asked` is
    what the next look will ask too: without what is asked seldom.
    """

    readings: tuple[Held | Unreadable, ...]
    owners: tuple[Holder, ...]
    unsearched: tuple[Unsearched, ...]
    sought: Mapping[Address, int]
    asked: frozenset[Request]


def survey(watched: Watched, block: Block) -> Plan[Surveyed]:
    """One deployment for all its holders: their accounts, then what those share and the protocol's own view."""
    owners, names, lost = yield from _owners(watched, block)
    asked = set[Request]()
    seldom = together(_discovered(watched, owner) for owner in owners)
    where = yield from seldom if watched.discovered_for else noting(seldom, asked)
    got = yield []
    found = list(zip(owners, where, strict=True))
    lost += [_unreadable(watched, block, one, problem) for one, problem in found if isinstance(problem, ReadFailed)]
    holders = [
        (holder, names.get(owner, "")) for owner, held in found if not isinstance(held, ReadFailed) for holder in held
    ]
    readings = yield from noting(_read(watched, block, holders), asked)
    return Surveyed(
        readings=(*lost, *readings),
        owners=tuple(owners),
        unsearched=tuple(_unsearched(watched, block, owners)),
        sought=_sought(watched, owners, got),
        asked=frozenset(asked),
    )


def noting(plan: Plan[T], into: set[Request]) -> Plan[T]:
    """The plan; and what it asks, in `into`."""
    try:
        requests = next(plan)
        while True:
            into.update(requests)
            requests = plan.send((yield requests))
    except StopIteration as stop:
        result: T = stop.value
        return result


def _owners(watched: Watched, block: Block) -> Plan[tuple[list[Holder], dict[Holder, str], list[Held | Unreadable]]]:
    """Everybody that is looked for, what smart wallets are called, and whose could not be told.

    One that is watched by itself, or is configured as somebody's, is not looked for twice.
    """
    owners, names = list(watched.holders), {one: "smart wallet" for one in watched.holders if one.account != one.wallet}
    wallets = [one for one in owners if one.account == one.wallet]
    told = yield from together(smart_wallets_of(one.wallet, watched.registries) for one in wallets)
    lost: list[Held | Unreadable] = []
    known = {one.account for one in owners}
    for one, smart in zip(wallets, told, strict=True):
        if isinstance(smart, ReadFailed):
            lost.append(_unreadable(watched, block, replace(one, key="smart wallets"), smart))
            continue
        for each in smart:
            if each.account not in known:
                owner = Holder(wallet=one.wallet, account=each.account)
                known.add(each.account)
                owners.append(owner)
                names[owner] = each.name
    return owners, names, lost


def _discovered(watched: Watched, owner: Holder) -> Plan[Sequence[Holder]]:
    """Where an owner holds anything in one deployment, by what was found out not too long ago."""
    reader, found = watched.deployment.reader, watched.found.get(owner.account, ())
    plan = lasting(_memo(watched, owner), lambda: reader.discover(owner, found), lasts=watched.discovered_for)
    return (yield from plan)


def _memo(watched: Watched, owner: Holder) -> Memo[Sequence[Holder]]:
    return Memo(HOLDERS, (watched.deployment.id, owner, tuple(watched.found.get(owner.account, ()))))


def _sought(watched: Watched, owners: Sequence[Holder], got: Answers) -> dict[Address, int]:
    sought: dict[Address, int] = {}
    for owner in owners:
        finding = got.known.get(_memo(watched, owner))
        if finding is not None:
            at = finding.until - watched.discovered_for
            sought[owner.wallet] = min(at, sought.get(owner.wallet, at))
    return sought


def _unsearched(watched: Watched, block: Block, owners: Sequence[Holder]) -> Iterator[Unsearched]:
    """Of whom logs may tell more than was found in those that have been searched."""
    for owner in owners:
        search = watched.deployment.reader.search(owner)
        if search is None:
            continue
        searched = watched.searched.get(owner.account, Searched())
        ranges = searched.ranges if searched.mark == search.mark else ()
        left = missing(ranges, search.since, block.number if watched.searched_to is None else watched.searched_to)
        if left:
            yield Unsearched(
                deployment=watched.deployment.id,
                market=watched.deployment.title,
                wallet=owner.wallet,
                account=owner.account,
                ranges=left,
                problem=searched.problem,
            )


def _unreadable(watched: Watched, block: Block, holder: Holder, problem: ReadFailed) -> Unreadable:
    where = PositionId(deployment=watched.deployment.id, wallet=holder.wallet, account=holder.account, key=holder.key)
    return Unreadable(
        id=where,
        holder=holder,
        at=block,
        market=watched.deployment.title,
        because=_because(problem),
        reason=str(problem),
    )


def _read(watched: Watched, block: Block, holders: Sequence[tuple[Holder, str]]) -> Plan[list[Held | Unreadable]]:
    """What these holders have; each with the name of the smart wallet that has it, or none."""
    reader = watched.deployment.reader
    outcomes = yield from together(reader.account(holder) for holder, _ in holders)
    asked = list(zip(holders, outcomes, strict=True))
    readings: list[Held | Unreadable] = [
        _unreadable(watched, block, holder, outcome)
        for (holder, _), outcome in asked
        if isinstance(outcome, ReadFailed)
    ]
    present = [(*one, account) for one, account in asked if account is not None and not isinstance(account, ReadFailed)]
    if not present:
        return readings
    try:
        market, verdicts = yield from both(
            reader.market([account for _, _, account in present]),
            together(reader.verdict(holder) for holder, _, _ in present),
        )
    except ReadFailed as problem:
        return [*readings, *(_unreadable(watched, block, holder, problem) for holder, _, _ in present)]
    for (holder, name, account), verdict in zip(present, verdicts, strict=True):
        try:
            found = _valued(reader, market, account, verdict)
            readings += [_through(one, name) for one in found] if name else found
        except ReadFailed as problem:
            readings.append(_unreadable(watched, block, holder, problem))
    return readings


def _through(one: Held | Unreadable, name: str) -> Held | Unreadable:
    """With the word that a smart wallet has it."""
    if isinstance(one, Unreadable):
        return one
    return replace(one, position=replace(one.position, notes=(*one.position.notes, f"held by its {name}")))


def _valued(reader: AnyReader, market: Any, account: Any, verdict: Outcome[Verdict | None]) -> list[Held | Unreadable]:
    """The positions of one account beside the protocol's own view. Raises `ReadFailed` where either has no answer.

    A protocol that cannot value the account now would refuse to liquidate it too, so ours alone is not believed.
    """
    return [
        found
        if isinstance(found, Unreadable)
        else Held(position=checked(found, sure(verdict)), reader=reader, market=market, account=account)
        for found in reader.positions(market, account)
    ]


def _because(problem: ReadFailed) -> Because:
    if isinstance(problem, PriceMissing):
        return Because.UNPRICEABLE
    if isinstance(problem, CallReverted):
        return Because.REVERTED
    return Because.UNDECODABLE if isinstance(problem, NotDecodable) else Because.MISMATCH
