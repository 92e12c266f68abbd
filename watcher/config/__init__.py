"""TOML files made into frozen settings, or a refusal that names file, key, value and what would be right."""

from watcher.config.describe import describe, describe_wallet
from watcher.config.named import named_files
from watcher.config.secrets import Secret
from watcher.config.settings import (
    Chat,
    Deadman,
    Escalation,
    Role,
    Settings,
    Telegram,
    Wallet,
    Webhook,
)
from watcher.config.user import for_addresses, load
from watcher.config.world import Deployment, World, load_world

__all__ = [
    "Chat",
    "Deadman",
    "Deployment",
    "Escalation",
    "Role",
    "Secret",
    "Settings",
    "Telegram",
    "Wallet",
    "Webhook",
    "World",
    "describe",
    "describe_wallet",
    "for_addresses",
    "load",
    "load_world",
    "named_files",
]
