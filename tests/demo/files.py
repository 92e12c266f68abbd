"""What the watcher is told: its configuration, and a description of the demo's chain and market beside it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eth_utils.address import to_checksum_address

from tests.demo.stage import LABELS
from tests.worlds.aave import AaveWorld

CHAT: Final = "me"
CHAIN: Final = "local"
HEARTBEAT: Final = 3600

_PAIRS: Final = {
    "WETH": "ETH/USD",
    "wstETH": "wstETH/USD",
    "USDC": "USDC/USD",
    "WBTC": "BTC/USD",
    "DAI": "DAI/USD",
    "USDT": "USDT/USD",
}

_LIMITS: Final = {
    "looper": "warn = 1.10        # ether against ether: near the edge, and calm\ncritical = 1.05\ntarget = 1.15\n",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Telegram:
    """Where messages go. `token` is a reference as watcher.toml writes it; without `api` it is the real Telegram."""

    token: str
    chat: int
    api: str = ""


def write_token(folder: Path, token: str) -> str:
    """Keep a token in a file that only its owner can read; returns the reference to it."""
    path = folder / "telegram.token"
    path.write_text(token)
    os.chmod(path, 0o600)
    return f"${{file:{path.name}}}"


def write(folder: Path, world: AaveWorld, endpoint: str, telegram: Telegram) -> Path:
    """Both files; returns the path of watcher.toml."""
    (folder / "local.toml").write_text(_local(world, endpoint))
    path = folder / "watcher.toml"
    path.write_text(_user(telegram))
    return path


def _user(telegram: Telegram) -> str:
    api = f'api = "{telegram.api}"  # a stand-in for Telegram on this machine\n' if telegram.api else ""
    wallets = "".join(
        f'\n[[wallets]]\nlabel = "{label}"\naddress = "{address}"\nchains = ["{CHAIN}"]\n{_LIMITS.get(label, "")}'
        for label, address in LABELS.items()
    )
    return (
        'interval = "1s"\n'
        'protocols_file = "local.toml"  # the demo\'s own chain; mainnet is known\n'
        "\n[telegram]\n"
        f'token = "{telegram.token}"  # secrets only by reference\n'
        f"{api}"
        f"\n[chats.{CHAT}]\n"
        f"id = {telegram.chat}\n"
        f"{wallets}"
    )


def _local(world: AaveWorld, endpoint: str) -> str:
    chain = f"""\
[chains.{CHAIN}]
id = 31337
title = "Local chain"
multicall3 = "{to_checksum_address(world.multicall3)}"
block_time = 12
max_age = 90
confirmations = 1
endpoints = ["{endpoint}"]

[[deployments]]
id = "aave_local"
protocol = "aave_v3"
chain = "{CHAIN}"
title = "Aave v3 local"
pool = "{to_checksum_address(world.pool)}"
provider = "{to_checksum_address(world.provider)}"
oracle = "{to_checksum_address(world.oracle)}"
"""
    feeds = "".join(
        f'\n[[feeds]]\nchain = "{CHAIN}"\naddress = "{to_checksum_address(token.feed)}"\n'
        f'pair = "{_PAIRS[symbol]}"\nheartbeat = {HEARTBEAT}\ndeviation = 0.5\n'
        for symbol, token in world.tokens.items()
    )
    return chain + feeds
