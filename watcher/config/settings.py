"""The settings that everything else is started with: whole, valid, and free of references."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from watcher.alerts.rules import Rules
from watcher.chain.spec import ChainSpec
from watcher.config.secrets import Secret
from watcher.config.world import Deployment
from watcher.domain.source import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Telegram:
    """The bot that speaks. `api` is the base URL of the Bot API, without a slash at its end."""

    token: Secret
    api: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """Where messages go: a Telegram chat, and the topic in it where it has topics."""

    name: str
    id: int
    thread: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """One watched address. `protocols` holds protocol names and deployment ids."""

    label: str
    address: Address
    chains: tuple[str, ...]
    protocols: tuple[str, ...]
    chats: tuple[str, ...]
    rules: Rules

    def watches(self, deployment: Deployment) -> bool:
        """Whether this wallet is to be looked for in a deployment."""
        wanted = deployment.protocol in self.protocols or deployment.id in self.protocols
        return wanted and deployment.chain in self.chains


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the user asked for. Chains and deployments are those that some wallet watches.

    `interval`: seconds that may pass at most between two looks at a chain. `rules` are those of `[rules]`.
    """

    interval: int
    state: Path
    chains: Mapping[str, ChainSpec]
    deployments: tuple[Deployment, ...]
    wallets: tuple[Wallet, ...]
    rules: Rules
    telegram: Telegram | None
    chats: Mapping[str, Chat]

    def watched(self, wallet: Wallet) -> tuple[Deployment, ...]:
        """Where to look for a wallet."""
        return tuple(deployment for deployment in self.deployments if wallet.watches(deployment))


def short(address: Address) -> str:
    """An address as people recognise it: its beginning and its end."""
    return f"{address[:6]}…{address[-4:]}"


def describe(settings: Settings) -> list[str]:
    """The settings in lines for people; nothing secret in them."""
    counts = (
        _count(len(settings.wallets), "wallet"),
        _count(len(settings.chains), "chain"),
        _count(len(settings.deployments), "deployment"),
        _count(len(settings.chats), "chat"),
    )
    return [
        f"{', '.join(counts)}; a look at least every {in_units(settings.interval)}; state in {settings.state}",
        *(_wallet_line(settings, wallet) for wallet in settings.wallets),
        *(f"{chain.name}: {', '.join(each.name for each in chain.endpoints)}" for chain in settings.chains.values()),
        *(_chat_line(chat) for chat in settings.chats.values()),
        f"Telegram: a bot at {settings.telegram.api}" if settings.telegram else "Telegram: not configured",
    ]


def in_units(seconds: int) -> str:
    """Seconds as they are written in TOML: "12s", "90m", "1d"."""
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    return f"{seconds // size}{unit}"


_UNITS = ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_MOST_TITLES = 6


def _wallet_line(settings: Settings, wallet: Wallet) -> str:
    titles = [deployment.title for deployment in settings.watched(wallet)]
    places = ", ".join(titles) if len(titles) <= _MOST_TITLES else f"{len(titles)} deployments"
    rules = wallet.rules
    limits = f"warn below {rules.warn}, critical below {rules.critical}, target {rules.target}"
    chats = f"; to {', '.join(wallet.chats)}" if wallet.chats else ""
    return f"{wallet.label} {wallet.address}: {places}; {limits}{chats}"


def _chat_line(chat: Chat) -> str:
    return f"chat {chat.name}: {chat.id}{f', thread {chat.thread}' if chat.thread is not None else ''}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
