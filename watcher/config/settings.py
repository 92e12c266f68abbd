"""The settings that everything else is started with: whole, valid, and free of references."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from watcher.alerts.rules import Rules
from watcher.chain.spec import ChainSpec
from watcher.config.daily import Daily
from watcher.config.discovery import DEFAULT_EVERY
from watcher.config.history import DEFAULT_KEEP
from watcher.config.quiet import Quiet
from watcher.config.secrets import Secret
from watcher.config.world import Deployment
from watcher.domain.source import Address
from watcher.risk.doubts import Limits

DEFAULT_MIN_INTERVAL: Final = 2
CONSOLE: Final = "console"
"""The name by which wallets and messages mean standard output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telegram:
    """The bot that speaks. `api` is the base URL of the Bot API, without a slash at its end."""

    token: Secret
    api: str


class Role(StrEnum):
    """What those who may give commands in a chat may do: ask, or also change what is watched and told."""

    READ = "read"
    ACT = "act"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """Where messages go: a Telegram chat, and the topic in it where it has topics.

    `users` are the numbers of those who may give commands there, besides whoever a private chat is with: a private chat
    and its user have one number. In its `quiet` hours a chat is told what is critical, and the rest after them. At
    `digest` it is told every day how all stands.
    """

    name: str
    id: int
    thread: int | None = None
    users: tuple[int, ...] = ()
    role: Role = Role.READ
    quiet: Quiet | None = None
    digest: Daily | None = None

    @property
    def speakers(self) -> tuple[int, ...]:
        """Everybody who may give commands there."""
        own = (self.id,) if self.id > 0 else ()
        return tuple(dict.fromkeys((*own, *self.users)))

    @property
    def zone(self) -> str:
        """By whose clock times are shown there: the time zone of its digest or its quiet hours, else UTC."""
        return next((each.zone for each in (self.digest, self.quiet) if each is not None), "UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A program that is told. `host` is what to call it: its URL may hold a key."""

    name: str
    url: Secret
    host: str
    secret: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """Who is told what nobody acknowledged: a service by its apprise URL, `after` so many seconds."""

    url: Secret
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadman:
    """Who is pinged, `every` so many seconds, as long as all is well, and misses the ping otherwise."""

    url: Secret
    host: str
    every: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """One watched address. `protocols` holds protocol names and deployment ids.

    `accounts` are smart wallets of it (a Safe, a DSA) whose positions are told as its own.

    `rules` hold wherever `places` has no others for a deployment's id.
    """

    label: str
    address: Address
    chains: tuple[str, ...]
    protocols: tuple[str, ...]
    chats: tuple[str, ...]
    rules: Rules
    accounts: tuple[Address, ...] = ()
    places: tuple[tuple[str, Rules], ...] = ()

    def rules_at(self, deployment: str) -> Rules:
        """What this wallet's user wants to know of a deployment, by its id."""
        return dict(self.places).get(deployment, self.rules)

    def watches(self, deployment: Deployment) -> bool:
        """Whether this wallet is to be looked for in a deployment."""
        wanted = deployment.protocol in self.protocols or deployment.id in self.protocols
        return wanted and deployment.chain in self.chains


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the user asked for. Chains and deployments are those that some wallet watches.

    `interval`: seconds that may pass at most between two looks at a chain, `min_interval`: that have to pass between
    two which new blocks bring about. `rules` are those of `[rules]`.
    `discovery`: seconds for which it is believed where a wallet holds anything, and where not.
    `limits`: what prices may do before they are suspect. `history`: seconds that what was seen is kept for, 0 for not
    at all. `wallets_file`: where wallets are added and removed by command. `console`: standard output is told, because
    that is asked for or because nobody else is.
    """

    interval: int
    state: Path
    chains: Mapping[str, ChainSpec]
    deployments: tuple[Deployment, ...]
    wallets: tuple[Wallet, ...]
    rules: Rules
    telegram: Telegram | None
    chats: Mapping[str, Chat]
    webhooks: Mapping[str, Webhook] = field(default_factory=dict)
    escalation: Escalation | None = None
    deadman: Deadman | None = None
    history: int = DEFAULT_KEEP
    discovery: int = DEFAULT_EVERY
    limits: Limits = field(default_factory=Limits)
    wallets_file: Path | None = None
    console: bool = False
    min_interval: int = DEFAULT_MIN_INTERVAL

    def cadence(self, chain: ChainSpec) -> float:
        """Seconds between two looks at a chain that nobody tells us of new blocks of: as many as between two blocks."""
        return min(float(self.interval), max(float(chain.block_time), float(self.min_interval)))

    @property
    def audience(self) -> tuple[str, ...]:
        """The names that alerts can be sent to: chats, then webhooks, then the console."""
        return (*self.chats, *self.webhooks, *([CONSOLE] if self.console else []))

    def quiet_at(self, now: float) -> list[str]:
        """The chats in whose quiet hours it is then."""
        return [name for name, chat in self.chats.items() if chat.quiet and chat.quiet.until(now) > now]

    def watched(self, wallet: Wallet) -> tuple[Deployment, ...]:
        """Where to look for a wallet."""
        return tuple(deployment for deployment in self.deployments if wallet.watches(deployment))


def short(address: Address) -> str:
    """An address as people recognise it: its beginning and its end."""
    return f"{address[:6]}…{address[-4:]}"


def in_units(seconds: int) -> str:
    """Seconds as they are written in TOML: "12s", "90m", "1d"."""
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    return f"{seconds // size}{unit}"


_UNITS = ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))
