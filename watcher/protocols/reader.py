"""The contract of a protocol plugin: what it reads, in two parts, and the pure maths over them.

`account` is what one holder has (shares, flags); it changes only by a transaction of theirs. `market` is what all
holders share (prices, indices, thresholds) and is read once per block whoever asks. `positions` is a pure function of
the two, so that a what-if is the same function over a market with other prices.

To add a protocol: one file with a frozen dataclass that satisfies `Reader`, its interface under `abis/`, its tests,
and one line in `registry.py`. The dataclass fields are the keys of its `[[deployments]]` entry in `protocols.toml`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from watcher.domain.errors import ReadFailed
from watcher.domain.position import Action, Because, Position, PositionId, Refused, Unreadable, Verdict
from watcher.domain.price import Price
from watcher.domain.source import Address, Block, Holder
from watcher.oracles.shape import FeedBook
from watcher.reads import Outcome, Plan
from watcher.reads.logs import Search


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a reader stands: which deployment it is, and what is published about the feeds of its chain."""

    deployment: str
    title: str
    feeds: FeedBook

    def id_of(self, holder: Holder) -> PositionId:
        """The risk unit that a holder is here."""
        return PositionId(deployment=self.deployment, wallet=holder.wallet, account=holder.account, key=holder.key)

    def unpriceable(self, holder: Holder, at: Block, problem: PriceMissing) -> Unreadable:
        """A holder for whom the protocol has no price now."""
        return Unreadable(
            id=self.id_of(holder),
            holder=holder,
            at=at,
            market=self.title,
            because=Because.UNPRICEABLE,
            reason=str(problem),
        )


class Market(Protocol):
    """Anything with prices by asset; the rest is the protocol's own business."""

    @property
    def prices(self) -> Mapping[Address, Outcome[Price]]: ...


A = TypeVar("A")
M = TypeVar("M", bound=Market)


class Reader(Protocol[A, M]):
    """One deployment. What it reads is one or several risk units of each owner, each known by a `Holder`."""

    @property
    def place(self) -> Place: ...

    def discover(self, owner: Holder, found: Sequence[str]) -> Plan[Sequence[Holder]]:
        """Where an owner (a wallet, or a smart wallet of it) holds anything here; asked seldom.

        `found` are the keys that `search` has told of in the logs so far.
        """

    def search(self, owner: Holder) -> Search | None:
        """Which logs tell where an owner holds anything; None where `discover` finds out without."""

    def account(self, holder: Holder) -> Plan[A | None]:
        """Raw state of one holder; None where it holds nothing."""

    def market(self, accounts: Sequence[A]) -> Plan[M]:
        """What these accounts share, and no more than they use."""

    def positions(self, market: M, account: A) -> Sequence[Position | Unreadable]:
        """The protocol's own maths. Pure."""

    def verdict(self, holder: Holder) -> Plan[Verdict | None]:
        """The protocol's own view of the holder, to hold ours against; None where it publishes none."""

    def after(self, market: M, account: A, action: Action) -> A | Refused:
        """The account after an action, with the contract's own rounding of shares. Pure."""

    def repriced(self, market: M, prices: Mapping[Address, Price]) -> M:
        """The same market if these prices were other. Pure."""

    def expects(self) -> Plan[Sequence[str]]:
        """Problems of the configured addresses, told on chain: wrong interface, not the pair they claim to be."""


class OneEach:
    """What most readers have in common: an owner is one risk unit, and needs no logs to be found."""

    __slots__ = ()

    def discover(self, owner: Holder, found: Sequence[str]) -> Plan[Sequence[Holder]]:
        """The owner itself; `account` then tells whether it holds anything."""
        yield []
        return (owner,)

    def search(self, owner: Holder) -> Search | None:
        """None: nothing has to be searched for."""
        return None


AnyReader = Reader[Any, Any]


class PriceMissing(ReadFailed):
    """The protocol has no price for an asset now: neither healthy nor unhealthy."""
