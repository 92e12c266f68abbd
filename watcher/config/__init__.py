"""TOML files made into frozen settings, or a refusal that names file, key, value and what would be right."""

from watcher.config.secrets import Secret
from watcher.config.settings import Chat, Settings, Telegram, Wallet, describe
from watcher.config.user import for_addresses, load
from watcher.config.world import Deployment, World, load_world

__all__ = [
    "Chat",
    "Deployment",
    "Secret",
    "Settings",
    "Telegram",
    "Wallet",
    "World",
    "describe",
    "for_addresses",
    "load",
    "load_world",
]
