"""What a configuration watches, of all that was ever watched."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Self

from watcher.alerts.message import Level
from watcher.alerts.record import OF_POSITIONS, Key, Record, wallet_of
from watcher.config.settings import Settings, Wallet
from watcher.domain.source import Address


@dataclass(frozen=True, slots=True)
class Scope:
    """The chains, and the wallets with the deployments (by id) that each is looked for in."""

    chains: Collection[str]
    places: frozenset[tuple[str, Address]]

    @classmethod
    def of(cls, settings: Settings) -> Self:
        places = {(place.id, wallet.address) for wallet in settings.wallets for place in settings.watched(wallet)}
        return cls(settings.chains, frozenset(places))

    def has(self, position: str) -> bool:
        """Whether a position of this name would be seen."""
        return (position.split("/")[0], wallet_of(position)) in self.places

    def concerns(self, key: Key) -> bool:
        """Whether what a condition is about is watched: its position, or the chain that it or its feed is on."""
        return self.has(key.subject) if key.rule in OF_POSITIONS else key.subject.partition(":")[0] in self.chains

    def narrowed(self, records: Iterable[Record], now: int) -> Iterator[Record]:
        """The records that change because what they are about was removed; at OK those that nothing is left of.

        Whoever removed it knows, so nothing is said; what is watched again later begins afresh. `now`: Unix seconds.
        """
        for record in records:
            told = tuple(name for name in record.told if self.has(name))
            forsaken = bool(record.told) and not told
            if record.level and (forsaken or not self.concerns(record.key)):
                yield replace(record, level=Level.OK, since=now, calm=0, told=())
            elif told != record.told:
                yield replace(record, told=told)


def is_told(settings: Settings, chat: str, key: Key) -> bool:
    """Whether a chat would be told of a condition: of a position as its wallet's rules there ask for it, of a chain or
    a feed on it if some wallet of the chat's is there."""
    wallets = [wallet for wallet in settings.wallets if chat in wallet.chats]
    if key.rule not in OF_POSITIONS:
        chain = key.subject.partition(":")[0]
        return any(chain in wallet.chains and _asks(wallet, key) for wallet in wallets)
    name = key.subject.split("/")[0]
    places = [place for place in settings.deployments if place.id == name]
    owners = [wallet for wallet in wallets if wallet.address == wallet_of(key.subject)]
    return any(each.watches(place) and each.rules_at(name).watches(key.rule) for each in owners for place in places)


def _asks(wallet: Wallet, key: Key) -> bool:
    return any(rules.watches(key.rule) for rules in (wallet.rules, *dict(wallet.places).values()))
